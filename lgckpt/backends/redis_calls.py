"""Commands to Redis: tried again where that is safe, and errors that say where they come from."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

from redis.client import NEVER_DECODE
from redis.exceptions import (
    AskError,
    BusyLoadingError,
    ClusterDownError,
    NoScriptError,
    RedisError,
    ResponseError,
)

from lgckpt.backends.redis_clients import Source
from lgckpt.backends.redis_errors import kind, reason
from lgckpt.backends.redis_scripts import Script
from lgckpt.errors import ClosedError, StorageError
from lgckpt.telling import tell
from lgckpt.watching import TimedGate, Watch, Watchable, Whereabouts

T = TypeVar("T")

FIRST_CONTACT = 1.0
"""Seconds that a server which was never reached is tried for: its address may be wrong."""

FIRST_PAUSE, LONGEST_PAUSE = 0.01, 0.5
"""Seconds between two tries, doubled each time."""

logger = logging.getLogger(__name__)


class Call(NamedTuple):
    """A script to run."""

    script: Script
    keys: Sequence[bytes]
    args: Sequence[bytes | int]


class Replicas(NamedTuple):
    """How many replicas have to have a write before it counts, and for how long to wait."""

    number: int
    timeout_ms: int


class Calls(Watchable):
    """The one way to the server, on one event loop.

    Every command sent here may be sent twice: the scripts see to it that a second time
    changes nothing more.

    Args:
        source: Where the client comes from.
        retry_for: For how many seconds a command is tried again while the server is away.
        replicas: What `durable` waits for.
    """

    def __init__(self, source: Source, retry_for: float, replicas: Replicas | None) -> None:
        self.name = source.name
        self._source = source
        self._retry_for = retry_for
        self._replicas = replicas
        self._client: Any = None
        self._gate: asyncio.Semaphore | TimedGate | None = None
        self._reached = False
        self._closed = False

    async def script(
        self, script: Script, keys: Sequence[bytes], args: Sequence[bytes | int]
    ) -> Any:
        """Run a script."""
        call = Call(script, keys, args)
        return await self._trying(lambda client: self._run(client, call))

    async def durable(
        self, script: Script, keys: Sequence[bytes], args: Sequence[bytes | int]
    ) -> Any:
        """Run a script that writes, and wait for as many replicas as were asked for.

        Raises:
            StorageError: Too few have it in time; it is stored, and a failover may lose it.
        """
        replicas = self._replicas
        if replicas is None:
            return await self.script(script, keys, args)
        call = Call(script, keys, args)
        result, reached = await self._trying(lambda c: self._run_and_wait(c, call, replicas))
        if reached < replicas.number:
            raise StorageError(
                f"Redis at {self.name}: {reached} of {replicas.number} replicas had the write "
                f"within {replicas.timeout_ms} ms; it is stored, and a failover may lose it"
            )
        return result

    async def durable_many(self, calls: Sequence[Call]) -> list[Any]:
        """Run scripts that write, at once, each as `durable` does; their results in order."""
        if self._replicas is None:
            return await self.many(calls)
        return list(await asyncio.gather(*(self.durable(*call) for call in calls)))

    async def command(self, *parts: str | bytes | int) -> Any:
        """Run a command that names its key first."""
        return await self._trying(lambda client: client.execute_command(*parts, **_raw()))

    async def many(self, calls: Sequence[Call]) -> list[Any]:
        """Run scripts at once; their results in the order asked for."""
        if len(calls) == 1:
            return [await self.script(*calls[0])]
        if self._source.cluster:
            return list(await asyncio.gather(*(self.script(*call) for call in calls)))
        return await self._trying(lambda client: self._pipelined(client, calls))

    async def info(self) -> dict[str, Any]:
        """What `INFO memory` of the server, or of one of the cluster, says; {} if forbidden."""

        async def ask(client: Any) -> Any:
            try:
                if self._source.cluster:
                    await client.initialize()
                    node = client.get_default_node()
                    return await client.execute_command("INFO", "memory", target_nodes=node)
                return await client.execute_command("INFO", "memory")
            except ResponseError as exc:
                if kind(exc) == "forbidden":
                    return {}
                raise

        found: dict[str, Any] = await self._trying(ask)
        inner = next(iter(found.values()), None)
        return inner if isinstance(inner, dict) else found

    async def every(self, *parts: str) -> list[dict[Any, Any]]:
        """What a command that gives a mapping says on each master; [] where it is forbidden."""

        async def ask(client: Any) -> Any:
            try:
                if self._source.cluster:
                    await client.initialize()
                    nodes = client.get_primaries()
                    return [await client.execute_command(*parts, target_nodes=n) for n in nodes]
                return [await client.execute_command(*parts)]
            except ResponseError as exc:
                if kind(exc) in ("forbidden", "refused"):
                    return []
                raise

        return [_inner(found) for found in await self._trying(ask)]

    def whereabouts(self) -> Whereabouts:
        """The server, where the name is that of one."""
        server, slash, database = self.name.rpartition("/")
        host, _, port = server.rpartition(":")
        if not slash or not port.isdigit():
            return Whereabouts("redis", database if slash else None)
        return Whereabouts("redis", database, host, int(port))

    def watch(self, watch: Watch | None) -> None:
        """Tell who waited for a connection, and what is tried again."""
        super().watch(watch)
        gate = self._gate
        if gate is not None:
            self._gate = self._watched(gate.gate if isinstance(gate, TimedGate) else gate)

    def _watched(self, gate: asyncio.Semaphore) -> asyncio.Semaphore | TimedGate:
        return gate if self._watch is None else TimedGate(gate, self._watch)

    def refuse(self) -> None:
        """Begin no further command."""
        self._closed = True

    async def close(self) -> None:
        """Close the client, if it is ours; safe to call again."""
        self._closed = True
        client, self._client = self._client, None
        if client is not None and self._source.owned:
            manager = getattr(getattr(client, "connection_pool", None), "sentinel_manager", None)
            for one in (client, *(manager.sentinels if manager is not None else ())):
                with suppress(Exception):
                    await one.aclose()

    def forget(self) -> None:
        """In a forked child: let go of the parent's client without touching it."""
        inherited = (self._client, self._gate)
        self._client = self._gate = None
        # Never collected, not even as the child ends: its connections would warn that they
        # are open, and touch the sockets that the parent uses.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(inherited))

    async def _run(self, client: Any, call: Call) -> Any:
        script, keys, args = call
        try:
            return await client.execute_command(
                "EVALSHA", script.sha, len(keys), *keys, *args, **_raw()
            )
        except NoScriptError:
            return await client.execute_command(
                "EVAL", script.text, len(keys), *keys, *args, **_raw()
            )

    async def _pipelined(self, client: Any, calls: Sequence[Call]) -> list[Any]:
        async with client.pipeline(transaction=False) as pipe:
            for script, keys, args in calls:
                pipe.execute_command("EVALSHA", script.sha, len(keys), *keys, *args, **_raw())
            found = await pipe.execute(raise_on_error=False)
        for i, result in enumerate(found):
            if isinstance(result, NoScriptError):
                found[i] = await self._run(client, calls[i])
            elif isinstance(result, Exception):
                raise result
        return list(found)

    async def _run_and_wait(self, client: Any, call: Call, replicas: Replicas) -> tuple[Any, int]:
        """WAIT counts for what its own connection wrote, so both go in one pipeline."""
        script, keys, args = call
        for name, text in (("EVALSHA", script.sha), ("EVAL", script.text)):
            found = await self._pipeline_with_wait(
                client, (name, text, len(keys), *keys, *args), replicas
            )
            if name == "EVALSHA" and isinstance(found[0], NoScriptError):
                continue
            for one in found:
                if isinstance(one, Exception):
                    raise one
            return found[0], int(found[1])
        raise AssertionError("unreachable")

    async def _pipeline_with_wait(
        self, client: Any, command: tuple[Any, ...], replicas: Replicas
    ) -> list[Any]:
        if self._source.cluster:
            await client.initialize()
            slot = client.keyslot(command[3])
            node = client.nodes_manager.get_node_from_slot(slot)
            pipe = client.pipeline()
            pipe.execute_command(*command, target_nodes=node, **_raw())
            pipe.execute_command("WAIT", *replicas, target_nodes=node)
            found = await pipe.execute(raise_on_error=False, allow_redirections=False)
            if isinstance(found[0], AskError):
                # A single command has the client learn where the slot is now.
                await client.execute_command("EXISTS", command[3])
            return list(found)
        async with client.pipeline(transaction=False) as pipe:
            pipe.execute_command(*command, **_raw())
            pipe.execute_command("WAIT", *replicas)
            return list(await pipe.execute(raise_on_error=False))

    async def _trying(self, attempt: Callable[[Any], Awaitable[T]]) -> T:
        """Try again what may succeed later.

        A cluster client of redis-py closes connections while others use them, when it looks
        anew for the masters; those then fail with an AttributeError.
        """
        began, pause, failed = time.monotonic(), FIRST_PAUSE, 0
        while True:
            try:
                client, gate = self._opened()
                async with gate:
                    result = await attempt(client)
            except (RedisError, OSError, asyncio.TimeoutError, EOFError, AttributeError) as exc:
                if isinstance(exc, AttributeError) and not self._source.cluster:
                    raise
                spent = time.monotonic() - began
                if kind(exc) not in ("away", "replica") or spent + pause > self._patience(exc):
                    raise self._error(exc) from exc
                failed += 1
                self._tell_retry(exc, failed)
                await self._recover(client, exc)
            else:
                self._reached = True
                if failed:
                    self._tell_recovered(failed)
                return result
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311
            pause = min(pause * 2, LONGEST_PAUSE)

    def _tell_retry(self, exc: Exception, attempt: int) -> None:
        found, error = kind(exc), type(exc).__name__
        self._retried(found)
        tell(
            logger,
            logging.WARNING if attempt == 1 else logging.DEBUG,
            "retry",
            "Redis at %s: %s, trying again for up to %s seconds",
            self.name,
            error,
            self._patience(exc),
            database=self.name,
            reason=found,
            error=error,
            attempt=attempt,
        )

    def _tell_recovered(self, failed: int) -> None:
        tell(
            logger, logging.INFO, "recovered", "Redis at %s answers again", self.name,
            database=self.name, attempt=failed + 1,
        )  # fmt: skip

    def _opened(self) -> tuple[Any, asyncio.Semaphore | TimedGate]:
        if self._closed:
            raise ClosedError("this saver was closed")
        if self._client is None or self._gate is None:
            self._client = self._source.make()
            self._gate = self._watched(asyncio.Semaphore(max(1, self._source.most)))
        return self._client, self._gate

    def _patience(self, exc: Exception) -> float:
        if self._reached or isinstance(exc, (BusyLoadingError, ClusterDownError)):
            return self._retry_for
        return min(FIRST_CONTACT, self._retry_for)

    async def _recover(self, client: Any, exc: Exception) -> None:
        """Have the next try connect anew where the server at the other end is the wrong one."""
        if kind(exc) == "replica":
            tell(
                logger, logging.INFO, "reconnect", "Redis at %s is a replica: connecting anew",
                self.name, database=self.name,
            )  # fmt: skip
            with suppress(Exception):
                if self._source.cluster:
                    await client.aclose()
                else:
                    await client.connection_pool.disconnect(inuse_connections=False)

    def _error(self, exc: Exception) -> StorageError:
        return StorageError(f"Redis at {self.name}: {reason(exc)}")


def _inner(found: Any) -> dict[Any, Any]:
    """A node's mapping: a cluster client may give it by the node's name, and pairs as a list."""
    if isinstance(found, dict) and len(found) == 1:
        (one,) = found.values()
        if isinstance(one, (dict, list)):
            found = one
    if isinstance(found, list):
        return dict(zip(found[::2], found[1::2], strict=False))
    return found if isinstance(found, dict) else {}


def _raw() -> dict[str, Any]:
    """Have replies as bytes from a client that was made with `decode_responses=True` too."""
    return {NEVER_DECODE: True}
