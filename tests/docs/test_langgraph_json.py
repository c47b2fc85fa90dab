"""The example of docs/langgraph-json.md is what LangGraph's own tool accepts."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph_cli.config import validate_config_file

from tests.docs.pages import blocks


def test_the_function_it_names_gives_a_saver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for block in blocks("docs/langgraph-json.md"):
        if block.title:
            (tmp_path / block.title).write_text(block.code)
    config = validate_config_file(tmp_path / "langgraph.json")
    path, _, name = config["checkpointer"]["path"].partition(":")
    monkeypatch.chdir(tmp_path)
    for variable, value in config["env"].items():
        monkeypatch.setenv(variable, value)
    names: dict[str, Any] = {}
    exec(Path(path).read_text(), names)
    asyncio.run(_check(names[name]))


async def _check(open_checkpointer: Callable[[], AbstractAsyncContextManager[Any]]) -> None:
    async with open_checkpointer() as saver:
        assert isinstance(saver, BaseCheckpointSaver)
        # What the server looks for, and does without at a price where a saver has not got it.
        for method in ("adelete_thread", "adelete_for_runs", "acopy_thread", "aprune"):
            assert inspect.iscoroutinefunction(getattr(saver, method))
            assert getattr(type(saver), method) is not getattr(BaseCheckpointSaver, method)
