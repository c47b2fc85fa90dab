"""The saver for one process's memory."""

from __future__ import annotations

from langgraph.checkpoint.serde.base import SerializerProtocol

from lgckpt.backends.memory import MemoryStorage
from lgckpt.saver import Compression, Saver


class MemorySaver(Saver):
    """Keeps checkpoints in memory, packed: for tests, notebooks and short-lived agents.

    Args:
        serde: See `Saver`.
        compression: See `Saver`.

    Examples:
        >>> import lgckpt
        >>> saver = lgckpt.MemorySaver()
        >>> saver.get_tuple({"configurable": {"thread_id": "1"}}) is None
        True
    """

    def __init__(
        self,
        *,
        serde: SerializerProtocol | None = None,
        compression: Compression | None = "lz4",
    ) -> None:
        super().__init__(MemoryStorage(), serde=serde, compression=compression)


InMemorySaver = MemorySaver
"""The official name."""
