"""`lgckpt loadtest` as it is typed."""

from __future__ import annotations

import json
import signal
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Ended, lgckpt, started

SHORT = ("--duration", "1s", "--warmup", "0s", "--clients", "4")


def _ended(*args: str, **options: Any) -> Ended:
    return lgckpt("loadtest", *args, **options)


@pytest.mark.parametrize("url", ["memory://", "postgresql://embedded", "redis://embedded"])
def test_one_command_is_enough(url: str) -> None:
    ended = _ended(url, *SHORT, "--workload", "mixed")
    assert ended.code == 0, ended.stderr
    assert "The data was right" in ended.stdout
    assert "supersteps a second" in ended.stdout


def test_two_sides_by_turns_in_several_processes(tmp_path: Path) -> None:
    ours, official = tmp_path / "x.db", tmp_path / "o.db"
    ended = _ended(
        f"sqlite:///{ours}", "--vs", f"langgraph+sqlite:///{official}", *SHORT,
        "--processes", "2", "--workload", "hitl", "--report", str(tmp_path / "out"), "--json",
    )  # fmt: skip
    assert ended.code == 0, ended.stderr
    found = ended.json
    assert json.loads((tmp_path / "out" / "results.json").read_text())["sides"] == found["sides"]
    assert "<html" in (tmp_path / "out" / "report.html").read_text()
    first, second = found["sides"]
    assert (first["name"], second["name"]) == ("lgckpt sqlite", "official sqlite")
    for side in (first, second):
        assert side["steps"] > 0
        assert side["correctness"]["checked"] > 0
        assert side["stored"] > 0
        assert side["written"] > 0
        assert side["cpu_seconds"] > 0
        assert {one["operation"] for one in side["operations"]} >= {"put", "put_writes", "get"}
    # By turns, and neither always first.
    turns = sorted((one["at"], side["name"]) for side in found["sides"] for one in side["samples"])
    order = [
        name for place, (_, name) in enumerate(turns) if not place or turns[place - 1][1] != name
    ]
    assert order[:1] + order[-1:] == ["lgckpt sqlite"] * 2
    # What it wrote is gone.
    with sqlite3.connect(ours) as mine, sqlite3.connect(official) as other:
        assert mine.execute("SELECT count(*) FROM lgckpt_checkpoints").fetchone() == (0,)
        assert other.execute("SELECT count(*) FROM checkpoints").fetchone() == (0,)
    mine.close()
    other.close()


def test_threads_can_be_kept(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    ended = _ended(url, *SHORT, "--keep", "--rate", "40/s")
    assert ended.code == 0, ended.stderr
    prefix = ended.stdout.split("their ids begin with ")[1].split()[0]
    assert prefix in lgckpt("threads", url).stdout


def test_a_ramp_finds_a_knee() -> None:
    ended = _ended("memory://", "--ramp", "1..4", "--duration", "0.5s", "--warmup", "0s", "--json")
    assert ended.code == 0, ended.stderr
    levels = ended.json["sides"][0]["levels"]
    assert [one["load"] for one in levels] == [1, 2, 4]
    assert sum(one["knee"] for one in levels) == 1


@pytest.mark.parametrize("url", ["postgresql://embedded", "redis://embedded"])
def test_what_a_killed_server_acknowledged_is_there(url: str) -> None:
    ended = _ended(url, "--chaos", "--duration", "4s", "--warmup", "0s", "--clients", "3",
                   "-w", "hitl", "--json")  # fmt: skip
    assert ended.code == 0, ended.stderr
    (side,) = ended.json["sides"]
    assert [one["what"] for one in side["events"]][:2] == ["server killed", "server up again"]
    assert side["correctness"]["checked"] > 10
    assert side["steps"] > 10


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["nope://x"], "no backend"),
        (["langgraph+nope://x"], "no saver of LangGraph's"),
        (["memory://", "--workload", "nope"], "no workload"),
        (["memory://", "--rate", "5", "--ramp", "1..2"], "a rate or a ramp"),
        (["memory://", "--ramp", "1..4", "--clients", "3"], "--ramp"),
        (["memory://", "--processes", "2"], "within one process"),
        (["memory://", "--chaos"], "servers that lgckpt started itself"),
        (["memory://", "x.json"], "two files only with compare"),
        (["compare", "x.json"], "needs two files"),
        (["compare", "x.json", "y.json"], "x.json"),
        (["memory://", "--replay", "nothing-here"], "cannot be read"),
        ([], "Missing argument"),
    ],
)
def test_wrong_usage_is_told(args: list[str], said: str) -> None:
    ended = _ended(*args)
    assert ended.code == 2
    assert said in ended.stderr


def test_a_database_that_is_not_there_is_a_problem() -> None:
    ended = _ended("redis://user:hush-hush@127.0.0.1:1/0", "--duration", "1s", "--timeout", "1s")
    assert ended.code == 1
    assert "hush-hush" not in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("module", "url"),
    [
        ("langgraph.checkpoint.sqlite", "langgraph+sqlite:///x.db"),
        ("langgraph.checkpoint.postgres", "langgraph+postgresql://127.0.0.1:1/x"),
        ("langgraph.checkpoint.redis", "langgraph+redis://127.0.0.1:1/0"),
    ],
)
def test_an_official_saver_that_is_missing_is_named(
    module: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    from lgckpt.errors import ConfigurationError
    from lgckpt.loadtest.targets import open_saver

    for name in [one for one in sys.modules if one.startswith(module)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)

    async def opened() -> None:
        async with open_saver(url, 1):
            pass

    with pytest.raises(ConfigurationError, match=module.replace(".", "-")):
        asyncio.run(opened())


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
def test_interrupted_it_tells_what_it_found(tmp_path: Path) -> None:
    process = started(["loadtest", f"sqlite:///{tmp_path}/x.db", "--warmup", "0s", "--duration", "90s",
                       "--clients", "2", "--json"])  # fmt: skip
    path = tmp_path / "x.db"
    while not path.exists() and process.poll() is None:
        time.sleep(0.05)
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    assert json.loads(stdout)["notes"] == ["it was ended early"]


def test_two_runs_are_compared(tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert not _ended("memory://", *SHORT, "--report", str(tmp_path / name)).code
    files = [str(tmp_path / name / "results.json") for name in ("a", "b")]
    ended = _ended("compare", *files)
    assert ended.code == 0
    assert "lgckpt memory" in ended.stdout


def test_a_call_that_fails_ends_it_with_one(tmp_path: Path) -> None:
    # A read-only file: nothing can be put.
    path = tmp_path / "x.db"
    lgckpt("loadtest", f"sqlite:///{path}", "--duration", "0.2s", "--warmup", "0s")
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TRIGGER no BEFORE INSERT ON lgckpt_checkpoints BEGIN SELECT raise(ABORT, 'no'); END"
        )
    connection.close()
    ended = _ended(
        f"sqlite:///{path}", "--duration", "0.5s", "--warmup", "0s", "--clients", "1", "--json"
    )
    assert ended.code == 1
    assert ended.json["sides"][0]["given_up"] >= 1
