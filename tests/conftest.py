"""Fixtures for every test: one saver per backend and colour."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

import lgckpt
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


@pytest.fixture(scope="session", autouse=True)
def acceleration() -> None:
    """With LGCKPT_TEST_ACCELERATED=1 every graph of the tests takes the native step."""
    if os.environ.get("LGCKPT_TEST_ACCELERATED") == "1":
        lgckpt.accelerate()
        assert not lgckpt.status().acceleration.others
