"""Checkpoints that can be told whole or torn from their name and step alone."""

from __future__ import annotations

import random
from functools import lru_cache
from typing import Any

from langgraph.checkpoint.serde.types import TASKS

from tests.checkpoints import Config, checkpoint, config

WRITERS = ("task-a", "task-b")
SENDER = "task-send"
"""Writes to TASKS, where checkpoints before format 4 keep their pending sends."""


@lru_cache(maxsize=20_000)
def _text(name: str, what: str, step: int, size: int) -> str:
    return random.Random(f"{name}/{what}/{step}").randbytes(size // 2).hex()


def is_large(name: str) -> bool:
    """Names say how large the states of a thread are."""
    return name.startswith("large")


def message(name: str, step: int) -> dict[str, Any]:
    """The message that a step appends."""
    return {"role": "ai", "id": f"{name}-{step}", "content": _text(name, "message", step, 600)}


def expected(name: str, step: int) -> dict[str, Any]:
    """All channel values at a step."""
    values: dict[str, Any] = {"count": step, "note": _text(name, "note", step - step % 3, 40)}
    if is_large(name):
        values["messages"] = [message(name, i) for i in range(step + 1)]
        values["document"] = _text(name, "document", step - step % 5, 16_000)
    return values


def changed(name: str, step: int) -> list[str]:
    """The channels that a step changes."""
    names = ["count"]
    if step % 3 == 0:
        names.append("note")
    if is_large(name):
        names.append("messages")
        if step % 5 == 0:
            names.append("document")
    return names


def batch(name: str, step: int, task: str) -> list[tuple[str, Any]]:
    """What a task writes at a step: a small value, and a large one in a large thread."""
    if task == SENDER:
        return [(TASKS, _text(name, task, step, 6_000))]
    writes: list[tuple[str, Any]] = [("count", [task, step])]
    if is_large(name):
        writes.append(("messages", [_text(name, task, step, 6_000)]))
    return writes


def put_args(
    thread_id: str, name: str, step: int, versions: dict[str, Any], parent: str | None, ns: str = ""
) -> tuple[Config, dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The arguments of the put of a step, after a parent with these versions."""
    new = dict.fromkeys(changed(name, step), step + 1)
    made = checkpoint(expected(name, step), {**versions, **new})
    metadata = {"source": "loop", "step": step, "parents": {}, "name": name}
    return config(thread_id, parent, ns), made, metadata, new


def assert_whole(found: Any) -> None:
    """A checkpoint has exactly the values of its step, and whole batches of writes."""
    assert_values(found)
    name, step = found.metadata["name"], found.metadata["step"]
    batches: dict[str, list[tuple[str, Any]]] = {}
    for task, channel, value in found.pending_writes:
        batches.setdefault(task, []).append((channel, value))
    for task, writes in batches.items():
        assert writes == batch(name, step, task), f"torn writes of {task}: {found.config}"


def assert_values(found: Any) -> None:
    """A checkpoint has exactly the values of its step."""
    name, step = found.metadata["name"], found.metadata["step"]
    values = {k: v for k, v in found.checkpoint["channel_values"].items() if k != TASKS}
    where = f"{found.config} at step {step} of {name}"
    assert values.keys() == expected(name, step).keys(), where
    for channel, value in expected(name, step).items():
        assert values[channel] == value, f"torn: {channel} of {where}: {_brief(values[channel])}"


def _brief(value: Any) -> str:
    """Enough to see which step a value is of."""
    if isinstance(value, list):
        return f"{len(value)} messages: {[one.get('id') for one in value]}"
    return f"{value!r:.60}"


class Conversation:
    """One LangGraph thread, continued step by step as an agent would."""

    def __init__(self, thread_id: str, name: str | None = None, ns: str = "") -> None:
        self.thread_id = thread_id
        self.name = name or thread_id
        self.ns = ns
        self.step = -1
        self.parent: str | None = None
        self.versions: dict[str, Any] = {}

    def resume(self, found: Any) -> None:
        """Go on from what was found, or from the start if nothing was."""
        if found is None:
            self.step, self.parent, self.versions = -1, None, {}
            return
        assert_whole(found)
        self.step = found.metadata["step"]
        self.parent = found.checkpoint["id"]
        self.versions = dict(found.checkpoint["channel_versions"])

    @property
    def config(self) -> Config:
        return config(self.thread_id, self.parent, self.ns)

    def next(self) -> tuple[Any, ...]:
        """The arguments of the next put."""
        return put_args(
            self.thread_id, self.name, self.step + 1, self.versions, self.parent, self.ns
        )

    def stored(self, args: tuple[Any, ...]) -> str:
        """Note that a put came back; gives the checkpoint's id."""
        self.step += 1
        self.parent = args[1]["id"]
        self.versions = args[1]["channel_versions"]
        return args[1]["id"]

    def put(self, saver: Any) -> str:
        """Put the next checkpoint."""
        args = self.next()
        saver.put(*args)
        return self.stored(args)

    async def aput(self, saver: Any) -> str:
        """Put the next checkpoint, from asyncio."""
        args = self.next()
        await saver.aput(*args)
        return self.stored(args)

    def writes(self, task: str) -> tuple[Any, ...]:
        """The arguments of the put_writes of a task at this step."""
        return self.config, batch(self.name, self.step, task), task, f"~{task}"
