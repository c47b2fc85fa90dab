"""Values read back from this process's memory where the row says that they are the same bytes.

A row names a large value by the hashes of its content. If those are the hashes of the
tree that was last put for the channel, that tree's bytes are the value, and no chunk
has to be read.
"""

from __future__ import annotations

from lgckpt.core import core
from lgckpt.errors import LgckptError
from lgckpt.hints import Hints
from lgckpt.packing import Value, unpack_state
from lgckpt.rows import REF_SIZE, ROOT_LEVEL, CheckpointRow


class Recall:
    """What one read need not fetch: asked by the backend first, by the reader then."""

    __slots__ = ("_found", "_hints")

    def __init__(self, hints: Hints) -> None:
        self._hints = hints
        self._found: dict[tuple[str, Value], bytes] = {}

    def wanted(self, row: CheckpointRow) -> bytes:
        """The references of a row that have to be fetched; of the row asked about last."""
        self._found.clear()
        if not row.refs:
            return b""
        try:
            values = unpack_state(row).values
        except LgckptError:
            return row.refs
        return b"".join(v.refs for k, v in values.items() if not self._recalled(row, k, v))

    def data(self, channel: str, value: Value) -> bytes | None:
        """The value's bytes, if `wanted` said that they need not be fetched."""
        return self._found.get((channel, value))

    def _recalled(self, row: CheckpointRow, channel: str, value: Value) -> bool:
        if not value.refs:
            return True
        tree = self._hints.tree(row.thread_id, row.checkpoint_ns, channel)
        if tree is None or tree.size != value.size:
            return False
        root = (tree.head, tree.refs, tree.tail)
        if len(value.refs) == REF_SIZE and value.refs[0] == ROOT_LEVEL:
            same = core.seal_root(value.size, *root, None)[0] == value.refs
        else:
            same = root == (value.head, value.refs, value.tail)
        if same:
            self._found[channel, value] = tree.data
        return same
