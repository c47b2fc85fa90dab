"""The benchmarks measure what they say: honest data, and verdicts that follow from figures."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from benchmarks import apart, database, readme, report
from benchmarks.rows import Goal, Kind, Result, Stat
from benchmarks.runner import Settings, interleave
from benchmarks.workloads.chat import conversation
from benchmarks.workloads.text import Prose
from benchmarks.workloads.thread import Thread


def result(ours, other, goal):
    return Result("group", "row", "ms", Stat.of(ours), other and Stat.of(other), "other", goal)


def test_messages_are_600_bytes_on_average_and_every_third_is_a_tools():
    messages = conversation(999)
    _, packed = JsonPlusSerializer().dumps_typed(messages)
    assert 570 <= len(packed) / len(messages) <= 630
    assert [message.type for message in messages] == ["human", "ai", "tool"] * 333


def test_the_same_seed_gives_the_same_conversation_and_another_one_another():
    assert conversation(30) == conversation(60)[:30]
    assert conversation(30, seed=1) != conversation(30, seed=2)


def test_text_has_the_length_asked_for_and_does_not_repeat():
    text = Prose(1).text(100_000)
    assert 99_990 <= len(text) <= 100_000
    quarters = {text[at : at + 200] for at in range(0, 99_000, 200)}
    assert len(quarters) == 495


def test_a_thread_gives_a_saver_what_langgraph_gives_it():
    saver = InMemorySaver()
    thread = Thread(saver)
    parent = None
    for message in conversation(5):
        config, checkpoint, metadata, new_versions = thread.append(message)
        assert config["configurable"].get("checkpoint_id") == parent
        assert set(checkpoint["updated_channels"]) <= set(new_versions)
        assert new_versions.items() <= checkpoint["channel_versions"].items()
        saver.put(config, checkpoint, metadata, new_versions)
        parent = checkpoint["id"]
    thread.check()
    assert len(list(saver.list(thread.latest))) == 5


def test_check_catches_a_saver_that_forgets_and_one_that_changes_values():
    saver = InMemorySaver()
    thread = Thread(saver)
    arguments = thread.append(conversation(1)[0])
    with pytest.raises(AssertionError, match="lost"):
        thread.check()
    saver.put(*arguments)
    thread.check()
    thread.values["messages"] = []
    with pytest.raises(AssertionError, match="other values"):
        thread.check()


@pytest.mark.parametrize(
    ("goal", "ours", "other", "score", "holds", "aim"),
    [
        (Goal(Kind.FASTER, 5, 8), [2.0], [10.0], 5.0, True, False),
        (Goal(Kind.FASTER, 5, 8), [2.0], [9.0], 4.5, False, False),
        (Goal(Kind.SMALLER, 5, 8), [1.0], [9.0], 9.0, True, True),
        (Goal(Kind.MORE, 4, 10), [500.0], [100.0], 5.0, True, False),
        (Goal(Kind.MORE, 0.8, 1.5), [70.0], [100.0], 0.7, False, False),
        (Goal(Kind.AT_MOST_TIMES, 1.5), [3.0], [2.0], 1.5, True, None),
        (Goal(Kind.AT_MOST_TIMES, 1.5), [3.1], [2.0], 1.55, False, None),
        (Goal(Kind.AT_MOST, 100, 50), [101.0], [1e6], 101.0, False, False),
        (Goal(Kind.AT_MOST, 100, 50), [50.0], None, 50.0, True, True),
        (Goal(), [1.0], None, None, None, None),
    ],
)
def test_verdicts(goal, ours, other, score, holds, aim):
    found = result(ours, other, goal)
    assert (found.score, found.holds, found.aim_reached) == (score, holds, aim)


def test_a_stat_is_the_median_between_its_quartiles():
    assert Stat.of([5.0, 1.0, 2.0, 3.0, 4.0]) == Stat(3.0, 2.0, 4.0, 5)
    assert Stat.of([7.0]) == Stat(7.0, 7.0, 7.0, 1)
    with pytest.raises(ValueError, match="no samples"):
        Stat.of([])


def test_a_rate_reads_as_one_and_a_negative_time_has_a_spread():
    rate = Result("group", "row", "/s", Stat.of([4500.0]), None, "", Goal())
    assert report.cells(rate)[1] == "4,500/s"
    assert report.figure(Stat.of([-9.0, -10.0, -11.0]), "us") == "-10 us ±5%"


def test_sides_take_turns_and_each_round_reverses_the_order():
    calls = []
    times = interleave({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, 3)
    assert "".join(calls) == "abbaab"
    assert [len(seconds) for seconds in times.values()] == [3, 3]


def test_results_are_read_back_as_they_were_saved(tmp_path):
    results = [
        result([1.0, 2.0, 3.0], [9.0], Goal(Kind.FASTER, 2, 9)),
        result([1.0], None, Goal()),
    ]
    path = report.save(tmp_path, "run", {"run": "full"}, results)
    assert report.load(path) == ({"run": "full"}, results)
    assert path.with_suffix(".md").read_text().count("\n| row |") == 2


def test_payload_counts_new_and_changed_rows_of_every_table(tmp_path):
    path = tmp_path / "any.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE one (a TEXT, b BLOB)")
        connection.execute("CREATE TABLE two (n INTEGER, x REAL) ")
        connection.execute("INSERT INTO one VALUES ('kept', x'00')")
        before = database.rows(path)
        connection.execute("INSERT INTO one VALUES ('é', x'010203')")
        connection.execute("INSERT INTO two VALUES (300, 0.5), (1, NULL)")
        assert database.payload(database.rows(path) - before) == 2 + 3 + 2 + 8
        connection.execute("UPDATE one SET b = x'0000' WHERE a = 'kept'")
        assert database.payload(database.rows(path) - before) == 15 + 4 + 2


def test_file_bytes_folds_the_log_in(tmp_path):
    path = tmp_path / "any.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE one (a BLOB)")
        connection.execute("INSERT INTO one VALUES (zeroblob(100000))")
        connection.commit()
    assert 100_000 < database.file_bytes(path) < 120_000


def test_figures_replace_what_stands_between_the_markers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    machine = {"packages": {"lgckpt": "0.1.0"}, "cpu": "c", "cores": 2, "memory_gb": 8}
    machine |= {"filesystem": "ext4", "system": "s", "python": "p", "sqlite": "3"}
    machine |= {"postgres": "18.6, fsync=on"}
    run = {"run": "full", "date": "2026-01-02T03:04", "machine": machine}
    run["compressibility of the messages"] = "2x"
    path = report.save(tmp_path, "run", run, [result([1.0], [9.0], Goal(Kind.FASTER, 2, 9))])
    text = f"above\n{readme.BEGIN}\nold\n{readme.END}\nbelow\n"
    (tmp_path / "README.md").write_text(text)
    monkeypatch.setattr("sys.argv", ["readme", str(path)])
    readme.main()
    found = (tmp_path / "README.md").read_text()
    assert found.startswith(f"above\n{readme.BEGIN}\n|")
    assert found.endswith(f"{readme.END}\nbelow\n")
    assert "| row | 1 ms | 9 ms (other) | 9x | 2x | `--group group` |" in found
    assert "; PostgreSQL 18.6, fsync=on; lgckpt 0.1.0. 2026-01-02." in found
    assert "old" not in found


def test_a_group_runs_in_a_process_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(quick=True, samples=1, directory=tmp_path)
    rows = apart.measured("payload", settings)
    assert [row.group for row in rows] == ["payload"] * len(rows) != []
    monkeypatch.setitem(apart.GROUPS, "payload", lambda settings: pytest.fail("run here"))
    assert apart.measured("payload", settings)
    with pytest.raises(SystemExit, match="'nothing' failed"):
        apart.measured("nothing", settings)
