"""Both colours over an asynchronous storage, on a loop of ours and on a given one."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
import weakref
from contextvars import Context, ContextVar
from typing import Any

import pytest

from lgckpt.bridges import AsyncBridge
from lgckpt.errors import ClosedError, ConfigurationError
from lgckpt.mailbox import Mailbox


class Recorder:
    """Stands for a storage; its verbs tell on which loop and thread they ran."""

    colour = "async"

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.loop = loop
        self.closed: list[asyncio.AbstractEventLoop] = []
        self.waiting = threading.Event()
        self.cancelled = threading.Event()
        self.forgotten = False

    async def where(self) -> tuple[Any, Any]:
        await asyncio.sleep(0)
        return asyncio.get_running_loop(), threading.current_thread()

    async def fail(self) -> None:
        raise KeyError("no such thing")

    async def time_out(self) -> None:
        raise TimeoutError("of its own")

    async def wait(self) -> None:
        self.waiting.set()
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    async def linger(self) -> None:
        """Leave a timer behind, as a pool does for every idle connection."""
        asyncio.get_running_loop().call_later(3600, self.cancelled.set)

    async def close(self) -> None:
        self.closed.append(asyncio.get_running_loop())

    def forget(self) -> None:
        self.forgotten = True


def sync(bridge: AsyncBridge, verb: str) -> Any:
    coroutine = bridge.blocking(verb)
    with pytest.raises(StopIteration) as stop:
        coroutine.send(None)
    return stop.value.value


def waiting_call(bridge: AsyncBridge, storage: Recorder) -> tuple[threading.Thread, list[Any]]:
    """A sync call that waits in a thread of its own, and where its error will be."""
    outcome: list[Any] = []

    def call() -> None:
        try:
            bridge.blocking("wait").send(None)
        except BaseException as exc:
            outcome.append(exc)

    caller = threading.Thread(target=call)
    caller.start()
    assert storage.waiting.wait(10)
    return caller, outcome


def test_all_calls_of_both_colours_run_on_one_loop_of_ours() -> None:
    storage = Recorder()
    bridge = AsyncBridge(storage)
    places = {sync(bridge, "where")}
    for _ in range(2):
        places.add(asyncio.run(bridge.awaiting("where")))
    assert len(places) == 1
    ((loop, thread),) = places
    assert thread.daemon
    bridge.close()
    thread.join(10)
    assert storage.closed == [loop]
    assert loop.is_closed()
    bridge.close()


def test_timers_on_our_loop_keep_nothing_that_a_caller_had_in_its_context() -> None:
    bridge = AsyncBridge(Recorder())
    held: ContextVar[Any] = ContextVar("held")

    class State:
        pass

    def call() -> weakref.ref[State]:
        state = State()
        held.set(state)
        sync(bridge, "linger")
        asyncio.run(bridge.awaiting("linger"))
        return weakref.ref(state)

    seen = Context().run(call)
    gc.collect()
    assert seen() is None
    bridge.close()


def test_errors_come_through_as_they_are() -> None:
    bridge = AsyncBridge(Recorder())
    with pytest.raises(KeyError, match="no such thing"):
        bridge.blocking("fail").send(None)
    with pytest.raises(TimeoutError, match="of its own"):
        bridge.blocking("time_out").send(None)
    with pytest.raises(KeyError, match="no such thing"):
        asyncio.run(bridge.awaiting("fail"))
    bridge.close()


def test_a_closed_bridge_refuses_and_leaves_no_coroutine_behind() -> None:
    bridge = AsyncBridge(Recorder())
    bridge.close()
    with pytest.raises(ClosedError):
        bridge.blocking("where").send(None)
    gc.collect()


def test_closing_ends_what_still_waits() -> None:
    storage = Recorder()
    bridge = AsyncBridge(storage)

    async def close_midway() -> None:
        waiting = asyncio.ensure_future(bridge.awaiting("wait"))
        assert await asyncio.to_thread(storage.waiting.wait, 10)
        await bridge.aclose()
        with pytest.raises(ClosedError):
            await waiting

    asyncio.run(close_midway())
    assert storage.cancelled.is_set()


def test_closing_ends_a_sync_call_that_still_waits() -> None:
    storage = Recorder()
    bridge = AsyncBridge(storage)
    caller, outcome = waiting_call(bridge, storage)
    bridge.close()
    caller.join(10)
    assert [type(exc) for exc in outcome] == [ClosedError]
    with pytest.raises(ClosedError):
        asyncio.run(bridge.awaiting("where"))


def test_many_calls_at_once_from_several_loops_all_come_back() -> None:
    class Echo(Recorder):
        async def echo(self, value: int) -> int:
            await asyncio.sleep(0)
            if value % 7 == 3:
                raise ValueError(value)
            return value

    bridge = AsyncBridge(Echo())
    found: list[list[Any]] = []

    async def ask() -> None:
        calls = (bridge.awaiting("echo", i) for i in range(500))
        found.append(await asyncio.gather(*calls, return_exceptions=True))

    threads = [threading.Thread(target=asyncio.run, args=(ask(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 4
    for answers in found:
        for i, answer in enumerate(answers):
            assert (answer.args == (i,)) if i % 7 == 3 else (answer == i)
    bridge.close()


@pytest.mark.parametrize("attempt", range(40))
def test_a_call_that_comes_while_the_loop_ends_is_refused_and_not_left_waiting(
    attempt: int,
) -> None:
    bridge = AsyncBridge(Recorder())
    sync(bridge, "where")
    ends: list[type[BaseException]] = []

    async def ask() -> None:
        while True:
            try:
                await asyncio.wait_for(bridge.awaiting("where"), 20)
            except BaseException as exc:
                ends.append(type(exc))
                return

    threads = [threading.Thread(target=asyncio.run, args=(ask(),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.002 * (attempt % 5))
    bridge.close()
    for thread in threads:
        thread.join(30)
    assert ends == [ClosedError] * 3


def test_a_call_posted_to_a_loop_that_has_ended_is_refused() -> None:
    """It was woken for an earlier call that it never came to take."""
    loop = asyncio.new_event_loop()
    mailbox = Mailbox(loop)
    storage = Recorder(loop)

    async def post() -> list[Any]:
        first = asyncio.ensure_future(mailbox.call(storage.where, ()))
        await asyncio.sleep(0)
        loop.close()
        mailbox.close()
        later = mailbox.call(storage.where, ())
        return await asyncio.wait_for(asyncio.gather(first, later, return_exceptions=True), 10)

    assert [type(end) for end in asyncio.run(post())] == [ClosedError, ClosedError]


def test_a_caller_whose_loop_ended_harms_nobody() -> None:
    storage = Recorder()
    bridge = AsyncBridge(storage)

    async def leave() -> None:
        waiting = asyncio.ensure_future(bridge.awaiting("wait"))
        await asyncio.sleep(0.05)
        waiting.cancel()

    asyncio.run(leave())
    assert storage.cancelled.wait(10)
    assert asyncio.run(bridge.awaiting("where"))
    bridge.close()


def test_cancelling_the_caller_cancels_the_verb() -> None:
    storage = Recorder()
    bridge = AsyncBridge(storage)

    async def cancel() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(bridge.awaiting("wait"), 0.05)

    asyncio.run(cancel())
    assert storage.cancelled.wait(10)
    bridge.close()


def test_a_sync_call_from_within_the_storage_is_refused() -> None:
    class Nested(Recorder):
        async def nested(self) -> None:
            await bridge.blocking("where")

    bridge = AsyncBridge(Nested())
    with pytest.raises(ConfigurationError, match="own storage"):
        bridge.blocking("nested").send(None)
    bridge.close()


async def _on_a_given_loop() -> None:
    loop = asyncio.get_running_loop()
    storage = Recorder(loop)
    bridge = AsyncBridge(storage)
    assert await bridge.awaiting("where") == (loop, threading.current_thread())
    with pytest.raises(ConfigurationError, match="use the async method"):
        await bridge.blocking("where")
    found: Any = await asyncio.to_thread(sync, bridge, "where")
    assert found[0] is loop
    other: Any = await asyncio.to_thread(lambda: asyncio.run(bridge.awaiting("where")))
    assert other[0] is loop
    await bridge.aclose()
    assert storage.closed == []


def test_a_given_loop_runs_everything_and_is_not_waited_for_by_itself() -> None:
    asyncio.run(_on_a_given_loop())


def test_a_given_loop_that_does_not_run_is_named() -> None:
    loop = asyncio.new_event_loop()
    bridge = AsyncBridge(Recorder(loop))
    with pytest.raises(ConfigurationError, match="not running"):
        bridge.blocking("where").send(None)
    loop.close()


def test_a_given_loop_that_stops_leaves_nobody_waiting() -> None:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    storage = Recorder(loop)
    bridge = AsyncBridge(storage)
    caller, outcome = waiting_call(bridge, storage)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    caller.join(10)
    assert [type(exc) for exc in outcome] == [ConfigurationError]
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_child_has_a_loop_of_its_own_and_forgets_the_parents() -> None:
    storage = Recorder()
    bridge = AsyncBridge(storage)
    before = sync(bridge, "where")
    child = os.fork()
    if child == 0:
        found = sync(bridge, "where")
        os._exit(0 if storage.forgotten and found[0] is not before[0] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert sync(bridge, "where") == before
    assert not storage.forgotten
    bridge.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_child_is_told_that_a_given_loop_stayed_with_its_parent() -> None:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    bridge = AsyncBridge(Recorder(loop))
    assert sync(bridge, "where")[0] is loop
    child = os.fork()
    if child == 0:
        told = 0
        for call in (lambda: bridge.blocking("where").send(None), lambda: _run(bridge)):
            try:
                call()
            except ConfigurationError as exc:
                told += "forked" in str(exc)
        os._exit(0 if told == 2 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def _run(bridge: AsyncBridge) -> Any:
    return asyncio.run(bridge.awaiting("where"))
