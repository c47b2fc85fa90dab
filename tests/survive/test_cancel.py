"""A cancelled `aput` leaves all of a checkpoint or nothing, and a saver that can be used."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from lgckpt.saver import Saver
from tests.backends import Backend
from tests.checkpoints import config
from tests.survive.checker import check_memory
from tests.survive.harness import scaled
from tests.survive.states import WRITERS, Conversation, assert_whole

CANCELS = 3_000
NAMES = [f"{size}-{i}" for size in ("small", "large") for i in range(4)]
LONGEST = 12


class Outcomes:
    """How the calls ended: only with a mixture has the test shown anything."""

    def __init__(self) -> None:
        self.cancelled = 0
        self.stored = 0


async def interrupted(call: Any, rng: random.Random, outcomes: Outcomes) -> bool:
    """Start a call and cancel it at a random moment; whether it came to its end."""
    task = asyncio.ensure_future(call)
    if rng.random() < 0.5:
        for _ in range(rng.randrange(4)):
            await asyncio.sleep(0)
    else:
        await asyncio.sleep(rng.uniform(0, 0.004))
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        outcomes.cancelled += 1
        return False
    outcomes.stored += 1
    return True


async def converse(saver: Saver, name: str, rounds: int, rng: random.Random) -> Outcomes:
    """Go on with one thread; what is there is always whole, and never older than before.

    A cancelled put that a worker had begun may be stored a moment later.
    """
    outcomes = Outcomes()
    conversation = Conversation(name)
    attempted: set[str | None] = {None}
    for _ in range(rounds):
        if conversation.step == LONGEST:
            await saver.adelete_thread(name)
            conversation.resume(None)
        args = conversation.next()
        attempted.add(args[1]["id"])
        before = conversation.parent
        if await interrupted(saver.aput(*args), rng, outcomes):
            before = conversation.stored(args)
        found = await saver.aget_tuple(config(name))
        latest = None if found is None else found.checkpoint["id"]
        assert latest in attempted, f"{name} has {latest}, which nobody put"
        assert (latest or "") >= (before or ""), f"{name} has lost {before}"
        conversation.resume(found)
        if conversation.parent is not None:
            call = saver.aput_writes(*conversation.writes(rng.choice(WRITERS)))
            await interrupted(call, rng, outcomes)
    return outcomes


@pytest.mark.slow
def test_a_cancelled_aput_leaves_all_or_nothing(backend: Backend, seed: int) -> None:
    """A cancelled put may still be under way; what comes after it waits its turn."""

    async def main(saver: Saver) -> None:
        rounds = scaled(CANCELS) // len(NAMES) // 2 + 1
        talks = (converse(saver, n, rounds, random.Random(f"{seed}/{n}")) for n in NAMES)
        outcomes = await asyncio.gather(*talks)
        if not getattr(saver._handle.storage, "inline", False):
            assert sum(one.cancelled for one in outcomes) > rounds, "too few were cancelled"
        assert sum(one.stored for one in outcomes) > 0
        await asyncio.gather(*(use(saver, name) for name in NAMES))

    async def use(saver: Saver, name: str) -> None:
        conversation = Conversation(name)
        conversation.resume(await saver.aget_tuple(config(name)))
        stored = await conversation.aput(saver)
        found = await saver.aget_tuple(config(name))
        assert found is not None
        assert found.checkpoint["id"] == stored
        async for one in saver.alist(config(name)):
            assert_whole(one)

    with backend.open() as saver:
        asyncio.run(main(saver))
        for name in NAMES:
            saver.prune([name])
        if backend.name == "memory":
            check_memory(saver, exact=True)


@pytest.mark.slow
def test_cancelled_reads_leave_the_saver_usable(backend: Backend, seed: int) -> None:
    rng = random.Random(seed)

    async def main(saver: Saver) -> None:
        conversation = Conversation("large-1")
        for _ in range(6):
            await conversation.aput(saver)

        async def listed() -> None:
            async for one in saver.alist(config("large-1")):
                assert_whole(one)

        outcomes = Outcomes()
        for _ in range(scaled(CANCELS) // 10):
            calls = [saver.aget_tuple(config("large-1")), listed(), saver.aprune(["other"])]
            await asyncio.gather(*(interrupted(call, rng, outcomes) for call in calls))
        assert len([one async for one in saver.alist(config("large-1"))]) == 6
        await conversation.aput(saver)

    with backend.open() as saver:
        asyncio.run(main(saver))
