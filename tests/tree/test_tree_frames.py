"""Storage frames: what goes in comes out, on either core, and nothing damaged passes for it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tree_values import BYTES, CODECS, examples, forged, prose

from lgckpt.errors import ConfigurationError, FrameError, UnsupportedFormatError

codecs = pytest.mark.parametrize("codec", CODECS)


@codecs
@examples
@given(data=BYTES)
def test_a_frame_comes_back_on_both_cores(core, other, codec, data):
    frame = core.seal(data, codec)
    assert core.unseal(frame) == data
    assert other.unseal(frame) == data
    assert len(frame) <= len(data) + 11


@codecs
def test_frames_have_the_documented_layout(core, codec):
    text = prose(100, 1).encode() * 20
    frame = core.seal(text, codec)
    assert frame[0] == 1
    assert frame[1] == CODECS.index(codec)
    assert frame == forged(1, frame[1], len(text), frame[8:])


def test_plain_frames_are_the_same_on_both_cores(core, other):
    for length in (0, 1, 63, 64, 127, 128, 20_000):
        noise = random.Random(length).randbytes(length)
        frames = {it.seal(noise, codec) for it in (core, other) for codec in CODECS}
        assert len(frames) == 1


@codecs
def test_compression_shrinks(core, codec):
    assert (len(core.seal(b"again " * 1000, codec)) < 200) == (codec is not None)


@codecs
@pytest.mark.parametrize("length", [0, 1, 64, 700])
def test_every_bit_flip_is_a_frame_error(core, codec, length):
    frame = core.seal(prose(length, 2).encode(), codec)
    for at in range(len(frame) * 8):
        damaged = bytearray(frame)
        damaged[at // 8] ^= 1 << at % 8
        with pytest.raises(FrameError):
            core.unseal(bytes(damaged))


@codecs
@pytest.mark.parametrize("length", [0, 1, 64, 700])
def test_every_truncation_is_a_frame_error(core, codec, length):
    frame = core.seal(prose(length, 2).encode(), codec)
    for end in range(len(frame)):
        with pytest.raises(FrameError):
            core.unseal(frame[:end])
    with pytest.raises(FrameError):
        core.unseal(frame + b"\0")


@examples
@given(
    version=st.integers(0, 255),
    codec=st.integers(0, 4),
    length=st.integers(0, 2**64 - 1) | st.integers(0, 300),
    payload=st.binary(max_size=300),
)
def test_forged_headers_end_in_our_errors(core, version, codec, length, payload):
    try:
        plain = core.unseal(forged(version, codec, length, payload))
    except (FrameError, UnsupportedFormatError):
        return
    assert version == 1
    assert len(plain) == length


def test_a_newer_version_is_named(core):
    with pytest.raises(UnsupportedFormatError, match="version 7"):
        core.unseal(forged(7, 9, 3, b"whatever that version holds"))


@codecs
def test_max_len_is_the_most_that_is_read(core, codec):
    frame = core.seal(bytes(1000), codec)
    assert core.unseal(frame, 1000) == bytes(1000)
    assert core.unseal(frame, max_len=1000) == bytes(1000)
    with pytest.raises(FrameError, match="1000 bytes"):
        core.unseal(frame, 999)


def test_a_codec_that_does_not_exist_is_named(core):
    for call in (
        lambda: core.seal(bytes(100), "gzip"),
        lambda: core.seal(b"", "gzip"),
        lambda: core.compress(b"", "gzip"),
        lambda: core.decompress(b"", "gzip"),
        lambda: core.seal_leaf(b"", "gzip"),
        lambda: core.seal_root(0, b"", b"", b"", "gzip"),
        lambda: core.Tree(b"", False).unsent([], "gzip"),
    ):
        with pytest.raises(ConfigurationError, match="gzip"):
            call()
