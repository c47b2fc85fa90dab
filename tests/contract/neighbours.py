"""Another saver on the same storage, which remembers nothing of what the first one did."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import lgckpt
from lgckpt.backends.postgres import PostgresStorage
from lgckpt.backends.redis import RedisStorage
from lgckpt.saver import Saver
from tests.colours import Coloured
from tests.services import redis_rows
from tests.services.postgres_schemas import saver_beside


@contextmanager
def neighbour_of(coloured: Coloured, **options: Any) -> Iterator[Coloured]:
    """A saver of its own on the first one's file, or, in memory, on its storage."""
    saver = coloured.saver
    storage = saver._handle.storage
    if isinstance(storage, PostgresStorage):
        with saver_beside(storage, **options) as other:
            yield Coloured(other, coloured.colour)
        return
    if isinstance(storage, RedisStorage):
        with redis_rows.neighbour(saver, **options) as other:
            yield Coloured(other, coloured.colour)
        return
    connections = getattr(storage, "_connections", None)
    if connections is not None and not connections._single:
        with lgckpt.SqliteSaver(connections.name, **options) as other:
            yield Coloured(other, coloured.colour)
        return
    other = Saver(storage, **options)
    other._handle._finalizer.detach()
    try:
        yield Coloured(other, coloured.colour)
    finally:
        other._handle.bridge.workers.shutdown()
