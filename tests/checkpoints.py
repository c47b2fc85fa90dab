"""Checkpoints as LangGraph would hand them to a saver."""

from __future__ import annotations

from typing import Any

from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.base.id import uuid6

Config = dict[str, Any]


def config(thread_id: str, checkpoint_id: str | None = None, ns: str = "") -> Config:
    """The config LangGraph would pass."""
    named = {"thread_id": thread_id, "checkpoint_ns": ns}
    if checkpoint_id is not None:
        named["checkpoint_id"] = checkpoint_id
    return {"configurable": named}


def checkpoint(
    values: dict[str, Any], versions: dict[str, Any] | None = None, **fields: Any
) -> dict[str, Any]:
    """A format-4 checkpoint; versions default to 1 for every value."""
    made = {**empty_checkpoint(), "v": 4, "id": str(uuid6(clock_seq=-2))}
    made.pop("pending_sends", None)
    made["channel_values"] = values
    made["channel_versions"] = versions if versions is not None else dict.fromkeys(values, 1)
    return {**made, **fields}


class Thread:
    """Puts one checkpoint after another to one thread, tracking versions as LangGraph does."""

    def __init__(self, saver: Any, thread_id: str = "t", ns: str = "") -> None:
        self.saver = saver
        self.thread_id = thread_id
        self.ns = ns
        self.versions: dict[str, int] = {}
        self.values: dict[str, Any] = {}
        self.config: Config = config(thread_id, ns=ns)
        self.step = -1

    async def put(self, changed: dict[str, Any], **metadata: Any) -> Config:
        """Store a checkpoint in which these channels changed and the others did not."""
        self.step += 1
        self.values.update(changed)
        new = {k: self.versions.get(k, 0) + 1 for k in changed}
        self.versions.update(new)
        made = checkpoint(dict(self.values), dict(self.versions))
        full = {"source": "loop", "step": self.step, "parents": {}, **metadata}
        self.config = await self.saver.put(self.config, made, full, new)
        return self.config

    async def state(self, at: Config | None = None) -> dict[str, Any]:
        """The channel values as stored."""
        found = await self.saver.get_tuple(at or config(self.thread_id, ns=self.ns))
        return found.checkpoint["channel_values"]
