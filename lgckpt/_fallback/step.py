"""Channels and the step: nothing of them is native here, LangGraph's own does it all."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any


def adopt_channel(name: str, theirs: type[Any], ours: type[Any]) -> bool:
    """The class is given no native methods."""
    return False


def apply_writes(
    checkpoint: Any, channels: Any, tasks: list[Any], get_next_version: Any, trigger_to_nodes: Any
) -> None:
    """Nothing is applied."""


def channel_values(channels: dict[str, Any], versions: dict[str, Any], before: Any) -> None:
    """No channel is asked."""


def count_versions(function: Callable[..., Any]) -> None:
    """It is called all the same."""


def next_version(current: object) -> None:
    """No version is made."""


def restore_channels(
    specs: dict[str, Any], values: dict[str, Any], versions: dict[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """No channel is made, and all are left to be."""
    return {}, list(specs)


def triggers(channels: Any, versions: Any, seen: Any, null_version: Any, proc: Any) -> None:
    """No channel is looked at."""


def uuid6(module: ModuleType, step: int) -> None:
    """Nothing: LangGraph's function makes it."""
