"""What the names of servers in the documentation stand for while its code runs.

They are servers as they should be set up, durable and with nothing in them: a page's commands
look for settings that hurt, too.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from itertools import count
from urllib.parse import urlsplit

import psycopg
import redis

from tests.services.clusters import Cluster, Watched
from tests.services.pgbouncer import pgbouncer
from tests.services.postgres import PostgresServer, wheel_binaries
from tests.services.valkey import Server

POSTGRES = "postgresql://db/agents"
SEVERAL = "postgresql://db1,db2/agents"
REPLICA = "postgresql://replica/agents"
POOLED = "postgresql://pgbouncer:6432/agents"
REDIS = "redis://cache/0"
SENTINEL = "redis+sentinel://s1:26379,s2:26379/mymaster/0"
CLUSTER = "redis+cluster://n1:6379,n2:6379"

_numbers = count()


@cache
def _postgres() -> PostgresServer:
    return PostgresServer(wheel_binaries())


@cache
def _redis() -> Server:
    return Server({"appendonly": "yes", "maxmemory-policy": "noeviction"})


@cache
def _sentinel() -> Watched:
    return Watched()


@cache
def _cluster() -> Cluster:
    return Cluster()


@contextmanager
def places(text: str) -> Iterator[dict[str, str]]:
    """The URLs for those that a text names, of databases that are empty."""
    with ExitStack() as stack:
        found: dict[str, str] = {}
        if any(name in text for name in (POSTGRES, SEVERAL, REPLICA, POOLED)):
            url = stack.enter_context(_database())
            host = urlsplit(url).netloc.rpartition("@")[2]
            found[POSTGRES] = found[REPLICA] = url
            found[SEVERAL] = url.replace(host, f"{host},{host}")
        if POOLED in text:
            found[POOLED] = stack.enter_context(_pooled(found[POSTGRES]))
        if REDIS in text:
            found[REDIS] = _redis().url
            with redis.Redis.from_url(_redis().url) as client:
                client.flushall()
        if SENTINEL in text:
            found[SENTINEL] = _sentinel().url
        if CLUSTER in text:
            found[CLUSTER] = _cluster().url
        yield found


@contextmanager
def _database() -> Iterator[str]:
    """An empty database, of a name that PgBouncer's configuration takes as it is."""
    url, name = _postgres().url, f"agents_{next(_numbers)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield urlsplit(url)._replace(path=f"/{name}").geturl()
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def _pooled(url: str) -> Iterator[str]:
    """Through PgBouncer; where the system has none, the server itself."""
    if shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin") is None:
        yield url
        return
    with pgbouncer(url) as through:
        yield through


def put_in(code: str, found: dict[str, str]) -> str:
    """A block as it can run here."""
    for name, url in sorted(found.items(), key=lambda pair: -len(pair[0])):
        code = code.replace(name, url)
    return code
