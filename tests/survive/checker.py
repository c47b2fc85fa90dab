"""Walks every reference in a store: none may name a chunk that is not there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

from lgckpt.core import core
from lgckpt.rows import REF_SIZE
from lgckpt.saver import Saver

Row = tuple[str, bytes]
"""What a row is, for a message, and its references."""


def check_file(path: Path | str, *, exact: bool = False) -> int:
    """Check a SQLite file in one snapshot; gives the number of references walked.

    Args:
        path: The file.
        exact: Also fail on chunks that nothing uses.
    """
    with closing(sqlite3.connect(path, timeout=60, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        (result,) = connection.execute("PRAGMA integrity_check").fetchone()
        assert result == "ok", f"{path}: {result}"
        known = {row[0] for row in connection.execute("SELECT tid FROM lgckpt_threads")}
        walked = 0
        for tid in _used(connection):
            assert tid in known, f"{path}: rows of thread number {tid}, which has no name"
            frames = dict(
                connection.execute("SELECT hash, frame FROM lgckpt_chunks WHERE tid = ?", (tid,))
            )
            walked += walk(_rows(connection, tid), frames, exact=exact)
        return walked


def _used(connection: sqlite3.Connection) -> set[int]:
    tables = ("checkpoints", "writes", "chunks")
    found = (connection.execute(f"SELECT DISTINCT tid FROM lgckpt_{t}") for t in tables)
    return {row[0] for rows in found for row in rows}


def _rows(connection: sqlite3.Connection, tid: int) -> list[Row]:
    columns = "checkpoint_ns || '/' || checkpoint_id, refs"
    return [
        (f"{table} {tid}/{name}", refs)
        for table in ("checkpoints", "writes")
        for name, refs in connection.execute(
            f"SELECT {columns} FROM lgckpt_{table} WHERE tid = ?", (tid,)
        )
    ]


def check_memory(saver: Saver, *, exact: bool = False) -> int:
    """Check a memory saver; gives the number of references walked."""
    storage = saver._handle.storage
    walked = 0
    with storage._lock:
        for name, thread in storage._all.items():
            rows = [(f"checkpoint {name}/{place}", row.refs) for place, row in thread.rows.items()]
            rows += [
                (f"write {name}/{place}", write.refs)
                for place, found in thread.writes.items()
                for write in found.values()
            ]
            walked += walk(rows, thread.chunks, exact=exact)
    return walked


def walk(rows: Iterable[Row], frames: Mapping[bytes, bytes], *, exact: bool) -> int:
    """Follow all references from the rows down to the leaves."""
    seen: set[bytes] = set()
    walked = 0
    for name, refs in rows:
        pending = [refs]
        while pending:
            part = pending.pop()
            for i in range(0, len(part), REF_SIZE):
                level, chunk = part[i], part[i + 1 : i + REF_SIZE]
                walked += 1
                assert chunk in frames, f"dangling reference to {chunk.hex()} in {name}"
                if chunk in seen:
                    continue
                seen.add(chunk)
                plain = core.unseal(frames[chunk])
                assert core.hash_chunk(level, plain) == chunk, f"chunk {chunk.hex()} of {name}"
                if level:
                    pending.append(core.children(level, frames[chunk]))
    if exact:
        unused = frames.keys() - seen
        assert not unused, f"{len(unused)} chunks that nothing uses, such as {unused.pop().hex()}"
    return walked
