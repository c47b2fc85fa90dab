"""PgBouncer in transaction mode in front of a server, where the system has it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.services.ports import free_port, wait_until_listening

CONFIG = """\
[databases]
{database} = host={host} port={server} dbname={database}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = plain
auth_file = {directory}/users
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 500
ignore_startup_parameters = extra_float_digits
logfile = {directory}/log
pidfile = {directory}/pid
"""


def binary() -> str:
    """The program; skips where there is none."""
    found = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        pytest.skip("no pgbouncer in PATH or /usr/sbin")
    return found


@contextmanager
def pgbouncer(url: str, connections: int = 4) -> Iterator[str]:
    """Run one for a block; gives the URL through it.

    Args:
        url: The server.
        connections: How many connections to the server all its clients share.
    """
    program = binary()
    parts = urlsplit(url)
    port = free_port()
    directory = Path(tempfile.mkdtemp(prefix="lgckpt-pgbouncer-"))
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    (directory / "users").write_text(f'"{user}" "{password}"\n')
    (directory / "ini").write_text(
        CONFIG.format(
            database=parts.path.lstrip("/"),
            host=parts.hostname,
            server=parts.port,
            port=port,
            directory=directory,
            connections=connections,
        )
    )
    options = {}
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        for path in (directory, *directory.iterdir()):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        options = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    process = subprocess.Popen(
        [program, "-q", directory / "ini"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **options,  # type: ignore[call-overload]
    )  # fmt: skip
    try:
        wait_until_listening(port)
        yield url.replace(f":{parts.port}/", f":{port}/")
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(directory, ignore_errors=True)
