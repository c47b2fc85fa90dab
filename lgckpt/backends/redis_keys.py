"""Key, field and member names in Redis, and the order they have.

A thread is three keys under one cluster hash tag, a digest of its id, which may be any
text of any length:

- `data`, a hash. `h` + place: a checkpoint's head; `s` + place: its state; a write's
  member: that write; `r` + run: the run is registered; `v`: a number that every write
  moves on; `i`: the thread id; `g`: how far a sweep of chunks has come.
- `index`, a sorted set whose members all have score 0 and so are in the order of their
  bytes. `i` + place and `n` + shelf: a visible checkpoint, by id and by namespace;
  `x` + place: a hidden one; `w` + place of a write: a pending write.
- `chunks`, a hash of frames by chunk hash; `e`: the epoch, which every sweep changes.

Two more come and go: `doomed`, the chunks that a sweep is about to drop, and `lock`.

In place and shelf, NUL is escaped and parts end in two NULs, so that the order of bytes
is that of the parts, one after the other, and each of those is in code point order.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple

END = b"\0\0"
AFTER = b"\xff"
"""Above every byte that a part or an escape may start with."""

SHARDS = 64
"""Registry shards, each in a cluster slot of its own."""


class ThreadKeys(NamedTuple):
    """The keys of one thread, in the order that every script takes them."""

    data: bytes
    members: bytes
    chunks: bytes
    doomed: bytes
    lock: bytes


class RegistryKeys(NamedTuple):
    """The keys of one registry shard: all entries, and those made a short while ago."""

    entries: bytes
    recent: bytes


def thread_keys(prefix: str, thread_id: str) -> ThreadKeys:
    """The keys of a thread."""
    tag = f"{prefix}:{{{_digest(thread_id).hex()}}}:".encode()
    return ThreadKeys(*(tag + name for name in (b"data", b"index", b"chunks", b"doomed", b"lock")))


def registry_keys(prefix: str, kind: str, shard: int) -> RegistryKeys:
    """The keys of a registry shard; `kind` is "threads" or "runs"."""
    tag = f"{prefix}:{{{kind}-{shard}}}:".encode()
    return RegistryKeys(tag + b"entries", tag + b"recent")


def shard_of(name: str) -> int:
    """The registry shard of a thread or a run."""
    return _digest(name)[0] % SHARDS


def run_score(run_id: str) -> int:
    """A number for a run, exact as a double, by which its entries are found."""
    return int.from_bytes(_digest(run_id)[1:7], "big")


def run_entry(run_id: str, thread_id: str) -> bytes:
    """A registry entry: that a thread has checkpoints of a run."""
    return escape(run_id) + END + escape(thread_id)


def split_run_entry(entry: bytes) -> tuple[str, str]:
    """The run and the thread of `run_entry`."""
    run, thread = entry.split(END, 1)
    return unescape(run), unescape(thread)


def escape(text: str) -> bytes:
    """Bytes without two NULs in a row, in the same order as the text."""
    return text.encode().replace(b"\0", b"\0\xff")


def unescape(raw: bytes) -> str:
    """What `escape` was given."""
    return raw.replace(b"\0\xff", b"\0").decode()


def place(checkpoint_ns: str, checkpoint_id: str) -> bytes:
    """A checkpoint's name within its thread, in order of the id."""
    return escape(checkpoint_id) + END + escape(checkpoint_ns)


def split_place(name: bytes) -> tuple[str, str]:
    """The namespace and the id of `place`."""
    checkpoint_id, ns = name.split(END, 1)
    return unescape(ns), unescape(checkpoint_id)


def namespace(checkpoint_ns: str) -> bytes:
    """What the shelves and the writes of a namespace begin with."""
    return escape(checkpoint_ns) + END


def shelf(checkpoint_ns: str, checkpoint_id: str) -> bytes:
    """A checkpoint's name within its thread, in order of the namespace."""
    return namespace(checkpoint_ns) + escape(checkpoint_id) + END


def place_and_shelf(checkpoint_ns: str, checkpoint_id: str) -> tuple[bytes, bytes]:
    """Both names of a checkpoint."""
    ns, own = escape(checkpoint_ns), escape(checkpoint_id)
    return own + END + ns, ns + END + own + END


def shelf_of(name: bytes) -> bytes:
    """The `shelf` of what has this `place`."""
    checkpoint_id, ns = name.split(END, 1)
    return ns + END + checkpoint_id + END


def split_shelf(name: bytes) -> tuple[str, str]:
    """The namespace and the id of `shelf`."""
    ns, checkpoint_id, _ = name.split(END, 2)
    return unescape(ns), unescape(checkpoint_id)


def write_member(checkpoint_ns: str, checkpoint_id: str, task_id: str, idx: int) -> bytes:
    """A pending write's name within its thread."""
    return b"%b%d" % (task_prefix(checkpoint_ns, checkpoint_id, task_id), idx)


def task_prefix(checkpoint_ns: str, checkpoint_id: str, task_id: str) -> bytes:
    """What the names of a task's pending writes begin with."""
    return b"w%b%b%b" % (shelf(checkpoint_ns, checkpoint_id), escape(task_id), END)


def split_write_member(member: bytes) -> tuple[str, str, str, int]:
    """The namespace, checkpoint, task and index of `write_member`."""
    ns, checkpoint_id, task, idx = member[1:].split(END)
    return unescape(ns), unescape(checkpoint_id), unescape(task), int(idx)


def _digest(name: str) -> bytes:
    return blake2b(name.encode(), digest_size=16).digest()
