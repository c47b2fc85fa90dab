"""Writes of a run's tasks, gathered on their way to the saver.

LangGraph hands the writes of each task to a thread of the run's own, which puts them. A superstep
of many tasks hands over many, and to wake a thread for each costs more than to store them: what
comes in before a thread has begun is put by it together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextvars import Context, copy_context
from functools import wraps
from itertools import groupby
from threading import RLock
from typing import Any, NamedTuple

from lgckpt.drafting import TaskWrites
from lgckpt.saver import Saver


class _Handed(NamedTuple):
    """What one call of the saver's `put_writes` would have been given."""

    done: Future[None]
    context: Context
    config: Any
    task: TaskWrites


class Gatherer:
    """Stands between a run and what starts its threads.

    Args:
        submit: LangGraph's own.
        put_writes: The saver's, bound to it: the only function that is gathered.
    """

    def __init__(self, submit: Callable[..., Any], put_writes: Any) -> None:
        self._submit = submit
        self._put_writes = put_writes
        self._saver: Saver = put_writes.__self__
        self._lock = RLock()
        self._handed: list[_Handed] = []

    def submit(self, function: Any, *args: Any, **options: Any) -> Any:
        """As LangGraph's own: call a function with arguments, in a thread."""
        if function is not self._put_writes or options:
            return self._submit(function, *args, **options)
        config, writes, task_id, *path = args
        context = copy_context()
        task = TaskWrites(writes, task_id, *path)._replace(context=context)
        handed = _Handed(Future(), context, config, task)
        # Within the lock: what waits for this is not to be in a thread before what does it.
        with self._lock:
            self._handed.append(handed)
            if len(self._handed) == 1:
                try:
                    self._submit(self._put)
                except BaseException:
                    self._handed.clear()
                    raise
        return handed.done

    def _put(self) -> None:
        """Put all that was handed over, and raise what LangGraph would have been raised."""
        with self._lock:
            handed, self._handed = self._handed, []
        for some in _of_one_checkpoint(handed):
            if len(some) == 1 or not self._put_together(some):
                for one in some:
                    self._put_one(one)
        for one in handed:
            one.done.result()

    def _put_together(self, handed: Sequence[_Handed]) -> bool:
        try:
            self._saver.put_task_writes(handed[0].config, [one.task for one in handed])
        except BaseException:
            # Whose fault it is shows when each is put by itself.
            return False
        for one in handed:
            one.done.set_result(None)
        return True

    def _put_one(self, one: _Handed) -> None:
        writes, task_id, path, _ = one.task
        put = one.context.run
        try:
            one.done.set_result(put(self._put_writes, one.config, writes, task_id, path))
        except BaseException as exc:
            one.done.set_exception(exc)


def _of_one_checkpoint(handed: Sequence[_Handed]) -> list[list[_Handed]]:
    """The same in order, in runs that are of one checkpoint each."""
    return [list(run) for _, run in groupby(handed, _place)]


def _place(handed: _Handed) -> tuple[Any, ...]:
    """What a config says of where writes belong; the rest of it may be of any kind."""
    named = handed.config["configurable"]
    return tuple(named.get(key) for key in ("thread_id", "checkpoint_ns", "checkpoint_id"))


def gathering(
    put_writes: Callable[..., None], is_meant: Callable[[Any], bool] = lambda loop: True
) -> Callable[..., None]:
    """`PregelLoop.put_writes`, whose loop hands over what is gathered.

    Args:
        put_writes: LangGraph's own.
        is_meant: Whether a loop's writes are gathered.
    """

    @wraps(put_writes)
    def wrapper(self: Any, *args: Any, **options: Any) -> None:
        put = getattr(self, "checkpointer_put_writes", None)
        # A subclass may change what is put, and an event loop wakes no threads.
        if getattr(put, "__func__", None) is Saver.put_writes and is_meant(self):
            submit = self.submit
            if not isinstance(getattr(submit, "__self__", None), Gatherer):
                self.submit = Gatherer(submit, put).submit
        put_writes(self, *args, **options)

    return wrapper
