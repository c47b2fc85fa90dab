"""Searches and sizes."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer

import lgckpt
from lgckpt import inspection
from lgckpt.errors import ConfigurationError
from lgckpt.inspection import Match, Skipped, searching
from lgckpt.inspection.totals import Totals
from lgckpt.migration.report import Damage
from lgckpt.saver import Saver
from tests.backends import Backend, damage_memory
from tests.checkpoints import Thread
from tests.colours import Coloured
from tests.inspection.conversations import OBJECTS, talk


@pytest.fixture
def memory() -> Iterator[lgckpt.MemorySaver]:
    with lgckpt.MemorySaver() as saver:
        yield saver


SIZE = len(OBJECTS["document"]) + 3
"""Of the document as it is serialized: msgpack puts three bytes before it."""


def places(found: Any) -> list[tuple[str, str | None, bool, str]]:
    return [(one.thread_id, one.channel, one.pending, one.path) for one in found]


def test_every_backend_is_searched(saver: Saver) -> None:
    for name in ("one", "two"):
        asyncio.run(talk(saver, name))
    found = list(inspection.search(saver, "21 degrees"))
    assert sorted(places(found)) == [
        (name, "messages", pending, path)
        for name in ("one", "two")
        for pending, path in ((False, "[2].content"), (False, "[3].content"))
    ]
    assert places(inspection.search(saver, "DEGREES.$", ignore_case=True, prefix="tw")) == [
        ("two", "messages", False, "[3].content")
    ]
    assert list(inspection.search(saver, "DEGREES")) == []


def test_a_text_is_told_once_with_the_first_checkpoint_that_holds_it(memory: Saver) -> None:
    ids = asyncio.run(talk(memory))
    (match,) = inspection.search(memory, "weather in")
    assert isinstance(match, Match)
    assert (match.checkpoint_id, match.path) == (ids[0], "[0].content")
    start, end = match.span
    assert match.snippet[start:end] == "weather in"


def test_keys_objects_documents_numbers_writes_and_metadata_are_searched(memory: Any) -> None:
    asyncio.run(talk(memory))
    memory.put_writes(
        {"configurable": {"thread_id": "talk", "checkpoint_ns": "", "checkpoint_id": "later"}},
        [("messages", HumanMessage("not yet"))],
        "task",
    )
    for pattern, channel, path in (
        ("find out", "plan", "goal"),
        ("line 399 of", "document", ""),
        ("^run 3$", None, "run_id"),
        ("not yet", "messages", "content"),
        ("[bold]".replace("[", r"\["), "messages", "[1].tool_calls[0].args.query"),
        ("1.50", "price", ""),
    ):
        found = list(inspection.search(memory, pattern))
        assert places(found)[0][1::2] == (channel, path), pattern


def test_a_snippet_is_short_and_marks_what_was_found(memory: Saver) -> None:
    asyncio.run(talk(memory))
    (match,) = inspection.search(memory, "line 200 of")
    assert isinstance(match, Match)
    assert len(match.snippet) < 120
    assert match.snippet.startswith("…")
    assert match.snippet.endswith("…")
    assert match.snippet[slice(*match.span)] == "line 200 of"


def test_a_value_is_decoded_once_however_many_checkpoints_hold_it(
    memory: Saver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def store() -> None:
        thread = Thread(Coloured(memory, "async"), "t")
        said: list[Any] = []
        for number in range(200):
            said.append(HumanMessage(f"message {number} " * 20, id=str(number)))
            await thread.put(
                {"messages": list(said), **({} if number else {"doc": "word " * 9000})}
            )

    asyncio.run(store())
    decoded: Counter[int] = Counter()

    def counted(packed: Any) -> Any:
        decoded[hash(packed.data)] += 1
        return inside(packed)

    inside = searching._inside
    monkeypatch.setattr(searching, "_inside", counted)
    values: Counter[str] = Counter()
    found = searching._Thread._found

    def looked(self: Any, place: Any, channel: Any, pending: bool, view: Any) -> Any:
        values[str(channel)] += 1
        return found(self, place, channel, pending, view)

    monkeypatch.setattr(searching._Thread, "_found", looked)
    assert len(list(inspection.search(memory, "message 7 "))) == 1
    assert len(decoded) == 200
    assert set(decoded.values()) == {1}
    assert (values["doc"], values["messages"]) == (1, 200)


def test_memory_is_bounded(memory: Saver, monkeypatch: pytest.MonkeyPatch) -> None:
    async def store() -> None:
        thread = Thread(Coloured(memory, "async"), "t")
        for number in range(60):
            await thread.put({"doc": f"{number:04}" * 250_000})

    asyncio.run(store())
    tracemalloc.start()
    try:
        assert len(list(inspection.search(memory, "^0059"))) == 1
        assert tracemalloc.get_traced_memory()[1] < 40_000_000
    finally:
        tracemalloc.stop()


def test_what_is_encrypted_is_said_not_to_be_searched() -> None:
    serde = EncryptedSerializer.from_pycryptodome_aes(key=b"sixteen byte key")
    with lgckpt.MemorySaver(serde=serde) as saver:
        asyncio.run(talk(saver))
        (only,) = inspection.search(saver, "degrees")
    assert isinstance(only, Skipped)
    assert only.reason == "encrypted"


def test_damage_is_told_and_the_rest_is_searched(memory: Saver) -> None:
    asyncio.run(talk(memory))
    damage_memory(memory, "chunks", "frame", lambda cell: cell[:-1] + bytes([cell[-1] ^ 1]))
    found = list(inspection.search(memory, "degrees"))
    assert {one.channel for one in found if isinstance(one, Damage)} == {"document"}
    assert any(isinstance(one, Match) for one in found)


def test_a_pattern_that_is_none_is_refused(memory: Saver) -> None:
    with pytest.raises(ConfigurationError, match=r"not a regular expression: '\('"):
        list(inspection.search(memory, "("))


def test_sizes_add_up(backend: Backend) -> None:
    with backend.open() as saver:
        for name in ("one", "two"):
            asyncio.run(talk(saver, name))
        one, two = sorted(inspection.measure(saver), key=lambda found: found.thread_id)
        (only,) = inspection.measure(saver, ["two"])
    assert only.thread_id == two.thread_id
    assert one.stored == one.rows + one.pending + one.chunks
    assert (one.checkpoints, one.writes) == (5, 4)
    assert sum(sizes.stored for sizes in one.channels.values()) <= one.rows + one.chunks
    document = one.channels["", "document"]
    assert document.values == 4
    assert document.logical == 4 * SIZE
    assert 0 < document.stored < SIZE
    totals = Totals(1)
    totals.add(one)
    totals.add(two)
    assert totals.total.stored == one.stored + two.stored
    assert len(totals.largest()) == 1
    assert totals.channels["document"].logical == 8 * SIZE


def test_the_official_layouts_are_estimated_near_what_they_take(memory: Saver) -> None:
    import sqlite3  # noqa: PLC0415

    from langgraph.checkpoint.sqlite import SqliteSaver  # noqa: PLC0415

    connection = sqlite3.connect(":memory:", check_same_thread=False)
    theirs = SqliteSaver(connection)

    async def store() -> None:
        for saver in (Coloured(memory, "sync"), Coloured(theirs, "sync")):
            thread = Thread(saver, "t")
            said: list[Any] = []
            for number in range(40):
                said.append(HumanMessage(f"message {number} " * 50, id=str(number)))
                await thread.put({"messages": list(said)})

    asyncio.run(store())
    (found,) = inspection.measure(memory)
    taken = connection.execute(
        "SELECT sum(length(checkpoint) + length(metadata)) FROM checkpoints"
    ).fetchone()[0]
    connection.close()
    assert found.langgraph_sqlite == pytest.approx(taken, rel=0.02)
    assert found.langgraph_postgres < found.langgraph_sqlite * 1.01
    assert found.stored < taken / 5


def test_what_is_unchanged_counts_once_for_postgres(memory: Saver) -> None:
    async def store() -> None:
        thread = Thread(Coloured(memory, "async"), "t")
        for number in range(30):
            await thread.put({"n": number, **({} if number else {"doc": "word " * 9000})})

    asyncio.run(store())
    (found,) = inspection.measure(memory)
    assert found.langgraph_sqlite > 30 * 45_000
    assert 45_000 < found.langgraph_postgres < 60_000
    assert found.chunk_count < found.references


def test_namespaces_of_calls_are_summed(memory: Saver) -> None:
    async def store() -> None:
        for ns in ("", "agent:1", "agent:2", "agent:2|tool:3"):
            await Thread(Coloured(memory, "async"), "t", ns).put({"x": "text"})

    asyncio.run(store())
    totals = Totals(1)
    for one in inspection.measure(memory):
        totals.add(one)
    assert {ns: sizes.values for ns, sizes in totals.namespaces.items()} == {
        "": 1, "agent:*": 2, "agent:*|tool:*": 1,
    }  # fmt: skip


def test_a_search_that_is_left_early_leaves_nothing_behind(
    memory: lgckpt.MemorySaver, caplog: pytest.LogCaptureFixture
) -> None:
    for n in range(4):
        asyncio.run(talk(memory, f"t{n}"))
    found = inspection.search(memory, ".")
    next(iter(found))
    del found
    gc.collect()
    assert not [record for record in caplog.records if record.name == "asyncio"]


def test_what_is_forgotten_meanwhile_is_no_damage(
    memory: Saver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def store() -> None:
        thread = Thread(Coloured(memory, "async"), "t")
        await thread.put({"doc": "word " * 9000})
        for number in range(300):
            await thread.put({"n": number, f"c{number}": number})

    asyncio.run(store())
    for most in (40, 250, 333, 1000):
        monkeypatch.setattr(searching, "_REMEMBERED", most)
        assert list(inspection.search(memory, "absent")) == []
