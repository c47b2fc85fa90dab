"""The workloads as a Locust user, for where one machine is not enough.

    # locustfile.py
    from lgckpt.loadtest.locust_users import CheckpointUser

    class Chats(CheckpointUser):
        url = "postgresql://db/test"
        workload = "mixed:chat=3,hitl=1"

Then `LOCUST_SKIP_MONKEY_PATCH=1 locust --master` and `--worker` as ever: savers have threads and
event loops of their own, which gevent's patches would stop; calls are made in gevent's pool of
threads. Each call is a request of type "checkpoint", and a read that is not what was written fails.
Distributing the users is Locust's part.
"""

from __future__ import annotations

import itertools
import os
import secrets
from time import perf_counter
from typing import Any, ClassVar

import gevent
from gevent.monkey import is_module_patched
from langgraph.checkpoint.base import BaseCheckpointSaver
from locust import User, task

from lgckpt.errors import ConfigurationError
from lgckpt.loadtest.agents import Agent, Dealer
from lgckpt.loadtest.calls import Call, Get, Pause, Put, PutWrites, Together
from lgckpt.loadtest.checking import check_get, check_history
from lgckpt.loadtest.workloads import parse
from lgckpt.url import from_url

THREADS = 100
"""Calls that the users of one worker may have under way at once."""


class CheckpointUser(User):
    """An agent after another; all users of a worker share one saver.

    Attributes:
        url: Any URL of lgckpt's.
        workload: See `lgckpt.loadtest.workloads.parse`.
        seed: What the workload is made from.
    """

    abstract = True
    url = os.environ.get("LGCKPT_LOADTEST_URL", "memory://")
    workload = "chat"
    seed = 1
    _savers: ClassVar[dict[str, BaseCheckpointSaver[Any]]] = {}
    _numbers: ClassVar[Any] = itertools.count()
    _prefix: ClassVar[str] = f"locust-{secrets.token_hex(4)}"

    def on_start(self) -> None:
        """Open the saver, if this is the first user.

        Raises:
            ConfigurationError: gevent has patched threads.
        """
        if is_module_patched("threading"):
            raise ConfigurationError("start Locust with LOCUST_SKIP_MONKEY_PATCH=1")
        pool = gevent.get_hub().threadpool
        pool.maxsize = max(pool.maxsize, THREADS)
        self._saver = self._savers.get(self.url) or self._savers.setdefault(
            self.url, from_url(self.url)
        )
        make = parse(self.workload).script
        self._dealer = Dealer(make, self.seed, self._prefix, self._numbers)

    @task
    def thread(self) -> None:
        """One thread, from its first checkpoint to its last read."""
        agent = self._dealer.deal()
        while (call := agent.next()) is not None:
            if isinstance(call, Pause):
                gevent.sleep(call.seconds)
                continue
            for one in call.calls if isinstance(call, Together) else [call]:
                if not self._timed(agent, one):
                    return

    def _timed(self, agent: Agent, call: Call) -> bool:
        began, error, size = perf_counter(), None, 0
        try:
            # In a thread: a call that waits must not have all other users wait.
            size = gevent.get_hub().threadpool.apply(self._made, (agent, call))
        except Exception as exc:
            error = exc
        self.environment.events.request.fire(
            request_type="checkpoint",
            name=call.operation,
            response_time=(perf_counter() - began) * 1000,
            response_length=size,
            exception=error,
            context={},
        )
        return error is None

    def _made(self, agent: Agent, call: Call) -> int:
        """Make a call and compare what it gives; gives the bytes that were handed over."""
        saver, ledger = self._saver, agent.ledger
        if isinstance(call, Put):
            size = ledger.begin_put(call)
            saver.put(call.config, call.checkpoint, call.metadata, call.versions)
            ledger.put_done(call)
            return size
        if isinstance(call, PutWrites):
            size = ledger.begin_writes(call)
            saver.put_writes(call.config, call.writes, call.task_id, call.task_path)
            ledger.writes_done(call)
            return size
        if isinstance(call, Get):
            faults = check_get(ledger, call, saver.get_tuple(call.config))
        else:
            found = saver.list(call.config, before=call.before, limit=call.limit)
            faults = check_history(ledger, call, list(found))
        if faults:
            raise AssertionError("; ".join(f"{one.kind}: {one.what}" for one in faults))
        return 0
