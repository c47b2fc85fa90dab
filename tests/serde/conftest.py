"""Every test of the serializer runs over the compiled core and over its pure Python twin."""

from importlib import import_module

import pytest
from langgraph.checkpoint.serde import jsonplus
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

import lgckpt.core
from lgckpt.serde import Serializer

from .channel import Channel

CORES = {"compiled": "lgckpt._core", "pure": "lgckpt._fallback"}


@pytest.fixture(params=CORES)
def core(request, monkeypatch):
    """The implementation that serializers made in the test use."""
    module = import_module(CORES[request.param])
    monkeypatch.setattr(lgckpt.core, "core", module)
    return module


@pytest.fixture
def compiled(monkeypatch):
    """The compiled core, for tests of what it does natively."""
    module = import_module(CORES["compiled"])
    monkeypatch.setattr(lgckpt.core, "core", module)
    return module


@pytest.fixture
def channel(compiled):
    """Packs each value beside the one before, over the compiled core."""
    return Channel(Serializer())


@pytest.fixture
def ours(core):
    return Serializer()


@pytest.fixture
def theirs():
    return JsonPlusSerializer()


@pytest.fixture(autouse=True)
def _forget_warnings():
    """LangGraph warns once a process about a class; each test starts anew."""
    seen = (
        jsonplus._warned_unregistered_types,
        jsonplus._warned_blocked_types,
        jsonplus._warned_unreconstructable_types,
    )
    saved = [set(one) for one in seen]
    for one in seen:
        one.clear()
    yield
    for one, old in zip(seen, saved, strict=True):
        one.clear()
        one.update(old)
