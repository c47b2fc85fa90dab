"""What people, models and tools say, seeded."""

from __future__ import annotations

import json
import string
import uuid
from random import Random

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolCall, ToolMessage

from lgckpt.loadtest.text import Prose

_TOOLS = ("search_orders", "lookup_customer", "list_shipments", "read_article")
_ALPHANUMERIC = string.ascii_letters + string.digits


class Talk:
    """A source of messages; the same seed gives the same ones."""

    def __init__(self, seed: int) -> None:
        self.prose = Prose(seed)
        self.random: Random = self.prose.random

    def system(self) -> SystemMessage:
        """The prompt an agent is given: 2,000 to 6,000 characters."""
        return SystemMessage(self.prose.text(self.random.randint(2_000, 6_000)), id=self._uuid())

    def human(self) -> HumanMessage:
        """A question, or an answer to one."""
        length = int(self.random.triangular(40, 1_000, 260))
        return HumanMessage(self.prose.text(length), id=self._uuid())

    def answer(self) -> AIMessage:
        """A model's last word of a turn."""
        return self._model(self.prose.text(int(self.random.triangular(100, 2_000, 500))), "stop")

    def request(self) -> AIMessage:
        """A model that calls a tool."""
        call: ToolCall = {
            "name": self.random.choice(_TOOLS),
            "args": {"query": " ".join(self.prose.words(4)), "limit": self.random.randint(1, 50)},
            "id": f"call_{self.prose.identifier(_ALPHANUMERIC, 24)}",
            "type": "tool_call",
        }
        content = self.prose.text(int(self.random.triangular(20, 400, 60)))
        return self._model(content, "tool_calls", call)

    def _model(self, content: str, reason: str, *calls: ToolCall) -> AIMessage:
        used, made = self.random.randint(400, 90_000), self.random.randint(20, 400)
        return AIMessage(
            content=content,
            id=f"lc_run--{self._uuid()}",
            tool_calls=list(calls),
            response_metadata={"model_name": "gpt-4o-mini", "finish_reason": reason},
            usage_metadata={
                "input_tokens": used,
                "output_tokens": made,
                "total_tokens": used + made,
            },
        )

    def result(self, request: AIMessage) -> ToolMessage:
        """What the tool found."""
        call = request.tool_calls[0]
        found = [
            {
                "id": f"ord_{self.prose.identifier(string.hexdigits[:16], 10)}",
                "total": round(self.random.uniform(3, 2_000), 2),
                "note": " ".join(self.prose.words(self.random.randint(3, 15))),
            }
            for _ in range(self.random.randint(1, 6))
        ]
        return ToolMessage(
            content=json.dumps(found),
            name=call["name"],
            tool_call_id=str(call["id"]),
            id=self._uuid(),
        )

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))
