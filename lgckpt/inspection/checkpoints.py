"""One stored checkpoint, taken apart as far as it can be read without a key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lgckpt.errors import FrameError
from lgckpt.inspection.views import VIEWS, Opaque
from lgckpt.migration import times
from lgckpt.packing import State, Value, unpack_metadata, unpack_state, unpack_value
from lgckpt.rows import CheckpointRow


@dataclass(frozen=True, slots=True)
class Opened:
    """A row, its checkpoint without values, and its metadata; empty if they are encrypted."""

    row: CheckpointRow
    state: State
    checkpoint: dict[str, Any]
    metadata: dict[str, Any]
    encrypted: bool

    @property
    def time(self) -> str | None:
        """When it was made, in ISO form."""
        found = self.checkpoint.get("ts")
        return found if isinstance(found, str) else time_of(self.row.checkpoint_id)

    @property
    def versions(self) -> dict[str, Any]:
        """The versions of its channels."""
        found = self.checkpoint.get("channel_versions")
        return found if isinstance(found, dict) else {}


def open_row(row: CheckpointRow) -> Opened:
    """Take a row apart.

    Raises:
        FrameError: It is damaged, as may be other exceptions of `damage.DAMAGED`.
    """
    state = unpack_state(row)
    checkpoint = VIEWS.loads_typed((state.tag, state.checkpoint))
    metadata = unpack_metadata(VIEWS, row.metadata)
    for found in (checkpoint, metadata):
        if not isinstance(found, (dict, Opaque)):
            raise FrameError("not a checkpoint")
    return Opened(
        row,
        state,
        checkpoint if isinstance(checkpoint, dict) else {},
        metadata if isinstance(metadata, dict) else {},
        isinstance(checkpoint, Opaque),
    )


def value_view(value: Value, chunks: Mapping[bytes, bytes]) -> Any:
    """One channel's value.

    Raises:
        FrameError: It is damaged, as may be other exceptions of `damage.DAMAGED`.
    """
    return unpack_value(VIEWS, value, chunks)


def time_of(checkpoint_id: str) -> str | None:
    """The time that an id of LangGraph's begins with, in ISO form; None for another id."""
    found = times.time_of(checkpoint_id)
    return None if found is None else found.isoformat()
