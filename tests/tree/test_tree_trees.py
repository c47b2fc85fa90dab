"""Chunk trees: the same on both cores, and whole again from what was sent."""

from __future__ import annotations

import random
from collections import UserDict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tree_values import BYTES, CODECS, chat, examples, forged

from lgckpt.errors import FrameError, UnsupportedFormatError

CHAT = chat(400)


def refs_of(refs: bytes) -> list[tuple[int, bytes]]:
    return [(refs[at], refs[at + 1 : at + 21]) for at in range(0, len(refs), 21)]


def put(core, data, known=(), codec=None, structured=True):
    tree = core.Tree(data, structured)
    chunks, claims = tree.unsent(list(known), codec)
    return tree, dict(chunks), claims


def get(core, tree, chunks) -> bytes:
    return core.assemble(tree.size, tree.head, tree.refs, tree.tail, chunks)


@examples
@given(data=BYTES, structured=st.booleans(), codec=st.sampled_from(CODECS))
def test_both_cores_make_the_same_tree_of_any_bytes(core, other, data, structured, codec):
    tree, chunks, _ = put(core, data, codec=codec, structured=structured)
    twin, twin_chunks, _ = put(other, data, codec=codec, structured=structured)
    assert (tree.size, tree.head, tree.refs) == (twin.size, twin.head, twin.refs)
    assert tree.tail == twin.tail
    assert list(chunks) == list(twin_chunks)
    assert get(core, tree, twin_chunks) == data
    assert get(other, tree, chunks) == data


@pytest.mark.parametrize("length", [4095, 4096, 4097, 16384, 70_000, 1_000_000])
@pytest.mark.parametrize("alphabet", [b"ab", b"etaoin shrdlu", bytes(range(256))])
def test_both_cores_cut_long_strings_alike(core, other, length, alphabet):
    data = bytes(random.Random(length).choices(alphabet, k=length))
    for structured in (False, True):
        value = b"\xc6" + length.to_bytes(4, "big") + data if structured else data
        assert core.Tree(value, structured).refs == other.Tree(value, structured).refs


def test_both_cores_make_the_same_tree_of_a_long_chat(core, other):
    data = chat(3000)
    tree, chunks, _ = put(core, data)
    twin, twin_chunks, _ = put(other, data)
    assert (tree.head, tree.refs, tree.tail) == (twin.head, twin.refs, twin.tail)
    assert chunks == twin_chunks
    assert max(level for level, _ in refs_of(tree.refs)) >= 3


def test_a_tree_of_this_version_never_changes(core):
    # Written down once: other constants, or another hash, would share nothing with what is stored.
    refs = core.Tree(CHAT, True).refs
    assert core.hash_chunk(1, refs).hex() == "edcba5db6e7f3112d8bd2ffedfb3d8fb454ed5c6"
    refs = core.Tree(random.Random(5).randbytes(200_000), False).refs
    assert core.hash_chunk(1, refs).hex() == "cf7c1ae09ae6235436768f320cf669c56212c04b"


@pytest.mark.parametrize("count", [0, 1, 700, 1499, 1500])
def test_a_tree_after_an_earlier_one_is_the_same_tree(core, count):
    earlier = core.Tree(chat(1499), True)
    for data in (chat(count), chat(count) + b"?", chat(1499).replace(b"a", b"b", 1 + count)):
        for structured in (False, True):
            plain = core.Tree(data, structured)
            after = core.Tree(data, structured, earlier)
            assert (after.head, after.refs, after.tail) == (plain.head, plain.refs, plain.tail)
            assert after.unsent([], None) == plain.unsent([], None)


def test_the_memory_of_a_tree_counts_its_value(core):
    assert len(CHAT) < core.Tree(CHAT, True).nbytes < 2 * len(CHAT)


def test_chunk_keys_are_personalised_blake2b(core):
    # hashlib.blake2b(b"abc", digest_size=20, person=b"lgckpt" + bytes([level]))
    assert core.hash_chunk(0, b"abc").hex() == "c77bc974bf7c3bceb0432cb03f2f3d6f4038e715"
    assert core.hash_chunk(255, b"abc").hex() == "05367c6bfb2a320345c2a0547e65a0fba8dae82b"


def test_what_is_sent_is_keyed_by_its_content(core):
    tree, chunks, claims = put(core, CHAT)
    assert claims == []
    assert len(tree.known()) == len(chunks)
    assert all(key in tree.known() for key in chunks)
    open_refs = refs_of(tree.refs)
    met = set()
    while open_refs:
        level, key = open_refs.pop()
        met.add(key)
        assert core.hash_chunk(level, core.unseal(chunks[key])) == key
        below = refs_of(core.children(level, chunks[key]))
        assert all(child == level - 1 for child, _ in below)
        open_refs += below
    assert met == set(chunks)


def test_an_append_sends_and_claims_little(core):
    before, stored, _ = put(core, chat(400))
    tree, sent, claims = put(core, chat(401), [before.known()])
    assert sum(map(len, sent.values())) < 5000
    assert set(claims) <= set(stored)
    assert len(claims) < 80
    assert not set(sent) & set(claims)
    assert get(core, tree, stored | sent) == chat(401)


def test_any_of_several_known_counts(core):
    one, one_chunks, _ = put(core, chat(300))
    two, two_chunks, _ = put(core, chat(300, start=300))
    both = chat(600)
    tree, sent, claims = put(core, both, [one.known(), core.Known(), two.known()])
    assert len(sent) < 30
    assert claims
    assert get(core, tree, one_chunks | two_chunks | sent) == both


def test_a_claim_is_neither_walked_nor_sent(core):
    tree, everything, _ = put(core, CHAT)
    top = tree.refs[:21]
    assert top[0] > 0
    chunks, claims = tree.unsent([core.Known(top)], None)
    assert claims == [top[1:]]
    assert len(chunks) < len(everything) - 4


def test_known_holds_the_keys_of_references(core):
    tree = core.Tree(CHAT, True)
    known = core.Known(tree.refs)
    assert len(known) == len(tree.refs) // 21
    assert all(key in known for _, key in refs_of(tree.refs))
    assert b"\0" * 20 not in known
    assert tree.refs[:21] not in known
    assert b"" not in known
    assert known.nbytes >= 20 * len(known)
    assert len(core.Known()) == 0
    with pytest.raises(FrameError):
        core.Known(tree.refs[:-1])


def test_small_values_have_no_chunks(core):
    tree, chunks, _ = put(core, b"\x93\x01\x02\x03")
    assert (tree.size, tree.head, tree.refs, tree.tail) == (4, b"\x93", b"", b"\x01\x02\x03")
    assert chunks == {}
    assert get(core, tree, {}) == b"\x93\x01\x02\x03"


@pytest.mark.parametrize("codec", CODECS)
def test_a_root_chunk_stands_for_its_value(core, other, codec):
    tree, chunks, _ = put(core, CHAT, codec=codec)
    ref, frame = core.seal_root(tree.size, tree.head, tree.refs, tree.tail, codec)
    assert ref == other.seal_root(tree.size, tree.head, tree.refs, tree.tail, None)[0]
    assert ref[0] == 255
    assert len(ref) == 21
    assert core.open_root(frame) == (tree.size, tree.head, tree.refs, tree.tail)
    assert core.children(255, frame) == tree.refs
    chunks[ref[1:]] = frame
    assert core.assemble(tree.size, b"", ref, b"", chunks) == CHAT
    with pytest.raises(FrameError):
        core.seal_root(1, b"", b"x", b"", codec)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("data", [b"", b"a", b"a" * 50_000])
def test_a_leaf_by_itself_comes_back(core, other, codec, data):
    ref, frame = core.seal_leaf(data, codec)
    assert ref == b"\0" + core.hash_chunk(0, data)
    assert core.children(0, frame) == b""
    assert other.assemble(len(data), b"", ref, b"", {ref[1:]: frame}) == data


def test_chunks_may_be_any_mapping(core):
    tree, chunks, _ = put(core, CHAT)
    assert get(core, tree, UserDict(chunks)) == CHAT
    with pytest.raises(FrameError, match="missing"):
        get(core, tree, UserDict())


def test_an_error_of_the_mapping_is_not_hidden(core):
    class Broken(UserDict):
        def __getitem__(self, key):
            raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        get(core, core.Tree(CHAT, True), Broken())


def test_a_missing_or_damaged_chunk_is_named(core):
    tree, chunks, _ = put(core, CHAT, codec="lz4")
    for key in list(chunks)[::7]:
        rest = {it: frame for it, frame in chunks.items() if it != key}
        with pytest.raises(FrameError, match=f"{key.hex()} .*missing"):
            get(core, tree, rest)
        damaged = bytearray(chunks[key])
        damaged[-1] ^= 1
        with pytest.raises(FrameError, match=key.hex()):
            get(core, tree, rest | {key: bytes(damaged)})
        with pytest.raises(UnsupportedFormatError, match=f"{key.hex()}.* version 3"):
            get(core, tree, rest | {key: forged(3, 0, 1, b"a")})


def test_sizes_that_do_not_add_up_are_refused(core):
    tree, chunks, _ = put(core, CHAT)
    for size in (0, 1, tree.size - 1, tree.size + 1, 2**31, 2**32, 2**64 - 1):
        with pytest.raises(FrameError):
            core.assemble(size, tree.head, tree.refs, tree.tail, chunks)
    with pytest.raises(FrameError):
        core.assemble(tree.size, tree.head, tree.refs[:-1], tree.tail, chunks)


@pytest.mark.parametrize("level", [1, 32, 33, 254, 255])
def test_children_of_what_is_no_such_chunk_are_refused(core, level):
    with pytest.raises(FrameError):
        core.children(level, core.seal(b"not keys", None))
    with pytest.raises(FrameError):
        core.children(level, b"not a frame")


@pytest.mark.parametrize(("top", "leaf"), [(32, b"x"), (32, b""), (4, b"y" * 64)])
def test_nodes_that_multiply_end_where_the_size_does(core, top, leaf):
    chunks = {bytes(20): core.seal(leaf, None)}
    for level in range(1, top + 1):
        chunks[bytes((level,)) * 20] = core.seal(bytes((level - 1,)) * 20 * 64, None)
    with pytest.raises(FrameError):
        core.assemble(64**3, b"", bytes((top,)) * 21, b"", chunks)
