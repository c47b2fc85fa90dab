"""Standard LZ4 and zstd frames: any tool reads ours, we read any tool's."""

from __future__ import annotations

import random

import lz4.frame
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from tree_values import BYTES, examples, mutated, prose

from lgckpt.errors import DecodeError

FORMATS = ("lz4", "zstd")
formats = pytest.mark.parametrize("codec", FORMATS)
TEXT = prose(300_000, 1).encode()


@formats
@examples
@given(data=BYTES)
def test_what_is_compressed_comes_back(core, other, codec, data):
    packed = core.compress(data, codec)
    assert core.decompress(packed, codec) == data
    assert other.decompress(packed, codec, len(data)) == data


@examples
@given(data=BYTES)
def test_standard_tools_read_ours(core, data):
    packed = core.compress(data, "lz4")
    assert lz4.frame.decompress(packed) == data
    assert lz4.frame.get_frame_info(packed)["content_size"] == len(data)
    packed = core.compress(data, "zstd")
    assert zstandard.ZstdDecompressor().decompress(packed) == data
    assert zstandard.frame_content_size(packed) == len(data)


@pytest.mark.parametrize("linked", [True, False])
@pytest.mark.parametrize("checksums", [True, False])
@pytest.mark.parametrize("size", [True, False])
@pytest.mark.parametrize("block", [4, 5, 6, 7])
def test_every_kind_of_lz4_frame_is_read(core, linked, checksums, size, block):
    packed = lz4.frame.compress(
        TEXT,
        block_size=block,
        block_linked=linked,
        content_checksum=checksums,
        block_checksum=checksums,
        store_size=size,
    )
    assert core.decompress(packed, "lz4") == TEXT
    for end in (0, 3, 7, len(packed) // 2, len(packed) - 4, len(packed) - 1):
        with pytest.raises(DecodeError):
            core.decompress(packed[:end], "lz4")


@pytest.mark.parametrize("checksum", [True, False])
@pytest.mark.parametrize("level", [-5, 1, 3, 19])
def test_every_kind_of_zstd_frame_is_read(core, checksum, level):
    compressor = zstandard.ZstdCompressor(level=level, write_checksum=checksum)
    stream = compressor.compressobj()
    streamed = stream.compress(TEXT[:1000]) + stream.compress(TEXT[1000:]) + stream.flush()
    assert zstandard.frame_content_size(streamed) == -1
    for packed in (compressor.compress(TEXT), streamed):
        assert core.decompress(packed, "zstd") == TEXT
        for end in (0, 3, 7, len(packed) // 2, len(packed) - 1):
            with pytest.raises(DecodeError):
                core.decompress(packed[:end], "zstd")
        with pytest.raises(DecodeError):
            core.decompress(packed, "zstd", len(TEXT) - 1)
    assert core.decompress(streamed + compressor.compress(b"more"), "zstd") == TEXT + b"more"


@formats
def test_bytes_after_a_frame_are_not_ignored(core, codec):
    packed = core.compress(TEXT, codec)
    for after in (b"\0", b"more", packed[:20]):
        with pytest.raises(DecodeError):
            core.decompress(packed + after, codec)


@formats
def test_max_len_is_the_most_that_is_read(core, codec):
    packed = core.compress(bytes(100_000), codec)
    assert core.decompress(packed, codec, 100_000) == bytes(100_000)
    with pytest.raises(DecodeError):
        core.decompress(packed, codec, 99_999)


@formats
@examples
@given(seed=st.integers(0, 2**32))
def test_damage_ends_in_our_error_or_in_bounded_bytes(core, codec, seed):
    # Neither format is checksummed unless its writer asks for it: damage may go unnoticed here.
    packed = mutated(core.compress(TEXT[:2000], codec), random.Random(seed))
    try:
        plain = core.decompress(packed, codec, 10_000)
    except DecodeError:
        return
    assert len(plain) <= 10_000
