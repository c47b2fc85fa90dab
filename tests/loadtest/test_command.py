"""`lgckpt loadtest` as it is typed."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import lgckpt as lgckpt_package
from lgckpt.cli.app import invoke
from lgckpt.errors import ConfigurationError
from lgckpt.loadtest import running
from lgckpt.loadtest.targets import open_saver
from tests.cli.command import Ended, lgckpt, started
from tests.services.ports import free_port

SHORT = ("--duration", "1s", "--warmup", "0s", "--clients", "4")


Invoke = Callable[..., Ended]


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str]) -> Invoke:
    """The command within this process, which saves its start; its clients are processes still."""

    def run(*args: str) -> Ended:
        code = invoke(["loadtest", *args])
        said = capsys.readouterr()
        return Ended(code, said.out, said.err)

    return run


@pytest.mark.parametrize("url", ["memory://", "postgresql://embedded", "redis://embedded"])
def test_one_command_is_enough(url: str) -> None:
    ended = lgckpt("loadtest", url, *SHORT, "--workload", "mixed")
    assert ended.code == 0, ended.stderr
    assert "The data was right" in ended.stdout
    assert "supersteps a second" in ended.stdout


@pytest.mark.parametrize("scheme", ["postgresql", "langgraph+postgresql", "redis"])
def test_a_server_that_is_not_there_is_told_of_at_once(typed: Invoke, scheme: str) -> None:
    began = time.monotonic()
    ended = typed(f"{scheme}://127.0.0.1:{free_port()}/0", *SHORT)
    assert ended.code == 1
    assert "cannot be reached" in ended.stderr
    assert time.monotonic() - began < 10


def test_a_report_that_cannot_be_written_is_told_before_the_test(
    typed: Invoke, tmp_path: Path
) -> None:
    path = tmp_path / "in_the_way"
    path.touch()
    ended = typed(f"sqlite:///{tmp_path}/x.db", *SHORT, "--report", str(path / "out"))
    assert ended.code == 1
    assert "in_the_way/out cannot be written: Not a directory" in ended.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["in_the_way"]


def test_two_sides_by_turns_in_several_processes(typed: Invoke, tmp_path: Path) -> None:
    ours, official = tmp_path / "x.db", tmp_path / "o.db"
    ended = typed(
        f"sqlite:///{ours}", "--vs", f"langgraph+sqlite:///{official}", *SHORT,
        "--processes", "2", "--workload", "hitl", "--report", str(tmp_path / "out"), "--json",
    )  # fmt: skip
    assert ended.code == 0, ended.stderr
    found = ended.json
    assert json.loads((tmp_path / "out" / "results.json").read_text())["sides"] == found["sides"]
    assert "<html" in (tmp_path / "out" / "report.html").read_text()
    results = str(tmp_path / "out" / "results.json")
    compared = typed("compare", results, results)
    assert compared.code == 0
    assert "official sqlite" in compared.stdout
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


def test_threads_can_be_kept(typed: Invoke, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    ended = typed(url, *SHORT, "--keep", "--rate", "40/s")
    assert ended.code == 0, ended.stderr
    prefix = ended.stdout.split("their ids begin with ")[1].split()[0]
    with lgckpt_package.from_url(url) as saver:
        threads = {one.config["configurable"]["thread_id"] for one in saver.list(None)}
    assert threads
    assert all(one.startswith(prefix) for one in threads)


def test_an_open_loop_makes_what_is_due_and_no_more(typed: Invoke) -> None:
    ended = typed("memory://", "--ramp", "20/s..40/s", "--duration", "1s", "--warmup", "0s",
                  "--clients", "4", "--json")  # fmt: skip
    assert ended.code == 0, ended.stderr
    assert (ended.json["loop"], ended.json["rate"], ended.json["clients"]) == ("open", 40, 4)
    (side,) = ended.json["sides"]
    assert [one["load"] for one in side["levels"]] == [20, 40]
    assert side["steps"] == 20 + 40
    assert side["late"] == 0


def test_a_ramp_finds_a_knee(typed: Invoke) -> None:
    ended = typed("memory://", "--ramp", "1..4", "--duration", "0.5s", "--warmup", "0s", "--json")
    assert ended.code == 0, ended.stderr
    levels = ended.json["sides"][0]["levels"]
    assert [one["load"] for one in levels] == [1, 2, 4]
    assert sum(one["knee"] for one in levels) == 1


@pytest.mark.parametrize("url", ["postgresql://embedded", "redis://embedded"])
def test_what_a_killed_server_acknowledged_is_there(typed: Invoke, url: str) -> None:
    ended = typed(url, "--chaos", "--duration", "3s", "--warmup", "0s", "--clients", "3",
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
def test_wrong_usage_is_told(typed: Invoke, args: list[str], said: str) -> None:
    ended = typed(*args)
    assert ended.code == 2
    assert said in ended.stderr


def test_a_database_that_is_not_there_is_a_problem(typed: Invoke) -> None:
    ended = typed("redis://user:hush-hush@127.0.0.1:1/0", "--duration", "1s", "--timeout", "1s")
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
    url = f"sqlite:///{tmp_path}/x.db"
    process = started(["loadtest", url, "--warmup", "0s", "--duration", "90s", "--json"])
    path = tmp_path / "x.db"
    while not path.exists() and process.poll() is None:
        time.sleep(0.05)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    assert json.loads(stdout)["notes"] == ["it was ended early"]


def test_a_call_that_fails_ends_it_with_one(
    typed: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "PATIENCE", 0.05)
    path = tmp_path / "x.db"
    with lgckpt_package.SqliteSaver(str(path)) as saver:
        saver.setup()
    connection = sqlite3.connect(path)
    connection.execute(
        "CREATE TRIGGER no BEFORE INSERT ON lgckpt_checkpoints BEGIN SELECT raise(ABORT, 'no'); END"
    )
    connection.close()
    ended = typed(f"sqlite:///{path}", *SHORT, "--json")
    assert ended.code == 1
    (side,) = ended.json["sides"]
    assert side["given_up"] >= 1
    assert side["steps"] == 0
    assert sum(one["errors"].get("StorageError", 0) for one in side["operations"]) >= 1


def test_a_read_that_is_wrong_ends_it_with_one(typed: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with lgckpt_package.SqliteSaver(str(path)) as saver:
        saver.setup()
    connection = sqlite3.connect(path)
    # What is put is gone a moment later.
    connection.execute(
        "CREATE TRIGGER gone AFTER INSERT ON lgckpt_checkpoints BEGIN "
        "DELETE FROM lgckpt_checkpoints WHERE rowid = new.rowid; END"
    )
    connection.close()
    ended = typed(f"sqlite:///{path}", *SHORT)
    assert ended.code == 1
    assert "lost" in ended.stdout
