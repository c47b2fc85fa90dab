"""Our Postgres savers made as the others are: from nothing, from a path, each in a schema."""

import hashlib
import itertools
import os
from typing import Any

import lgckpt

_numbers = itertools.count()


def _schema(name: str) -> str:
    """A schema of its own for what is in memory, the same one again for a path."""
    if name == ":memory:":
        return f"suite_{os.getpid()}_{next(_numbers)}"
    return f"suite_{hashlib.blake2b(name.encode(), digest_size=8).hexdigest()}"


class _Sync(lgckpt.PostgresSaver):
    """Made with few connections: the suite keeps many savers at once."""

    def __init__(self, conn: Any = ":memory:", *, serde: Any = None) -> None:
        url = os.environ["LGCKPT_SUITE_POSTGRES"]
        schema = _schema(str(conn))
        super().__init__(url, schema=schema, serde=serde, min_size=0, max_size=2)

    @classmethod
    def from_conn_string(cls, conn_string: str) -> Any:
        """As the SQLite savers take it."""
        return cls(conn_string)


class _InMemory(_Sync):
    """As the official one: it takes no path, and async methods call the sync ones."""

    def __init__(self, *, serde: Any = None) -> None:
        super().__init__(serde=serde)

    __exit__ = lgckpt.InMemorySaver.__exit__
    __aexit__ = lgckpt.InMemorySaver.__aexit__
    aget_tuple = lgckpt.InMemorySaver.aget_tuple
    alist = lgckpt.InMemorySaver.alist
    aput = lgckpt.InMemorySaver.aput
    aput_writes = lgckpt.InMemorySaver.aput_writes
    adelete_thread = lgckpt.InMemorySaver.adelete_thread
    aget_delta_channel_history = lgckpt.InMemorySaver.aget_delta_channel_history


class _Async(_Sync):
    """`setup` is awaitable."""

    setup = lgckpt.AsyncPostgresSaver.setup


KINDS = {"InMemorySaver": _InMemory, "SqliteSaver": _Sync, "AsyncSqliteSaver": _Async}
