"""The saver for Redis and Valkey."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from langgraph.checkpoint.serde.base import SerializerProtocol
from typing_extensions import Self

from lgckpt import lifetimes
from lgckpt.errors import ConfigurationError
from lgckpt.saver import Compression, Saver

Ttl = float | timedelta | Mapping[str, Any] | None


class RedisSaver(Saver):
    """Keeps checkpoints in Redis (6.2 to 8), Valkey, or what speaks their protocol.

    Core commands only, no modules. A thread is three keys in one cluster slot; a put is one
    script, and so is all there or not at all. Needs `pip install 'lgckpt[redis]'`.

    What a put's return means is the server's promise, not more: with `appendonly yes` and
    `appendfsync always`, the checkpoint is on disk; with `everysec`, the default of
    appendonly, a crash of the machine loses up to about a second; without appendonly, all
    since the last snapshot. Replication is asynchronous: a failover loses what the replica
    had not got yet. `wait` narrows that: a put then returns once so many replicas have
    it. A master cut off from its replicas and replaced can still lose what they
    acknowledged to it if the one promoted is another, so this is no consensus. In a
    Cluster the list of all threads lies elsewhere than the threads: after a failover that
    lost its last entries, a thread made just before is found by its id, and by
    `list(None)` and `delete_for_runs` no more. Set
    `maxmemory-policy noeviction`: any other drops checkpoints once memory is full (a warning
    is logged by `setup` where that is so).

    Args:
        redis_url: `redis://[user:password@]host:6379/0`, `rediss://` for TLS, `unix://path`;
            `redis+sentinel://host1:26379,host2:26379/mymaster/0`;
            `redis+cluster://host1:6379,host2:6379` (`rediss+...` for TLS). Or a client, as
            `redis_client`.
        redis_client: A `redis.asyncio.Redis` or `RedisCluster`, which stays yours and on the
            event loop that runs when the saver is made: a sync method called on that loop is
            refused. Where none runs, and of a synchronous `redis.Redis` or `RedisCluster`,
            only the settings are used.
        connection_args: Further keyword arguments of redis-py's client.
        serde: See `Saver`.
        compression: See `Saver`.
        prefix: Of every key, so that several savers share a database.
        ttl: How long a thread lives after its last write: seconds, or a `timedelta`. None for
            ever. All of a thread goes at one moment; a put without a `ttl` leaves a thread its
            own. Also the dict that langgraph-checkpoint-redis takes: `{"default_ttl": minutes,
            "refresh_on_read": bool}`.
        refresh_on_read: Whether reading a checkpoint renews its thread's `ttl`.
        wait: (replicas, milliseconds): what to wait for after each write; `StorageError` if
            they have not got it by then, though the master has.
        retry_for: For how many seconds a call is tried again while the server restarts or
            fails over. A server that was never reached is given up after a second.
        max_connections: Commands under way at once, to each node of a cluster.
        socket_timeout: Seconds without an answer after which a connection is given up.
        connect_timeout: Seconds for making a connection.
        health_check_interval: Seconds of rest after which a connection is tried before use.

    Raises:
        ConfigurationError: An option makes no sense, or redis-py is not installed.

    Examples:
        >>> import lgckpt
        >>> saver = lgckpt.RedisSaver("redis://localhost:6379/0", ttl=7 * 24 * 3600)
        >>> saver.close()
    """

    def __init__(
        self,
        redis_url: str | Any | None = None,
        *,
        redis_client: Any | None = None,
        connection_args: Mapping[str, Any] | None = None,
        serde: SerializerProtocol | None = None,
        compression: Compression | None = "lz4",
        prefix: str = "lgckpt",
        ttl: Ttl = None,
        refresh_on_read: bool = False,
        wait: tuple[int, int] | None = None,
        retry_for: float = 15.0,
        max_connections: int = 32,
        socket_timeout: float | None = 10.0,
        connect_timeout: float | None = 5.0,
        health_check_interval: float = 30.0,
    ) -> None:
        if (redis_url is None) == (redis_client is None):
            raise ConfigurationError("give either a Redis URL or a client")
        try:
            from lgckpt.backends.redis import RedisStorage  # noqa: PLC0415
            from lgckpt.backends.redis_clients import Options  # noqa: PLC0415
        except ImportError as exc:
            raise ConfigurationError(
                "RedisSaver needs the redis package: pip install 'lgckpt[redis]'"
            ) from exc
        seconds, refresh = _time_to_live(ttl, refresh_on_read)
        options = Options(
            max_connections,
            socket_timeout,
            connect_timeout,
            health_check_interval,
            dict(connection_args or {}),
        )
        storage = RedisStorage(
            redis_url if redis_client is None else redis_client,
            prefix=prefix,
            ttl=seconds,
            refresh_on_read=refresh,
            wait=wait,
            retry_for=retry_for,
            options=options,
        )
        super().__init__(storage, serde=serde, compression=compression)

    @classmethod
    def from_conn_string(cls, redis_url: str | None = None, **options: Any) -> Self:
        """A saver for a URL, or with `redis_client=`; use it from `with` or `async with`."""
        return cls(redis_url, **options)


class AsyncRedisSaver(RedisSaver):
    """The official name of the async saver: `setup` is awaitable, all else is `RedisSaver`."""

    async def setup(self) -> None:  # type: ignore[override]
        """Reach the server and check its settings; there is nothing to create."""
        await self.asetup()


def _time_to_live(ttl: Ttl, refresh_on_read: bool) -> tuple[float | None, bool]:
    """Seconds, and whether reads renew them."""
    if not isinstance(ttl, Mapping):
        return lifetimes.seconds(ttl), refresh_on_read
    unknown = set(ttl) - {"default_ttl", "refresh_on_read"}
    if unknown:
        raise ConfigurationError(f"unknown in ttl: {', '.join(sorted(map(str, unknown)))}")
    refresh = bool(ttl.get("refresh_on_read", refresh_on_read))
    return lifetimes.seconds(ttl.get("default_ttl"), unit=60), refresh
