"""Puts what changes meanwhile: `python -m tests.survive.mutate BACKEND SECONDS SEED`.

Other threads change it, and so do values that are asked for their content. A put may fail
with an ordinary exception, as iterating over a changing dict does. It must not crash the
interpreter, nor leave anything behind that cannot be read.
"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import json
import random
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from functools import partial
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage
from pydantic import BaseModel

import lgckpt
from lgckpt.errors import LgckptError
from lgckpt.saver import Saver
from tests.checkpoints import checkpoint, config
from tests.survive.crowd import threads
from tests.survive.harness import guard
from tests.survive.states import Conversation, assert_whole

ALLOWED = (LgckptError, RuntimeError, TypeError, ValueError, KeyError, IndexError, AttributeError)
"""What a value torn while it is read may raise; a MemoryError or SystemError is a defect."""


class Model(BaseModel):
    items: list[Any] = []
    table: dict[str, Any] = {}


@dataclasses.dataclass
class Record:
    items: list[Any]
    table: dict[str, Any]


class Spiteful(BaseModel):
    """Changes the container that it is in when it is asked for its content."""

    spite: Any = None

    def model_dump(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        if callable(self.spite):
            self.spite()
        return {"spite": None}


def make() -> dict[str, Any]:
    """One value of each kind that is met natively, and plain containers, all of them mutable."""
    return {
        "list": [{"a": [1, 2, 3], "b": "x" * 50} for _ in range(300)],
        "dict": {f"k{i}": [i, {"n": i}] for i in range(300)},
        "set": set(range(300)),
        "deque": deque(range(300)),
        "bytes": bytearray(5_000),
        "messages": [HumanMessage("hello"), AIMessage("there", tool_calls=[])] * 20,
        "model": Model(items=list(range(100)), table={"a": 1}),
        "record": Record(list(range(100)), {"a": 1}),
    }


def mutate(values: dict[str, Any], rng: random.Random, stop: threading.Event) -> None:
    """Change everything in place, over and over: grow, shrink, clear, put other types."""
    changes: list[Callable[[], Any]] = [
        partial(_resize_list, values["list"]),
        partial(_resize_dict, values["dict"]),
        lambda: values["set"].symmetric_difference_update(range(rng.randrange(600))),
        lambda: (values["deque"].extend(range(50)), values["deque"].rotate(7)),
        values["deque"].clear,
        lambda: values["bytes"].extend(bytes(1_000)),
        values["bytes"].clear,
        partial(_resize_list, values["messages"]),
        lambda: values["messages"][0].additional_kwargs.update({str(rng.random()): [1]}),
        values["messages"][0].additional_kwargs.clear,
        lambda: setattr(values["messages"][0], "content", "y" * rng.randrange(5_000)),
        partial(_resize_list, values["model"].items),
        partial(_resize_dict, values["model"].table),
        partial(_resize_list, values["record"].items),
        partial(_resize_dict, values["record"].__dict__["table"]),
        lambda: values["list"][0].update(a=rng.choice([1, "s", [], {}, None])),
    ]
    while not stop.is_set():
        for change in rng.sample(changes, len(changes)):
            try:
                change()
            except (IndexError, RuntimeError, KeyError, BufferError):
                continue  # two of these threads met


def _resize_list(items: list[Any]) -> None:
    kept = items[:10]
    items.clear()
    items.extend(kept * 30)


def _resize_dict(table: dict[str, Any]) -> None:
    for i in range(200):
        table[f"new{i}"] = [i]
    for key in list(table)[10:]:
        table.pop(key, None)


def put(saver: Saver, values: dict[str, Any], number: int, outcomes: Counter[str]) -> None:
    """Put the values as they are just then, in both colours, as state and as writes."""
    args = (
        config("torn"),
        checkpoint(values),
        {"source": "loop", "step": number},
        dict.fromkeys(values, 1),
    )
    calls: list[Callable[[], Any]] = [
        lambda: saver.put(*args),
        lambda: asyncio.run(saver.aput(*args)),
        lambda: saver.put_writes(config("torn", args[1]["id"]), list(values.items()), "task"),
    ]
    for call in calls:
        try:
            call()
        except ALLOWED as exc:
            outcomes[type(exc).__name__] += 1
        else:
            outcomes["stored"] += 1


def spite(saver: Saver, outcomes: Counter[str]) -> None:
    """Values that change their container in the middle of its own encoding."""

    def pairs() -> list[Any]:
        items: list[Any] = [f"item {i}" for i in range(200)]
        table: dict[Any, Any] = {f"key {i}": [i] for i in range(200)}
        queue, kinds = deque(items), Record(items, table)
        return [
            (items, items.clear), (items, lambda: items.extend(range(10_000))),
            (table, table.clear), (table, lambda: table.update(dict.fromkeys(range(10_000)))),
            (queue, queue.clear), (queue, lambda: queue.extend(range(10_000))),
            (kinds, items.clear), (kinds, table.clear), (kinds, kinds.__dict__.clear),
        ]  # fmt: skip

    for number in range(len(pairs())):
        value, change = pairs()[number]
        spiteful = Spiteful(spite=change)
        if isinstance(value, Record):
            value.items[5] = value.table["key 5"] = spiteful
        else:
            value[5 if isinstance(value, list | deque) else "key 5"] = spiteful
        put(saver, {"value": value, "nested": [value]}, number, outcomes)


def race(saver: Saver, seconds: float, seed: int) -> Counter[str]:
    outcomes: Counter[str] = Counter()
    values, stop = make(), threading.Event()
    deadline = time.monotonic() + seconds

    def putting(first: int) -> None:
        for number in itertools.count(first, 2):
            put(saver, values, number, outcomes)
            if time.monotonic() > deadline:
                stop.set()
                return

    changing = [partial(mutate, values, random.Random(f"{seed}/{i}"), stop) for i in range(2)]
    threads([*changing, partial(putting, 0), partial(putting, 1)])
    return outcomes


def main(backend: str, seconds: float, seed: int) -> None:
    guard()
    sys.setswitchinterval(0.0005)
    opened: Saver = (
        lgckpt.MemorySaver()
        if backend == "memory"
        else lgckpt.SqliteSaver(backend, synchronous="NORMAL")
    )
    with opened as saver:
        outcomes = race(saver, seconds, seed)
        spite(saver, outcomes)
        stored = list(saver.list(config("torn"), limit=20))
        if not stored:
            raise AssertionError(f"nothing was ever stored: {outcomes}")
        conversation = Conversation("large-1")
        conversation.put(saver)
        asyncio.run(conversation.aput(saver))
        found = saver.get_tuple(config("large-1"))
        if found is None:
            raise AssertionError("a later put is lost")
        assert_whole(found)
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))
