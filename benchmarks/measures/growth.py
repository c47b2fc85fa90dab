"""One chat thread grows by a message a superstep, on both sides in step; then it is read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Generic

from langchain_core.messages import AnyMessage

from benchmarks.rows import Goal, Result, Stat
from benchmarks.runner import Settings, interleave, stat, timed
from benchmarks.savers import SaverKind, Where
from benchmarks.workloads.thread import Thread

# Puts of one side before it is the other's turn: a process runs one saver, and should not be
# charged for caches that the other one filled.
_BLOCK = 10
_READS_PER_SAMPLE = 3

Samples = dict[str, list[float]]


class Growth(Generic[Where]):
    """Samples, in seconds and by side, of one growth or several.

    Args:
        kinds: Both sides.
        settings: How large the run is.
        windows: Positions whose puts are samples, and how many puts up to and at them are taken.

    Attributes:
        puts: By position in the thread.
        reads: Of the newest checkpoint, again and again.
        cold: Of the same, the first time after the saver was opened.
    """

    def __init__(
        self,
        kinds: Mapping[str, SaverKind[Where]],
        settings: Settings,
        windows: Mapping[int, int],
    ) -> None:
        self._kinds: Mapping[str, SaverKind[Where]] = kinds
        self._settings = settings
        self._windows = windows
        self.puts: dict[int, Samples] = {end: defaultdict(list) for end in windows}
        self.reads: Samples = defaultdict(list)
        self.cold: Samples = defaultdict(list)

    def grow(self, places: Mapping[str, Where], messages: Sequence[AnyMessage]) -> None:
        """Put a checkpoint for every message, check the last one, and time reads of it.

        Args:
            places: Where each side stores: empty so far.
            messages: As many as the thread is to have.
        """
        with ExitStack() as stack:
            threads = {
                side: Thread(stack.enter_context(kind.open(places[side])), side)
                for side, kind in self._kinds.items()
            }
            self._append(threads, messages)
            for thread in threads.values():
                thread.check()
            self._read(threads)
        self._read_cold(places)

    def _append(self, threads: Mapping[str, Thread], messages: Sequence[AnyMessage]) -> None:
        order = list(threads)
        for start in range(0, len(messages), _BLOCK):
            for side in order:
                block = messages[start : start + _BLOCK]
                for position, message in enumerate(block, start=start + 1):
                    self._superstep(side, threads[side], position, message)
            order.reverse()

    def _superstep(self, side: str, thread: Thread, position: int, message: AnyMessage) -> None:
        arguments = thread.append(message)
        seconds = timed(lambda: thread.saver.put(*arguments))
        for end, width in self._windows.items():
            if end - width < position <= end:
                self.puts[end][side].append(seconds)

    def _read(self, threads: Mapping[str, Thread]) -> None:
        calls = {
            side: partial(thread.saver.get_tuple, thread.latest) for side, thread in threads.items()
        }
        repeats = dict.fromkeys(calls, _READS_PER_SAMPLE)
        for side, seconds in interleave(calls, self._settings.samples, repeats).items():
            self.reads[side] += seconds

    def _read_cold(self, places: Mapping[str, Where]) -> None:
        """Time the first read of a saver that was just opened: nothing of the thread is cached."""
        order = list(self._kinds)
        for _ in range(max(3, self._settings.samples // 3)):
            for side in order:
                with self._kinds[side].open(places[side]) as saver:
                    # Another thread's read connects and sets the schema up.
                    saver.get_tuple(Thread(saver, "absent").latest)
                    latest = Thread(saver, side).latest
                    seconds = timed(lambda: saver.get_tuple(latest))  # noqa: B023 - called at once
                self.cold[side].append(seconds)
            order.reverse()

    def results(self, group: str, official: str, *, put: Goal, get: Goal) -> list[Result]:
        """Make rows of the samples.

        Args:
            group: Of the rows.
            official: The other side's name.
            put: What puts at the last window's position have to reach.
            get: What reads have to; the first one of a saver that was just opened is shown
                beside them, without a bar.
        """
        last = max(self._windows)
        read = f"get_tuple at message {last:,}"
        rows = [
            (f"put at message {end:,}", samples, put if end == last else Goal(put.kind))
            for end, samples in self.puts.items()
        ]
        rows += [(read, self.reads, get), (f"{read}, saver just opened", self.cold, Goal(get.kind))]
        return [
            Result(
                group=group,
                name=name,
                unit="ms",
                ours=stat(samples["ours"], "ms"),
                other=stat(samples["official"], "ms"),
                other_name=official,
                goal=goal,
            )
            for name, samples, goal in rows
        ]


def size(
    group: str, name: str, official: str, megabytes: Samples, goal: Goal, note: str = ""
) -> Result:
    """Make a row of what each side's thread takes."""
    return Result(
        group=group,
        name=name,
        unit="MB",
        ours=Stat.of(megabytes["ours"]),
        other=Stat.of(megabytes["official"]),
        other_name=official,
        goal=goal,
        note=note,
    )
