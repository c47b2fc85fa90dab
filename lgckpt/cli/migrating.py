"""How a migration is shown: a bar on a terminal, a line now and then elsewhere, and its report."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bar

from lgckpt.cli.app import complain, err, say
from lgckpt.cli.figures import bytes_of, count_of
from lgckpt.migration.api import Watch
from lgckpt.migration.progress import Progress
from lgckpt.migration.report import Damage, Difference, Migration, Verification

LINE_EVERY = float(os.environ.get("LGCKPT_PROGRESS_SECONDS", "5"))
"""Seconds between two lines where there is no terminal."""

LISTED = 20
"""Damaged places and differences printed; `--json` has more of them."""


@contextmanager
def shown(*, as_json: bool) -> Iterator[Watch | None]:
    """Something to show progress with, on stderr."""
    if not err.is_terminal:
        yield None if as_json else Lines().show
        return
    with Bar(
        TextColumn("{task.fields[stage]}"),
        BarColumn(),
        TextColumn("{task.fields[told]}"),
        console=err,
        transient=True,
    ) as bar:
        yield _Drawn(bar).show


class Lines:
    """A line every few seconds."""

    def __init__(self, every: float = LINE_EVERY) -> None:
        self._every = every
        self._last = monotonic()

    def show(self, progress: Progress) -> None:
        """Print where it is, unless that was printed a moment ago."""
        if monotonic() - self._last >= self._every:
            self._last = monotonic()
            complain(f"{_stage(progress)}: {described(progress)}")


class _Drawn:
    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._task: TaskID = bar.add_task("", total=None, stage="", told="")

    def show(self, progress: Progress) -> None:
        self._bar.update(
            self._task,
            completed=progress.places,
            total=progress.places_in_all,
            stage=_stage(progress),
            told=described(progress),
        )


def _stage(progress: Progress) -> str:
    if progress.stage == "verify":
        return "comparing"
    return "moving" if progress.passes < 2 else f"pass {progress.passes}"


def described(progress: Progress) -> str:
    """Where it is, in a line."""
    told = f"{progress.places:,}"
    if progress.places_in_all is not None:
        told += f" of {progress.places_in_all:,}"
    told += f" checkpoints, {progress.threads:,} threads, {progress.rate:,.0f}/s"
    left = progress.seconds_left
    if left is not None:
        told += f", {_time(left)} left"
    return told if not progress.skipped else f"{told}, {progress.skipped:,} skipped"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def tell(done: Migration, *, moved: bool) -> None:
    """Print what was done."""
    if moved:
        say(_summary(done))
    _list("skipped, damaged", done.damage, done.skipped)
    _list("not on the source", tuple(map(repr, done.missing)), len(done.missing))
    if done.verification is not None:
        _tell_verification(done.verification)


def _summary(done: Migration) -> str:
    if not done.threads and done.missing:
        return "nothing moved: none of the threads is there"
    if not done.checkpoints and not done.writes:
        nothing = "nothing would move" if done.dry_run else "nothing moved"
        return f"{nothing}: {count_of(done.threads, 'thread')} on the target already"
    verb = "would move" if done.dry_run else "moved"
    told = (
        f"{verb}: {count_of(done.threads_moved, 'thread')}, "
        f"{count_of(done.checkpoints, 'checkpoint')}, {count_of(done.writes, 'write')}, "
        f"{bytes_of(done.bytes)}"
    )
    return f"{told} in {done.seconds:.1f} s ({done.rate:,.0f} checkpoints/s)"


def _tell_verification(found: Verification) -> None:
    compared = (
        f"compared: {count_of(found.threads, 'thread')}, "
        f"{count_of(found.checkpoints, 'checkpoint')}, {count_of(found.writes, 'write')} "
        f"in {found.seconds:.1f} s"
    )
    result = "all equal" if found.equal else count_of(found.different, "difference")
    say(f"{compared}: {result}")
    _list("", found.differences, found.different)


def _list(what: str, found: tuple[Damage | Difference | str, ...], count: int) -> None:
    for one in found[:LISTED]:
        say(f"{what}: {one}" if what else str(one))
    if count > LISTED:
        say(f"... and {count - LISTED:,} more")
