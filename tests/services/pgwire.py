"""Enough of PostgreSQL's protocol 3 to tell which statement passes a proxy, and where it ends.

https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

from __future__ import annotations

import struct
from typing import NamedTuple

_STARTUP = struct.Struct("!ii")
_TYPED = struct.Struct("!ci")

SSL_REQUEST, GSS_REQUEST = 80877103, 80877104
"""Codes of a first packet that the server answers with one byte; another packet follows."""


class Turn(NamedTuple):
    """What a client sent before it began to wait.

    Attributes:
        statements: The texts of what is to be executed.
        size: Bytes from the end of the turn before.
    """

    statements: tuple[str, ...]
    size: int


class ClientStream:
    """Splits what one client sends into turns: each ends with a Query, a Sync or a Flush."""

    def __init__(self) -> None:
        self._buffer = b""
        self._started = False
        self._named: dict[bytes, str] = {}
        self._statements: list[str] = []
        self._size = 0
        self.one_byte_answers = 0

    def feed(self, data: bytes) -> list[Turn]:
        """The turns that end within `data`."""
        self._buffer += data
        turns = []
        while (packet := self._next()) is not None:
            self._size += len(packet)
            if self._started and self._ends_turn(packet[:1], packet[5:]):
                turns.append(Turn(tuple(self._statements), self._size))
                self._statements, self._size = [], 0
            elif not self._started:
                self._start(packet)
        return turns

    def _next(self) -> bytes | None:
        """The next whole packet; before the start-up packet they have no type."""
        head = 1 if self._started else 0
        if len(self._buffer) < head + 4:
            return None
        (length,) = struct.unpack_from("!i", self._buffer, head)
        if len(self._buffer) < head + length:
            return None
        packet, self._buffer = self._buffer[: head + length], self._buffer[head + length :]
        return packet

    def _start(self, packet: bytes) -> None:
        _, code = _STARTUP.unpack_from(packet)
        if code in (SSL_REQUEST, GSS_REQUEST):
            self.one_byte_answers += 1
        else:
            self._started = True
            self._size = 0

    def _ends_turn(self, kind: bytes, body: bytes) -> bool:
        if kind == b"P":
            name, text, _ = body.split(b"\0", 2)
            self._named[name] = text.decode()
        elif kind == b"B":
            _, name, _ = body.split(b"\0", 2)
            self._statements.append(self._named.get(name, f"unknown statement {name!r}"))
        elif kind == b"Q":
            self._statements.append(body.rstrip(b"\0").decode())
        return kind in b"QSH"


class ServerStream:
    """Counts what one server sends: `ready` is how often it said that it waits for more."""

    def __init__(self, client: ClientStream) -> None:
        self._client = client
        self._buffer = b""
        self._skipped = 0
        self.ready = 0

    def feed(self, data: bytes) -> None:
        """Count the ReadyForQuery messages within `data`."""
        self._buffer += data
        while self._skipped < self._client.one_byte_answers and self._buffer:
            self._skipped += 1
            self._buffer = self._buffer[1:]
        while len(self._buffer) >= _TYPED.size:
            kind, length = _TYPED.unpack_from(self._buffer)
            if len(self._buffer) < 1 + length:
                return
            self._buffer = self._buffer[1 + length :]
            self.ready += kind == b"Z"
