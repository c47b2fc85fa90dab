"""Strings that Postgres, SQL or an index might choke on: stored and found, or refused clearly."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest

import lgckpt
from tests.checkpoints import checkpoint, config
from tests.services.postgres import postgres_url
from tests.services.postgres_schemas import schema_of
from tests.survive.checker_postgres import check_postgres

ODD = {
    "nul": "a\0b",
    "nuls": "\0\0\1\1\2\0",
    "escape": "\1",
    "quotes": "'\"`$$ $lgckpt$ \\' E'\\\\'",
    "statement": "'; DROP TABLE lgckpt_threads; --",
    "percent": "100% %s %(a)s {0} $1 :name ?",
    "newlines": "\r\n\t\x0b\x1b\x7f",
    "unicode": "ünï 👩‍👩‍👧 \u202e \ufeff \U0010ffff e\u0301",
    "empty": "",
    "spaces": "  both ends ",
}
LONG = "long" * 262_144
"""A megabyte."""


@pytest.fixture
def saver() -> Iterator[lgckpt.PostgresSaver]:
    with schema_of(postgres_url()) as schema:
        with lgckpt.PostgresSaver(postgres_url(), schema=schema) as saver:
            saver.setup()
            yield saver
        check_postgres(postgres_url(), schema)


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_an_odd_string_is_found_wherever_it_is_put(saver: lgckpt.PostgresSaver, text: str) -> None:
    name = text or "thread"
    kept = name.replace("\0", "")  # LangGraph itself drops NUL from the strings of metadata
    made = checkpoint({name: text, "large": [text] * 2_000, "n": 1})
    metadata = {"source": "loop", "step": 1, "parents": {}, name: text, "run_id": name}
    asked = config(name, ns=text)
    at = saver.put(asked, made, metadata, dict.fromkeys(made["channel_values"], 1))
    saver.put_writes(at, [(name, text), ("n", text * 500)], name, text)
    saver.put(config("other"), checkpoint({"n": 2}), {"source": "loop", "step": 1}, {"n": 1})
    found: Any = saver.get_tuple(asked)
    assert found.config == at
    assert found.checkpoint == made
    assert found.metadata == {**metadata, name: text.replace("\0", ""), "run_id": kept}
    assert found.pending_writes == [(name, name, text), (name, "n", text * 500)]
    assert [
        one.config
        for one in saver.list(None, filter={"run_id": kept, name: text.replace("\0", "")})
    ] == [at]
    assert [one.config for one in saver.list(asked)] == [at]
    saver.copy_thread(name, f"{name} copied")
    saver.prune([f"{name} copied"])
    assert [one.checkpoint for one in saver.list(config(f"{name} copied", ns=text))] == [made]
    saver.delete_for_runs([kept])
    assert saver.get_tuple(asked) is None
    saver.delete_thread(name)
    assert {one.config["configurable"]["thread_id"] for one in saver.list(None)} == {"other"}


@pytest.mark.parametrize(
    "key", ["'", '"', "a'b\"c", "a;b", "%", "%s", "$1", "a.b", "a->>'b'", "{}"]
)
def test_a_filter_takes_any_key_and_value(saver: lgckpt.PostgresSaver, key: str) -> None:
    for value in (key, 1, 0.5, [key], {key: key}, True):
        metadata = {"source": "loop", "step": 1, "parents": {}, key: value}
        at = saver.put(config("t"), checkpoint({"n": 1}), metadata, {"n": 1})
        assert [one.config for one in saver.list(None, filter={key: value})] == [at]
        assert not list(saver.list(None, filter={key: "another"}))
        assert not list(saver.list(None, filter={f"{key} or not": value}))
        saver.delete_thread("t")


def test_identifiers_are_in_the_order_of_their_characters(saver: lgckpt.PostgresSaver) -> None:
    """As Python has it, whatever the database's locale, and across what is escaped."""
    ids = [
        "",
        "\0",
        "\0\0",
        "\0a",
        "\1",
        "\1\0",
        "\2",
        "A",
        "B",
        "a",
        "b",
        "é",
        "\uffff",
        "\U0001f600",
    ]
    made = checkpoint({"n": 1})
    for one in ids[1:]:
        saver.put(config("t"), {**made, "id": one}, {"source": "loop", "step": 1}, {"n": 1})
    listed = [one.config["configurable"]["checkpoint_id"] for one in saver.list(config("t"))]
    assert listed == sorted(ids[1:], reverse=True)
    before = saver.list(config("t"), before=config("t", "\2"))
    assert [one.config["configurable"]["checkpoint_id"] for one in before] == [
        "\1\0", "\1", "\0a", "\0\0", "\0",
    ]  # fmt: skip


def test_nan_and_infinities_are_kept_and_found(saver: lgckpt.PostgresSaver) -> None:
    values = {"nan": math.nan, "infinite": math.inf, "below": -math.inf, "zero": -0.0}
    metadata: Any = {"source": "loop", "step": 1, "parents": {}, **values}
    at = saver.put(config("t"), checkpoint(values), metadata, dict.fromkeys(values, 1))
    saver.put_writes(at, [("nan", math.nan)], "task")
    found: Any = saver.get_tuple(config("t"))
    for there in (found.checkpoint["channel_values"], found.metadata):
        assert math.isnan(there["nan"])
        assert (there["infinite"], there["below"]) == (math.inf, -math.inf)
        assert math.copysign(1, there["zero"]) == -1
    assert math.isnan(found.pending_writes[0][2])
    assert [one.config for one in saver.list(None, filter={"infinite": math.inf})] == [at]


def test_what_no_index_sees_may_be_a_megabyte(saver: lgckpt.PostgresSaver) -> None:
    made = checkpoint({LONG: LONG, "n": 1})
    metadata = {"source": "loop", "step": 1, "parents": {}, LONG: LONG, "run_id": LONG}
    at = saver.put(config(LONG), made, metadata, {LONG: 1, "n": 1})
    saver.put_writes(at, [(LONG, 1)], "task", LONG)
    found: Any = saver.get_tuple(config(LONG))
    assert found.checkpoint == made
    assert found.metadata == metadata
    assert found.pending_writes == [("task", LONG, 1)]
    assert [one.config for one in saver.list(None, filter={LONG: LONG})] == [at]
    saver.put(config(f"{LONG}2"), made, {**metadata, "run_id": f"{LONG}2"}, {LONG: 1, "n": 1})
    saver.delete_for_runs([LONG])
    (left,) = saver.list(None)
    assert left.config["configurable"]["thread_id"] == f"{LONG}2"
    saver.copy_thread(f"{LONG}2", LONG)
    saver.delete_thread(f"{LONG}2")
    assert saver.get_tuple(config(LONG)) is not None


@pytest.mark.parametrize("what", ["checkpoint_ns", "checkpoint_id", "task_id"])
@pytest.mark.parametrize("text", [LONG, "é" * 2_000, "\0" * 2_000])
def test_what_no_index_can_hold_is_refused_by_its_name(
    saver: lgckpt.PostgresSaver, what: str, text: str
) -> None:
    made = checkpoint({"n": 1})
    at = saver.put(config("t"), made, {}, {"n": 1})
    calls = {
        "task_id": lambda: saver.put_writes(at, [("n", 1)], text),
        "checkpoint_ns": lambda: saver.put(config("t", ns=text), made, {}, {"n": 1}),
        "checkpoint_id": lambda: saver.put(config("t"), {**made, "id": text}, {}, {"n": 1}),
    }
    with pytest.raises(lgckpt.ConfigurationError, match=f"^{what} is too long"):
        calls[what]()
    assert saver.get_tuple(config("t", ns=text)) is None
    assert saver.get_tuple(config("t", text)) is None
    assert len(list(saver.list(None))) == 1
