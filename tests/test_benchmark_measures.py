"""What the benchmarks measure on servers is really stored there, or its time does not count."""

import asyncio
from contextlib import contextmanager

import asyncpg
import psycopg
import pytest
from langgraph.checkpoint.memory import InMemorySaver

import lgckpt
from benchmarks import relations
from benchmarks.measures import colours, listing
from benchmarks.measures.bare import Bare, Stored, stored_by
from benchmarks.measures.chats import Chat, Clients
from benchmarks.runner import Settings
from benchmarks.savers import OURS, SaverKind
from benchmarks.server_savers import NATIVE
from tests.services.postgres import postgres_url

PLAN = [Stored(b"k" * 50 + b"first put", b"k" * 50), Stored(b"k" * 50 + b"\0\xff", b"k" * 51)]


@pytest.fixture
def database():
    url = relations.fresh_database(postgres_url(), "lgckpt benchmarks")
    yield url
    with psycopg.connect(postgres_url(), autocommit=True) as connection:
        connection.execute('DROP DATABASE "lgckpt benchmarks" WITH (FORCE)')


def on_bare(url, use):
    async def run():
        async with asyncpg.create_pool(url, min_size=1, max_size=2) as pool:
            bare = Bare(pool, PLAN, count=3)
            await bare.setup()
            await use(bare, pool)

    asyncio.run(run())


def test_bare_asyncpg_stores_every_byte_of_the_plan(database):
    async def use(bare, pool):
        assert await bare.rate(1) > 0
        assert await bare.rate(2, length=1) > 0

    on_bare(database, use)
    with psycopg.connect(database) as connection:
        found = relations.rows(connection)
    assert sum(table == "puts" for table, _ in found) == 3 * 2 + 3
    stored = sorted(values[2] for table, values in found if values[0] == b"chat-0001-0002")
    assert stored == [b"", b"\0\xff", b"first put", b"k"]
    # A key and its payload are as long together as what the saver stored.
    assert len(relations.content(found)) == 3 * (59 + 50 + 52 + 51) + 3 * (59 + 50)


def test_bare_asyncpg_does_not_count_what_it_cannot_read_back(database):
    async def use(bare, pool):
        await pool.execute(
            "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN NEW.payload := NULL; RETURN NEW; END'"
        )
        await pool.execute(
            "CREATE TRIGGER spoil BEFORE INSERT ON writes FOR EACH ROW EXECUTE FUNCTION spoil()"
        )
        with pytest.raises(AssertionError, match="writes of chat-0001-0000"):
            await bare.rate(1)

    on_bare(database, use)


def test_the_bytes_of_a_superstep_are_those_of_the_rows_it_adds(database):
    plan = asyncio.run(stored_by(NATIVE["postgres"], database, 3))
    with psycopg.connect(database) as connection:
        found = relations.rows(connection)
    data = {row: count for row, count in found.items() if row[0] != "lgckpt_meta"}
    assert len(plan) == 3
    assert sum(len(put) + len(writes) for put, writes in plan) == len(relations.content(data))
    assert all(b"bytes-task-" in stored.writes for stored in plan)


def test_the_size_of_a_database_counts_indexes_and_large_values(database):
    assert relations.total_bytes(database) == 0
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE one (id int PRIMARY KEY, value bytea STORAGE EXTERNAL)")
        connection.execute("INSERT INTO one SELECT 1, decode(repeat('00', 100000), 'hex')")
    assert 100_000 < relations.total_bytes(database) < 200_000


def test_clients_store_chats_of_their_own():
    saver = InMemorySaver()
    assert asyncio.run(Clients("side", [saver], count=2).rate(1, length=3)) > 0
    found = list(saver.list(None))
    assert sorted(each.config["configurable"]["thread_id"] for each in found) == [
        *["side-1-0"] * 3,
        *["side-1-1"] * 3,
    ]
    assert all(len(each.pending_writes) == 2 for each in found)


class Forgetful(InMemorySaver):
    async def aput_writes(self, config, writes, task_id, task_path=""):
        if not task_id.endswith(self.forgotten):
            await super().aput_writes(config, writes, task_id, task_path)


@pytest.mark.parametrize("forgotten", ["task-0", "task-2"])
def test_a_chat_does_not_count_where_writes_are_lost(forgotten):
    saver = Forgetful()
    saver.forgotten = forgotten
    with pytest.raises(AssertionError, match="other writes than were put"):
        asyncio.run(Clients("side", [saver], count=1).rate(1, length=3))


def test_a_chat_is_made_before_it_is_timed_and_is_the_same_for_the_same_seed():
    one, other = (Chat(InMemorySaver(), "thread", seed=4, length=5) for _ in range(2))
    assert [superstep.writes for superstep in one.supersteps] == [
        superstep.writes for superstep in other.supersteps
    ]
    assert one.thread.values == other.thread.values
    assert one.thread.values["messages"][1] == one.supersteps[0].writes[0][1][0]


def settings(tmp_path):
    return Settings(quick=True, samples=2, directory=tmp_path)


def test_lists_are_of_the_newest_checkpoints(tmp_path, monkeypatch):
    monkeypatch.setattr(listing, "LONG", 45)
    monkeypatch.setattr(listing, "SHORT", 22)
    path = tmp_path / "lists.db"
    listing.fill(lgckpt.SqliteSaver(path))
    result = listing.result("group", settings(tmp_path), lgckpt.SqliteSaver(path))
    assert (result.ours.count, result.other.count) == (2, 2)
    assert result.score > 0
    with lgckpt.SqliteSaver(path) as saver:
        newest = next(saver.list({"configurable": {"thread_id": "thread of 45"}}))
        saver.delete_thread("thread of 45")
        saver.copy_thread("thread of 22", "thread of 45")
    assert newest.checkpoint["channel_values"]["counter"] == 44
    with pytest.raises(AssertionError, match="newest 20 of 45"):
        listing.result("group", settings(tmp_path), lgckpt.SqliteSaver(path))


def test_a_sync_method_is_charged_what_it_takes_longer(tmp_path):
    class Slow(lgckpt.MemorySaver):
        def get_tuple(self, config):
            for _ in range(3):
                found = super().get_tuple(config)
                sum(range(20_000))
            return found

    @contextmanager
    def opened(_):
        with Slow() as saver:
            yield saver

    slow = SaverKind("slow", opened, OURS["memory"].aopen)
    found = colours.results("group", settings(tmp_path), "", slow, OURS["memory"].aopen)
    added = {(result.name, result.other_name): result.ours.median for result in found}
    assert len(added) == 4
    assert all(us > 300 for (name, _), us in added.items() if name.startswith("get_tuple"))
