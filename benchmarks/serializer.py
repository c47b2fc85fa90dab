"""`lgckpt.Serializer` beside `JsonPlusSerializer`: `python -m benchmarks.serializer`.

The workloads are plain functions, for other runners to time. Figures from a shared machine are
noisy; the ratios of one run count.
"""

from __future__ import annotations

import sys
import timeit
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ormsgpack
from langgraph.checkpoint.serde import jsonplus
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

import lgckpt.core
from benchmarks.workloads.chat import conversation
from benchmarks.workloads.values import Customer, Shipment, customers, plain, shipments
from lgckpt.serde import Serializer

ALLOWED = [(kind.__module__, kind.__name__) for kind in (Customer, Shipment)]
Call = Callable[[], Any]


@dataclass(frozen=True)
class Workload:
    """One value, both ways, with both serializers.

    Attributes:
        name: What it is.
        encode: Ours and the official call.
        decode: Ours and the official call.
    """

    name: str
    encode: tuple[Call, Call]
    decode: tuple[Call, Call]


def objects() -> dict[str, Any]:
    """Values with objects in them, by name."""
    return {
        "100 mixed chat messages": conversation(100),
        "100 dataclasses": shipments(),
        "100 flat pydantic models": customers(),
    }


def workloads() -> list[Workload]:
    """Objects beside `JsonPlusSerializer`, plain values beside bare ormsgpack."""
    ours = Serializer(allowed_msgpack_modules=ALLOWED)
    theirs = JsonPlusSerializer(allowed_msgpack_modules=ALLOWED)
    core = lgckpt.core.core
    found = []
    for name, value in objects().items():
        typed = theirs.dumps_typed(value)
        found.append(
            Workload(
                name,
                (lambda v=value: ours.dumps_typed(v), lambda v=value: theirs.dumps_typed(v)),
                (lambda t=typed: ours.loads_typed(t), lambda t=typed: theirs.loads_typed(t)),
            )
        )
    for name, value in plain().items():
        found.append(_plain(core, name, value))
    return found


def _plain(core: Any, name: str, value: Any) -> Workload:
    option, unpack = jsonplus._option, ormsgpack.OPT_NON_STR_KEYS
    data = ormsgpack.packb(value, None, option)
    return Workload(
        f"plain {name}",
        (lambda: core.encode(value), lambda: ormsgpack.packb(value, None, option)),
        (lambda: core.decode(data), lambda: ormsgpack.unpackb(data, option=unpack)),
    )


def seconds(call: Call, rounds: int = 15) -> float:
    """The shortest time of one call, of some rounds of at least 5 ms."""
    timer = timeit.Timer(call)
    once = max(timer.timeit(1), 1e-7)
    number = max(1, int(0.005 / once))
    return min(timer.repeat(rounds, number)) / number


def main() -> None:
    """Print the table of ratios."""
    profile = lgckpt.core.core.BUILD_PROFILE
    if profile == "debug":
        sys.exit("this is a debug build: install with `maturin develop --release`")
    print(f"core: {profile}; noisy where the machine is shared")
    print(f"{'':42}{'encode':>24}{'decode':>24}")
    for workload in workloads():
        cells = []
        for ours, theirs in (workload.encode, workload.decode):
            if ours() != theirs():
                sys.exit(f"{workload.name}: the results differ")
            mine, official = seconds(ours), seconds(theirs)
            cells.append(f"{mine * 1e6:10.1f} us {official / mine:8.2f}x")
        print(f"{workload.name:42}{cells[0]:>24}{cells[1]:>24}")


if __name__ == "__main__":
    main()
