"""What is recorded, by the names of OpenTelemetry's semantic conventions where there are any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.metadata import version
from time import perf_counter
from typing import Any, NamedTuple

from opentelemetry import metrics, trace
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider

from lgckpt.storage import Driver
from lgckpt.telemetry.driving import watched
from lgckpt.watching import Whereabouts

SCOPE = "lgckpt"

SECONDS = (
    0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 2.5, 5.0, 10.0,
)  # fmt: skip
"""Borders of the histograms' buckets. The conventions begin at a millisecond, which a put to
memory or to a file stays below."""


class Call(NamedTuple):
    """A call of a saver's method: its span, and the bytes it moved by direction."""

    span: Span
    moved: dict[str, int]


_under_way: ContextVar[Call | None] = ContextVar("lgckpt_call", default=None)


class Instruments:
    """The instruments of one provider of traces and one of metrics.

    Args:
        tracer_provider: None for the global one.
        meter_provider: None for the global one.
        thread_ids: Whether spans name the thread.
    """

    def __init__(
        self,
        tracer_provider: TracerProvider | None,
        meter_provider: MeterProvider | None,
        thread_ids: bool,
    ) -> None:
        release = version("lgckpt")
        self.thread_ids = thread_ids
        self.tracer = trace.get_tracer(SCOPE, release, tracer_provider)
        meter = metrics.get_meter(SCOPE, release, meter_provider)

        def durations(name: str, description: str) -> metrics.Histogram:
            return meter.create_histogram(
                name, "s", description, explicit_bucket_boundaries_advisory=SECONDS
            )

        self.operations = durations("db.client.operation.duration", "Calls of a saver's methods.")
        self.storage = durations("lgckpt.storage.duration", "The database's part of such calls.")
        self.waits = durations("db.client.connection.wait_time", "Waiting for a connection.")
        self.io = meter.create_counter("lgckpt.io", "By", "Rows and chunks sent and fetched.")
        self.retries = meter.create_counter("lgckpt.retries", "{retry}", "What was tried again.")

    def recorder(self, where: Whereabouts) -> Recorder:
        """Who records what goes on in one place."""
        return Recorder(self, where)


class Recorder:
    """Records what one saver does; it is the `lgckpt.watching.Watch` of the saver's storage."""

    def __init__(self, instruments: Instruments, where: Whereabouts) -> None:
        self._to = instruments
        self.thread_ids = instruments.thread_ids
        named = {
            "db.system.name": where.system,
            "db.namespace": where.namespace,
            "server.address": where.address,
            "server.port": where.port,
        }
        self._where: dict[str, Any] = {k: v for k, v in named.items() if v is not None}
        # A name that says something: Redis has numbers for databases.
        named_well = where.namespace and not where.namespace.isdigit()
        self._target = where.namespace if named_well else where.system
        pool = ":".join(str(part) for part in (where.address, where.port) if part is not None)
        self._pool = {**self._where, "db.client.connection.pool.name": pool or self._target}
        self._operations: dict[str, dict[str, Any]] = {}

    def _attributes(self, operation: str) -> dict[str, Any]:
        found = self._operations.get(operation)
        if found is None:
            found = {**self._where, "db.operation.name": operation}
            self._operations[operation] = found
        return found

    def around(self, driver: Driver) -> Driver:
        """A driver whose every call is recorded."""
        return watched(driver, self)

    def start(self, operation: str, more: Mapping[str, Any]) -> Call:
        """Begin a span of a saver's call."""
        attributes = self._attributes(operation)
        span = self._to.tracer.start_span(
            f"{operation} {self._target}",
            kind=SpanKind.CLIENT,
            attributes={**attributes, **more} if more else attributes,
        )
        return Call(span, {})

    def end(
        self, operation: str, call: Call, seconds: float, error: BaseException | None = None
    ) -> None:
        """End it, having been at work for so many seconds."""
        span, attributes = call.span, self._attributes(operation)
        for direction, count in call.moved.items():
            span.set_attribute(f"lgckpt.io.{direction}", count)
        if error is not None:
            attributes = {**attributes, "error.type": type(error).__qualname__}
            span.set_attribute("error.type", type(error).__qualname__)
            # What the error says may quote a value: its class has to do.
            span.set_status(Status(StatusCode.ERROR))
        self._to.operations.record(seconds, attributes, trace.set_span_in_context(span))
        span.end()

    @contextmanager
    def call(self, operation: str, more: Mapping[str, Any]) -> Iterator[None]:
        """A span and a sample for what is done in the block."""
        call, started, failed = self.start(operation, more), perf_counter(), None
        try:
            with working(call):
                yield
        except BaseException as exc:
            failed = exc
            raise
        finally:
            self.end(operation, call, perf_counter() - started, failed)

    def verb(self, verb: str, seconds: float, error: BaseException | None = None) -> None:
        """Record what the storage did."""
        attributes = self._attributes(verb)
        if error is not None:
            attributes = {**attributes, "error.type": type(error).__qualname__}
        self._to.storage.record(seconds, attributes)

    def moved(self, direction: str, count: int) -> None:
        """Record bytes, "write" or "read", for the call under way too if there is one."""
        self._to.io.add(count, {**self._where, "lgckpt.io.direction": direction})
        call = _under_way.get()
        if call is not None:
            call.moved[direction] = call.moved.get(direction, 0) + count

    def waited(self, seconds: float) -> None:
        """See `lgckpt.watching.Watch.waited`."""
        self._to.waits.record(seconds, self._pool)

    def retried(self, reason: str) -> None:
        """See `lgckpt.watching.Watch.retried`."""
        self._to.retries.add(1, {**self._where, "lgckpt.retry.reason": reason})


@contextmanager
def working(call: Call) -> Iterator[None]:
    """Make a call the one under way for the block, and its span the current one."""
    token = _under_way.set(call)
    try:
        with trace.use_span(
            call.span, end_on_exit=False, record_exception=False, set_status_on_exception=False
        ):
            yield
    finally:
        _under_way.reset(token)
