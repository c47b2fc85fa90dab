"""The file that calls are recorded in.

A header, then records: the length as four bytes, big-endian, and a msgpack array. Its first element
says what it is:

- `"v", number, type, bytes`: a value, or an element of a list, once for the whole file, as
  `lgckpt.Serializer(compression="zstd")` gives it;
- `"put", seconds, thread, ns, parent, rest, metadata, versions, channels`: `rest` is the checkpoint
  without its values, `channels` holds those that the file has not told yet: `number`, or the
  numbers of a list's elements;
- `"put_writes", seconds, thread, ns, checkpoint, task, path, [[channel, number], ...]`;
- `"get", seconds, thread, ns, checkpoint`;
- `"list", seconds, thread, ns, checkpoint, before, limit, filter`.

Seconds count from the beginning. A list that grows costs what is new in it, and a few bytes for
each element that was there.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import ormsgpack

from lgckpt.errors import ConfigurationError
from lgckpt.serde import Serializer

MAGIC = b"LGCKPT CALLS 1\n"

SERDE = Serializer(compression="zstd")
"""What values are stored with."""

_LENGTH = struct.Struct(">I")


def write_record(file: BinaryIO, *parts: Any) -> None:
    """Append a record."""
    data = ormsgpack.packb(parts, option=ormsgpack.OPT_NON_STR_KEYS)
    file.write(_LENGTH.pack(len(data)) + data)


@dataclass
class Tape:
    """A recording, read.

    Attributes:
        values: By number, as they are stored.
        threads: For each thread its calls, as records, in the order in which threads began.
    """

    values: dict[int, tuple[str, bytes]]
    threads: dict[str, list[tuple[Any, ...]]]

    @property
    def seconds(self) -> float:
        """How long it took to record."""
        return max(float(calls[-1][1]) for calls in self.threads.values())

    @cached_property
    def overlap(self) -> int:
        """How many threads were under way at once, at most."""
        edges = [
            edge
            for calls in self.threads.values()
            for edge in ((calls[0][1], 0, 1), (calls[-1][1], 1, -1))
        ]
        most = now = 0
        for _, _, change in sorted(edges):
            now += change
            most = max(most, now)
        return most

    def value(self, number: int) -> Any:
        """A value, made anew each time: nobody shares it."""
        return SERDE.loads_typed(self.values[number])


@lru_cache(maxsize=2)
def read_tape(path: Path) -> Tape:
    """Read a recording. A last record that was cut off is left out.

    Raises:
        ConfigurationError: It is not there, or no recording, or holds no calls.
    """
    tape = Tape({}, {})
    try:
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise ConfigurationError(f"{path} is no recording of lgckpt.record()")
            for record in _records(file):
                if record[0] == "v":
                    tape.values[record[1]] = (record[2], record[3])
                else:
                    tape.threads.setdefault(record[2], []).append(tuple(record))
    except OSError as exc:
        raise ConfigurationError(f"{path} cannot be read: {exc.strerror}") from exc
    except (ormsgpack.MsgpackDecodeError, IndexError, TypeError) as exc:
        raise ConfigurationError(f"{path} is damaged: {exc}") from exc
    if not tape.threads:
        raise ConfigurationError(f"{path} holds no calls")
    return tape


def _records(file: BinaryIO) -> Iterator[list[Any]]:
    while len(head := file.read(_LENGTH.size)) == _LENGTH.size:
        (size,) = _LENGTH.unpack(head)
        data = file.read(size)
        if len(data) < size:
            return
        yield ormsgpack.unpackb(data, option=ormsgpack.OPT_NON_STR_KEYS)
