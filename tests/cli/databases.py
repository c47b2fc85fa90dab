"""Real databases for the command line, each named by a URL."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import lgckpt
from tests.services.postgres import postgres_url
from tests.services.postgres_schemas import schema_of
from tests.services.valkey import drop_prefix, shared_url

KINDS = ("sqlite", "postgres", "redis")


@contextmanager
def database(kind: str) -> Iterator[str]:
    """The URL of an empty database with its tables."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as directory:
            yield _made(f"sqlite:///{directory}/agents.db")
    elif kind == "postgres":
        url = postgres_url()
        with schema_of(url) as name:
            yield _made(f"{url}?lgckpt_schema={quote(name)}")
    else:
        url, prefix = shared_url(), f"test-{uuid.uuid4().hex}"
        try:
            yield _made(f"{url}?lgckpt_prefix={prefix}")
        finally:
            drop_prefix(url, prefix)


def _made(url: str) -> str:
    with lgckpt.from_url(url) as saver:
        saver.setup()
    return url
