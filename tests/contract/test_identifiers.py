"""Thread ids, namespaces and checkpoint ids may be any text, and only text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lgckpt.errors import ConfigurationError
from tests.backends import Backend
from tests.checkpoints import Thread, checkpoint, config
from tests.colours import Coloured

pytestmark = pytest.mark.anyio

LOOP = {"source": "loop", "step": 1, "parents": {}}
ODD = {
    "empty": "",
    "space": " ",
    "nul": "a\0b",
    "only nul": "\0",
    "quotes": """'"`;--""",
    "wildcards": "%_*?[a]",
    "emoji": "🙂🇩🇪",
    "controls": "\n\r\t\x1b",
    "highest": "\U0010ffff",
    "braces": "{t}:a/../b",
    "long": "x" * 1_000_000,
}
LONE = "a\ud800b"


@pytest.mark.parametrize("name", ODD)
async def test_any_text_names_a_thread_a_namespace_and_a_checkpoint(
    coloured: Coloured, backend: Backend, name: str
) -> None:
    odd = ODD[name]
    if backend.longest_key is not None and len(odd) > backend.longest_key:
        pytest.skip("too long for this backend: see the test of what is too long")
    thread = Thread(coloured, odd, ns=odd)
    first = await thread.put({"a": 1})
    made = checkpoint({"a": 2}, id=odd or "id")
    stored = await coloured.put(first, made, LOOP, {"a": 1})
    await coloured.put_writes(stored, [(odd, "w")], odd, odd)
    await coloured.copy_thread(odd, "copy")
    copied = {"configurable": {**stored["configurable"], "thread_id": "copy"}}
    for asked in (stored, copied):
        found = await coloured.get_tuple(asked)
        assert found.checkpoint["channel_values"] == {"a": 2}
        assert found.config == asked
        assert found.pending_writes == [(odd, odd, "w")]
    listed = await coloured.list({"configurable": {"thread_id": odd}})
    assert sorted(one.config["configurable"]["checkpoint_id"] for one in listed) == sorted(
        [first["configurable"]["checkpoint_id"], odd or "id"]
    )
    await coloured.delete_thread(odd)
    assert await coloured.get_tuple(stored) is None
    assert await coloured.get_tuple(copied) is not None


async def test_what_is_too_long_is_refused_by_name_and_nothing_else_is(
    coloured: Coloured, backend: Backend
) -> None:
    if backend.longest_key is None:
        pytest.skip("nothing is too long for this backend")
    long = "é" * (backend.longest_key // 2 + 1)
    fits = "é" * ((backend.longest_key - 80) // 2)
    first = await Thread(coloured, "t").put({"a": 1})
    with pytest.raises(ConfigurationError, match="checkpoint_ns"):
        await coloured.put(config("t", ns=long), checkpoint({}), LOOP, {})
    with pytest.raises(ConfigurationError, match="checkpoint_id"):
        await coloured.put(config("t"), checkpoint({}, id=long), LOOP, {})
    with pytest.raises(ConfigurationError, match="task_id"):
        await coloured.put_writes(first, [("a", 1)], long)
    assert await coloured.get_tuple(config("t", ns=long)) is None
    assert await coloured.get_tuple(config("t", long)) is None
    assert len(await coloured.list(None)) == 1
    thread = Thread(coloured, "é" * 1_000_000, ns=fits)
    stored = await thread.put({"a": 1}, run_id=long)
    await coloured.put_writes(stored, [(long, 1)], "task", long)
    found = await coloured.get_tuple(stored)
    assert (found.pending_writes, found.config) == ([("task", long, 1)], stored)
    await coloured.delete_for_runs([long])
    assert await coloured.list(stored) == []


async def test_threads_whose_names_look_alike_are_apart(coloured: Coloured) -> None:
    names = ["a", "A", "a\0", "a\0b", "a ", "á", "a\u0301", "a%", "a_"]
    for number, name in enumerate(names):
        await Thread(coloured, name).put({"n": number})
    for number, name in enumerate(names):
        assert await Thread(coloured, name).state() == {"n": number}
    await coloured.delete_thread("a")
    assert len(await coloured.list(None)) == len(names) - 1


async def test_a_thread_id_that_is_a_number_is_its_text(coloured: Coloured) -> None:
    stored = await Thread(coloured, 7).put({"a": 1})
    assert stored["configurable"]["thread_id"] == 7
    assert await Thread(coloured, "7").state() == {"a": 1}
    assert (await coloured.get_tuple(stored)).checkpoint["channel_values"] == {"a": 1}
    assert len(await coloured.list(config(7))) == 1
    await coloured.copy_thread(7, 8)
    await Thread(coloured, 8).put({"a": 2})
    await coloured.prune([8])
    assert len(await coloured.list(config(8))) == 1
    await coloured.delete_thread(7)
    await coloured.prune([8], strategy="delete")
    assert await coloured.list(None) == []


@pytest.mark.parametrize("asked", [{"configurable": {}}, {}], ids=["no thread_id", "nothing"])
@pytest.mark.parametrize("verb", ["get_tuple", "list", "put", "put_writes", "delta"])
async def test_a_config_without_a_thread_is_refused(
    coloured: Coloured, asked: dict[str, Any], verb: str
) -> None:
    call = {
        "get_tuple": lambda: coloured.get_tuple(asked),
        "list": lambda: coloured.list({**asked, "tags": []}),
        "put": lambda: coloured.put(asked, checkpoint({}), LOOP, {}),
        "put_writes": lambda: coloured.put_writes(asked, [("a", 1)], "task"),
        "delta": lambda: coloured.get_delta_channel_history(config=asked, channels=["a"]),
    }[verb]
    with pytest.raises(ConfigurationError, match="thread_id"):
        await call()


async def test_writes_without_a_checkpoint_are_refused(coloured: Coloured) -> None:
    with pytest.raises(ConfigurationError, match="checkpoint_id"):
        await coloured.put_writes(config("t"), [("a", 1)], "task")


CALLS: dict[str, Callable[[Coloured], Any]] = {
    "get thread": lambda c: c.get_tuple(config(LONE)),
    "get ns": lambda c: c.get_tuple(config("t", ns=LONE)),
    "get checkpoint": lambda c: c.get_tuple(config("t", LONE)),
    "list thread": lambda c: c.list(config(LONE)),
    "list ns": lambda c: c.list(config("t", ns=LONE)),
    "list checkpoint": lambda c: c.list(config("t", LONE)),
    "list before": lambda c: c.list(config("t"), before=config("t", LONE)),
    "put thread": lambda c: c.put(config(LONE), checkpoint({}), LOOP, {}),
    "put ns": lambda c: c.put(config("t", ns=LONE), checkpoint({}), LOOP, {}),
    "put id": lambda c: c.put(config("t"), checkpoint({}, id=LONE), LOOP, {}),
    "put parent": lambda c: c.put(config("t", LONE), checkpoint({}), LOOP, {}),
    "writes thread": lambda c: c.put_writes(config(LONE, "i"), [("a", 1)], "task"),
    "writes ns": lambda c: c.put_writes(config("t", "i", ns=LONE), [("a", 1)], "task"),
    "writes checkpoint": lambda c: c.put_writes(config("t", LONE), [("a", 1)], "task"),
    "writes task": lambda c: c.put_writes(config("t", "i"), [("a", 1)], LONE),
    "writes path": lambda c: c.put_writes(config("t", "i"), [("a", 1)], "task", LONE),
    "writes channel": lambda c: c.put_writes(config("t", "i"), [(LONE, 1)], "task"),
    "delete": lambda c: c.delete_thread(LONE),
    "copy from": lambda c: c.copy_thread(LONE, "t"),
    "copy to": lambda c: c.copy_thread("t", LONE),
    "prune": lambda c: c.prune([LONE]),
    "runs": lambda c: c.delete_for_runs([LONE]),
    "delta": lambda c: c.get_delta_channel_history(config=config("t", LONE), channels=["a"]),
}


@pytest.mark.parametrize("name", CALLS)
async def test_text_that_has_no_encoding_is_refused(coloured: Coloured, name: str) -> None:
    await Thread(coloured).put({"a": 1})
    with pytest.raises(ConfigurationError, match="not valid Unicode"):
        await CALLS[name](coloured)
    assert len(await coloured.list(None)) == 1
