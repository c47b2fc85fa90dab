"""Values that change while they are written, and hooks that must not be swallowed."""

import contextlib
import dataclasses
import random
import sys
import threading

import pytest
from langchain_core.messages import AIMessage

from lgckpt.errors import EncodeError
from lgckpt.serde import Serializer

from . import models_of as m
from . import types_of as t


class Mutating:
    """Changes a container when it is asked what it is."""

    def __init__(self, change):
        self.change = change

    def dict(self):
        self.change()
        return {}


@pytest.mark.parametrize(
    "kind", ["list", "dict", "grow list", "grow dict", "replace", "model", "dataclass"]
)
def test_a_container_changed_by_what_it_holds(kind, compiled):
    value = [1, 2, 3, 4] if "list" in kind else {str(i): i for i in range(4)}
    model = m.Box[object].model_construct(value=value)
    changes = {
        "list": value.clear,
        "dict": value.clear,
        "grow list": lambda: value.extend(range(100)),
        "grow dict": lambda: value.update({f"n{i}": [i] for i in range(100)}),
        "replace": lambda: [value.pop("1"), value.update({f"x{i}": object() for i in range(3)})],
        "model": model.__dict__.clear,
        "dataclass": value.clear,
    }
    hook = Mutating(changes[kind])
    if isinstance(value, list):
        value[1] = hook
        value[2] = ["x" * 50]
    else:
        value["1"] = hook
        value["2"] = ["x" * 50]
    serde = Serializer()
    whole = {"model": model, "dataclass": t.Plain(1, "x", value)}.get(kind, value)
    with contextlib.suppress(EncodeError):
        serde.loads_typed(serde.dumps_typed(whole))


def test_threads_that_change_what_is_written(compiled):
    serde = Serializer()
    shared = {"list": list(range(50)), "dict": {str(i): [i] for i in range(50)}}
    message = AIMessage("x", additional_kwargs=shared)
    values = [message, t.Plain(1, "x", shared), {t.Color.RED, 1}, t.V1Like(a=shared), shared]
    stop = threading.Event()

    def change():
        rng = random.Random(3)
        while not stop.is_set():
            shared["list"].append([rng.random()])
            del shared["list"][: rng.randint(0, 3)]
            shared["dict"][str(rng.randint(0, 99))] = {"n": [1]}
            shared["dict"].pop(str(rng.randint(0, 99)), None)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    threads = [threading.Thread(target=change) for _ in range(3)]
    try:
        for thread in threads:
            thread.start()
        for _ in range(400):
            with contextlib.suppress(EncodeError):
                serde.loads_typed(serde.dumps_typed(values))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(interval)


class Interrupts:
    def dict(self):
        raise KeyboardInterrupt


@dataclasses.dataclass
class InterruptsWhenMade:
    a: int

    def __post_init__(self):
        if self.a == 2:
            raise KeyboardInterrupt


def nest(value):
    return [value], {"k": (1, value)}, t.Plain(1, "x", value), {"m": [t.Slots(1, [value])]}


@pytest.mark.parametrize("shape", range(4))
def test_keyboard_interrupt_reaches_the_caller(shape, ours):
    with pytest.raises(KeyboardInterrupt):
        ours.dumps_typed(nest(Interrupts())[shape])
    value = InterruptsWhenMade(1)
    written = ours.dumps_typed(nest(value)[shape])
    ours.loads_typed(written)
    value.a = 2
    written = ours.dumps_typed(nest(value)[shape])
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            ours.loads_typed(written)


def test_keyboard_interrupt_in_an_ext_hook(core):
    def hook(code, data):
        raise KeyboardInterrupt

    serde = Serializer(__unpack_ext_hook__=hook)
    with pytest.raises(KeyboardInterrupt):
        serde.loads_typed(serde.dumps_typed([{1}]))


def test_the_cause_of_a_refusal_is_kept(ours):
    with pytest.raises(EncodeError) as raised:
        ours.dumps_typed([t.Plain(1, "x", 2**70)])
    assert "Plain" in str(raised.value)
    assert "64-bit" in str(raised.value.__cause__)
