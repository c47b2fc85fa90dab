"""How threads, identifiers and the schema are written down in Postgres."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID

from lgckpt.errors import ConfigurationError

MAX_IDENTIFIER = 63
"""Bytes that Postgres keeps of an identifier; it cuts longer ones off in silence."""

MAX_KEY = 2500
"""Bytes of checkpoint_ns, checkpoint_id and task_id together; an index entry takes 2,704."""

_REMEMBERED = 512
"""Characters of the longest thread id whose address is remembered."""


class Address(NamedTuple):
    """Where a thread's rows are.

    Attributes:
        tid: The BLAKE2b hash of its id, which every key leads with.
        lock: The key of its advisory lock, of its own in every schema.
    """

    tid: UUID
    lock: int


def quoted(schema: str) -> str:
    """The schema's name as an SQL identifier.

    Raises:
        ConfigurationError: No schema can have that name.
    """
    if not isinstance(schema, str) or not schema or "\0" in schema:
        raise ConfigurationError(f"not the name of a schema: {schema!r}")
    if len(schema.encode()) > MAX_IDENTIFIER:
        raise ConfigurationError(
            f"the name of a schema has {MAX_IDENTIFIER} bytes at most: {schema!r}"
        )
    if "$lgckpt$" in schema:
        raise ConfigurationError(f"the name of a schema cannot hold '$lgckpt$': {schema!r}")
    return '"' + schema.replace('"', '""') + '"'


def address(schema: str, thread_id: str) -> Address:
    """Where the rows of a thread are."""
    if len(thread_id) <= _REMEMBERED:
        return _remembered(schema, thread_id)
    return _address(schema, thread_id)


def _address(schema: str, thread_id: str) -> Address:
    name = thread_id.encode()
    tid = UUID(bytes=blake2b(name, digest_size=16).digest())
    scope = blake2b(schema.encode(), digest_size=32).digest()
    lock = blake2b(name, digest_size=8, key=scope).digest()
    return Address(tid, int.from_bytes(lock, "big", signed=True))


_remembered = lru_cache(8192)(_address)


def to_sql(text: str) -> str:
    """Text as Postgres can store it, in the same order: NUL, which it cannot, is escaped."""
    if "\0" in text or "\1" in text:
        return text.replace("\1", "\1\2").replace("\0", "\1\1")
    return text


def from_sql(text: str) -> str:
    """What `to_sql` was given."""
    if "\1" in text:
        return text.replace("\1\1", "\0").replace("\1\2", "\1")
    return text


def check_key(checkpoint_ns: str, checkpoint_id: str, task_id: str = "") -> None:
    """Refuse what no index could hold.

    Args:
        checkpoint_ns: As `to_sql` gives it, and so are the others.
        checkpoint_id: The checkpoint.
        task_id: The task, of a write.

    Raises:
        ConfigurationError: They are too long; the message says which.
    """
    parts = {"checkpoint_ns": checkpoint_ns, "checkpoint_id": checkpoint_id, "task_id": task_id}
    if sum(map(len, parts.values())) * 4 <= MAX_KEY:
        return
    sizes = {what: len(part.encode()) for what, part in parts.items()}
    if sum(sizes.values()) > MAX_KEY:
        longest = max(sizes, key=lambda what: sizes[what])
        raise ConfigurationError(
            f"{longest} is too long for an index of Postgres: checkpoint_ns, checkpoint_id and "
            f"task_id have {MAX_KEY} bytes at most together, these have {sum(sizes.values())}"
        )
