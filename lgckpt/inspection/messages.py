"""Which values are messages, and what they say: LangChain's objects, and dicts as of OpenAI."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from lgckpt.inspection.jsonable import jsonable
from lgckpt.inspection.views import Typed

_MODULES = ("langchain_core.messages", "langchain.schema.messages", "langgraph.graph.message")


@dataclass(frozen=True, slots=True)
class ToolCall:
    """What an assistant asked a tool for; `arguments` is JSON, or as the model wrote it."""

    id: str | None
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation.

    Attributes:
        role: "human", "ai", "system", "tool", as LangChain names them, or as it is written.
        about: The tool call that it answers.
    """

    role: str
    id: str | None
    name: str | None
    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    about: str | None = None


def message(view: Any) -> Message | None:
    """A message, if a value is one."""
    fields = view.content if isinstance(view, Typed) else view
    if not isinstance(fields, dict):
        return None
    role = fields.get("type")
    if isinstance(view, Typed):
        if not view.module.startswith(_MODULES) or not {"content", "id"} & fields.keys():
            return None
    elif "content" not in fields or not isinstance(role := fields.get("role", role), str):
        return None
    return Message(
        str(role or (view.name if isinstance(view, Typed) else "")),
        _text_or_none(fields.get("id")),
        _text_or_none(fields.get("name")),
        _text(fields.get("content")),
        _calls(fields.get("tool_calls")),
        _text_or_none(fields.get("tool_call_id")),
    )


def conversation(view: Any) -> list[Message] | None:
    """The messages of a list of nothing else."""
    if isinstance(view, Typed) and view.name == "DeltaSnapshot":
        view = view.content
    if not isinstance(view, list) or not view:
        return None
    found = [message(one) for one in view]
    return None if None in found else [one for one in found if one is not None]


def _text_or_none(found: Any) -> str | None:
    return None if found is None else str(found)


def _text(content: Any) -> str:
    """A content's text; blocks of other kinds as JSON."""
    if isinstance(content, str) or content is None:
        return content or ""
    parts = []
    for block in content if isinstance(content, list) else [content]:
        if isinstance(block, str):
            parts.append(block)
        elif isinstance(block, dict) and isinstance(block.get("text"), str):
            parts.append(block["text"])
        else:
            parts.append(_compact(block))
    return "\n".join(parts)


def _calls(found: Any) -> tuple[ToolCall, ...]:
    calls = [call for call in found if isinstance(call, dict)] if isinstance(found, list) else []
    made = []
    for call in calls:
        # OpenAI nests the name and the arguments, LangChain does not.
        inner = call["function"] if isinstance(call.get("function"), dict) else call
        arguments = inner.get("args", inner.get("arguments"))
        text = arguments if isinstance(arguments, str) else _compact(arguments)
        made.append(ToolCall(_text_or_none(call.get("id")), str(inner.get("name")), text))
    return tuple(made)


def _compact(view: Any) -> str:
    return json.dumps(jsonable(view), ensure_ascii=False)
