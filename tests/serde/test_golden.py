"""Every release reads what every earlier one wrote."""

import base64
import json
from pathlib import Path

import pytest

from lgckpt.serde import Serializer
from tests.golden.values import values

from .compare import same

FILES = sorted((Path(__file__).parents[1] / "golden" / "serde").glob("*.json"))
VALUES = values()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_reads_what_a_release_wrote(path, core):
    rows = json.loads(path.read_text())
    assert {name for name, *_ in rows} == set(VALUES)
    assert {tag.rpartition(".")[2] for _, tag, _ in rows} >= {"msgpack", "lz4", "zstd"}
    for name, tag, data in rows:
        loaded = Serializer().loads_typed((tag, base64.b64decode(data)))
        their = Serializer().loads_typed(Serializer().dumps_typed(VALUES[name]))
        assert same(loaded, their), name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_still_writes_the_same_plain_bytes(path, core):
    for name, tag, data in json.loads(path.read_text()):
        if "." not in tag and name not in ("messages", "langgraph"):
            # What these two hold is for LangChain and LangGraph to say.
            assert Serializer().dumps_plain(VALUES[name]) == (tag, base64.b64decode(data)), name


def test_there_are_files():
    assert FILES
