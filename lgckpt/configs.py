"""Reading LangGraph's `RunnableConfig`: which thread, namespace and checkpoint is meant."""

from __future__ import annotations

from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import get_checkpoint_id

from lgckpt.errors import ConfigurationError
from lgckpt.rows import CheckpointKey

_NO_THREAD = "the config has no thread_id: pass {'configurable': {'thread_id': ...}}"


def thread_of(config: RunnableConfig) -> str:
    """The thread id, as text.

    Raises:
        ConfigurationError: The config names no thread.
    """
    try:
        found = config["configurable"]["thread_id"]
    except (KeyError, TypeError) as exc:
        raise ConfigurationError(_NO_THREAD) from exc
    if found is None:
        raise ConfigurationError(_NO_THREAD)
    return text(found, "thread_id")


def text(value: Any, what: str) -> str:
    """An identifier as text that every database can store.

    Raises:
        ConfigurationError: It holds lone surrogates, which have no encoding.
    """
    if type(value) is str and value.isascii():
        return value
    found = str(value)
    try:
        found.encode()
    except UnicodeEncodeError as exc:
        raise ConfigurationError(f"{what} is not valid Unicode: {found!r}") from exc
    return found


def namespace_of(config: RunnableConfig) -> str:
    """The checkpoint namespace, "" where none is given."""
    return text(config["configurable"].get("checkpoint_ns") or "", "checkpoint_ns")


def checkpoint_id_of(config: RunnableConfig) -> str | None:
    """The checkpoint the config names, if it names one."""
    checkpoint_id = get_checkpoint_id(config)
    return text(checkpoint_id, "checkpoint_id") if checkpoint_id else None


def key_of(config: RunnableConfig) -> CheckpointKey:
    """The key of a checkpoint that the config must name.

    Raises:
        ConfigurationError: The config names no thread or no checkpoint.
    """
    thread_id = thread_of(config)
    checkpoint_id = checkpoint_id_of(config)
    if checkpoint_id is None:
        raise ConfigurationError(f"the config of thread {thread_id!r} has no checkpoint_id")
    return CheckpointKey(thread_id, namespace_of(config), checkpoint_id)


def config_of(thread_id: Any, checkpoint_ns: str, checkpoint_id: str) -> RunnableConfig:
    """The config that names a checkpoint."""
    return {
        "configurable": {
            "thread_id": thread_id,
            "checkpoint_ns": checkpoint_ns,
            "checkpoint_id": checkpoint_id,
        }
    }
