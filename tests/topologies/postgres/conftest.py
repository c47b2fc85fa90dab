"""Servers that these tests may kill, one a module; and a bound on every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.services.postgres import PostgresServer, wheel_binaries
from tests.services.proxy import Proxy, proxy_to
from tests.survive.conftest import bounded, seed

__all__ = ["bounded", "seed"]


@pytest.fixture(scope="module")
def own_server() -> Iterator[PostgresServer]:
    """A server that may be stopped and killed; tests leave it running."""
    server = PostgresServer(wheel_binaries())
    yield server
    server.remove()


@pytest.fixture
def proxy(own_server: PostgresServer) -> Iterator[Proxy]:
    """A proxy in front of it."""
    with proxy_to(own_server.port) as proxy:
        yield proxy
