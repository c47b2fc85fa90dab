"""Switches telemetry on and off: methods are swapped only while somebody is instrumented."""

from __future__ import annotations

import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from lgckpt import forks
from lgckpt.errors import ConfigurationError
from lgckpt.handle import Handle
from lgckpt.saver import Saver

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

_EXTRA = "telemetry needs OpenTelemetry: pip install 'lgckpt[otel]'"


def instrument(
    saver: Saver | None = None,
    *,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
    thread_ids: bool = False,
) -> None:
    """Have a saver, or all of them, tell OpenTelemetry what they do.

    Every call of `put`, `put_writes`, `get_tuple`, `list`, of the methods that delete, copy,
    prune and sweep, and of their async versions is a span and a sample of
    `db.client.operation.duration`; `lgckpt.storage.duration` is the part of it that the
    database took, `lgckpt.io` counts bytes, `lgckpt.retries` what was tried again, and
    `db.client.connection.wait_time` is waiting for a connection. Nothing of what a thread
    contains is told, and no user or password.

    Called again, it replaces what was said before. A saver that is not instrumented pays
    nothing while none is, and about a tenth of a microsecond a call while another is.

    Args:
        saver: This one, with its clones; None for all, those that are made later too.
        tracer_provider: Where spans go; OpenTelemetry's global one if None.
        meter_provider: Where metrics go, likewise.
        thread_ids: Whether spans name the thread, as `gen_ai.conversation.id`. It may be
            personal, so this is off by default.

    Raises:
        ConfigurationError: OpenTelemetry is not installed.
    """
    try:
        found = import_module("lgckpt.telemetry.instruments")
    except ImportError as error:
        raise ConfigurationError(_EXTRA) from error
    _STATE.on(saver, found.Instruments(tracer_provider, meter_provider, thread_ids))


def uninstrument(saver: Saver | None = None) -> None:
    """Take `instrument` back.

    Args:
        saver: This one, even if all are instrumented; None for all that are.
    """
    _STATE.off(saver)


class _State:
    """Who is instrumented.

    Attributes:
        everywhere: The instruments of every saver that has none of its own.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: WeakSet[Handle] = WeakSet()
        self._spared: WeakSet[Handle] = WeakSet()
        self._put: dict[str, Any] = {}
        self.everywhere: Any = None
        forks.register(self)

    def before_fork(self) -> None:
        """Let no other thread be half-way."""
        self._lock.acquire()

    def after_fork(self, *, child: bool) -> None:
        """Go on."""
        self._lock.release()

    def on(self, saver: Saver | None, instruments: Any) -> None:
        """Instrument one saver or all."""
        with self._lock:
            if saver is None:
                self._drop(list(self._watched))
                self._spared.clear()
                self.everywhere = instruments
            else:
                self._spared.discard(saver._handle)
                self._watch(saver._handle, instruments)
            self._settle()

    def off(self, saver: Saver | None) -> None:
        """Instrument one saver, or all, no more."""
        with self._lock:
            if saver is None:
                self.everywhere = None
                self._drop(list(self._watched))
                self._spared.clear()
            else:
                self._drop([saver._handle])
                if self.everywhere is not None:
                    self._spared.add(saver._handle)
            self._settle()

    def recorder(self, handle: Handle) -> Any:
        """Who records what a saver without a recorder does, if somebody is to."""
        if self.everywhere is None:
            return None
        with self._lock:
            if handle.watcher is None and handle not in self._spared:
                self._watch(handle, self.everywhere)
            return handle.watcher

    def _watch(self, handle: Handle, instruments: Any) -> None:
        recorder = instruments.recorder(handle.storage.whereabouts())
        handle.watch(recorder, recorder.around)
        self._watched.add(handle)

    def _drop(self, handles: list[Handle]) -> None:
        for handle in handles:
            handle.watch(None)
            self._watched.discard(handle)

    def _settle(self) -> None:
        """Swap `Saver`'s methods while somebody is watched, and give them back after that."""
        wanted = self.everywhere is not None or len(self._watched) > 0
        if wanted and not self._put:
            calls = import_module("lgckpt.telemetry.calls")
            self._put = {name: vars(Saver)[name] for name in calls.WRAPPERS}
            for name, wrap in calls.WRAPPERS.items():
                setattr(Saver, name, wrap(self._put[name], self.recorder))
        elif not wanted and self._put:
            for name, method in self._put.items():
                setattr(Saver, name, method)
            self._put = {}


_STATE = _State()
