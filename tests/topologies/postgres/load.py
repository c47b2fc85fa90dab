"""Writers on one saver, sync and async at once, and what was acknowledged to them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import lgckpt
from lgckpt.errors import StorageError
from lgckpt.saver import Saver
from tests.checkpoints import config
from tests.survive.checker_postgres import check_postgres
from tests.survive.states import WRITERS, Conversation, assert_whole

LOOPS = 2
"""Event loops on which the async writers are."""

LONGEST = 10
"""Steps after which a writer starts anew, so that states stay small."""

PROGRESS = 60.0
"""Seconds that all writers together may need for so many acknowledgements."""


class Acknowledged(NamedTuple):
    """A put, or one task's writes, that came back."""

    thread_id: str
    checkpoint_ns: str
    checkpoint_id: str
    task: str | None = None


@dataclass
class Load:
    """Writers that go on until told to stop; four of them share a LangGraph thread.

    Attributes:
        saver: What they write to.
        sync: How many are threads.
        asynchronous: How many are tasks.
        pause: Seconds that each waits after a step.
    """

    saver: Saver
    sync: int = 8
    asynchronous: int = 24
    pause: float = 0.01
    acknowledged: list[Acknowledged] = field(default_factory=list)
    failed: list[StorageError] = field(default_factory=list)
    broken: list[BaseException] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stop = threading.Event()

    @contextmanager
    def running(self) -> Iterator[Load]:
        """Have them write during a block; whatever they raise but a StorageError is raised."""
        writers: list[Callable[[], None]] = [
            lambda n=n: self._write(n)  # type: ignore[misc]
            for n in range(self.sync)
        ]
        for i in range(LOOPS if self.asynchronous else 0):
            mine = range(self.sync + i, self.sync + self.asynchronous, LOOPS)
            writers.append(lambda mine=mine: asyncio.run(self._awrite_all(mine)))  # type: ignore[misc]
        threads = [threading.Thread(target=self._guarded, args=(w,), daemon=True) for w in writers]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()
        if self.broken:
            raise self.broken[0]

    def more(self, count: int) -> None:
        """Wait until so many more calls were acknowledged."""
        wanted = len(self.acknowledged) + count
        deadline = time.monotonic() + PROGRESS
        while len(self.acknowledged) < wanted:
            if self.broken:
                raise self.broken[0]
            assert time.monotonic() < deadline, f"stuck after {len(self.acknowledged)} calls"
            time.sleep(0.005)

    def _guarded(self, writer: Callable[[], None]) -> None:
        try:
            writer()
        except BaseException as exc:
            self.broken.append(exc)

    def _conversation(self, number: int) -> Conversation:
        size = "large" if number % 2 else "small"
        return Conversation(f"load-{number // 4}", f"{size}-{number}", f"writer-{number}")

    def _noted(self, conversation: Conversation, task: str | None = None) -> None:
        assert conversation.parent is not None
        self.acknowledged.append(
            Acknowledged(conversation.thread_id, conversation.ns, conversation.parent, task)
        )

    def _write(self, number: int) -> None:
        conversation = self._conversation(number)
        while not self._stop.is_set():
            try:
                conversation.put(self.saver)
                self._noted(conversation)
                for task in WRITERS:
                    self.saver.put_writes(*conversation.writes(task))
                    self._noted(conversation, task)
            except StorageError as exc:
                self.failed.append(exc)
            if conversation.step >= LONGEST:
                conversation.resume(None)
            time.sleep(self.pause)

    async def _awrite_all(self, numbers: Any) -> None:
        await asyncio.gather(*(self._awrite(number) for number in numbers))

    async def _awrite(self, number: int) -> None:
        conversation = self._conversation(number)
        while not self._stop.is_set():
            try:
                await conversation.aput(self.saver)
                self._noted(conversation)
                for task in WRITERS:
                    await self.saver.aput_writes(*conversation.writes(task))
                    self._noted(conversation, task)
            except StorageError as exc:
                self.failed.append(exc)
            if conversation.step >= LONGEST:
                conversation.resume(None)
            await asyncio.sleep(self.pause)

    def check(self, url: str, schema: str = "public") -> None:
        """Everything acknowledged is there, whole and once; and so is all else that is there.

        Read with a saver of its own, which remembers nothing of what was written.
        """
        assert self.acknowledged
        check_postgres(url, schema)
        tasks: dict[tuple[str, str, str], set[str]] = {}
        for thread_id, ns, checkpoint_id, task in self.acknowledged:
            tasks.setdefault((thread_id, ns, checkpoint_id), set()).update({task} - {None})  # type: ignore[arg-type]
        with lgckpt.PostgresSaver(url, schema=schema) as saver:
            found: dict[tuple[str, str, str], set[str]] = {}
            for thread_id in {key[0] for key in tasks}:
                for one in saver.list({"configurable": {"thread_id": thread_id}}):
                    assert_whole(one)
                    place = one.config["configurable"]
                    key = (thread_id, place["checkpoint_ns"], place["checkpoint_id"])
                    assert key not in found, f"{key} is there twice"
                    found[key] = {task for task, _, _ in one.pending_writes}
            for key, written in tasks.items():
                assert key in found, f"{key} was acknowledged and is lost"
                assert written <= found[key], f"writes to {key} were acknowledged and are lost"
            some = next(iter(tasks))
            at = saver.get_tuple(config(some[0], some[2], some[1]))
            assert at is not None
            assert_whole(at)


def chain(exc: BaseException) -> Iterator[BaseException]:
    """An exception with all that it came of."""
    pending: list[BaseException | None] = [exc]
    seen: set[int] = set()
    while pending:
        one = pending.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            yield one
            pending += [one.__cause__, one.__context__]


def assert_told(exc: BaseException, place: str, *secrets: str) -> None:
    """A StorageError names the place, and nothing in its chain names a secret."""
    assert isinstance(exc, StorageError), repr(exc)
    assert place in str(exc), f"{exc} does not name {place}"
    assert_unspoken(exc, *secrets)


def assert_unspoken(exc: BaseException, *secrets: str) -> None:
    """Nothing in an exception's chain names a secret."""
    for one in chain(exc):
        for secret in secrets:
            for text in (str(one), repr(one), repr(one.args), repr(vars(one))):
                assert secret not in text, f"a {type(one).__name__} shows a password: {text}"
