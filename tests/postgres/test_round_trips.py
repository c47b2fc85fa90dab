"""One statement a put, one a put_writes, one a get; one more for each level of a tree."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg import sql

import lgckpt
from lgckpt.core import core
from tests.checkpoints import Thread, config
from tests.colours import Coloured
from tests.postgres.statements import counted

pytestmark = pytest.mark.anyio

LARGE = [{"id": i, "content": f"message {i * 7919 % 1000} " * 9} for i in range(600)]


@pytest.fixture
async def thread(pg_saver: lgckpt.PostgresSaver) -> Thread:
    thread = Thread(Coloured(pg_saver, "async"))
    at = await thread.put({"n": 0})
    await pg_saver.aput_writes(at, [("n", 1)], "task")
    assert await thread.state() == {"n": 0}
    return thread


async def test_a_put_and_a_batch_of_writes_are_one_statement_each(
    thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    with counted(monkeypatch) as sent:
        at = await thread.put({"n": 1})
        assert len(sent) == 1
        await thread.saver.put_writes(at, [("n", 1), ("m", "2")], "task")
        assert len(sent) == 2
        await thread.put({"large": LARGE})
        assert len(sent) == 3
        await thread.put({"large": [*LARGE, 1]})
        assert len(sent) == 4


async def test_a_get_of_a_small_state_is_one_statement(
    thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = await thread.put({"n": 1})
    await thread.saver.put_writes(at, [("n", 2)], "task")
    for asked in (at, config("t")):
        with counted(monkeypatch) as sent:
            found = await thread.saver.get_tuple(asked)
        assert found.pending_writes == [("task", "n", 2)]
        assert len(sent) == 1


async def test_a_large_state_costs_statements_by_level_not_by_chunk(
    thread: Thread, pg_saver: lgckpt.PostgresSaver, connection: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    await thread.put({"large": LARGE})
    (chunks,) = connection.execute("SELECT count(*) FROM lgckpt_chunks").fetchone()
    pg_saver._handle.hints.reset()
    with counted(monkeypatch) as sent:
        assert (await thread.state())["large"] == LARGE
    assert chunks > 12
    assert len(sent) <= 4


async def test_a_page_of_checkpoints_of_many_threads_is_a_few_statements(
    pg_saver: lgckpt.PostgresSaver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(8):
        await Thread(Coloured(pg_saver, "async"), f"t{n}").put({"large": [*LARGE, n]})
    pg_saver._handle.hints.reset()
    with counted(monkeypatch) as sent:
        found = [one async for one in pg_saver.alist(None, limit=8)]
    assert len(found) == 8
    assert len(sent) <= 6


async def test_a_chain_of_ancestors_is_one_statement(
    thread: Thread, pg_saver: lgckpt.PostgresSaver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(15):
        await thread.put({"n": n})
    with counted(monkeypatch) as sent:
        await pg_saver.aget_delta_channel_history(config=thread.config, channels=["none"])
    assert len(sent) <= 3


ASKED: dict[str, dict[str, Any]] = {
    "namespace": {"ns": ""},
    "thread": {},
    "namespace, before": {"ns": "", "before": "0" * 34 + "50"},
    "thread, before": {"before": "0" * 34 + "50"},
}


@pytest.mark.parametrize("analyzed", [False, True])
@pytest.mark.parametrize("what", [*ASKED, "all threads"])
async def test_a_page_of_a_long_thread_costs_what_one_of_a_short_thread_does(
    pg_saver: lgckpt.PostgresSaver, connection: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch, what: str, analyzed: bool,
) -> None:  # fmt: skip
    """Counted in pages that the server touches; other namespaces lie around the checkpoints."""
    pages = []
    for name, count in (("short", 100), ("long", 10_000)):
        await Thread(Coloured(pg_saver, "async"), name).put({"n": 1})
        # Statistics are those of now or none, not what the server gathered by itself in between:
        # with those of the short thread alone it sorts the long one until it has looked again.
        connection.execute("ALTER TABLE lgckpt_checkpoints SET (autovacuum_enabled = false)")
        for ns in ("", "after it", "before it"):
            _multiply(connection, name, ns, count)
        if analyzed:
            connection.execute("ANALYZE")
        asked: Any = {"configurable": {"thread_id": name}}
        options = dict(ASKED.get(what, {}))
        if "ns" in options:
            asked["configurable"]["checkpoint_ns"] = options["ns"]
        before = config(name, options["before"]) if "before" in options else None
        with counted(monkeypatch) as sent:
            found = [
                one
                async for one in pg_saver.alist(
                    None if what == "all threads" else asked, limit=20, before=before
                )
            ]
        assert len(found) == 20
        pages.append(sum([_touched(connection, query, args) for query, args in sent]))
    assert pages[1] <= 1.5 * pages[0] + 2 * len(sent)


def _multiply(connection: psycopg.Connection[Any], thread_id: str, ns: str, count: int) -> None:
    """Make a thread long: copies of its one checkpoint, those of other namespaces around it."""
    shift = {"after it": 3 * count, "before it": count}.get(ns, 0)
    ((tid, own, etag, metadata, state),) = connection.execute(
        "SELECT c.tid, c.checkpoint_id, c.etag, c.metadata, c.state FROM lgckpt_checkpoints AS c"
        " JOIN lgckpt_threads AS t USING (tid) WHERE t.thread_id = %s AND c.checkpoint_id > '1'",
        (thread_id,),
    )
    plain = core.unseal(state)
    with connection.cursor().copy(
        "COPY lgckpt_checkpoints (tid, flags, checkpoint_ns, checkpoint_id, etag, metadata, state,"
        " refs) FROM STDIN"
    ) as copy:
        for i in range(shift + 1, shift + count + 1):
            copied = f"{i:0{len(own)}}"
            frame = core.seal(plain.replace(own.encode(), copied.encode()), None)
            copy.write_row((tid, 0, ns, copied, etag, metadata, frame, b""))


def _touched(connection: psycopg.Connection[Any], query: str, args: tuple[Any, ...]) -> int:
    """With the plan that a session keeps for any parameters, as it does after a few calls."""
    connection.execute("SET plan_cache_mode = force_generic_plan")
    connection.execute(f"PREPARE touching AS {query}".encode())
    values = sql.SQL(", ").join(map(sql.Literal, args))
    explain = sql.SQL("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE touching ({})").format(
        values
    )
    connection.execute(explain)
    ((plan,),) = connection.execute(explain).fetchall()
    connection.execute("DEALLOCATE touching")
    top = plan[0]["Plan"]
    found: int = top["Shared Hit Blocks"] + top["Shared Read Blocks"]
    return found
