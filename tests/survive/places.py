"""Where a saver keeps its data: a SQLite file, or `postgresql://...#schema`."""

from __future__ import annotations

from typing import Any

import lgckpt
from lgckpt.saver import Saver
from tests.survive.checker import check_file
from tests.survive.checker_postgres import check_postgres


def is_postgres(place: str) -> bool:
    """Whether it is a schema of a Postgres server."""
    return place.startswith("postgresql://")


def open_place(place: str, **options: Any) -> Saver:
    """A saver of one's own on the data there."""
    if is_postgres(place):
        url, _, schema = place.partition("#")
        return lgckpt.PostgresSaver(url, schema=schema)
    return lgckpt.SqliteSaver(place, **options)


def check_place(place: str, *, exact: bool = False) -> int:
    """Walk every reference there; gives how many."""
    if is_postgres(place):
        url, _, schema = place.partition("#")
        return check_postgres(url, schema, exact=exact)
    return check_file(place, exact=exact)
