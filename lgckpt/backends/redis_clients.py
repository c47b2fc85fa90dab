"""Makes redis-py clients: for one server, through Sentinel, for a Cluster, or the caller's own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import redis
from redis import asyncio as aredis
from redis.asyncio import sentinel
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from lgckpt.errors import ConfigurationError

SCHEMES = (
    "redis", "rediss", "unix", "redis+cluster", "rediss+cluster", "redis+sentinel",
    "rediss+sentinel",
)  # fmt: skip

_CONNECTION = frozenset(
    {
        "host", "port", "path", "db", "username", "password", "credential_provider", "protocol",
        "client_name", "socket_timeout", "socket_connect_timeout", "socket_keepalive",
        "socket_keepalive_options", "health_check_interval", "ssl_keyfile", "ssl_certfile",
        "ssl_cert_reqs", "ssl_ca_certs", "ssl_ca_data", "ssl_ca_path", "ssl_check_hostname",
        "ssl_min_version", "ssl_ciphers", "ssl_password",
    }
)  # fmt: skip
"""What of another client's connection settings is taken over, each meaning the same here."""


class Options(NamedTuple):
    """How connections are made; times in seconds."""

    max_connections: int = 32
    socket_timeout: float | None = 10.0
    connect_timeout: float | None = 5.0
    health_check_interval: float = 30.0
    extra: Mapping[str, Any] = {}

    def connection(self) -> dict[str, Any]:
        """Keyword arguments of a redis-py client."""
        return {
            "socket_timeout": self.socket_timeout,
            "socket_connect_timeout": self.connect_timeout,
            "health_check_interval": self.health_check_interval,
            "max_connections": self.max_connections,
            **self.extra,
        }


class Source(NamedTuple):
    """Where a client comes from.

    Attributes:
        name: The server, for messages: never a password.
        cluster: Whether the client is a Cluster's.
        make: Makes the client, on the loop that it is to be used on.
        loop: The loop that a client of the caller's own lives on.
        owned: Whether the client is ours to close.
        most: How many commands it may have under way at once.
    """

    name: str
    cluster: bool
    make: Callable[[], Any]
    loop: asyncio.AbstractEventLoop | None
    owned: bool
    most: int


def source(target: object, options: Options) -> Source:
    """Find out what a saver was given.

    Args:
        target: A URL, or a client of redis-py: `Redis` or `RedisCluster`, sync or async.
        options: For a client of our own making.

    Raises:
        ConfigurationError: It is neither.
    """
    return _of_url(target, options) if isinstance(target, str) else _of_client(target, options)


def _of_url(url: str, options: Options) -> Source:
    try:
        parts = urlsplit(url)
    except ValueError as exc:
        raise ConfigurationError("not a Redis URL") from exc
    scheme, _, kind = parts.scheme.partition("+")
    if parts.scheme not in SCHEMES:
        raise ConfigurationError(
            f"not a Redis URL: scheme {parts.scheme!r}; there are: {', '.join(SCHEMES)}"
        )
    try:
        if kind == "cluster":
            return _cluster(_hosts(parts, 6379), _login(parts, scheme, options), options)
        if kind == "sentinel":
            return _sentinel(parts, scheme, options)
        return _single(url, parts, options)
    except ValueError as exc:
        # The reason is redis-py's or ours, and may quote a port, never the whole URL.
        raise ConfigurationError(f"not a Redis URL: {exc}") from None


def _single(url: str, parts: SplitResult, options: Options) -> Source:
    found = {**options.connection(), **parse_url(url)}
    where = found.get("path") if parts.scheme == "unix" else _netloc(found)
    return _pooled(f"{where}/{found.get('db', 0)}", found, options)


def _pooled(name: str, found: dict[str, Any], options: Options) -> Source:
    def make() -> Any:
        # What failed is tried again one level up, where it is known what may be.
        client = aredis.Redis(
            connection_pool=aredis.ConnectionPool(**{"retry": _no_retry(), **found})
        )
        client.auto_close_connection_pool = True
        return client

    return Source(name, False, make, None, True, options.max_connections)


def _sentinel(parts: SplitResult, scheme: str, options: Options) -> Source:
    hosts = _hosts(parts, 26379)
    service, _, db = parts.path.strip("/").partition("/")
    if not service:
        raise ValueError("name the master: redis+sentinel://host:26379/mymaster/0")
    found = {"retry": _no_retry(), **_login(parts, scheme, options), "db": int(db or 0)}
    return _by_sentinels(hosts, unquote(service), found, {}, options)


def _by_sentinels(
    hosts: list[tuple[str, int]],
    service: str,
    found: dict[str, Any],
    login: dict[str, Any],
    options: Options,
) -> Source:
    def make() -> Any:
        times = {k: v for k, v in found.items() if k.startswith(("socket_", "ssl"))}
        kind: Any = sentinel.Sentinel
        sentinels = kind(hosts, sentinel_kwargs={**times, **login}, **found)
        return sentinels.master_for(service)

    name = f"{service} by {_names(hosts)}"
    return Source(name, False, make, None, True, options.max_connections)


def _cluster(hosts: list[tuple[str, int]], found: dict[str, Any], options: Options) -> Source:
    def make() -> Any:
        nodes = [ClusterNode(host, port) for host, port in hosts]
        # A part of the cluster that is down takes only its own threads with it.
        return aredis.RedisCluster(startup_nodes=nodes, **{"require_full_coverage": False, **found})

    return Source(f"cluster {_names(hosts)}", True, make, None, True, options.max_connections)


def _of_client(client: Any, options: Options) -> Source:
    if isinstance(client, (aredis.Redis, aredis.RedisCluster)):
        loop = _running_loop()
        if loop is not None:
            return _given(client, loop)
    if isinstance(client, (aredis.Redis, redis.Redis)):
        return _like_client(client.connection_pool, options)
    if isinstance(client, (aredis.RedisCluster, redis.RedisCluster)):
        return _like_cluster(client, options)
    raise ConfigurationError(f"a URL or a redis-py client is needed, not {type(client).__name__!r}")


def _given(client: Any, loop: asyncio.AbstractEventLoop) -> Source:
    if isinstance(client, aredis.RedisCluster):
        hosts = [(node.host, node.port) for node in _startup_nodes(client)]
        return Source(f"cluster {_names(hosts)}", True, lambda: client, loop, False, 64)
    pool = client.connection_pool
    name = _pool_name(pool)
    return Source(name, False, lambda: client, loop, False, min(pool.max_connections, 64))


def _like_client(pool: Any, options: Options) -> Source:
    """A client of our own with the settings of one that lives elsewhere."""
    kwargs = pool.connection_kwargs
    found = {**options.connection(), **_settings(kwargs)}
    kind = pool.connection_class.__name__
    secure = "SSL" in kind
    manager = getattr(pool, "sentinel_manager", None)
    if manager is not None:
        hosts = [_address(one.connection_pool) for one in manager.sentinels]
        login = _settings(manager.sentinel_kwargs)
        found = {"retry": _no_retry(), **found, "ssl": secure}
        for name in ("host", "port"):
            found.pop(name, None)
        return _by_sentinels(hosts, pool.service_name, found, login, options)
    if secure or "Unix" in kind:
        found["connection_class"] = (
            aredis.SSLConnection if secure else aredis.UnixDomainSocketConnection
        )
    return _pooled(_pool_name(pool), found, options)


def _like_cluster(client: Any, options: Options) -> Source:
    manager = client.nodes_manager
    kwargs = getattr(manager, "connection_kwargs", None) or getattr(client, "connection_kwargs", {})
    found = {**options.connection(), **_settings(kwargs)}
    secure = bool(kwargs.get("ssl")) or "SSL" in getattr(
        kwargs.get("connection_class"), "__name__", ""
    )
    hosts = [(node.host, node.port) for node in _startup_nodes(client)]
    for name in ("host", "port", "db"):
        found.pop(name, None)
    return _cluster(hosts, {**found, "ssl": secure}, options)


def _startup_nodes(client: Any) -> list[Any]:
    return list(client.nodes_manager.startup_nodes.values())


def _settings(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in kwargs.items() if k in _CONNECTION and v is not None}


def _address(pool: Any) -> tuple[str, int]:
    return pool.connection_kwargs.get("host", "localhost"), pool.connection_kwargs.get("port", 6379)


def _pool_name(pool: Any) -> str:
    kwargs = pool.connection_kwargs
    service = getattr(pool, "service_name", None)
    where = service or kwargs.get("path") or _netloc(kwargs)
    return f"{where}/{kwargs.get('db', 0)}"


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _no_retry() -> Any:
    return Retry(NoBackoff(), 0)


def _login(parts: SplitResult, scheme: str, options: Options) -> dict[str, Any]:
    found = {**options.connection(), **dict(parse_qsl(parts.query))}
    userinfo = parts.netloc.rpartition("@")[0]
    username, _, password = userinfo.partition(":")
    if username:
        found["username"] = unquote(username)
    if password:
        found["password"] = unquote(password)
    if scheme == "rediss":
        found["ssl"] = True
    return found


def _hosts(parts: SplitResult, port: int) -> list[tuple[str, int]]:
    hosts = []
    for one in parts.netloc.rpartition("@")[2].split(","):
        split = urlsplit(f"//{one}")
        if not split.hostname:
            raise ValueError("a host is missing")
        hosts.append((split.hostname, split.port or port))
    return hosts


def _netloc(found: Mapping[str, Any]) -> str:
    return f"{found.get('host', 'localhost')}:{found.get('port', 6379)}"


def _names(hosts: list[tuple[str, int]]) -> str:
    return ",".join(f"{host}:{port}" for host, port in hosts)
