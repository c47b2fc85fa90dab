"""A saver that stores nothing: what is left of a run's time is LangGraph's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
)

from lgckpt.versions import counting, next_version


class IdleSaver(BaseCheckpointSaver[str]):
    """It is called as any saver is, and does no more than say where it would have stored."""

    def get_tuple(self, config: RunnableConfig) -> None:
        """There is nothing."""

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store nothing."""
        named = {**config["configurable"], "checkpoint_id": checkpoint["id"]}
        return {"configurable": named}

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Store nothing."""

    @counting
    def get_next_version(self, current: str | None, channel: None) -> str:
        """As savers make them."""
        return next_version(current)
