"""`lgckpt prune`, as a process of its own, on real servers."""

from __future__ import annotations

import asyncio

import lgckpt as package
from tests.backends import damage_sqlite
from tests.checkpoints import config
from tests.cli.command import lgckpt
from tests.cli.filled import fill, left
from tests.upkeep.made import Aged, row_of


def test_a_dry_run_says_what_the_run_then_does(url: str) -> None:
    fill(url)
    words = ("prune", url, "--older-than", "30d")
    dry = lgckpt(*words, "--dry-run", "--json")
    assert (dry.code, dry.stderr) == (0, "")
    assert left(url) == {"old": 2, "live": 3, "young": 2}
    said = lgckpt(*words)
    assert said.code == 0
    assert left(url) == {"live": 1, "young": 2}
    planned = dry.json
    assert planned["dry_run"] is True
    assert planned["whole_threads"] == 1
    total = planned["total"]
    assert (total["checkpoints"], total["writes"], total["hidden"]) == (4, 4, 0)
    assert total["bytes"] == sum(one["weight"]["bytes"] for one in planned["threads"]) > 1000
    *threads, last = sorted(said.stdout.splitlines(), key=lambda line: line.startswith("gone"))
    assert sorted(line.partition(":")[0] for line in threads) == ["live", "old"]
    assert "4 checkpoints, 4 writes" in last
    assert "2 threads (1 whole)" in last
    assert f"{total['bytes'] / 1000:.1f} KB" in last
    again = lgckpt(*words, "--json")
    assert (again.code, again.json["threads"]) == (0, [])


def test_every_choice_of_threads_and_checkpoints(sqlite_url: str) -> None:
    made = fill(sqlite_url)
    lgckpt("prune", sqlite_url, "--keep", "2", "--thread", "live", "--thread", "young")
    assert left(sqlite_url) == {"old": 2, "live": 2, "young": 2}
    lgckpt("prune", sqlite_url, "--keep-latest", "--thread-prefix", "y")
    assert left(sqlite_url) == {"old": 2, "live": 2, "young": 1}
    lgckpt("prune", sqlite_url, "--run", "run-old", "--run", "run-young")
    assert left(sqlite_url) == {"live": 2}
    with package.from_url(sqlite_url) as saver:
        assert saver.get_tuple(config("live")).checkpoint["id"] == made["live"][-1]


def test_damage_in_one_thread_is_named_and_the_rest_is_done(sqlite_url: str) -> None:
    made = fill(sqlite_url)
    with package.from_url(sqlite_url) as saver:
        target = row_of(saver, config("old", made["old"][0])).state
        damage_sqlite(saver, "checkpoints", "state", lambda raw: raw[:-3] if raw == target else raw)
    for words in ((), ("--json",)):
        ended = lgckpt("prune", sqlite_url, "--older-than", "30d", *words)
        assert ended.code == 1
        (line,) = ended.stderr.splitlines()
        assert "'old'" in line
        assert made["old"][0] in line
    assert [one["thread_id"] for one in ended.json["troubles"]] == ["old"]
    with package.from_url(sqlite_url) as saver:
        assert len(list(saver.list(config("live")))) == 1
        assert asyncio.run(saver.aget_tuple(config("old"))) is not None


def test_what_a_terminal_obeys_in_a_thread_s_name_is_written_out(sqlite_url: str) -> None:
    name = "\x1b[2J\x07first\nsecond"

    async def put() -> None:
        async with package.from_url(sqlite_url) as saver:
            await Aged(saver, name).put(3, {"x": "y"})

    asyncio.run(put())
    said = lgckpt("prune", sqlite_url, "--older-than", "1d").stdout
    assert said.startswith("\\x1b[2J\\x07first\\nsecond: all of it, 1 checkpoint")
    assert len(said.splitlines()) == 2
