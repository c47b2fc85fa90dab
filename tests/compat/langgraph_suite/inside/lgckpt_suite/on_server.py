"""Our savers of a server made as the others are: from nothing, or from a path."""

import hashlib
import itertools
import os
from typing import Any

import lgckpt

_numbers = itertools.count()


def _place(name: str) -> str:
    """A place of its own for what is in memory, the same one again for a path."""
    if name == ":memory:":
        return f"suite_{os.getpid()}_{next(_numbers)}"
    return f"suite_{hashlib.blake2b(name.encode(), digest_size=8).hexdigest()}"


def _of_postgres(conn: Any, serde: Any) -> tuple[str, dict[str, Any]]:
    """A schema, and few connections: the suite keeps many savers at once."""
    url = os.environ["LGCKPT_SUITE_SERVER"]
    return url, {"schema": _place(str(conn)), "serde": serde, "min_size": 0, "max_size": 2}


def _of_redis(conn: Any, serde: Any) -> tuple[str, dict[str, Any]]:
    """A prefix of all keys."""
    return os.environ["LGCKPT_SUITE_SERVER"], {"prefix": _place(str(conn)), "serde": serde}


def kinds(url: str) -> dict[str, Any]:
    """Ours on that server by official name."""
    postgres = url.startswith("postgresql://")
    saver: Any = lgckpt.PostgresSaver if postgres else lgckpt.RedisSaver
    awaitable: Any = lgckpt.AsyncPostgresSaver if postgres else lgckpt.AsyncRedisSaver
    arguments = _of_postgres if postgres else _of_redis

    class Sync(saver):
        """As the SQLite savers take it."""

        def __init__(self, conn: Any = ":memory:", *, serde: Any = None) -> None:
            place, options = arguments(conn, serde)
            super().__init__(place, **options)

        @classmethod
        def from_conn_string(cls, conn_string: str) -> Any:
            return cls(conn_string)

    class InMemory(Sync):
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

    class Async(Sync):
        """`setup` is awaitable."""

        setup = awaitable.setup

    return {"InMemorySaver": InMemory, "SqliteSaver": Sync, "AsyncSqliteSaver": Async}
