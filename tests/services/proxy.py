"""A TCP proxy in front of a PostgreSQL server, which fails where it is told to."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.services.pgwire import ClientStream, ServerStream, Turn

When = Literal["before", "midway", "answered"]
"""When a connection is cut: nothing of the statement was forwarded; half of it was; the server
has carried it out, and its answer is lost."""

_SIZE = 1 << 16


@dataclass
class Fault:
    """Connections to be cut.

    Attributes:
        when: At which moment.
        text: Part of the statement that it happens to.
        every: Only each so-manieth such statement.
        times: How often, at most.
    """

    when: When
    text: str
    every: int = 1
    times: int = 1
    seen: int = 0
    done: int = 0

    def strikes(self, turn: Turn) -> bool:
        """Whether this turn is cut off."""
        if self.done >= self.times or not any(self.text in one for one in turn.statements):
            return False
        self.seen += 1
        if self.seen % self.every:
            return False
        self.done += 1
        return True


@dataclass(eq=False)
class _Link:
    """One connection, through the proxy to the server."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    said: ClientStream = field(default_factory=ClientStream)
    lost: bool = False
    turns: int = 0

    def __post_init__(self) -> None:
        self.answered = ServerStream(self.said)

    def cut(self) -> None:
        for side in (self.client, self.server):
            with suppress(RuntimeError):
                side.transport.abort()


class Proxy:
    """Forwards connections from a port of its own, on an event loop in a thread of its own.

    Args:
        port: Where the server listens.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._links: set[_Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._faults: list[Fault] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self.turns: list[tuple[str, ...]] = []
        self.accepted = 0
        self.port: int = self._call(self._listen)

    def _call(self, function: Callable[[], Any]) -> Any:
        async def call() -> Any:
            return await function()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(10)

    async def _listen(self) -> int:
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def url(self, server_url: str) -> str:
        """The server's URL, by way of this proxy."""
        return server_url.replace(f":{self._to}/", f":{self.port}/")

    def stall(self) -> None:
        """Forward nothing, without closing anything."""
        self._loop.call_soon_threadsafe(self._flowing.clear)

    def flow(self) -> None:
        """Forward again."""
        self._loop.call_soon_threadsafe(self._flowing.set)

    def cut(self) -> int:
        """Cut every connection; gives how many there were."""

        async def cut() -> int:
            links = list(self._links)
            for link in links:
                link.cut()
            return len(links)

        number: int = self._call(cut)
        return number

    def strike(self, fault: Fault) -> Fault:
        """Have a fault happen from now on."""
        self._faults.append(fault)
        return fault

    @contextmanager
    def counting(self) -> Iterator[list[tuple[str, ...]]]:
        """Collect the round trips of a block: for each, the statements that went with it."""
        before = len(self.turns)
        seen: list[tuple[str, ...]] = []
        yield seen
        seen.extend(self.turns[before:])

    def close(self) -> None:
        """Cut everything and end the thread."""

        async def close() -> None:
            self._server.close()
            for link in list(self._links):
                link.cut()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

        self._call(close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _accept(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.accepted += 1
        try:
            answers, server = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            client.transport.abort()
            self._tasks.discard(task)
            return
        link = _Link(client, server)
        self._links.add(link)
        try:
            await asyncio.gather(self._ask(reader, link), self._answer(answers, link))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            link.cut()
            self._links.discard(link)
            self._tasks.discard(task)

    async def _ask(self, reader: asyncio.StreamReader, link: _Link) -> None:
        while data := await reader.read(_SIZE):
            await self._flowing.wait()
            turns = link.said.feed(data)
            self.turns.extend(turn.statements for turn in turns)
            struck = self._struck(turns)
            if struck == "answered":
                link.lost = True
            elif struck is not None:
                if struck == "midway":
                    link.server.write(data[: len(data) // 2])
                    await link.server.drain()
                link.cut()
                return
            link.server.write(data)
            await link.server.drain()
        link.cut()

    def _struck(self, turns: list[Turn]) -> When | None:
        for turn in turns:
            for fault in self._faults:
                if fault.strikes(turn):
                    return fault.when
        return None

    async def _answer(self, reader: asyncio.StreamReader, link: _Link) -> None:
        while data := await reader.read(_SIZE):
            await self._flowing.wait()
            ready = link.answered.ready
            link.answered.feed(data)
            if not link.lost:
                link.client.write(data)
                await link.client.drain()
            elif link.answered.ready > ready:
                break
        link.cut()


@contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    """A proxy to a port of this machine, for a block."""
    proxy = Proxy(port)
    try:
        yield proxy
    finally:
        proxy.close()
