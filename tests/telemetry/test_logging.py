"""What is logged, with which fields, and that it tells no secrets."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import lgckpt
from tests.backends import Backend
from tests.checkpoints import checkpoint, config
from tests.services.postgres import PASSWORD, server
from tests.services.proxy import Fault, proxy_to
from tests.services.valkey import Server, shared_url
from tests.telemetry.conftest import Told

SECRET = "what nobody but the thread may know"


def put(saver: lgckpt.Saver, thread_id: str = "t") -> Any:
    values = {"text": SECRET * 200}
    return saver.put(config(thread_id), checkpoint(values), {"source": "loop"}, {"text": 1})


def fields(caplog: pytest.LogCaptureFixture, event: str) -> list[dict[str, Any]]:
    """The fields of all records of one event; of every record, that nothing secret is in it."""
    for record in caplog.records:
        everything = json.dumps(vars(record), default=str)
        assert SECRET not in everything
        assert PASSWORD not in everything
    return [
        {k: v for k, v in vars(record).items() if k.startswith("lgckpt_")}
        for record in caplog.records
        if getattr(record, "lgckpt_event", None) == event
    ]


@pytest.fixture(autouse=True)
def everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "lgckpt")


def test_postgres_says_that_it_tries_again_and_counts_it(
    caplog: pytest.LogCaptureFixture, told: Told
) -> None:
    started = server()
    with (
        proxy_to(started.port) as proxy,
        lgckpt.PostgresSaver(proxy.url(started.url), schema="told") as saver,
    ):
        lgckpt.instrument(saver, **told.providers)
        put(saver)
        proxy.strike(Fault("answered", "lgckpt_store(", times=2))
        put(saver)
        saver.delete_thread("t")
    (retry, *_) = fields(caplog, "retry")
    assert retry["lgckpt_reason"] == "lost"
    assert retry["lgckpt_attempt"] == 1
    assert "127.0.0.1" in retry["lgckpt_database"]
    assert len(fields(caplog, "recovered")) == 1
    assert len(fields(caplog, "reconnect")) >= 1
    levels = [r.levelno for r in caplog.records if getattr(r, "lgckpt_event", "") == "retry"]
    assert levels[0] == logging.WARNING
    assert told.point("lgckpt.retries", lgckpt_retry_reason="lost").value == len(levels)


def test_redis_says_that_it_tries_again_and_counts_it(
    caplog: pytest.LogCaptureFixture, told: Told
) -> None:
    made = Server()
    try:
        with lgckpt.RedisSaver(made.url) as saver:
            lgckpt.instrument(saver, **told.providers)
            put(saver)
            made.client.client_kill_filter(_type="normal", skipme=True)
            put(saver)
    finally:
        made.remove()
    (retry, *_) = fields(caplog, "retry")
    assert retry["lgckpt_reason"] == "away"
    assert str(made.port) in retry["lgckpt_database"]
    (recovered,) = fields(caplog, "recovered")
    assert recovered["lgckpt_attempt"] >= 2
    assert told.point("lgckpt.retries", lgckpt_retry_reason="away").value >= 1


def test_damage_is_named_once_for_each_checkpoint(
    backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    with backend.open() as saver:
        ids = [put(saver)["configurable"]["checkpoint_id"] for _ in range(2)]
        backend.damage(saver, "checkpoints", "state", lambda state: state[:-1])
        with pytest.raises(lgckpt.CorruptCheckpointError):
            saver.get_tuple(config("t", ids[0]))
        (damage,) = fields(caplog, "damage")
        assert (damage["lgckpt_thread_id"], damage["lgckpt_checkpoint_id"]) == ("t", ids[0])
        caplog.clear()
        with pytest.raises(lgckpt.CorruptCheckpointError):
            list(saver.list(config("t")))
        damages = fields(caplog, "damage")
        assert sorted(found["lgckpt_checkpoint_id"] for found in damages) == sorted(ids)
        assert {record.levelno for record in caplog.records} == {logging.ERROR}


def test_a_sweep_says_how_many(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with lgckpt.SqliteSaver(tmp_path / "agents.db", ttl=0.05) as saver:
        put(saver)
        time.sleep(0.1)
        assert saver.sweep() == 1
    (swept,) = fields(caplog, "sweep")
    assert swept["lgckpt_threads"] == 1
    assert swept["lgckpt_database"].endswith("agents.db")


def test_a_put_built_on_what_has_gone_is_made_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, told: Told
) -> None:
    path = tmp_path / "agents.db"
    with lgckpt.SqliteSaver(path) as saver, lgckpt.SqliteSaver(path) as other:
        lgckpt.instrument(saver, **told.providers)
        large = {"text": SECRET * 2000, "n": 1}
        at = saver.put(config("t"), checkpoint(large), {}, dict.fromkeys(large, 1))
        other.delete_thread("t")
        changed = checkpoint({**large, "n": 2}, {"text": 1, "n": 2})
        saver.put(at, changed, {}, {"n": 2})
    (retry, *_) = fields(caplog, "retry")
    assert (retry["lgckpt_reason"], retry["lgckpt_thread_id"]) == ("claim", "t")
    assert told.point("lgckpt.retries", lgckpt_retry_reason="claim").value >= 1


def test_redis_of_the_table_is_quiet_when_all_is_well(caplog: pytest.LogCaptureFixture) -> None:
    with lgckpt.RedisSaver(shared_url(), prefix="quiet") as saver:
        put(saver)
        saver.delete_thread("t")
    assert not caplog.records


def test_a_record_is_of_the_line_that_tells(
    backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    with backend.open() as saver:
        at = put(saver)
        backend.damage(saver, "checkpoints", "metadata", lambda metadata: metadata[:-1])
        with pytest.raises(lgckpt.CorruptCheckpointError):
            saver.get_tuple(at)
    (record,) = caplog.records
    assert record.name.startswith("lgckpt.")


def test_an_application_that_configures_no_logging_sees_none() -> None:
    script = (
        "import logging, lgckpt\n"
        "handlers = logging.getLogger('lgckpt').handlers\n"
        "assert [type(handler) for handler in handlers] == [logging.NullHandler]\n"
        "logging.getLogger('lgckpt.backends.sqlite').error('not shown')\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("", "")
