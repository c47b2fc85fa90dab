"""One database of each kind that the command line works on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.databases import KINDS, database


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with database(request.param) as found:
        yield found


@pytest.fixture
def sqlite_url() -> Iterator[str]:
    with database("sqlite") as found:
        yield found
