"""Checkpoints between lgckpt's rows and the cells of LangGraph's Postgres tables."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from lgckpt.core import core
from lgckpt.errors import DecodeError, FrameError
from lgckpt.migration.langgraph.msgpack import ext_code
from lgckpt.migration.langgraph.reading import (
    check_id,
    decompressed,
    json_parts,
    loads_json,
    metadata_of,
)
from lgckpt.migration.langgraph.rows import Found, ThreadPacker
from lgckpt.migration.langgraph.slicing import VALUES, Typed
from lgckpt.migration.langgraph.unpacking import Unpacked, Unpacker
from lgckpt.reading import DAMAGE, named
from lgckpt.rows import CheckpointKey

VERSIONS = "channel_versions"

DELTA_SNAPSHOT = 7
"""Code of the extension that holds a DeltaChannel's snapshot."""

EMPTY = "empty"
"""Type of a blob that says of a channel's version that it has no value."""

_UNVERSIONED = "a value without a version, and no plain data, has no place in LangGraph's tables"

_SCALARS = ((0x00, 0x7F), (0xA0, 0xC3), (0xCA, 0xD3), (0xD9, 0xDB), (0xE0, 0xFF))
"""First bytes of msgpack's numbers, texts, booleans and nil."""

_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")

Version = tuple[str, str]
"""A channel and its version, as text."""

Blobs = Mapping[Version, Typed]


class Cells(NamedTuple):
    """A checkpoint as its table has it.

    Attributes:
        checkpoint: JSON.
        metadata: JSON.
    """

    checkpoint_id: str
    parent_id: str | None
    checkpoint: dict[str, Any]
    metadata: str

    @property
    def versions(self) -> dict[str, str]:
        """Each channel's version as the blobs are named by."""
        found = self.checkpoint.get(VERSIONS)
        if not isinstance(found, dict):
            return {}
        return {channel: version_text(version) for channel, version in found.items()}


def version_text(version: Any) -> str:
    """A version as Postgres gives the text of one in JSON."""
    if isinstance(version, float) and math.isfinite(version):
        return format(Decimal(repr(version)), "f")
    return str(version)


def cells_of(key: CheckpointKey, parent_id: str | None, checkpoint: str, metadata: str) -> Cells:
    """The cells of a row.

    Raises:
        CorruptCheckpointError: They hold no checkpoint.
    """
    try:
        found = loads_json(checkpoint)
        if not isinstance(found, dict):
            raise DecodeError("not a checkpoint")
    except DAMAGE as exc:
        raise named(exc, key) from exc
    return Cells(key.checkpoint_id, parent_id, found, metadata)


def wanted(checkpoint_ns: str, page: list[Cells], packer: ThreadPacker) -> list[Version]:
    """The blobs to be read for a page: not those of a version that is the channel's last."""
    current: dict[str, str | None] = {}
    found: dict[Version, None] = {}
    for cells in page:
        for channel, version in cells.versions.items():
            if channel not in current:
                current[channel] = packer.version(checkpoint_ns, channel)
            if current[channel] != version:
                found[channel, version] = None
                current[channel] = version
    return list(found)


def found_of(key: CheckpointKey, cells: Cells, blobs: Blobs, packer: ThreadPacker) -> Found:
    """A checkpoint, its values taken from its row and from the blobs.

    Raises:
        CorruptCheckpointError: It is damaged.
    """
    try:
        bare, inline = json_parts(cells.checkpoint)
        check_id(bare, key.checkpoint_id)
        values: dict[str, Typed | None] = dict(inline)
        versions: dict[str, str] = {}
        for channel, version in cells.versions.items():
            if packer.version(key.checkpoint_ns, channel) == version:
                values[channel], versions[channel] = None, version
            elif (channel, version) in blobs:
                values[channel] = decompressed(*blobs[channel, version])
                versions[channel] = version
        metadata = metadata_of(cells.metadata)
    except DAMAGE as exc:
        raise named(exc, key) from exc
    return Found(*key, cells.parent_id, bare, values, metadata, versions)


class Split(NamedTuple):
    """A checkpoint as its tables are to have it.

    Attributes:
        checkpoint: JSON.
        metadata: JSON.
        blobs: Each channel, its version, and its value's tag and bytes.
        counted: Channels whose version is a mere number, which a fork may use again.
    """

    checkpoint: str
    metadata: str
    blobs: list[tuple[str, str, str, bytes]]
    counted: frozenset[str]


def split(unpacker: Unpacker, found: Unpacked) -> Split:
    """Divide a checkpoint between its row and the blobs as LangGraph does.

    Raises:
        CorruptCheckpointError: It is damaged, or Postgres cannot hold it.
    """
    checkpoint = unpacker.plain(found)
    versions = checkpoint.get(VERSIONS) or {}
    inline: dict[str, Any] = {}
    blobs: list[tuple[str, str, str, bytes]] = []
    channel = None
    try:
        for channel, value in found.values.items():
            data = unpacker.value(found.row, channel, value)
            scalar = _inline(value.tag, data)
            if scalar:
                inline[channel] = scalar[0]
                continue
            if channel not in versions:
                inline[channel] = _unversioned(value.tag, data)
                continue
            if value.tag == "msgpack" and ext_code(data) == DELTA_SNAPSHOT:
                inline[channel] = True
            blobs.append((channel, version_text(versions[channel]), value.tag, data))
        channel = None
        checkpoint[VALUES] = inline
        counted = frozenset(c for c, version in versions.items() if not _is_unique(version))
        return Split(as_json(checkpoint), as_json(found.metadata), blobs, counted)
    except DAMAGE as exc:
        raise named(exc, found.row.key, channel) from exc


def _inline(tag: str, data: bytes) -> tuple[Any] | None:
    """A value to be kept in the checkpoint's JSON, if it comes back from there as it is."""
    if tag == "null":
        return (None,)
    if tag != "msgpack" or not data or not _is_scalar(data[0]):
        return None
    value = core.decode(data)
    if isinstance(value, str):
        return None if "\0" in value else (value,)
    if isinstance(value, float):
        text = repr(value)
        # JSONB keeps numbers as decimals: no exponent, no negative zero.
        return None if not math.isfinite(value) or "e" in text or text == "-0.0" else (value,)
    return (value,)


def _is_unique(version: Any) -> bool:
    """Whether a version has the random part that LangGraph's savers give it."""
    return isinstance(version, str) and "." in version


def _unversioned(tag: str, data: bytes) -> Any:
    """A value that no version names, so that no blob can hold it: old graphs have empty lists so.

    Raises:
        FrameError: JSON cannot hold it as it is.
    """
    try:
        if tag == "msgpack":
            value: Any = core.decode(data)
            # Floats are left out: JSONB may give one back as an integer.
            if core.encode(json.loads(as_json(value), parse_float=lambda _: None)) == data:
                return value
    except DAMAGE as exc:
        raise FrameError(_UNVERSIONED) from exc
    raise FrameError(_UNVERSIONED)


def _is_scalar(tag: int) -> bool:
    return any(first <= tag <= last for first, last in _SCALARS)


def as_json(value: Any) -> str:
    """JSON that Postgres takes.

    Raises:
        FrameError: It would not.
    """
    try:
        found = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as exc:
        raise FrameError(f"Postgres cannot hold it as JSON: {exc}") from exc
    if "\\u0000" in found and _NUL.search(found):
        raise FrameError("Postgres cannot hold a NUL in JSON")
    return found


def check_names(names: Iterator[str]) -> None:
    """Refuse names that Postgres cannot hold.

    Raises:
        FrameError: One has a NUL.
    """
    for name in names:
        if "\0" in name:
            raise FrameError(f"Postgres cannot hold a NUL in a name: {name!r}")
