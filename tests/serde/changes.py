"""Lists of all sorts of things, and changes to them at any depth."""

from __future__ import annotations

import copy
import datetime
import random
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from langchain_core.documents import Document
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)
from pydantic import BaseModel

from . import models_of as m
from . import types_of as t

Random = random.Random

MOST = 60
"""Containers within an element that is changed further."""


def _text(rng: Random) -> str:
    return rng.choice(["", "x", "naïve ünï", "long " * 60, str(rng.random())])


def ai_message(rng: Random) -> AIMessage:
    """One with everything a provider fills in."""
    call = {"name": "search", "args": {"q": _text(rng), "n": [1, {"deep": 2.5}]}, "id": "c1"}
    return AIMessage(
        content=_text(rng),
        id=str(rng.random()),
        additional_kwargs={"refusal": None, "more": {"a": [1, 2]}},
        response_metadata={"model": "m", "logprobs": [{"token": "a", "p": -0.5}]},
        tool_calls=[call],
        usage_metadata={
            "input_tokens": rng.randint(0, 9**9),
            "output_tokens": 2,
            "total_tokens": 3,
            "input_token_details": {"cache_read": 1},
        },
    )


MAKERS: list[Callable[[Random], Any]] = [
    ai_message,
    ai_message,
    lambda rng: HumanMessage(content=_text(rng), id="h", name=rng.choice([None, "user"])),
    lambda rng: HumanMessage(content=[{"type": "text", "text": _text(rng)}, "part"]),
    lambda rng: HumanMessage(content="x", extra_field={"k": [_text(rng)]}),
    lambda rng: SystemMessage(content=_text(rng)),
    lambda rng: ToolMessage(
        content=_text(rng), tool_call_id="c1", artifact={"raw": [b"bytes", (1, 2)]}
    ),
    lambda rng: Document(page_content=_text(rng), metadata={"source": "s", "page": 1}),
    lambda rng: RemoveMessage(id="x"),
    lambda rng: {"role": "user", "content": _text(rng), "parts": [{"n": rng.randint(0, 999)}]},
    lambda rng: {1: "int key", None: 2, False: [3], 2.5: (4,), b"k": {}},
    lambda rng: (1, _text(rng), [True, {"k": (None, 1.0)}]),
    lambda rng: [[[rng.random()]], [], {}, ()],
    lambda rng: m.Flat(a=rng.randint(0, 9), b=_text(rng)),
    lambda rng: m.Nested(flat=m.Flat(a=1, b="x"), many=[m.Flat(a=2, b=_text(rng))]),
    lambda rng: {"when": datetime.datetime(2024, 1, 2, 3, 4, 5, rng.randint(0, 9))},
    lambda rng: [datetime.datetime(2024, 1, 2, tzinfo=datetime.timezone.utc)],
    lambda rng: [datetime.date(2024, 1, 2), datetime.timedelta(3)],
    lambda rng: {"set": {1, 2, _text(rng)}, "frozen": frozenset({1, (2, "x")})},
    lambda rng: {"id": uuid.UUID(int=5), "sum": Decimal("1.50")},
    lambda rng: t.Plain(1, "x", [1, {"k": _text(rng)}]),
    lambda rng: [t.Color.RED, t.Str("s"), t.List([1]), t.Dict(a=1)],
    lambda rng: {"array": bytearray(b"abc"), "list": [bytearray(b"d")]},
    lambda rng: rng.choice([0, 1, True, 1.0, None, "x" * 50, b"raw", 2**40]),
]


def element(rng: Random) -> Any:
    """Anything a list may hold."""
    return rng.choice(MAKERS)(rng)


def _fresh(rng: Random, old: Any) -> Any:
    """Another value in place of one: sometimes equal, sometimes of another type and equal."""
    if type(old) is str and old and rng.random() < 0.3:
        return "".join(list(old))
    if old in (0, 1) and rng.random() < 0.7:
        return rng.choice([int, bool, float])(old)
    if rng.random() < 0.2:
        return copy.deepcopy(old)
    return (
        element(rng) if rng.random() < 0.2 else rng.choice([_text(rng), rng.randint(0, 300), None])
    )


def _change_dict(rng: Random, one: dict[Any, Any]) -> None:
    keys = list(one)
    key = rng.choice(keys) if keys else "new"
    kind = rng.randrange(7)
    if kind == 0 or not keys:
        one[str(rng.random())] = element(rng)
    elif kind == 6:
        items = [(_text(rng) if k is key else k, v) for k, v in one.items()]
        one.clear()
        one.update(items)
    elif kind == 1:
        del one[key]
    elif kind == 2:
        one[key] = one.pop(key)
    elif kind == 3 and type(key) is str:
        # An equal key that is another object.
        items = [("".join(list(k)) if k == key else k, v) for k, v in one.items()]
        one.clear()
        one.update(items)
    else:
        one[key] = _fresh(rng, one[key])


def _change_list(rng: Random, one: list[Any]) -> None:
    kind = rng.randrange(5)
    if kind == 0 or not one:
        one.append(element(rng))
    elif kind == 1:
        one.pop(rng.randrange(len(one)))
    elif kind == 2:
        one.reverse()
    elif kind == 3:
        one.insert(rng.randrange(len(one)), element(rng))
    else:
        index = rng.randrange(len(one))
        one[index] = _fresh(rng, one[index])


def _change_model(rng: Random, one: BaseModel) -> None:
    kind = rng.randrange(8)
    fields = vars(one)
    if kind == 0:
        object.__setattr__(one, "__dict__", dict(reversed(fields.items())))
    elif kind == 1:
        object.__setattr__(one, "__dict__", copy.copy(fields))
    elif kind == 2:
        object.__setattr__(one, "__pydantic_extra__", rng.choice([None, {}, {"e": [_text(rng)]}]))
    elif kind == 3 and one.__pydantic_extra__:
        _change_dict(rng, one.__pydantic_extra__)
    elif kind == 4:
        one.model_fields_set.symmetric_difference_update({"content", "id"})
    elif kind == 5 and isinstance(one, BaseMessage) and type(one) in (HumanMessage, SystemMessage):
        other = SystemMessage if type(one) is HumanMessage else HumanMessage
        object.__setattr__(one, "__class__", other)
    elif fields:
        name = rng.choice(list(fields))
        # Past validation, as an assignment to a message's content is.
        object.__setattr__(one, name, _fresh(rng, fields[name]))


def _inside(one: Any) -> list[Any]:
    """What can be changed within a value, itself included."""
    found: list[Any] = []
    queue = [one]
    while queue and len(found) < MOST:
        value = queue.pop()
        if isinstance(value, dict):
            queue += value.values()
        elif isinstance(value, (list, tuple)):
            queue += value
        elif isinstance(value, BaseModel):
            queue += [*vars(value).values(), value.__pydantic_extra__]
        elif isinstance(value, t.Plain):
            queue += vars(value).values()
        elif not isinstance(value, (set, bytearray)):
            continue
        if not isinstance(value, tuple):
            found.append(value)
    return found


def change_within(rng: Random, one: Any) -> None:
    """Change a value somewhere, in place, if it can be."""
    inside = _inside(one)
    if not inside:
        return
    chosen = rng.choice(inside)
    if isinstance(chosen, dict):
        _change_dict(rng, chosen)
    elif isinstance(chosen, list):
        _change_list(rng, chosen)
    elif isinstance(chosen, BaseModel):
        _change_model(rng, chosen)
    elif isinstance(chosen, set):
        chosen.symmetric_difference_update({rng.randint(0, 3), "new"})
    elif isinstance(chosen, bytearray):
        chosen.append(rng.randrange(256))
    else:
        chosen.a = rng.randint(0, 9)


def _append(rng: Random, value: list[Any]) -> list[Any]:
    return [*value, *(element(rng) for _ in range(rng.randint(0, 3)))]


def _append_in_place(rng: Random, value: list[Any]) -> list[Any]:
    value.append(element(rng))
    return value


def _insert(rng: Random, value: list[Any]) -> list[Any]:
    index = rng.randint(0, len(value))
    return [*value[:index], element(rng), *value[index:]]


def _remove(rng: Random, value: list[Any]) -> list[Any]:
    start = rng.randint(0, len(value))
    return value[:start] + value[start + rng.randint(1, 3) :]


def _replace(rng: Random, value: list[Any]) -> list[Any]:
    if value:
        index = rng.randrange(len(value))
        value[index] = _fresh(rng, value[index])
    return value


def _repeat(rng: Random, value: list[Any]) -> list[Any]:
    """The same object twice."""
    return [*value, rng.choice(value)] if value else value


def _alias(rng: Random, value: list[Any]) -> list[Any]:
    """A container of one element in another, or in itself."""
    inside = [one for element in value for one in _inside(element)]
    # No models: LangGraph dumps one that holds another of the wrong kind once for each level.
    holders = [one for one in inside if isinstance(one, (dict, list))]
    if holders:
        holder, held = rng.choice(holders), rng.choice(holders)
        if isinstance(holder, dict):
            holder["alias"] = held
        else:
            holder.append(held)
    return value


def _shuffle(rng: Random, value: list[Any]) -> list[Any]:
    return rng.sample(value, len(value))


def _copy(rng: Random, value: list[Any]) -> list[Any]:
    return [copy.copy(one) for one in value]


def _change(rng: Random, value: list[Any]) -> list[Any]:
    for _ in range(rng.randint(1, 3)):
        if value:
            change_within(rng, rng.choice(value))
    return value


STEPS: list[Callable[[Random, list[Any]], list[Any]]] = [
    _append,
    _append_in_place,
    _insert,
    _remove,
    _replace,
    _repeat,
    _alias,
    _shuffle,
    _copy,
    _change,
    _change,
    _change,
    _change,
]


def step(rng: Random, value: list[Any]) -> list[Any]:
    """What a superstep, a reducer or a careless node may do to a list."""
    changed = rng.choice(STEPS)(rng, value)
    # What holds itself twice over and over grows without bound when it is packed.
    small = [one for one in changed if len(_inside(one)) < MOST]
    return changed if len(small) == len(changed) else small
