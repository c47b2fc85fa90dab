"""The names of all keys of LangGraph's Redis layout, in order, out of memory.

A key does not say where its thread's id ends, and a server lists keys in no order. So they are
read once, each with the place that its document names, into a temporary file.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Sequence
from typing import Any

from redis.exceptions import ResponseError

from lgckpt.bulk import Mark, Place, ThreadPage
from lgckpt.errors import ConfigurationError
from lgckpt.migration.langgraph.paging import BEGUN, merged

CHECKPOINT, WRITE = "checkpoint", "checkpoint_write"

_EMPTY = {"__empty__": "", "00000000-0000-0000-0000-000000000000": ""}
"""What stands for an empty text, which older RediSearch does not index."""

_SCAN = 1000

_FIELDS = ("$.thread_id", "$.checkpoint_ns", "$.checkpoint_id")

_CREATE = """
CREATE TABLE keys (
    kind TEXT, thread_id TEXT, ns TEXT, id TEXT, name BLOB,
    PRIMARY KEY (kind, thread_id, ns, id, name)
) WITHOUT ROWID
"""


def plain(value: Any) -> str:
    """A text as it was before it was stored."""
    text = str(value)
    return _EMPTY.get(text, text)


class Index:
    """The keys as they were when it was read."""

    def __init__(self) -> None:
        # A nameless database is a temporary file, which SQLite writes once it is large.
        self._keys = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._keys.execute(_CREATE)

    async def read(self, client: Any, name: str) -> None:
        """Read all keys.

        Raises:
            ConfigurationError: The server knows no JSON.
        """
        for kind in (CHECKPOINT, WRITE):
            async for page in _pages(client, f"{kind}:*"):
                rows = [(kind, *place, key) for key, place in await _places(client, page, name)]
                self._keys.execute("BEGIN")
                self._keys.executemany("INSERT OR IGNORE INTO keys VALUES (?, ?, ?, ?, ?)", rows)
                self._keys.execute("COMMIT")

    def threads(self, after: str, limit: int) -> ThreadPage:
        """A page of all threads, by id."""
        start = after[len(BEGUN) :] if after else None
        found: list[str] = []
        while len(found) < limit:
            last = found[-1] if found else start
            rows = [
                self._keys.execute(
                    "SELECT min(thread_id) FROM keys WHERE kind = ? AND "
                    + ("true" if last is None else "thread_id > ?"),
                    (kind,) if last is None else (kind, last),
                ).fetchone()
                for kind in (CHECKPOINT, WRITE)
            ]
            names = [thread_id for (thread_id,) in rows if thread_id is not None]
            if not names:
                return ThreadPage(found, None)
            found.append(min(names))
        return ThreadPage(found, BEGUN + found[-1])

    def marks(self, thread_id: str, after: Place | None, limit: int) -> list[Mark]:
        """A page of a thread's places."""
        where = "kind = ? AND thread_id = ?" + (" AND (ns, id) > (?, ?)" if after else "")
        found = [
            self._keys.execute(
                f"SELECT ns, id, count(*) FROM keys WHERE {where} "
                "GROUP BY ns, id ORDER BY ns, id LIMIT ?",
                (kind, thread_id, *(after or ()), limit),
            ).fetchall()
            for kind in (CHECKPOINT, WRITE)
        ]
        return merged([(ns, checkpoint_id) for ns, checkpoint_id, _ in found[0]], found[1], limit)

    def keys(self, kind: str, thread_id: str, place: Place) -> list[bytes]:
        """The names of the keys of a place."""
        rows = self._keys.execute(
            "SELECT name FROM keys WHERE kind = ? AND thread_id = ? AND ns = ? AND id = ?",
            (kind, thread_id, *place),
        )
        return [name for (name,) in rows]

    def close(self) -> None:
        """Delete it."""
        self._keys.close()


async def _pages(client: Any, pattern: str) -> AsyncIterator[list[bytes]]:
    page: list[bytes] = []
    async for key in client.scan_iter(match=pattern, count=_SCAN):
        page.append(key)
        if len(page) >= _SCAN:
            yield page
            page = []
    if page:
        yield page


async def _places(
    client: Any, keys: Sequence[bytes], name: str
) -> list[tuple[bytes, tuple[str, str, str]]]:
    pipeline = client.pipeline(transaction=False)
    for key in keys:
        pipeline.execute_command("JSON.GET", key, *_FIELDS)
    found = []
    for key, answer in zip(keys, await pipeline.execute(raise_on_error=False), strict=True):
        if isinstance(answer, ResponseError):
            if "unknown command" in str(answer).lower():
                raise ConfigurationError(
                    f"{name}: the server has no RedisJSON, so nothing of LangGraph's RedisSaver"
                )
            continue  # another program's key, of another type
        if isinstance(answer, Exception):
            raise answer
        fields = json.loads(answer) if answer else {}
        place = [fields.get(field) or [None] for field in _FIELDS]
        if all(one[0] is not None for one in place):
            thread_id, ns, checkpoint_id = (plain(one[0]) for one in place)
            found.append((key, (thread_id, ns, checkpoint_id)))
    return found
