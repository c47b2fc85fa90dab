"""Where a saver keeps its data: a SQLite file, `postgresql://…#schema`, `redis://…#prefix`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import lgckpt
from lgckpt.saver import Saver
from tests.contract.stored import assert_nothing_missing, stored
from tests.services.postgres import postgres_url
from tests.services.postgres_schemas import schema_of
from tests.services.valkey import drop_prefix, shared_url
from tests.survive.checker import check_file
from tests.survive.checker_postgres import check_postgres


@contextmanager
def place_on(backend: str, directory: Path) -> Iterator[str]:
    """An empty place of a backend, gone afterwards."""
    if backend == "postgres":
        url = postgres_url()
        with schema_of(url) as schema:
            yield f"{url}#{schema}"
    elif backend == "redis":
        url, prefix = shared_url(), f"place-{uuid4().hex}"
        try:
            yield f"{url}#{prefix}"
        finally:
            drop_prefix(url, prefix)
    else:
        yield str(directory / "agents.db")


def is_postgres(place: str) -> bool:
    """Whether it is a schema of a Postgres server."""
    return place.startswith("postgresql://")


def open_place(place: str, **options: Any) -> Saver:
    """A saver of one's own on the data there."""
    url, _, name = place.partition("#")
    if is_postgres(place):
        return lgckpt.PostgresSaver(url, schema=name)
    if place.startswith("redis://"):
        return lgckpt.RedisSaver(url, prefix=name)
    return lgckpt.SqliteSaver(place, **options)


def check_place(place: str, *, exact: bool = False) -> int:
    """Walk every reference there; gives how many rows."""
    url, _, name = place.partition("#")
    if is_postgres(place):
        return check_postgres(url, name, exact=exact)
    if place.startswith("redis://"):
        with open_place(place) as saver:
            assert_nothing_missing(saver)
            return len(stored(saver).checkpoints)
    return check_file(place, exact=exact)
