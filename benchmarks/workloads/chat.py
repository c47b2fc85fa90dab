"""One chat thread: a person asks, the model answers with a tool call, the tool reports.

Packed by JsonPlusSerializer a message takes 600 bytes on average.
"""

from __future__ import annotations

import json
import string
import uuid

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from benchmarks.workloads.text import Prose

_TOOLS = ("search_orders", "lookup_customer", "list_shipments", "read_article")
_ALPHANUMERIC = string.ascii_letters + string.digits


def conversation(length: int, seed: int = 20) -> list[AnyMessage]:
    """Make the first `length` messages of a conversation; every third is a tool's output."""
    makers = (_human, _model, _tool)
    prose = Prose(seed)
    messages: list[AnyMessage] = []
    for index in range(length):
        messages.append(makers[index % 3](prose, messages))
    return messages


def _uuid(prose: Prose) -> str:
    return str(uuid.UUID(int=prose.random.getrandbits(128), version=4))


def _human(prose: Prose, _: list[AnyMessage]) -> HumanMessage:
    length = int(prose.random.triangular(40, 1_000, 260))
    return HumanMessage(content=prose.text(length), id=_uuid(prose))


def _model(prose: Prose, _: list[AnyMessage]) -> AIMessage:
    used, made = prose.random.randint(400, 90_000), prose.random.randint(20, 400)
    return AIMessage(
        content=prose.text(int(prose.random.triangular(20, 400, 60))),
        id=f"lc_run--{_uuid(prose)}",
        tool_calls=[
            {
                "name": prose.random.choice(_TOOLS),
                "args": {"query": " ".join(prose.words(4)), "limit": prose.random.randint(1, 50)},
                "id": f"call_{prose.identifier(_ALPHANUMERIC, 24)}",
            }
        ],
        response_metadata={"model_name": "gpt-4o-mini", "finish_reason": "tool_calls"},
        usage_metadata={"input_tokens": used, "output_tokens": made, "total_tokens": used + made},
    )


def _tool(prose: Prose, messages: list[AnyMessage]) -> ToolMessage:
    call = messages[-1].tool_calls[0]  # type: ignore[union-attr]
    found = [
        {
            "id": f"ord_{prose.identifier(string.hexdigits[:16], 10)}",
            "total": round(prose.random.uniform(3, 2_000), 2),
            "note": " ".join(prose.words(prose.random.randint(3, 15))),
        }
        for _ in range(prose.random.randint(1, 6))
    ]
    return ToolMessage(
        content=json.dumps(found), name=call["name"], tool_call_id=call["id"], id=_uuid(prose)
    )
