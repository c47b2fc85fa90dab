"""Fixtures for every test: one saver per backend and colour."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lgckpt.saver import Saver
from tests.backends import BACKENDS, Backend
from tests.colours import COLOURS, Coloured


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=BACKENDS, ids=lambda b: b.name)
def backend(request: pytest.FixtureRequest) -> Backend:
    found: Backend = request.param
    return found


@pytest.fixture
def saver(backend: Backend) -> Iterator[Saver]:
    with backend.open() as opened:
        yield opened


@pytest.fixture(params=COLOURS)
def coloured(request: pytest.FixtureRequest, saver: Saver) -> Coloured:
    return Coloured(saver, request.param)
