"""A chat model that needs no network: what it says follows from what it has read."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult

ORDER = {"order": "1042"}


class ScriptedModel(BaseChatModel):
    """Handles one complaint: looks things up, asks for a review, offers a refund or declines."""

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> ScriptedModel:
        """Accept tools as a real model does; the script knows them already."""
        return self

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=_reply(messages))])


def _reply(messages: list[BaseMessage]) -> AIMessage:
    read = {str(m.name): str(m.content) for m in messages if isinstance(m, ToolMessage)}
    if "look_up_order" not in read:
        return _call("I will look your order up.", "look_up_order")
    if "inspect_photo" not in read:
        return _call("Let me see the photo and our stock.", "inspect_photo", "check_stock")
    if "risk_review" not in read:
        return _call("I will have this reviewed.", "risk_review")
    if "high" in read["risk_review"]:
        return AIMessage("I am sorry: the parcel was signed for, so I cannot refund it.")
    if "refund" not in read:
        return _call("I will refund you.", "refund")
    return AIMessage(f"All done: {read['refund']}.")


def _call(text: str, *tools: str) -> AIMessage:
    calls = [{"name": tool, "args": ORDER, "id": f"call_{uuid.uuid4().hex}"} for tool in tools]
    return AIMessage(text, tool_calls=calls)
