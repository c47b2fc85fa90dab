"""A limit on the time that a call may take."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any


class Limit:
    """`asyncio.timeout` for Python 3.10 too; `wait_for` would make a task of each call.

    Args:
        seconds: After which what runs within is cancelled.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._expired = False

    def __enter__(self) -> None:
        self._task: Any = asyncio.current_task()
        loop = asyncio.get_running_loop()
        self._handle = loop.call_later(self._seconds, self._expire)

    def _expire(self) -> None:
        self._expired = True
        self._task.cancel()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._handle.cancel()
        if not self._expired:
            return
        # Without this Python 3.11 takes the task for one that somebody else cancelled too.
        uncancel = getattr(self._task, "uncancel", None)
        if uncancel is not None:
            uncancel()
        if kind is asyncio.CancelledError:
            raise TimeoutError(f"no answer within {self._seconds:g} seconds") from exc
