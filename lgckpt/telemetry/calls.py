"""`Saver`'s methods, recorded: each has the signature of the one it stands for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import partial, wraps
from time import perf_counter
from typing import Any

from lgckpt.handle import Handle
from lgckpt.saver import Saver
from lgckpt.telemetry.instruments import Recorder, working

Find = Callable[[Handle], Any]
"""Who records what a saver without a recorder does, or None."""

Method = Callable[..., Any]


def _recorder(saver: Saver, find: Find) -> Recorder | None:
    handle = saver._handle
    found = handle.watcher or find(handle)
    return found if isinstance(found, Recorder) else None


def _thread(recorder: Recorder, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """What a span tells of the thread: its id where that was asked for."""
    if not recorder.thread_ids:
        return {}
    named = args[0] if args else kwargs.get("config", kwargs.get("thread_id"))
    if isinstance(named, dict):
        named = named.get("configurable", {}).get("thread_id")
    return {} if named is None else {"gen_ai.conversation.id": str(named)}


def sync(operation: str, method: Method, find: Find) -> Method:
    """A method that returns."""

    @wraps(method)
    def recorded(self: Saver, *args: Any, **kwargs: Any) -> Any:
        recorder = _recorder(self, find)
        if recorder is None:
            return method(self, *args, **kwargs)
        with recorder.call(operation, _thread(recorder, args, kwargs)):
            return method(self, *args, **kwargs)

    return recorded


def awaited(operation: str, method: Method, find: Find) -> Method:
    """A coroutine function."""

    @wraps(method)
    async def recorded(self: Saver, *args: Any, **kwargs: Any) -> Any:
        recorder = _recorder(self, find)
        if recorder is None:
            return await method(self, *args, **kwargs)
        with recorder.call(operation, _thread(recorder, args, kwargs)):
            return await method(self, *args, **kwargs)

    return recorded


class _Work:
    """A call that is at work now and then, and idle while its caller is."""

    def __init__(self, recorder: Recorder, operation: str, more: Mapping[str, Any]) -> None:
        self._recorder, self._operation = recorder, operation
        self._call = recorder.start(operation, more)
        self._seconds, self._error = 0.0, None
        self._entered = 0.0
        self._working: Any = None

    def __enter__(self) -> None:
        self._entered = perf_counter()
        self._working = working(self._call)
        self._working.__enter__()

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        self._working.__exit__(None, None, None)
        self._seconds += perf_counter() - self._entered
        if error is not None and not isinstance(error, (StopIteration, StopAsyncIteration)):
            self._error = error

    def end(self) -> None:
        """Nothing more will be asked for."""
        self._recorder.end(self._operation, self._call, self._seconds, self._error)


def listed(operation: str, method: Method, find: Find) -> Method:
    """A generator function: what its caller does between two items is no part of the call."""

    @wraps(method)
    def recorded(self: Saver, *args: Any, **kwargs: Any) -> Iterator[Any]:
        recorder = _recorder(self, find)
        if recorder is None:
            yield from method(self, *args, **kwargs)
            return
        items = method(self, *args, **kwargs)
        work = _Work(recorder, operation, _thread(recorder, args, kwargs))
        try:
            while True:
                try:
                    with work:
                        item = next(items)
                except StopIteration:
                    return
                yield item
        finally:
            items.close()
            work.end()

    return recorded


def alisted(operation: str, method: Method, find: Find) -> Method:
    """An async generator function, likewise."""

    @wraps(method)
    async def recorded(self: Saver, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        recorder = _recorder(self, find)
        items = method(self, *args, **kwargs)
        if recorder is None:
            async for item in items:
                yield item
            return
        work = _Work(recorder, operation, _thread(recorder, args, kwargs))
        try:
            while True:
                try:
                    with work:
                        item = await anext(items)
                except StopAsyncIteration:
                    return
                yield item
        finally:
            await items.aclose()
            work.end()

    return recorded


_OPERATIONS = (
    "setup", "get_tuple", "put", "put_writes", "delete_thread", "delete_for_runs", "copy_thread",
    "prune", "sweep", "get_delta_channel_history",
)  # fmt: skip

WRAPPERS: dict[str, Callable[[Method, Find], Method]] = {
    **{name: partial(sync, name) for name in _OPERATIONS},
    **{f"a{name}": partial(awaited, name) for name in _OPERATIONS},
    "put_task_writes": partial(sync, "put_writes"),
    "aput_task_writes": partial(awaited, "put_writes"),
    "list": partial(listed, "list"),
    "alist": partial(alisted, "list"),
}
"""By the method's name; sync and async are one operation."""
