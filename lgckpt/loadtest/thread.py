"""A thread as LangGraph's loop drives it: the same configs, checkpoints, metadata, versions."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timezone
from random import Random
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, CheckpointMetadata
from langgraph.checkpoint.base.id import uuid6

from lgckpt.loadtest.calls import Get, History, Put, PutWrites


class Thread:
    """The state of one thread, and the calls that LangGraph would make for it.

    Args:
        thread_id: Its id.
        random: Where task ids come from.
    """

    def __init__(self, thread_id: str, random: Random) -> None:
        self.thread_id = thread_id
        self.step = -2
        self.checkpoint_id: str | None = None
        self.values: dict[str, Any] = {}
        self.ids: list[str] = []
        self._random = random
        self._run_id = self.uuid()
        self._versions: dict[str, Any] = {}
        self._seen: dict[str, ChannelVersions] = {"__input__": {}}
        self._kept: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {}

    def uuid(self) -> str:
        """A random UUID, the same for the same seed."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def put(
        self,
        updates: Mapping[str, Any],
        *,
        node: str = "agent",
        gone: Collection[str] = (),
        source: str = "loop",
    ) -> Put:
        """End a superstep.

        Args:
            updates: New channel values by name.
            node: Who ran; its own trigger channel is what it has seen.
            gone: Channels that became empty: a new version and no value.
            source: "input", "loop", "update" or "fork", for the metadata.
        """
        trigger = f"branch:to:{node}"
        if trigger in self._versions:
            self._seen[node] = {trigger: self._versions[trigger]}
        version = self._next_version()
        fresh: ChannelVersions = dict.fromkeys((*gone, *updates), version)
        self._versions = {**self._versions, **fresh}
        self.values = {k: v for k, v in self.values.items() if k not in gone} | dict(updates)
        self.step += 1
        config = self._config()
        self.checkpoint_id = str(uuid6(clock_seq=self.step))
        self.ids.append(self.checkpoint_id)
        self._kept[self.checkpoint_id] = (self.values, self._versions, dict(self._seen))
        metadata: CheckpointMetadata = {
            "source": source,  # type: ignore[typeddict-item]
            "step": self.step,
            "parents": {},
            "run_id": self._run_id,
        }
        return Put(
            config,
            {
                "v": 4,
                "ts": datetime.now(timezone.utc).isoformat(),
                "id": self.checkpoint_id,
                "channel_values": dict(self.values),
                "channel_versions": dict(self._versions),
                "versions_seen": {name: dict(seen) for name, seen in self._seen.items()},
                "updated_channels": sorted(updates),
            },
            metadata,
            fresh,
        )

    def _next_version(self) -> str:
        current = max((int(v.split(".")[0]) for v in self._versions.values()), default=0)
        return f"{current + 1:032}.{self._random.random():016}"

    def writes(
        self, writes: Sequence[tuple[str, Any]], *, task_id: str | None = None, path: str = ""
    ) -> PutWrites:
        """Report what a task of the superstep after the newest checkpoint wrote."""
        config = self.at(self.checkpoint_id)
        return PutWrites(config, writes, task_id or self.uuid(), path)

    def resume_from(self, checkpoint_id: str) -> None:
        """Go back: what follows is a fork of this checkpoint."""
        values, versions, seen = self._kept[checkpoint_id]
        self.checkpoint_id = checkpoint_id
        self.values, self._versions, self._seen = values, versions, dict(seen)

    def get(self, checkpoint_id: str | None = None) -> Get:
        """Read the newest checkpoint, or this one."""
        return Get(self.at(checkpoint_id))

    def history(self, limit: int | None = None, before: str | None = None) -> History:
        """List the thread's checkpoints."""
        return History(self.at(None), None if before is None else self.at(before), limit)

    def at(self, checkpoint_id: str | None) -> RunnableConfig:
        """The config that names one checkpoint, or the newest."""
        configurable = {"thread_id": self.thread_id, "checkpoint_ns": ""}
        if checkpoint_id is not None:
            configurable["checkpoint_id"] = checkpoint_id
        return {"configurable": configurable}

    def _config(self) -> RunnableConfig:
        return {
            **self.at(self.checkpoint_id),
            "callbacks": None,
            "metadata": {"thread_id": self.thread_id},
            "recursion_limit": 10007,
            "tags": [],
        }
