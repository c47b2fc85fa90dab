"""The bytes of a portable file: what is refused, and how."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import pytest

from lgckpt.archive import layout
from lgckpt.archive.layout import BATCH, END, HEADER, RECORD_SIZE, Listed, Prefix
from lgckpt.archive.records import Records
from lgckpt.archive.writer import Writer
from lgckpt.bulk import Batch
from lgckpt.errors import FrameError, StorageError, UnsupportedFormatError
from lgckpt.rows import Chunk

DOCUMENT = Path(__file__).parents[2] / "docs" / "portable-file.md"


def written() -> bytes:
    stream = io.BytesIO()
    writer = Writer(stream)
    writer.header()
    for number in range(3):
        writer.batch(f"thread {number}", Batch(chunks=[Chunk(bytes(20), b"frame" * 9)]))
    writer.end()
    return stream.getvalue()


def read(data: bytes, *, size: bool = True) -> Records:
    records = Records(io.BytesIO(data), "x.lgckpt", len(data) if size else None)
    for _ in records:
        pass
    return records


def test_the_document_says_the_bytes_of_the_header() -> None:
    assert layout.MAGIC.hex(" ") in DOCUMENT.read_text()
    assert HEADER[-1] == layout.VERSION == 1
    assert RECORD_SIZE == 1 + 3 + 4 + 8 + 4


@pytest.mark.parametrize("size", [True, False], ids=["file", "pipe"])
def test_all_batches_up_to_the_end_are_read(size: bool) -> None:
    records = read(written(), size=size)
    assert (records.batches, records.ended, records.end) == (3, True, len(written()))


@pytest.mark.parametrize("size", [True, False], ids=["file", "pipe"])
def test_at_every_cut_the_whole_batches_are_there_and_no_end(size: bool) -> None:
    data = written()
    ends = [read(data[:length]).end for length in range(len(data))]
    assert sorted({end for end in ends if end is not None}) == ends_of(data)[:-1]
    for length in range(0, len(data), 7):
        records = read(data[:length], size=size)
        assert not records.ended
        assert records.batches == sum(end <= length for end in ends_of(data)[1:])


def ends_of(data: bytes) -> list[int]:
    """Where the header and the records end."""
    found, at = [len(HEADER)], len(HEADER)
    while at < len(data):
        prefix = layout.unpack_prefix(data[at : at + RECORD_SIZE])
        at += RECORD_SIZE + prefix.list_length + prefix.items_length
        found.append(at)
    return found


def test_a_changed_byte_in_a_prefix_or_a_list_is_an_error_that_names_file_and_thread() -> None:
    data = written()
    second = ends_of(data)[1]
    for at in range(second, second + RECORD_SIZE + 20):
        damaged = data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1 :]
        with pytest.raises(StorageError, match=r"x\.lgckpt cannot be read: .*thread 'thread 0'"):
            read(damaged)


def test_a_missing_batch_is_told_by_the_end() -> None:
    data = written()
    first, second = ends_of(data)[1:3]
    with pytest.raises(StorageError, match="there were 3 batches, of which 2 are left"):
        read(data[:first] + data[second:])


@pytest.mark.parametrize("data", [b"SQLite format 3\0" * 4, b"x", HEADER[:-2] + b"\0\1"])
def test_another_file_is_refused(data: bytes) -> None:
    with pytest.raises(StorageError, match="no portable file"):
        read(data)


def test_a_newer_version_is_refused_by_name() -> None:
    data = written()
    with pytest.raises(UnsupportedFormatError, match=r"format version 2; .* reads version 1"):
        read(data.replace(HEADER, layout.MAGIC + b"\2"))


def test_a_kind_of_record_that_is_not_known_is_refused_by_name() -> None:
    prefix = layout.pack_prefix(Prefix(9, 0, 0))
    with pytest.raises(UnsupportedFormatError, match="record of kind 9"):
        read(HEADER + prefix)


@pytest.mark.parametrize("size", [True, False], ids=["file", "pipe"])
@pytest.mark.parametrize(
    "prefix",
    [Prefix(BATCH, 2**32 - 1, 0), Prefix(END, 4, 1)],
)
def test_a_length_that_no_record_has_is_refused(prefix: Prefix, size: bool) -> None:
    with pytest.raises(StorageError, match="more than it can hold"):
        read(HEADER + layout.pack_prefix(prefix) + b"x" * 100, size=size)


def test_a_length_beyond_the_file_takes_no_memory() -> None:
    data = HEADER + layout.pack_prefix(Prefix(BATCH, 100, 2**60)) + b"x" * 100
    assert not read(data).ended
    assert read(data).end == len(HEADER)


def test_a_list_that_does_not_add_up_is_refused() -> None:
    packed = layout.pack_list(Listed("t", [], [], [layout.ChunkItem(bytes(20), 5)], []))
    data = HEADER + layout.pack_prefix(Prefix(BATCH, len(packed), 6)) + packed + b"123456"
    with pytest.raises(StorageError, match="does not add up"):
        read(data)


@pytest.mark.parametrize(
    "fields",
    [
        ("t", [], [], b""),
        (7, [], [], b"", b""),
        ("t", [["ns", "id", b"etag", 0, "5"]], [], b"", b""),
        ("t", [["ns", "id", b"etag", 0, -5]], [], b"", b""),
        ("t", [["ns", "id"]], [], b"", b""),
        ("t", [["ns", "id", b"etag", 2**64 - 1, 5]], [], b"", b""),
        ("t", [], [["ns", "id", "task", 2**63, 5]], b"", b""),
        ("t", [], [], b"12345", b""),
        ("t", [], [], b"", ["claim"]),
        ("t", [], [], b"", b"12345"),
        "text",
    ],
)  # fmt: skip
def test_a_list_of_another_shape_is_refused(fields: object) -> None:
    packed = layout.core.seal(layout.core.encode(fields), None)
    with pytest.raises(FrameError):
        layout.unpack_list(packed)


def test_prefixes_have_a_standard_checksum() -> None:
    packed = layout.pack_prefix(Prefix(BATCH, 3, 4))
    assert int.from_bytes(packed[16:], "little") == zlib.crc32(packed[:16])
