"""A message of a conversation, as it is printed."""

from __future__ import annotations

from lgckpt.cli.screen import Part, put
from lgckpt.inspection import Message
from lgckpt.inspection.text import folded

_STYLES = {
    "human": "bold green", "user": "bold green", "ai": "bold blue", "assistant": "bold blue",
    "AIMessageChunk": "bold blue", "tool": "bold magenta", "system": "bold yellow",
}  # fmt: skip


def headline(message: Message) -> list[Part]:
    """Who says it."""
    parts: list[Part] = [(message.role, _STYLES.get(message.role, "bold"))]
    if message.name:
        parts.append(f" {message.name}")
    if message.about:
        parts.append((f"  answers {message.about}", "dim"))
    if message.id:
        parts.append((f"  {message.id}", "dim"))
    return parts


def said(message: Message, limit: int | None) -> list[str]:
    """What it says, and what it calls, line by line."""
    lines = folded(message.text, limit).split("\n") if message.text else []
    for call in message.tool_calls:
        about = f"  {call.id}" if call.id else ""
        lines.append(f"→ {call.name}({folded(call.arguments, limit)}){about}")
    return lines


def put_message(message: Message, limit: int | None) -> None:
    """Print a message of a conversation."""
    put(*headline(message), indent=2)
    for line in said(message, limit):
        put(line, indent=4)
