"""A chat that grows and is edited: each checkpoint has it as it was at its put."""

from __future__ import annotations

import copy
import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

from lgckpt.core import core
from tests.checkpoints import Thread
from tests.colours import Coloured

pytestmark = pytest.mark.anyio


def _message(index: int) -> AnyMessage:
    if index % 2:
        return HumanMessage(f"question {index} " * 9, id=str(index))
    call = {"name": "search", "args": {"q": [f"{index}"]}, "id": f"c{index}"}
    return AIMessage(f"answer {index} " * 9, id=str(index), tool_calls=[call])


def _answer(value: list[Any]) -> AIMessage:
    return next(one for one in value if isinstance(one, AIMessage))


EDITS: list[Callable[[list[Any]], Any]] = [
    lambda v: None,
    lambda v: setattr(v[0], "content", "edited"),
    lambda v: _answer(v).tool_calls[0]["args"]["q"].append("deeper"),
    lambda v: v[5].additional_kwargs.update(reason={"deep": [1]}),
    lambda v: v[5].additional_kwargs["reason"]["deep"].append(True),
    lambda v: v.__setitem__(3, HumanMessage("in its place", id="3")),
    lambda v: v.insert(4, v[1]),
    lambda v: v.__delitem__(slice(0, 3)),
    lambda v: vars(v[-1]).update(name="past validation"),
    lambda v: v.reverse(),
]


@pytest.mark.parametrize("fresh_list", [True, False], ids=["new list", "same list"])
async def test_every_checkpoint_has_the_chat_of_its_step(
    coloured: Coloured, fresh_list: bool
) -> None:
    thread = Thread(coloured)
    value: list[Any] = [_message(i) for i in range(40)]
    kept = []
    for step, edit in enumerate([*EDITS, *EDITS]):
        value = [*value] if fresh_list else value
        value.append(_message(40 + step))
        edit(value)
        expected = copy.deepcopy(value)
        kept.append((await thread.put({"messages": value}), expected))
    for stored, expected in kept:
        found = (await thread.state(stored))["messages"]
        assert found == expected
        assert repr(found) == repr(expected)


async def test_what_a_saver_remembers_of_a_chat_keeps_no_message_alive(coloured: Coloured) -> None:
    thread = Thread(coloured)
    value = [_message(i) for i in range(40)]
    for step in range(3):
        value = [*value, _message(40 + step)]
        await thread.put({"messages": value})
    seen = [weakref.ref(message) for message in value]
    del value
    thread = Thread(coloured)
    gc.collect()
    assert {one() for one in seen} == {None}


async def test_only_what_was_appended_is_packed(coloured: Coloured) -> None:
    if core.BUILD_PROFILE == "pure":
        pytest.skip("the pure core packs every value afresh")
    thread = Thread(coloured)
    value = [_message(i) for i in range(40)]
    proved = []
    for step in range(4):
        value = [*value, _message(40 + step)]
        await thread.put({"messages": value})
        tree = coloured.saver._handle.hints.tree("t", "", "messages")
        proved.append(tree.proved)
    assert proved == [0, 0, 42, 43]
