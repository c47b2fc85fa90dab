"""Databases that released versions of LangGraph's savers made: read, and gone on with."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.serde.types import TASKS

import lgckpt
from lgckpt.errors import MissingError
from tests.checkpoints import config
from tests.golden.write_langgraph import build, outer
from tests.migrate.golden import (
    NAMES,
    connected,
    golden_postgres,
    golden_sqlite,
    insert,
    migrate,
)
from tests.migrate.layouts import (
    LAYOUTS,
    POSTGRES,
    SQLITE,
    Layout,
    Sides,
    every_mark,
    every_thread,
    move,
    path_of,
    postgres_database,
    tuples,
)

pytestmark = [
    pytest.mark.anyio,
    # What LangGraph says of a value that it reads from before it had msgpack.
    pytest.mark.filterwarnings("ignore:The default value of `allowed_objects`"),
]

Golden = Callable[[str], AbstractContextManager[str]]
GOLDEN: dict[str, tuple[Golden, Layout]] = {
    "sqlite": (golden_sqlite, SQLITE),
    "postgres": (golden_postgres, POSTGRES),
}


@pytest.fixture(params=GOLDEN)
def golden(request: pytest.FixtureRequest) -> tuple[Golden, Layout]:
    return GOLDEN[request.param]


def without_sends(found: dict[Any, Any]) -> dict[Any, Any]:
    """Tuples without sends that were writes of the parent: LangGraph's SqliteSaver leaves them."""
    for one in found.values():
        if one.checkpoint["v"] < 4:
            for part in ("channel_values", "channel_versions"):
                one.checkpoint[part] = {k: v for k, v in one.checkpoint[part].items() if k != TASKS}
    return found


def finished(saver: Any) -> dict[str, Any]:
    """Continue what had stopped; gives the states."""
    whole = build().compile(checkpointer=saver)
    stopped = build().compile(checkpointer=saver, interrupt_before=["ask"])
    nested = outer().compile(checkpointer=saver)
    graphs = {"whole": whole, "stopped": stopped, "nested": nested}
    found = {}
    for thread, graph in graphs.items():
        while graph.get_state(config(thread)).next:
            graph.invoke(None, config(thread))
        found[thread] = graph.get_state(config(thread)).values
    return found


@pytest.mark.parametrize("name", NAMES)
async def test_what_the_official_saver_reads_arrives(
    golden: tuple[Golden, Layout], name: str
) -> None:
    database, layout = golden
    with database(name) as url, lgckpt.MemorySaver() as ours, layout.database() as back:
        async with Sides() as side:
            await move(side(url), side(ours), size=3)
            with layout.saver(url) as official:
                expected = without_sends(tuples(official))
            assert len(expected) >= 16
            assert without_sends(tuples(ours)) == expected
            await move(side(ours), side(back))
            with layout.saver(back) as official:
                assert without_sends(tuples(official)) == expected


@pytest.mark.parametrize("name", NAMES)
async def test_a_graph_goes_on_where_it_stopped(golden: tuple[Golden, Layout], name: str) -> None:
    database, layout = golden
    with database(name) as url, lgckpt.MemorySaver() as ours:
        async with Sides() as side:
            await move(side(url), side(ours))
            found = finished(ours)
            if layout is SQLITE and name == "1.0":
                with layout.saver(url) as official:
                    assert finished(official) == found
    whole = found["whole"]
    said = [(type(one), one.id, one.content) for one in whole["messages"][:2]]
    assert said == [
        (HumanMessage, "question 0", "question 0"),
        (AIMessage, "answer 0", "answer 0 to question 0"),
    ]
    topics = ["topic one", "topic two"]
    assert whole["joined"] == [*topics, "asked after 2", *topics, "asked after 5"]
    if name == "1.0":
        # LangGraph of now does not make bytes of the JSON that it wrote then.
        assert whole["note"].pop("bytes")["id"] == ["builtins", "bytes"]
    else:
        assert whole["note"].pop("bytes") == b"\0\xff"
    assert whole["note"] == {"none": None, "number": 1.5, "yes": True}
    # Nor Send objects, of which it warns: official and migrated, that thread goes on without.
    expected = [] if name == "1.0" else [*topics, "asked after 2"]
    assert found["stopped"]["joined"] == expected
    assert found["nested"]["joined"][:1] == ["before"]
    assert "asked after 1" in found["nested"]["joined"]


@pytest.mark.parametrize("name", ["1.0", "3.0"])
@pytest.mark.parametrize("other", LAYOUTS, ids=lambda one: one.name)
async def test_on_to_a_layout_of_now(
    golden: tuple[Golden, Layout], name: str, other: Layout
) -> None:
    """Not by way of a saver of ours; the sends of old wait where each layout reads them."""
    database, _ = golden
    with database(name) as url, other.database() as new, lgckpt.MemorySaver() as ours:
        async with Sides() as side:
            await move(side(url), side(new))
            await move(side(new), side(ours))
            expected = finished(ours)
            with lgckpt.MemorySaver() as direct:
                await move(side(url), side(direct))
                assert finished(direct) == expected


@pytest.mark.parametrize("version", range(3, 10))
async def test_every_version_of_the_postgres_tables(version: int) -> None:
    """Rows in the shape that each has; a target is brought up to date."""
    value = [1, 2]
    with lgckpt.MemorySaver() as ours, postgres_database() as url:
        tag, blob = ours.serde.dumps_typed(value)
        checkpoint = {
            "v": 1, "id": "1", "ts": "now", "channel_versions": {"a": "1.5", "b": 2, "c": 1.5},
            "versions_seen": {}, "pending_sends": [],
        }  # fmt: skip
        with connected(url) as connection:
            migrate(connection, version)
            names = ["thread_id", "checkpoint_id", "checkpoint", "metadata"]
            insert(connection, "checkpoints", names, [["t", "1", checkpoint, {"step": 1}]])
            names = ["thread_id", "channel", "version", "type", "blob"]
            rows = [["t", channel, v, tag, blob] for channel, v in (("a", "1.5"), ("c", "1.5"))]
            rows += [["t", "b", "2", "empty", None]] if version >= 4 else []
            insert(connection, "checkpoint_blobs", names, rows)
            names = ["thread_id", "checkpoint_id", "task_id", "idx", "channel", "type", "blob"]
            write = ["t", "1", "task", 0, "a", tag, blob]
            path = version >= 9
            insert(
                connection, "checkpoint_writes",
                [*names, *(["task_path"] if path else [])], [[*write, *(["~p"] if path else [])]],
            )  # fmt: skip
        async with Sides() as side:
            source = side(url)
            assert await every_thread(source) == ["t"]
            assert [mark.writes for mark in await every_mark(source, "t")] == [1]
            await move(source, side(ours))
            found = ours.get_tuple(config("t"))
            assert found.checkpoint["channel_values"] == {"a": value, "c": value}
            assert found.checkpoint["channel_versions"] == checkpoint["channel_versions"]
            assert found.pending_writes == [("task", "a", value)]
            (batch,) = [await source.fetch("t", [("", "1")], lambda _: False)]
            assert [write.task_path for write in batch.writes] == ["~p" if path else ""]
            await move(side(ours), source)
        with connected(url) as connection:
            done = connection.execute("SELECT v FROM checkpoint_migrations ORDER BY v").fetchall()
        assert [v for (v,) in done] == [*range(10)]
        with POSTGRES.saver(url) as official:
            assert tuples(official).keys() == {("t", "", "1")}
            assert official.get_tuple(config("t")) == found


@pytest.mark.parametrize("version", range(3))
async def test_postgres_tables_that_are_not_all_made_yet(version: int) -> None:
    """Of what is there, everything; a target gets the rest."""
    checkpoint = {
        "v": 1, "id": "1", "ts": "now", "channel_values": {"n": 7}, "channel_versions": {"n": 1},
        "versions_seen": {}, "pending_sends": [],
    }  # fmt: skip
    with lgckpt.MemorySaver() as ours, postgres_database() as url:
        tag, blob = ours.serde.dumps_typed([1, 2])
        with connected(url) as connection:
            migrate(connection, version)
            if version >= 1:
                names = ["thread_id", "checkpoint_id", "checkpoint", "metadata"]
                insert(connection, "checkpoints", names, [["t", "1", checkpoint, {"step": 1}]])
            if version == 2:
                checkpoint["channel_versions"]["l"] = "2.0"
                connection.execute("DELETE FROM checkpoints")
                insert(connection, "checkpoints", names, [["t", "1", checkpoint, {"step": 1}]])
                names = ["thread_id", "channel", "version", "type", "blob"]
                insert(connection, "checkpoint_blobs", names, [["t", "l", "2.0", tag, blob]])
        expected = [{}, {"n": 7}, {"n": 7, "l": [1, 2]}][version]
        async with Sides() as side:
            source = side(url)
            assert await every_thread(source) == (["t"] if version else [])
            await move(source, side(ours))
            found = ours.get_tuple(config("t"))
            assert (found is None) == (version == 0)
            if found is not None:
                assert found.checkpoint["channel_values"] == expected
                assert found.pending_writes == []
            ours.put_writes(config("t", "1"), [("n", 8)], "task", "~path")
            await move(side(ours), source)
        with POSTGRES.saver(url) as official:
            if version:
                assert official.get_tuple(config("t")).pending_writes == [("task", "n", 8)]


async def test_a_postgres_table_that_was_made_and_is_gone_is_missed() -> None:
    with postgres_database() as url:
        with connected(url) as connection:
            migrate(connection, 9)
            connection.execute("DROP TABLE checkpoint_writes")
        async with Sides() as side:
            with pytest.raises(MissingError, match="has no table 'checkpoint_writes'"):
                await every_thread(side(url))


async def test_a_file_without_paths_of_tasks_gets_them_as_a_target() -> None:
    with golden_sqlite("1.0") as url, lgckpt.MemorySaver() as ours:
        async with Sides() as side:
            before = path_of(url).read_bytes()
            source = side(url)
            await move(source, side(ours))
            await source.close()
            assert path_of(url).read_bytes() == before
            ours.put_writes(config("whole", "1"), [("a", 1)], "task", "~path")
            target = side(url)
            await move(side(ours), target)
            batch = await target.fetch("whole", [("", "1")], lambda _: False)
            assert [write.task_path for write in batch.writes] == ["~path"]
