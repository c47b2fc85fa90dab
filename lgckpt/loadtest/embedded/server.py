"""What every throw-away server can do."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from lgckpt.errors import StorageError
from lgckpt.loadtest.embedded.ports import START_LIMIT, free_port


class Server(ABC):
    """A server process on a loopback port, in a temporary directory of its own.

    Attributes:
        port: Where it listens, also after it was killed and started again.
        directory: All its files.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.directory = Path(tempfile.mkdtemp(prefix="lgckpt-loadtest-"))
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._prepare()
            self.start()
        except BaseException:
            self.remove()
            raise

    @property
    @abstractmethod
    def url(self) -> str:
        """Where to connect."""

    @abstractmethod
    def _prepare(self) -> None:
        """Make what it needs before its first start."""

    @abstractmethod
    def _command(self) -> list[str]:
        """How it is started."""

    @abstractmethod
    def _answers(self, connection: socket.socket) -> bool:
        """Whether what it says on a new connection means that it takes commands."""

    def _run_as(self) -> Mapping[str, Any]:
        """Who it is run as, as arguments of `subprocess`."""
        return {}

    def start(self) -> None:
        """Start it, on what it had on disk, and wait until it answers.

        Raises:
            StorageError: It does not come up.
        """
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the command is our own
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                # Ctrl-C is for the load test, which ends it in order.
                start_new_session=True,
                **self._run_as(),
            )
        deadline = time.monotonic() + START_LIMIT
        while not self._is_up():
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = (self.directory / "log").read_text(errors="replace")
                raise StorageError(f"{type(self).__name__} does not come up: {said[-2000:]}")
            time.sleep(0.02)

    def _is_up(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                return self._answers(connection)
        except OSError:
            return False

    def kill(self) -> None:
        """Kill every process of it, as a power cut would; `start` then recovers."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(psutil.NoSuchProcess):
            children = psutil.Process(process.pid).children(recursive=True)
            process.kill()
            for child in children:
                with suppress(psutil.NoSuchProcess):
                    child.kill()
            psutil.wait_procs(children, timeout=30)
        process.wait()

    def remove(self) -> None:
        """Kill it and delete its files; safe to call again."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
