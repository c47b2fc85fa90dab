"""A streaming replica of a server of the tests' own, which may be promoted."""

from __future__ import annotations

import os
import subprocess
import time

import psycopg

from tests.services.ports import START_TIMEOUT
from tests.services.postgres import PASSWORD, PostgresServer


class Standby(PostgresServer):
    """A hot standby, copied from a running server and fed by it.

    Args:
        primary: The server to follow.
        **settings: Settings of the standby, over the defaults.
    """

    def __init__(self, primary: PostgresServer, **settings: str) -> None:
        self._primary = primary
        super().__init__(primary._binaries, **settings)

    def _initialise(self) -> None:
        if self._user is not None:
            os.chown(self.directory, self._user.pw_uid, self._user.pw_gid)
        primary = f"host=127.0.0.1 port={self._primary.port} user=tests"
        done = subprocess.run(
            [
                self._binaries / "pg_basebackup", "-D", self.data, "-d", primary, "-R", "-X",
                "stream", "-c", "fast", "--no-sync",
            ],
            capture_output=True, check=False, cwd="/",
            env={**os.environ, "PGPASSWORD": PASSWORD}, **self._run_as(),  # type: ignore[call-overload]
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"pg_basebackup failed: {done.stderr.decode()}")

    def promote(self) -> None:
        """Make it the primary, and wait until it is."""
        self._ask("SELECT pg_promote(true)")

    def pause(self) -> None:
        """Let it lag: what the primary commits from now on does not show here."""
        self._ask("SELECT pg_wal_replay_pause()")
        deadline = time.monotonic() + START_TIMEOUT
        while self._ask("SELECT pg_get_wal_replay_pause_state()") != "paused":
            assert time.monotonic() < deadline, "the standby does not pause"
            time.sleep(0.02)

    def resume(self) -> None:
        """Let it catch up."""
        self._ask("SELECT pg_wal_replay_resume()")

    def wait(self) -> None:
        """Wait until it shows all that the primary has committed by now."""
        with psycopg.connect(self._primary.url, autocommit=True) as connection:
            (until,) = connection.execute("SELECT pg_current_wal_lsn()").fetchone()
        deadline = time.monotonic() + START_TIMEOUT
        while not self._ask(f"SELECT pg_last_wal_replay_lsn() >= '{until}'"):
            assert time.monotonic() < deadline, "the standby does not catch up"
            time.sleep(0.02)

    def _ask(self, query: str) -> object:
        with psycopg.connect(self.url, autocommit=True) as connection:
            (answer,) = connection.execute(query).fetchone()
            return answer
