"""A saver that stores everything twice, so that one run can be read from both."""

from collections.abc import Sequence
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver


class Mirror(BaseCheckpointSaver[str]):
    """Reads from ours; whatever is saved goes to the official InMemorySaver as well.

    Args:
        ours: The saver under test.
    """

    def __init__(self, ours: Any) -> None:
        super().__init__(serde=ours.serde)
        self.ours = ours
        self.reference = InMemorySaver()

    def get_tuple(self, config: Any) -> Any:
        return self.ours.get_tuple(config)

    async def aget_tuple(self, config: Any) -> Any:
        return await self.ours.aget_tuple(config)

    def list(self, config: Any, **criteria: Any) -> Any:
        return self.ours.list(config, **criteria)

    def alist(self, config: Any, **criteria: Any) -> Any:
        return self.ours.alist(config, **criteria)

    def put(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        self.reference.put(config, checkpoint, metadata, new_versions)
        return self.ours.put(config, checkpoint, metadata, new_versions)

    async def aput(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        self.reference.put(config, checkpoint, metadata, new_versions)
        return await self.ours.aput(config, checkpoint, metadata, new_versions)

    def put_writes(self, config: Any, writes: Any, task_id: str, task_path: str = "") -> None:
        self.reference.put_writes(config, writes, task_id, task_path)
        self.ours.put_writes(config, writes, task_id, task_path)

    async def aput_writes(
        self, config: Any, writes: Any, task_id: str, task_path: str = ""
    ) -> None:
        self.reference.put_writes(config, writes, task_id, task_path)
        await self.ours.aput_writes(config, writes, task_id, task_path)

    def get_delta_channel_history(self, *, config: Any, channels: Sequence[str]) -> Any:
        return self.ours.get_delta_channel_history(config=config, channels=channels)

    async def aget_delta_channel_history(self, *, config: Any, channels: Sequence[str]) -> Any:
        return await self.ours.aget_delta_channel_history(config=config, channels=channels)

    def get_next_version(self, current: Any, channel: None) -> Any:
        return self.ours.get_next_version(current, channel)
