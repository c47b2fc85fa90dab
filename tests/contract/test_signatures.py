"""Public methods have the official signatures to the letter: LangGraph inspects them."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver

import lgckpt
from lgckpt.saver import Saver

METHODS = sorted(
    name
    for name, member in inspect.getmembers(BaseCheckpointSaver)
    if callable(member) and not name.startswith("_")
)
CLASSES = [lgckpt.MemorySaver, lgckpt.SqliteSaver, lgckpt.InMemorySaver, lgckpt.AsyncSqliteSaver]


def _shape(method: Any) -> list[tuple[str, Any, Any]]:
    parameters = inspect.signature(method).parameters.values()
    return [(one.name, one.kind, one.default) for one in parameters]


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_parameters_are_the_official_ones(cls: type[Saver], name: str) -> None:
    ours, official = getattr(cls, name), getattr(BaseCheckpointSaver, name)
    assert _shape(ours) == _shape(official)
    assert inspect.iscoroutinefunction(ours) == inspect.iscoroutinefunction(official)
    assert inspect.isasyncgenfunction(ours) == inspect.isasyncgenfunction(official)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_of_the_contract_is_ours(name: str) -> None:
    """But those that the base builds upon others, and `with_allowlist`, which it copies with."""
    inherited = {"get", "aget", "with_allowlist"}
    assert (getattr(Saver, name) is not getattr(BaseCheckpointSaver, name)) == (
        name not in inherited
    )


@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_every_saver_is_one_of_langgraphs(cls: type[Saver]) -> None:
    assert issubclass(cls, BaseCheckpointSaver)
    assert issubclass(cls, Saver)
