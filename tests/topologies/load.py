"""Writers that go on while servers fail, and note what was acknowledged to them."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lgckpt.errors import LgckptError
from lgckpt.saver import Saver
from tests.checkpoints import config
from tests.survive.states import WRITERS, Conversation, assert_whole

REPLACED = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""redis-py leaves connections behind unclosed when a server fails as they are being made."""

LONGEST = 40
"""Steps after which a conversation starts anew, so that states stay small."""

PACE = 0.01
"""Seconds between steps: the servers share a few cores with the test."""


class Load:
    """A few threads of conversation on one saver, each with a list of what was acknowledged."""

    def __init__(self, saver: Saver, names: list[str]) -> None:
        self.saver = saver
        self.acknowledged: dict[str, list[str]] = {name: [] for name in names}
        self.times: list[float] = []
        self.errors: list[LgckptError] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(name,)) for name in names]

    def _write(self, name: str) -> None:
        conversation = Conversation(name)
        while not self._stop.is_set():
            try:
                if conversation.step >= LONGEST:
                    conversation.resume(None)
                time.sleep(PACE)
                args = conversation.next()
                self.saver.put(*args)
                conversation.stored(args)
                self.acknowledged[name].append(args[1]["id"])
                self.times.append(time.monotonic())
                for task in WRITERS:
                    self.saver.put_writes(*conversation.writes(task))
            except LgckptError as exc:
                self.errors.append(exc)

    @contextmanager
    def running(self) -> Iterator[Load]:
        """With all of them at work."""
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join(60)
            gc.collect()

    def until_written(self, count: int = 20, limit: float = 40.0) -> None:
        """Wait until every thread has been written so many times more."""
        before = {name: len(done) for name, done in self.acknowledged.items()}
        deadline = time.monotonic() + limit
        while any(len(done) < before[name] + count for name, done in self.acknowledged.items()):
            assert time.monotonic() < deadline, f"writes do not go on: {self.errors[-3:]}"
            time.sleep(0.02)

    def lost(self) -> int:
        """How many acknowledged checkpoints are not there; what is there is whole."""
        missing = 0
        for name, done in self.acknowledged.items():
            found = {one.checkpoint["id"] for one in map(_whole, self.saver.list(config(name)))}
            missing += len(set(done) - found)
        return missing


def _whole(one):
    assert_whole(one)
    return one
