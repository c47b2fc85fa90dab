"""Values that channels hold besides messages: models, dataclasses, plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from benchmarks.workloads.text import Prose


@dataclass
class Shipment:
    """A flat dataclass of mixed scalars and one list."""

    order: str
    weight: float
    items: int
    paid: bool
    note: str
    tags: list[str]


class Customer(BaseModel):
    """A flat pydantic model of mixed scalars and one list."""

    name: str
    email: str
    age: int
    balance: float
    active: bool
    tags: list[str]


def shipments(count: int = 100) -> list[Shipment]:
    """Make dataclasses."""
    prose = Prose(5)
    return [
        Shipment(
            order=prose.identifier("0123456789abcdef", 12),
            weight=round(prose.random.uniform(0.1, 40), 2),
            items=prose.random.randint(1, 12),
            paid=prose.random.random() < 0.8,
            note=prose.text(60),
            tags=prose.words(3),
        )
        for _ in range(count)
    ]


def customers(count: int = 100) -> list[Customer]:
    """Make pydantic models."""
    prose = Prose(6)
    return [
        Customer(
            name=" ".join(prose.words(2)).title(),
            email=f"{prose.words(1)[0]}@example.com",
            age=prose.random.randint(18, 90),
            balance=round(prose.random.uniform(-500, 9_000), 2),
            active=prose.random.random() < 0.7,
            tags=prose.words(3),
        )
        for _ in range(count)
    ]


def scalars(step: int) -> dict[str, Any]:
    """Make the values that a superstep gives five scalar channels: a small state."""
    return {
        "counter": step,
        "status": ("planning", "acting", "waiting")[step % 3],
        "score": step / 7,
        "done": step % 5 == 0,
        "user_id": f"user-{step % 4}",
    }


def plain() -> dict[str, Any]:
    """Make plain data by kind: dicts, lists, strings, numbers."""
    prose = Prose(7)
    draw = prose.random
    return {
        "dicts": [
            {
                "id": draw.getrandbits(40),
                "title": prose.text(40),
                "score": draw.random(),
                "seen": draw.random() < 0.5,
                "parent": None,
                "labels": {word: draw.randint(0, 9) for word in prose.words(4)},
            }
            for _ in range(100)
        ],
        "lists": [[draw.randint(-5, 5), [draw.randint(0, 900), []], None] for _ in range(300)],
        "strings": [prose.text(draw.randint(5, 400)) for _ in range(200)],
        "numbers": [
            draw.choice((draw.getrandbits(60), draw.randint(-99, 99), draw.random()))
            for _ in range(2_000)
        ],
    }
