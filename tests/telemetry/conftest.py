"""What was told to OpenTelemetry, kept in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import lgckpt

METRICS = (
    "db.client.operation.duration", "lgckpt.storage.duration", "lgckpt.io", "lgckpt.retries",
    "db.client.connection.wait_time",
)  # fmt: skip


class Told:
    """Providers, and what went to them."""

    def __init__(self) -> None:
        self._spans, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracer_provider = TracerProvider()
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self._spans))
        self.meter_provider = MeterProvider([self._reader])

    @property
    def providers(self) -> dict[str, Any]:
        return {"tracer_provider": self.tracer_provider, "meter_provider": self.meter_provider}

    def spans(self, operation: str | None = None) -> list[Any]:
        found = self._spans.get_finished_spans()
        return [s for s in found if operation in (None, s.attributes.get("db.operation.name"))]

    def points(self, name: str) -> list[Any]:
        data = self._reader.get_metrics_data()
        return [
            point
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]

    def point(self, name: str, **attributes: Any) -> Any:
        """The one point of a metric whose attributes have these values; `_` stands for a dot."""
        wanted = {key.replace("_", "."): value for key, value in attributes.items()}
        (found,) = (
            p for p in self.points(name) if wanted.items() <= dict(p.attributes or {}).items()
        )
        return found

    def samples(self) -> dict[str, float]:
        """How many samples each metric has, or what it counted."""
        return {
            name: sum(getattr(p, "count", None) or p.value for p in self.points(name))
            for name in METRICS
        }

    def everything(self) -> str:
        """All of it as text, to look for what must not be there."""
        data = self._reader.get_metrics_data()
        spans = "".join(span.to_json() for span in self.spans())
        return spans + (data.to_json() if data else "")


@pytest.fixture
def told() -> Iterator[Told]:
    found = Told()
    try:
        yield found
    finally:
        lgckpt.uninstrument()
        found.tracer_provider.shutdown()
        found.meter_provider.shutdown()
