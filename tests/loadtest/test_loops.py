"""Closed and open loops: what a stall does to their figures."""

from __future__ import annotations

import asyncio
import time

import pytest

from lgckpt.loadtest import loops
from lgckpt.loadtest.loops import End, closed, open_loop
from lgckpt.loadtest.recorder import Recorder, Snapshot
from tests.loadtest.broken import Stalling, client_of

STALL = 0.6
RATE = 80
CLIENTS = 4


async def _run(
    seconds: float, *, is_open: bool, drain: float = 10.0, saver: Stalling | None = None
) -> Snapshot:
    saver, recorder = saver or Stalling(), Recorder()
    clients = [client_of(saver, recorder, "wide") for _ in range(CLIENTS)]
    stalling = asyncio.ensure_future(saver.stall(0.3, STALL))
    if is_open:
        await open_loop(clients, End(seconds), RATE, recorder, drain=drain)
    else:
        await closed(clients, End(seconds))
    await stalling
    return recorder.snapshot()


def _waited(found: Snapshot, seconds: float) -> int:
    """How many puts took longer."""
    return sum(one > seconds for one in found.latencies["put"])


def test_an_open_loop_has_the_wait_in_its_latencies() -> None:
    found = asyncio.run(_run(1.4, is_open=True))
    assert found.steps == int(RATE * 1.4)
    assert found.late == 0
    # All that was due in the stall waited: evenly from its whole length down to nothing.
    due = RATE * STALL
    assert _waited(found, STALL * 0.5) >= due * 0.4
    assert _waited(found, 0.05) >= due * 0.8


def test_a_closed_loop_has_it_once_a_client() -> None:
    saver = Stalling()
    found = asyncio.run(_run(1.4, is_open=False, saver=saver))
    stalled = sum(one > STALL * 0.5 for values in found.latencies.values() for one in values)
    # A busy machine may stall others.
    assert 1 <= saver.held <= min(CLIENTS, stalled)
    assert found.steps > 20


@pytest.mark.parametrize("uptime", [0.0, 1.0, 65_537.3, 70_000.123, 1e6 + 0.7, 3e7 + 0.1])
def test_as_many_are_due_whatever_the_clock_says(
    monkeypatch: pytest.MonkeyPatch, uptime: float
) -> None:
    began = time.perf_counter()
    monkeypatch.setattr(loops, "perf_counter", lambda: uptime + time.perf_counter() - began)
    recorder = Recorder()
    clients = [client_of(Stalling(), recorder, "wide")]
    asyncio.run(open_loop(clients, End(0.14), 50 * RATE, recorder))
    assert recorder.snapshot().steps == 560


def test_what_was_due_and_never_begun_is_told() -> None:
    found = asyncio.run(_run(0.7, is_open=True, drain=0.0))
    assert found.late > 10
    assert found.late + found.steps >= int(RATE * 0.7) - CLIENTS


@pytest.mark.parametrize("is_open", [True, False])
def test_it_can_be_ended_early(is_open: bool) -> None:
    async def run() -> Snapshot:
        saver, recorder = Stalling(), Recorder()
        clients = [client_of(saver, recorder, "wide") for _ in range(CLIENTS)]
        end = End(60)
        asyncio.get_running_loop().call_later(0.2, end.stop)
        if is_open:
            await open_loop(clients, end, RATE, recorder)
        else:
            await closed(clients, end)
        return recorder.snapshot()

    found = asyncio.run(asyncio.wait_for(run(), 10))
    assert found.steps
    assert found.late == 0
