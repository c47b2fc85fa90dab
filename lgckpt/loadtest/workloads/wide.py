"""Hundreds of channels, a few of which change in a step."""

from __future__ import annotations

from typing import Any

from lgckpt.loadtest.calls import Script
from lgckpt.loadtest.messages import Talk
from lgckpt.loadtest.thread import Thread

CHANNELS = (150, 400)
STEPS = (10, 30)


def wide(thread: Thread, talk: Talk) -> Script:
    """A form, a simulation or a plan of many fields."""
    names = [f"field_{number:03}" for number in range(talk.random.randint(*CHANNELS))]
    yield thread.put({name: _value(talk) for name in names}, node="__start__", source="input")
    for step in range(talk.random.randint(*STEPS)):
        changed = {
            name: _value(talk) for name in talk.random.sample(names, talk.random.randint(1, 6))
        }
        yield thread.writes(list(changed.items()))
        yield thread.put(changed, node=f"node_{step % 7}")
        if step % 5 == 4:
            yield thread.get()
    yield thread.get()
    yield thread.history(limit=5)


def _value(talk: Talk) -> Any:
    kind = talk.random.randrange(5)
    if kind == 0:
        return talk.random.randint(-(10**9), 10**9)
    if kind == 1:
        return round(talk.random.random(), 6)
    if kind == 2:
        return talk.random.random() < 0.5
    if kind == 3:
        return talk.prose.sentence()
    return {"name": " ".join(talk.prose.words(2)), "amounts": [round(talk.random.random(), 6)] * 4}
