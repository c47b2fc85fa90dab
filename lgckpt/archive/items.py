"""Rows and writes as the items of a batch, and back."""

from __future__ import annotations

from lgckpt.archive import layout
from lgckpt.bulk import Place
from lgckpt.errors import CorruptCheckpointError, FrameError
from lgckpt.rows import CheckpointRow, WriteRow

_TEXT_OR_NONE = (str, type(None))
_ROW = (_TEXT_OR_NONE, _TEXT_OR_NONE, bytes, bytes, bytes)
_WRITE = (str, str, str, bytes, bytes)


def pack_row(row: CheckpointRow) -> bytes:
    """What is stored of a row besides what the batch's list says."""
    return layout.pack_item((row.parent_id, row.run_id, row.metadata, row.state, row.refs))


def pack_write(row: WriteRow) -> bytes:
    """What is stored of a write besides what the batch's list says."""
    return layout.pack_item((row.task_path, row.channel, row.tag, row.value, row.refs))


class Items:
    """Reads the items of a thread.

    Args:
        name: Of the file, for errors.
        thread_id: The id that the rows get.
    """

    def __init__(self, name: str, thread_id: str) -> None:
        self._name = name
        self._thread_id = thread_id

    def row(self, place: Place, etag: bytes, flags: int, frame: bytes) -> CheckpointRow:
        """A checkpoint.

        Raises:
            CorruptCheckpointError: It is damaged.
        """
        try:
            parent_id, run_id, *rest = layout.unpack_item(frame, _ROW)
        except FrameError as exc:
            raise self._damaged(exc, place) from exc
        return CheckpointRow(self._thread_id, *place, parent_id, run_id, flags, etag, *rest)

    def write(self, place: Place, task_id: str, idx: int, frame: bytes) -> WriteRow:
        """A pending write.

        Raises:
            CorruptCheckpointError: It is damaged.
        """
        try:
            rest = layout.unpack_item(frame, _WRITE)
        except FrameError as exc:
            raise self._damaged(exc, place) from exc
        return WriteRow(self._thread_id, *place, task_id, idx, *rest)

    def _damaged(self, exc: FrameError, place: Place) -> CorruptCheckpointError:
        return CorruptCheckpointError(
            f"{self._name} is damaged: {exc}",
            thread_id=self._thread_id,
            checkpoint_ns=place[0],
            checkpoint_id=place[1],
        )
