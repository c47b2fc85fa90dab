"""Every backend and both colours: a span, durations and bytes for each call."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

import lgckpt
from lgckpt.saver import Saver
from tests.backends import Backend
from tests.checkpoints import checkpoint
from tests.colours import Coloured
from tests.telemetry.conftest import Told

SYSTEMS = {
    "memory": "memory", "sqlite": "sqlite", "sqlite-memory": "sqlite", "postgres": "postgresql",
    "redis": "redis",
}  # fmt: skip
SECRET = "what nobody but the thread may know"
CONFIG: Any = {"configurable": {"thread_id": "person-7", "checkpoint_ns": ""}}


async def use(coloured: Coloured) -> None:
    values = {"text": SECRET * 200, "n": 1}
    config = await coloured.put(
        CONFIG, checkpoint(values), {"source": "loop", "step": 1}, dict.fromkeys(values, 1)
    )
    await coloured.put_writes(config, [("text", SECRET)], "task", "path")
    assert (await coloured.get_tuple(CONFIG)).checkpoint["channel_values"]["n"] == 1
    assert len(await coloured.list(CONFIG)) == 1
    await coloured.delete_thread("person-7")


@pytest.mark.anyio
async def test_each_call_is_a_span_and_a_sample(
    backend: Backend, coloured: Coloured, told: Told
) -> None:
    lgckpt.instrument(coloured.saver, **told.providers)
    await use(coloured)
    system = SYSTEMS[backend.name]
    for operation in ("put", "put_writes", "get_tuple", "list", "delete_thread"):
        (span,) = told.spans(operation)
        assert span.kind is SpanKind.CLIENT
        assert span.name.startswith(operation)
        assert span.attributes["db.system.name"] == system
        point = told.point("db.client.operation.duration", db_operation_name=operation)
        assert (point.count, point.attributes["db.system.name"]) == (1, system)
        assert 0 < point.sum < 30
    assert told.spans("put")[0].attributes["lgckpt.io.write"] > 0
    assert told.spans("get_tuple")[0].attributes["lgckpt.io.read"] > 0
    assert told.spans("list")[0].attributes["lgckpt.io.read"] > 0
    assert told.point("lgckpt.io", lgckpt_io_direction="write").value > len(SECRET)
    assert told.point("lgckpt.io", lgckpt_io_direction="read").value > len(SECRET)
    verb = told.point("lgckpt.storage.duration", db_operation_name="get")
    whole = told.point("db.client.operation.duration", db_operation_name="get_tuple")
    assert verb.sum < whole.sum
    if backend.name != "memory":
        waits = told.points("db.client.connection.wait_time")
        assert sum(point.count for point in waits) >= 1
    else:
        assert not told.points("db.client.connection.wait_time")


@pytest.mark.anyio
async def test_the_writes_of_several_tasks_are_one_put_writes(
    coloured: Coloured, told: Told
) -> None:
    lgckpt.instrument(coloured.saver, **told.providers)
    config = await coloured.put(CONFIG, checkpoint({}), {"source": "loop", "step": 1}, {})
    await coloured.put_task_writes(
        config, [lgckpt.TaskWrites([("n", n)], f"task {n}") for n in range(3)]
    )
    (span,) = told.spans("put_writes")
    assert span.attributes["lgckpt.io.write"] > 0
    assert told.point("db.client.operation.duration", db_operation_name="put_writes").count == 1


@pytest.mark.anyio
async def test_no_contents_no_thread_and_no_password_are_told(
    coloured: Coloured, told: Told
) -> None:
    lgckpt.instrument(coloured.saver, **told.providers)
    await use(coloured)
    everything = told.everything()
    assert '"put' in everything
    for hidden in (SECRET, "person-7", "password", "@"):
        assert hidden not in everything


@pytest.mark.anyio
async def test_a_thread_is_named_when_asked_for(coloured: Coloured, told: Told) -> None:
    lgckpt.instrument(coloured.saver, thread_ids=True, **told.providers)
    await use(coloured)
    named = [span.attributes["gen_ai.conversation.id"] for span in told.spans()]
    assert named == ["person-7"] * 5
    assert "person-7" not in str(told.points("db.client.operation.duration"))


@pytest.mark.anyio
async def test_spans_belong_to_the_callers(coloured: Coloured, told: Told) -> None:
    lgckpt.instrument(coloured.saver, **told.providers)
    with told.tracer_provider.get_tracer("test").start_as_current_span("superstep") as outer:
        await use(coloured)
        assert trace.get_current_span() is outer
    spans = [span for span in told.spans() if span.attributes.get("db.system.name")]
    assert {span.parent.span_id for span in spans} == {outer.get_span_context().span_id}


@pytest.mark.anyio
async def test_an_error_is_told_by_its_class(coloured: Coloured, told: Told) -> None:
    lgckpt.instrument(coloured.saver, **told.providers)
    with pytest.raises(lgckpt.ConfigurationError):
        await coloured.get_tuple({"configurable": {}})
    with pytest.raises(lgckpt.ConfigurationError):
        await coloured.list({"configurable": {}})
    for operation in ("get_tuple", "list"):
        (span,) = told.spans(operation)
        assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
        assert span.attributes["error.type"] == "ConfigurationError"
        assert not span.events
        assert told.point(
            "db.client.operation.duration",
            db_operation_name=operation,
            error_type="ConfigurationError",
        )


def test_what_a_caller_does_between_two_items_is_not_the_lists(saver: Saver, told: Told) -> None:
    lgckpt.instrument(saver, **told.providers)
    for step in range(3):
        values = {"n": step}
        saver.put(
            CONFIG, checkpoint(values), {"source": "loop", "step": step}, dict.fromkeys(values, 1)
        )
    tracer = told.tracer_provider.get_tracer("test")
    with tracer.start_as_current_span("outer") as outer:
        for _ in saver.list(CONFIG):
            assert trace.get_current_span() is outer
            break
    assert len(told.spans("list")) == 1
