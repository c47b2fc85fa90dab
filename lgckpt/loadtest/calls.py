"""What an agent asks of a saver, as data: a workload is a sequence of these."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata


@dataclass(frozen=True, slots=True)
class Put:
    """A superstep's checkpoint.

    Attributes:
        at: When it is to be called, in seconds from the beginning; None for as soon as may be.
    """

    operation: ClassVar[str] = "put"
    config: RunnableConfig
    checkpoint: Checkpoint
    metadata: CheckpointMetadata
    versions: ChannelVersions
    at: float | None = None


@dataclass(frozen=True, slots=True)
class PutWrites:
    """What one task wrote; `at` as for `Put`."""

    operation: ClassVar[str] = "put_writes"
    config: RunnableConfig
    writes: Sequence[tuple[str, Any]]
    task_id: str
    task_path: str = ""
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Get:
    """A read of the newest checkpoint, or of the one that the config names; `at` as for `Put`."""

    operation: ClassVar[str] = "get"
    config: RunnableConfig
    at: float | None = None


@dataclass(frozen=True, slots=True)
class History:
    """A list of checkpoints, newest first; `at` as for `Put`."""

    operation: ClassVar[str] = "list"
    config: RunnableConfig
    before: RunnableConfig | None = None
    limit: int | None = None
    filter: dict[str, Any] | None = None
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing for a while: a person thinks. Others go on meanwhile.

    Attributes:
        seconds: How long.
    """

    seconds: float


@dataclass(frozen=True, slots=True)
class Together:
    """What parallel tasks of one superstep write at once."""

    calls: Sequence[PutWrites]


Call = Put | PutWrites | Get | History
Script = Iterator[Call | Pause | Together]
"""What one agent does from its first checkpoint to its last read, on one thread."""


def place_of(config: RunnableConfig) -> tuple[str, str, str | None]:
    """Thread, namespace and checkpoint that a config names."""
    named = config["configurable"]
    return named["thread_id"], named.get("checkpoint_ns", ""), named.get("checkpoint_id")
