"""Connections to Postgres: a pool on the storage's loop, and what is tried again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from operator import methodcaller
from typing import Any, TypeVar

import asyncpg
from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    stop_after_delay,
    wait_random_exponential,
)

from lgckpt.backends.postgres_errors import is_lost, may_pass, place_of, server_of, translated
from lgckpt.errors import ClosedError
from lgckpt.telling import tell
from lgckpt.watching import Acquire, Watch, Watchable, Whereabouts, timed_acquire

T = TypeVar("T")

Work = Callable[[Any], Awaitable[T]]
"""What is done with a connection; it may be done again, on another one."""

FIRST_WAIT = 0.05
LONGEST_WAIT = 1.0
"""Seconds between two attempts; random, so that many clients do not come back at once."""

CLOSE_TIMEOUT = 5.0
"""Seconds that closing waits for what is under way."""

logger = logging.getLogger(__name__)

_inherited: list[object] = []
"""Pools of a forked child's parent: closing one would end the parent's sessions."""


@dataclass(frozen=True)
class PoolOptions:
    """How to connect.

    Attributes:
        min_size: Connections kept open.
        max_size: Connections at most.
        max_inactive_connection_lifetime: Seconds after which an idle connection is closed.
        max_lifetime: Seconds after which connections are replaced; None for never.
        timeout: Seconds that one statement, or getting a connection, may take; None for ever.
        retry_for: Seconds in which an operation that lost its connection is tried again.
        connect: What else `asyncpg.connect` is given.
    """

    min_size: int = 1
    max_size: int = 10
    max_inactive_connection_lifetime: float = 300.0
    max_lifetime: float | None = None
    timeout: float | None = 60.0
    retry_for: float = 30.0
    connect: Mapping[str, Any] = field(default_factory=dict)


class Connections(Watchable):
    """A pool, opened when first needed.

    Args:
        source: A URL, or a pool of the caller's, which stays theirs to close.
        options: How to connect.
        prepare: Called with a connection before the first use of the database.
    """

    def __init__(
        self,
        source: str | asyncpg.Pool,
        options: PoolOptions,
        prepare: Work[None] | None = None,
    ) -> None:
        self._source = source
        self._options = options
        self._prepare = prepare
        self.place = place_of(source) if isinstance(source, str) else "the given pool's database"
        self._closed = False
        self._acquire: Acquire = methodcaller("acquire", timeout=options.timeout)
        self._begin()

    def _begin(self) -> None:
        self._pool: asyncpg.Pool | None = None
        self._lock = asyncio.Lock()
        self._active = 0
        self._idle = asyncio.Event()
        self._ageing: asyncio.TimerHandle | None = None

    @property
    def given(self) -> asyncpg.Pool | None:
        """The caller's own pool, if it is that."""
        return None if isinstance(self._source, str) else self._source

    @property
    def size(self) -> int:
        """Connections at most."""
        given = self.given
        return self._options.max_size if given is None else given.get_max_size()

    def whereabouts(self, schema: str) -> Whereabouts:
        """The server, as far as the URL names one."""
        if not isinstance(self._source, str):
            return Whereabouts("postgresql")
        database, host, port = server_of(self._source)
        return Whereabouts("postgresql", f"{database}|{schema}" if database else None, host, port)

    def watch(self, watch: Watch | None) -> None:
        """Tell who waited for a connection, and what is tried again."""
        super().watch(watch)
        acquire: Acquire = methodcaller("acquire", timeout=self._options.timeout)
        self._acquire = acquire if watch is None else timed_acquire(acquire, watch)

    def locked(self) -> None:
        """Tell that a thread's lock was taken and is asked for again."""
        self._retried("locked")

    @property
    def timeout(self) -> float | None:
        """Seconds that one statement may take; None for ever."""
        return self._options.timeout

    async def run(self, work: Work[T]) -> T:
        """Do something with a connection; again with another one if it was lost.

        Raises:
            StorageError: It failed, for as long as it made sense to try.
            ClosedError: `close` was called.
        """
        if self._closed:
            raise ClosedError("this saver was closed")
        self._active += 1
        try:
            try:
                return await self._once(work)
            except Exception as exc:
                if not self._may_pass(exc) or self._options.retry_for <= 0:
                    raise
                self._tell_retry(logging.WARNING, exc, attempt=1)
                await self._renew(exc)
            return await self._again(work)
        except Exception as exc:
            if self._closed and isinstance(exc, asyncpg.InterfaceError):
                raise ClosedError("this saver was closed") from exc
            told = translated(exc, self.place, self._options.timeout)
            if told is None:
                raise
            raise told from exc
        finally:
            self._active -= 1
            if self._closed and not self._active:
                self._idle.set()

    async def look(self, work: Work[T]) -> T:
        """Do something with a connection without `prepare` having been called, once.

        Raises:
            StorageError: It failed.
            ClosedError: `close` was called.
        """
        if self._closed:
            raise ClosedError("this saver was closed")
        pool, limit = self._pool or self.given, self._options.timeout
        try:
            if pool is not None:
                async with pool.acquire(timeout=limit) as connection:
                    return await work(connection)
            # Without a limit of ours, connecting has the driver's own.
            limits = {} if limit is None else {"timeout": limit}
            options = {**limits, "command_timeout": limit, **self._options.connect}
            connection = await asyncpg.connect(self._source, **options)
            try:
                return await work(connection)
            finally:
                await connection.close()
        except Exception as exc:
            told = translated(exc, self.place, limit)
            if told is None:
                raise
            raise told from exc

    async def _again(self, work: Work[T]) -> T:
        attempts = AsyncRetrying(
            stop=stop_after_delay(self._options.retry_for),
            wait=wait_random_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT),
            retry=retry_if_exception(lambda exc: self._may_pass(exc) and not self._closed),
            reraise=True,
        )

        made = 1

        async def attempt() -> T:
            nonlocal made
            made += 1
            try:
                return await self._once(work)
            except Exception as exc:
                if self._may_pass(exc):
                    self._tell_retry(logging.DEBUG, exc, attempt=made)
                await self._renew(exc)
                raise

        result: T = await attempts(attempt)
        tell(
            logger, logging.INFO, "recovered", "%s answers again", self.place, database=self.place,
            attempt=made,
        )  # fmt: skip
        return result

    def _tell_retry(self, level: int, exc: Exception, *, attempt: int) -> None:
        reason = "lost" if is_lost(exc) else "conflict"
        self._retried(reason)
        tell(
            logger,
            level,
            "retry",
            "%s: %s, trying again for up to %s seconds",
            self.place,
            type(exc).__name__,
            self._options.retry_for,
            database=self.place,
            reason=reason,
            error=type(exc).__name__,
            attempt=attempt,
        )

    def _may_pass(self, exc: BaseException) -> bool:
        """Whether to try again; a password that is asked for may be the next one by then."""
        if isinstance(exc, asyncpg.InvalidPasswordError):
            return callable(self._options.connect.get("password"))
        return may_pass(exc)

    async def _renew(self, exc: Exception) -> None:
        """Have idle connections replaced: they went the way of the one that was lost."""
        if is_lost(exc) and self._pool is not None and self.given is None:
            tell(
                logger, logging.INFO, "reconnect", "%s: connections are replaced", self.place,
                database=self.place,
            )  # fmt: skip
            await self._pool.expire_connections()

    async def _once(self, work: Work[T]) -> T:
        pool = self._pool or await self._open()
        async with self._acquire(pool) as connection:
            try:
                return await work(connection)
            except Exception as exc:
                if is_lost(exc):
                    with suppress(asyncpg.InterfaceError):
                        connection.terminate()
                raise

    async def _open(self) -> asyncpg.Pool:
        async with self._lock:
            if self._pool is None:
                pool = self.given or await self._make()
                if self._prepare is not None:
                    try:
                        async with pool.acquire(timeout=self._options.timeout) as connection:
                            await self._prepare(connection)
                    except BaseException:
                        if pool is not self.given:
                            pool.terminate()
                        raise
                self._pool = pool
                self._age()
            return self._pool

    async def _make(self) -> asyncpg.Pool:
        options = self._options
        return await asyncpg.create_pool(
            self._source,
            min_size=min(options.min_size, options.max_size),
            max_size=options.max_size,
            max_inactive_connection_lifetime=options.max_inactive_connection_lifetime,
            reset=_keep,
            **{"command_timeout": options.timeout, **options.connect},
        )

    def _age(self) -> None:
        lifetime = self._options.max_lifetime
        if lifetime is None or self.given is not None or self._pool is None:
            return
        loop, pool = asyncio.get_running_loop(), self._pool

        def replace() -> None:
            expiring = loop.create_task(pool.expire_connections())
            expiring.add_done_callback(lambda _: self._age())

        self._ageing = loop.call_later(lifetime, replace)

    def refuse(self) -> None:
        """Let nothing new begin."""
        self._closed = True

    async def close(self) -> None:
        """Refuse what comes, let what is under way end, close what is ours."""
        self.refuse()
        if self._active:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._idle.wait(), CLOSE_TIMEOUT)
        if self._ageing is not None:
            self._ageing.cancel()
        pool, self._pool = self._pool, None
        if pool is not None and pool is not self.given:
            try:
                await asyncio.wait_for(pool.close(), CLOSE_TIMEOUT)
            except (asyncio.TimeoutError, OSError, asyncpg.InterfaceError):
                pool.terminate()

    def forget(self) -> None:
        """In a forked child: leave the parent's pool alone, and open another when needed."""
        _inherited.append((self._pool, self._lock, self._idle, self._ageing))
        self._begin()


async def _keep(_: Any) -> None:
    """Nothing to reset: no statement of ours changes a session, and it would be a round trip."""


@asynccontextmanager
async def snapshot(connection: Any) -> AsyncIterator[Any]:
    """One consistent view of the database for several statements."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        yield connection
