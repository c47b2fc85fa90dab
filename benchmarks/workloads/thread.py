"""Drives a saver as LangGraph's loop does: the same config, checkpoint, metadata, versions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timezone
from typing import Any

from langchain_core.messages import AnyMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
)
from langgraph.checkpoint.base.id import uuid6

PutArguments = tuple[RunnableConfig, Checkpoint, CheckpointMetadata, ChannelVersions]

# Which node writes a message of a type, and which one it triggers.
_NODES = {"human": ("__start__", "agent"), "ai": ("agent", "tools"), "tool": ("tools", "agent")}


class Thread:
    """The state of one thread and what LangGraph would put for it, superstep by superstep."""

    def __init__(self, saver: BaseCheckpointSaver[str], thread_id: str = "bench") -> None:
        self.saver = saver
        self.thread_id = thread_id
        self.step = -1
        self.checkpoint_id: str | None = None
        self.values: dict[str, Any] = {}
        self._versions: dict[str, str] = {}
        self._seen: dict[str, ChannelVersions] = {"__input__": {}}

    @property
    def latest(self) -> RunnableConfig:
        """The config that reads the newest checkpoint."""
        return {"configurable": {"thread_id": self.thread_id, "checkpoint_ns": ""}}

    def advance(
        self, updates: Mapping[str, Any], *, node: str = "agent", gone: Collection[str] = ()
    ) -> PutArguments:
        """Run one superstep and return the arguments of its put.

        Args:
            updates: New channel values by name.
            node: The node that ran; its own trigger channel is what it has seen.
            gone: Channels that became empty: a new version and no value.
        """
        trigger = f"branch:to:{node}"
        if trigger in self._versions:
            self._seen[node] = {trigger: self._versions[trigger]}
        version = self.saver.get_next_version(max(self._versions.values(), default=None), None)
        fresh = dict.fromkeys((*gone, *updates), version)
        self._versions = {**self._versions, **fresh}
        self.values = {k: v for k, v in self.values.items() if k not in gone} | dict(updates)
        self.step += 1
        config = self._config()
        checkpoint = self._checkpoint(sorted(updates))
        self.checkpoint_id = checkpoint["id"]
        metadata: CheckpointMetadata = {"source": "loop", "step": self.step, "parents": {}}
        return config, checkpoint, metadata, {**fresh}

    def resume(self, found: CheckpointTuple) -> None:
        """Go on from a checkpoint that was read, as a new run of the graph does."""
        checkpoint = found.checkpoint
        self.checkpoint_id = checkpoint["id"]
        self.step = found.metadata["step"]
        self.values = dict(checkpoint["channel_values"])
        self._versions = {name: str(v) for name, v in checkpoint["channel_versions"].items()}
        self._seen = {node: dict(seen) for node, seen in checkpoint["versions_seen"].items()}

    def append(self, message: AnyMessage) -> PutArguments:
        """Run the superstep that appends one message, as an agent and its tools node do."""
        node, following = _NODES[message.type]
        messages = [*self.values.get("messages", ()), message]
        updates = {"messages": messages, f"branch:to:{following}": None}
        consumed = f"branch:to:{node}"
        return self.advance(updates, node=node, gone=[consumed] if consumed in self.values else ())

    def check(self) -> None:
        """Read the newest checkpoint back.

        Raises:
            AssertionError: The saver does not return what was put.
        """
        self.verify(self.saver.get_tuple(self.latest))

    def verify(self, found: CheckpointTuple | None) -> None:
        """Compare what a saver returned as the newest checkpoint with what was put.

        Raises:
            AssertionError: It is something else.
        """
        if found is None or found.config["configurable"]["checkpoint_id"] != self.checkpoint_id:
            raise AssertionError(f"{self.saver!r} lost checkpoint {self.checkpoint_id}")
        if found.checkpoint["channel_values"] != self.values:
            raise AssertionError(f"{self.saver!r} returned other values than were put")

    def _config(self) -> RunnableConfig:
        configurable = {"thread_id": self.thread_id, "checkpoint_ns": ""}
        if self.checkpoint_id is not None:
            configurable["checkpoint_id"] = self.checkpoint_id
        return {
            "callbacks": None,
            "configurable": configurable,
            "metadata": {"thread_id": self.thread_id},
            "recursion_limit": 10007,
            "tags": [],
        }

    def _checkpoint(self, updated: list[str]) -> Checkpoint:
        return {
            "v": 4,
            "ts": datetime.now(timezone.utc).isoformat(),
            "id": str(uuid6(clock_seq=self.step)),
            "channel_values": dict(self.values),
            "channel_versions": dict(self._versions),
            "versions_seen": {node: dict(seen) for node, seen in self._seen.items()},
            "updated_channels": updated,
        }
