"""Rows as bytes in Redis hashes.

A head is: format version (u8), flags (u8), etag (8 bytes), the escaped parent id, the
run id, the references, the metadata. A write is: format version (u8), channel,
references, task path, tag, value. Each part but the last is led by its length (u32,
big-endian), and an absent parent or run by 0 where others have their length plus one.
The scripts read the flags, the etag and the parent of a head, and the channel and the
references of a write.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from lgckpt.backends.redis_keys import escape, split_write_member, unescape
from lgckpt.errors import CorruptCheckpointError, UnsupportedFormatError
from lgckpt.rows import CheckpointKey, CheckpointRow, WriteRow

VERSION = 1
_HEAD = struct.Struct(">BB8s")
_LENGTH = struct.Struct(">I")
_VERSION = bytes((VERSION,))


def pack_head(row: CheckpointRow) -> bytes:
    """All of a row but its key and its state."""
    parent = None if row.parent_id is None else escape(row.parent_id)
    run = None if row.run_id is None else row.run_id.encode()
    return b"".join(
        (
            _HEAD.pack(VERSION, row.flags, row.etag),
            *_maybe(parent),
            *_maybe(run),
            _LENGTH.pack(len(row.refs)),
            row.refs,
            row.metadata,
        )
    )


def unpack_row(key: CheckpointKey, head: bytes, state: bytes) -> CheckpointRow:
    """A row from its two fields.

    Raises:
        CorruptCheckpointError: The head is damaged.
        UnsupportedFormatError: A newer release wrote it.
    """
    try:
        version, flags, etag = _HEAD.unpack_from(head)
        if version > VERSION:
            raise UnsupportedFormatError(
                f"format version {version} of a checkpoint, newer than {VERSION} "
                f"({_where(key)}, checkpoint {key.checkpoint_id!r})"
            )
        parent, at = _read_maybe(head, _HEAD.size)
        run, at = _read_maybe(head, at)
        refs, at = _read(head, at)
        parent_id = None if parent is None else unescape(parent)
        run_id = None if run is None else run.decode()
    except (struct.error, UnicodeDecodeError, IndexError) as exc:
        raise _corrupt(key, "its head is damaged") from exc
    return CheckpointRow(*key, parent_id, run_id, flags, etag, head[at:], state, refs)


def unpack_tag(head: bytes) -> tuple[bytes, int]:
    """The etag and the flags of a head, or of its beginning; empty and 0 of a damaged one."""
    if len(head) < _HEAD.size:
        return b"", 0
    _, flags, etag = _HEAD.unpack_from(head)
    return etag, flags


def pack_write(write: WriteRow) -> bytes:
    """All of a write but what its member says."""
    channel, path, tag = write.channel.encode(), write.task_path.encode(), write.tag.encode()
    length, refs = _LENGTH.pack, write.refs
    return b"".join(
        (
            _VERSION, length(len(channel)), channel, length(len(refs)), refs,
            length(len(path)), path, length(len(tag)), tag, write.value,
        )
    )  # fmt: skip


def unpack_write(thread_id: str, member: bytes, packed: bytes) -> WriteRow:
    """A write from its index member and its field.

    Raises:
        CorruptCheckpointError: It is damaged.
        UnsupportedFormatError: A newer release wrote it.
    """
    ns, checkpoint_id, task_id, idx = split_write_member(member)
    key = CheckpointKey(thread_id, ns, checkpoint_id)
    try:
        if packed[0] > VERSION:
            raise UnsupportedFormatError(
                f"format version {packed[0]} of a write, newer than {VERSION} "
                f"({_where(key)}, checkpoint {checkpoint_id!r})"
            )
        channel, at = _read(packed, 1)
        refs, at = _read(packed, at)
        path, at = _read(packed, at)
        tag, at = _read(packed, at)
        texts = path.decode(), channel.decode(), tag.decode()
    except (struct.error, UnicodeDecodeError, IndexError) as exc:
        raise _corrupt(key, "a pending write is damaged") from exc
    return WriteRow(*key, task_id, idx, *texts, packed[at:], refs)


def unpack_writes(
    thread_id: str, members: Sequence[bytes], values: Sequence[bytes | None]
) -> list[WriteRow]:
    """Writes from a script's two lists."""
    return [
        unpack_write(thread_id, member, value)
        for member, value in zip(members, values, strict=True)
        if value is not None
    ]


def _maybe(part: bytes | None) -> tuple[bytes, bytes]:
    return (_LENGTH.pack(0), b"") if part is None else (_LENGTH.pack(len(part) + 1), part)


def _read(raw: bytes, at: int) -> tuple[bytes, int]:
    start = at + _LENGTH.size
    end = start + _LENGTH.unpack_from(raw, at)[0]
    if end > len(raw):
        raise IndexError("a length runs past the end")
    return raw[start:end], end


def _read_maybe(raw: bytes, at: int) -> tuple[bytes | None, int]:
    start = at + _LENGTH.size
    size = _LENGTH.unpack_from(raw, at)[0]
    if size == 0:
        return None, start
    end = start + size - 1
    if end > len(raw):
        raise IndexError("a length runs past the end")
    return raw[start:end], end


def _where(key: CheckpointKey) -> str:
    return f"thread {key.thread_id!r}, checkpoint_ns {key.checkpoint_ns!r}"


def _corrupt(key: CheckpointKey, reason: str) -> CorruptCheckpointError:
    return CorruptCheckpointError(
        reason,
        thread_id=key.thread_id,
        checkpoint_ns=key.checkpoint_ns,
        checkpoint_id=key.checkpoint_id,
    )
