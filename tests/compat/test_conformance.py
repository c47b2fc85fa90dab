"""The official conformance kit, every capability of it, on every backend."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.conformance.capabilities import Capability
from langgraph.checkpoint.conformance.report import ProgressCallbacks

from tests.backends import BACKENDS, OLDER_POSTGRES, Backend


@pytest.mark.parametrize("capability", list(Capability), ids=lambda c: c.value)
@pytest.mark.parametrize("backend", [*BACKENDS, OLDER_POSTGRES], ids=lambda b: b.name)
def test_capability(backend: Backend, capability: Capability) -> None:
    tracebacks: list[str] = []

    @checkpointer_test(name=backend.name)
    async def registered() -> AsyncGenerator[Any, None]:
        with backend.open() as saver:
            yield saver

    def keep(_: str, name: str, passed: bool, error: str | None) -> None:
        if not passed:
            tracebacks.append(f"{name}\n{error}")

    progress = ProgressCallbacks(on_test_result=keep)
    wanted = {capability.value}
    report = asyncio.run(validate(registered, capabilities=wanted, progress=progress))
    result = report.results[capability.value]
    assert result.detected, f"{capability.value} is not overridden"
    assert not result.failures, "\n".join(tracebacks)
    assert result.passed
    assert result.tests_passed > 0
