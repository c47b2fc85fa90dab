"""`list(filter=...)` compares metadata as Python does, whatever the keys and values hold."""

from __future__ import annotations

from typing import Any

import pytest

from tests.checkpoints import Thread, checkpoint, config
from tests.colours import Coloured

pytestmark = pytest.mark.anyio

METADATA: list[dict[str, Any]] = [
    {"n": 1},
    {"n": "1"},
    {"n": True, "name": "a"},
    {"n": 0},
    {"n": None},
    {"n": 1.5},
    {"n": float("nan")},
    {"name": "it's"},
    {"name": 'a "quoted" name'},
    {"name": "a%b_c"},
    {"name": ""},
    {"it's": 1, 'a "key"': 2, "a.b": 3, "a%": 4, "$": 5, "": 6, "a[0]": 7},
    {"a": {"b": 3}},
    {"a": [0]},
    {"deep": {"x": [1, {"y": None}], "z": False}},
    {"writes": {"node": {"k": "v"}}},
    {"unicode": "naïve 🙂"},
]


FILTERS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "one, true and a float one": {"n": 1.0},
    "text is no number": {"n": "1"},
    "false is zero": {"n": False},
    "none is missing too": {"n": None},
    "fraction": {"n": 1.5},
    "nan equals nothing": {"n": float("nan")},
    "single quote": {"name": "it's"},
    "double quotes": {"name": 'a "quoted" name'},
    "wildcards": {"name": "a%b_c"},
    "wildcards match nothing else": {"name": "%"},
    "empty text": {"name": ""},
    "injection": {"name": "x' OR '1'='1"},
    "key with a single quote": {"it's": 1},
    "key with double quotes": {'a "key"': 2},
    "key with a dot": {"a.b": 3},
    "key with a wildcard": {"a%": 4},
    "key that is a dollar": {"$": 5},
    "empty key": {"": 6},
    "key with brackets": {"a[0]": 7},
    "injected key": {"x') OR ('1'='1": 1},
    "nested": {"deep": {"x": [1, {"y": None}], "z": False}},
    "nested in part": {"deep": {"z": False}},
    "nested in another order": {"deep": {"z": False, "x": [1, {"y": None}]}},
    "writes": {"writes": {"node": {"k": "v"}}},
    "list": {"a": [0]},
    "unicode": {"unicode": "naïve 🙂"},
    "two keys": {"n": True, "name": "a"},
    "two keys, one wrong": {"n": True, "name": "b"},
    "a key nobody has": {"nobody": 1},
}


async def test_a_filter_finds_what_equals_it(coloured: Coloured) -> None:
    for number, metadata in enumerate(METADATA):
        full = {**metadata, "number": number}
        await coloured.put(config(f"t{number % 3}"), checkpoint({}), full, {})
    for name, wanted in FILTERS.items():
        expected = [
            number
            for number, metadata in enumerate(METADATA)
            if all(metadata.get(key) == value for key, value in wanted.items())
        ]
        found = await coloured.list(None, filter=wanted)
        assert [one.metadata["number"] for one in found] == expected[::-1], name


async def test_a_filter_reads_what_the_config_added(coloured: Coloured) -> None:
    asked = config("t")
    asked["metadata"] = {"user": "u1"}
    await coloured.put(asked, checkpoint({}), {}, {})
    await Thread(coloured, "other").put({})
    (found,) = await coloured.list(None, filter={"user": "u1"})
    assert found.config["configurable"]["thread_id"] == "t"
