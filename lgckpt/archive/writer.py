"""Appends batches to a portable file, or to a pipe."""

from __future__ import annotations

from typing import BinaryIO

from lgckpt.archive import layout
from lgckpt.archive.items import pack_row, pack_write
from lgckpt.archive.layout import BATCH, END, ChunkItem, Listed, Prefix, RowItem, WriteItem
from lgckpt.bulk import Batch


class Writer:
    """Writes one record at a time, each in one call.

    Args:
        stream: What to append to; unbuffered, if what was written shall outlive the process.
        at: Offset of what is written next.
        batches: How many batches there are before.
    """

    def __init__(self, stream: BinaryIO, at: int = 0, batches: int = 0) -> None:
        self._stream = stream
        self._at = at
        self._batches = batches

    def header(self) -> None:
        """Begin a file."""
        self._write(layout.HEADER)

    def batch(self, thread_id: str, batch: Batch) -> tuple[Listed, int]:
        """Append a batch.

        Returns:
            Its list, and the offset of its items.
        """
        rows = [pack_row(row) for row in batch.rows]
        writes = [pack_write(row) for row in batch.writes]
        chunks = [frame for _, frame in batch.chunks]
        listed = Listed(
            thread_id,
            [
                RowItem(row.checkpoint_ns, row.checkpoint_id, row.etag, row.flags, len(item))
                for row, item in zip(batch.rows, rows, strict=True)
            ],
            [
                WriteItem(w.checkpoint_ns, w.checkpoint_id, w.task_id, w.idx, len(item))
                for w, item in zip(batch.writes, writes, strict=True)
            ],
            [ChunkItem(key, len(frame)) for key, frame in batch.chunks],
            list(batch.claims),
        )
        items = b"".join((*rows, *writes, *chunks))
        packed = layout.pack_list(listed)
        prefix = layout.pack_prefix(Prefix(BATCH, len(packed), len(items)))
        self._write(prefix + packed + items)
        self._batches += 1
        return listed, self._at - len(items)

    def end(self) -> None:
        """Say that nothing is cut off."""
        packed = layout.pack_end(self._batches)
        self._write(layout.pack_prefix(Prefix(END, len(packed), 0)) + packed)

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self._stream.write(view) :]
        self._at += len(data)
