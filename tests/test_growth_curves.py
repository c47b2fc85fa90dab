"""Curves of cost: measured with both savers, drawn as pictures, kept out of the table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver

import lgckpt
from benchmarks import plots, readme, report
from benchmarks.groups import clients, messages, threads
from benchmarks.measures.curves import point
from benchmarks.measures.filling import FILL
from benchmarks.relations import fresh_database
from benchmarks.rows import Goal, Kind, Result, Stat
from benchmarks.runner import Settings
from benchmarks.workloads.thread import Thread
from benchmarks.workloads.values import scalars
from tests.services.postgres import postgres_url

RUN: dict[str, Any] = {
    "date": "2026-01-02T03:04:05+00:00",
    "run": "full",
    "compressibility of the messages": "plain",
    "machine": {
        "cpu": "a processor", "cores": 2, "memory_gb": 4, "filesystem": "ext4", "system": "Linux",
        "python": "CPython", "sqlite": "3", "packages": {"lgckpt": "0.1.0", "redis": "8"},
    },
}  # fmt: skip


def curve(group: str, quantity: str, unit: str = "ms") -> list[Result]:
    return [
        point(group, "sqlite", at, "messages", quantity, unit,
              {"ours": [1.0, 2.0, 3.0], "official": [float(at), at + 1.0]})
        for at in (10, 100, 1_000)
    ]  # fmt: skip


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(quick=True, samples=3, directory=tmp_path)


def test_a_picture_for_each_group_that_has_curves(tmp_path: Path) -> None:
    results = [*curve("messages", "put"), *curve("messages", "get_tuple"), *curve("clients", "put")]
    drawn = plots.draw(RUN, results, tmp_path / "figures")
    assert [path.name for path in drawn] == ["messages.png", "clients.png"]
    for path in drawn:
        assert path.read_bytes().startswith(b"\x89PNG")
        assert path.stat().st_size > 10_000


def test_a_panel_has_both_sides_with_their_names_and_the_measured_figures() -> None:
    figure = plots._picture(curve("messages", "put"), "title", "messages", "measured on")
    (axis,) = figure.axes
    ours, official = axis.get_lines()
    assert [line.get_label() for line in (ours, official)] == ["lgckpt", "SqliteSaver"]
    assert list(ours.get_xdata()) == [10, 100, 1_000]
    assert list(ours.get_ydata()) == [2.0] * 3
    assert list(official.get_ydata()) == [10.5, 100.5, 1_000.5]
    assert axis.get_title() == "SQLite: put"
    low, high = axis.get_ylim()
    assert high / low >= 10


def test_a_point_below_nothing_is_left_out_of_a_logarithmic_plot() -> None:
    results = curve("messages", "stored", "kB")
    results[1] = point(
        "messages", "sqlite", 100, "messages", "stored", "kB", {"ours": [-1.0], "official": [5.0]}
    )
    figure = plots._picture(results, "title", "messages", "measured on")
    ours, official = figure.axes[0].get_lines()
    assert list(ours.get_xdata()) == [10, 1_000]
    assert list(official.get_xdata()) == [10, 100, 1_000]


def test_points_are_read_back_as_they_were_saved(tmp_path: Path) -> None:
    results = curve("messages", "put")
    assert report.load(report.save(tmp_path, "run", RUN, results)) == (RUN, results)


def test_the_readme_has_the_table_without_points_and_the_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    row = Result("growth", "one row", "ms", Stat.of([1.0]), Stat.of([9.0]), "x", Goal(Kind.FASTER))
    path = report.save(tmp_path, "run", RUN, [row, *curve("messages", "put")])
    Path("README.md").write_text(f"before\n{readme.BEGIN}\nold\n{readme.END}\nafter\n")
    monkeypatch.setattr("sys.argv", ["readme", str(path)])
    readme.main()
    text = Path("README.md").read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "| one row |" in text
    assert "SQLite: put" not in text
    assert f"![{readme.ALT['messages']}](docs/figures/messages.png)" in text
    assert Path("docs/figures/messages.png").exists()


def test_the_newest_full_run_with_all_groups_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    results = Path("bench-results")
    results.mkdir()
    report.save(results, "1", RUN, [*curve("messages", "put"), *curve("clients", "put")])
    report.save(results, "2", RUN, curve("messages", "put"))
    report.save(results, "3", {**RUN, "run": "quick"}, curve("messages", "put"))
    assert report.newest(["messages"]).stem == "2"
    assert report.newest(["messages", "clients"]).stem == "1"
    with pytest.raises(SystemExit, match="make bench"):
        report.newest(["threads"])


def test_a_thread_goes_on_from_what_was_read() -> None:
    saver = InMemorySaver()
    first = Thread(saver)
    saver.put(*first.advance(scalars(0)))
    resumed = Thread(saver)
    found = saver.get_tuple(resumed.latest)
    assert found is not None
    resumed.resume(found)
    saver.put(*resumed.advance(scalars(1)))
    latest = saver.get_tuple(resumed.latest)
    assert latest is not None
    assert latest.metadata["step"] == 1
    assert latest.parent_config is not None
    assert latest.parent_config["configurable"]["checkpoint_id"] == found.checkpoint["id"]
    resumed.check()


def test_messages_measures_both_sides(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "BACKENDS", ("sqlite",))
    monkeypatch.setattr(messages, "QUICK_LENGTHS", (10, 200))
    results = messages.run(settings)
    points = [(r.point.quantity, r.point.at) for r in results if r.point]
    assert len(points) == len(set(points)) == 8
    stored = {r.point.at: r for r in results if r.point and r.point.quantity == messages._STORED}
    longest = stored[200]
    assert longest.other is not None
    # The official saver stores all of about 120 kB again, and ours what was appended.
    assert longest.other.median > 100
    assert 0 < longest.ours.median < 20
    assert not messages.run(Settings(True, 3, settings.directory, self_check=True))


def test_clients_measures_both_sides(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "BACKENDS", ("sqlite",))
    monkeypatch.setattr(clients, "QUICK_COUNTS", (1, 3))
    results = clients.run(settings)
    assert [result.point.at for result in results if result.point] == [1, 3]
    assert all(result.ours.median > 0 and result.other for result in results)


def test_threads_measures_both_sides(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "BACKENDS", ("sqlite",))
    monkeypatch.setattr(threads, "QUICK_COUNTS", (1, 5))
    results = threads.run(settings)
    assert {result.point.at for result in results if result.point} == {1, 5}
    assert len(results) == 6


OPENERS: dict[tuple[str, str], Any] = {
    ("sqlite", "ours"): lgckpt.SqliteSaver,
    ("sqlite", "official"): lambda where: SqliteSaver.from_conn_string(str(where)),
    ("postgres", "ours"): lgckpt.PostgresSaver,
    ("postgres", "official"): PostgresSaver.from_conn_string,
}


@pytest.mark.parametrize(("backend", "side"), FILL)
def test_every_thread_that_was_filled_in_is_whole(backend: str, side: str, tmp_path: Path) -> None:
    where: Any = tmp_path / "threads.db"
    if backend == "postgres":
        where = fresh_database(postgres_url(), f"filling {side}")
    FILL[backend, side](where, 0, 3)
    FILL[backend, side](where, 3, 7)
    with OPENERS[backend, side](where) as saver:
        for index in range(7):
            found = saver.get_tuple(Thread(saver, f"thread-{index}").latest)
            assert found.checkpoint["channel_values"] == scalars(0)
        assert saver.get_tuple(Thread(saver, "thread-7").latest) is None
