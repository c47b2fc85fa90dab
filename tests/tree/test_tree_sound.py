"""Whether rows are as they were written, on either core; the slow way that names damage agrees."""

from __future__ import annotations

from itertools import chain

import pytest

import lgckpt.migration.damage as checking
from lgckpt.bulk import Batch
from lgckpt.rows import CheckpointRow, Chunk, WriteRow

TEXT = b"a value of some length, " * 100


@pytest.fixture(scope="module")
def batch(core):
    leaf, leaf_frame = core.seal_leaf(TEXT, "lz4")
    root, root_frame = core.seal_root(len(TEXT), b"", leaf, b"", None)
    tree = core.Tree(b"\xdc\x0f\xa0" + b"\xa9some text" * 4000, True)
    sent, claims = tree.unsent([], "zstd")
    assert not claims
    state = core.seal(core.encode([1, "msgpack", b"\x80", []]), None)
    metadata = core.seal(b"msgpack\0\x80", "lz4")
    rows = [
        CheckpointRow(
            "t", "", str(n), None, "run", 0, core.etag(state, refs, metadata), metadata, state, refs
        )
        for n, refs in enumerate((b"", root, tree.refs))
    ]
    value, large = core.seal(b"\0\x01", None), core.seal(b"\1\x06", None)
    writes = [
        WriteRow("t", "", "1", "task", 0, "", "channel", "msgpack", value, b""),
        WriteRow("t", "", "1", "task", 1, "", "channel", "msgpack", large, leaf),
    ]
    chunks = [Chunk(leaf[1:], leaf_frame), Chunk(root[1:], root_frame)]
    return Batch(rows, writes, [*chunks, *(Chunk(*one) for one in sent)])


def changed(batch):
    """The same batch with one cell of each kind changed, in many ways."""
    for part in ("rows", "writes", "chunks"):
        for at, row in enumerate(getattr(batch, part)):
            for cell in range(0 if part == "chunks" else 3, len(row)):
                for value in others(row[cell]):
                    wrong = row._make((*row[:cell], value, *row[cell + 1 :]))
                    some = list(getattr(batch, part))
                    some[at] = wrong
                    yield batch._replace(**{part: some})


def others(value):
    if not isinstance(value, bytes):
        return [b"", 1.5]
    flips = (bytes([*value[:at], value[at] ^ 1, *value[at + 1 :]]) for at in range(len(value)))
    return chain([value + b"\0", value[:-1], "text", None], list(flips)[::29])


def test_what_was_written_is_sound(core, batch):
    assert core.sound(*batch)
    assert core.sound([], [], [], [])


def test_what_is_missing_is_not_unless_it_is_claimed(core, batch):
    for at, chunk in enumerate(batch.chunks):
        rest = [*batch.chunks[:at], *batch.chunks[at + 1 :]]
        assert not core.sound(batch.rows, batch.writes, rest, [])
        assert core.sound(batch.rows, batch.writes, rest, [chunk.hash])


def test_both_cores_agree(core, other, batch):
    for wrong in changed(batch):
        assert core.sound(*wrong) == other.sound(*wrong)


def test_the_slow_way_agrees(core, batch, monkeypatch):
    """What that takes for sound may be refused here: it then takes that way, and no other."""
    refused = 0
    for wrong in changed(batch):
        if core.sound(*wrong):
            with monkeypatch.context() as patched:
                patched.setattr(checking.core, "sound", lambda *_: False)
                assert not checking.sound(wrong).damage
        else:
            refused += 1
    assert refused > 100


def test_a_root_within_a_root_is_refused(core, batch):
    inner, inner_frame = core.seal_root(0, b"", b"", b"", None)
    outer, outer_frame = core.seal_root(0, b"", inner, b"", None)
    chunks = [Chunk(inner[1:], inner_frame), Chunk(outer[1:], outer_frame)]
    write = batch.writes[1]._replace(refs=outer)
    assert not core.sound([], [write], chunks, [])
    assert core.sound([], [write._replace(refs=inner)], chunks, [])
