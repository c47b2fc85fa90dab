"""Free ports, and waiting until something listens there."""

from __future__ import annotations

import socket
import time

from lgckpt.loadtest.embedded.ports import free_port

__all__ = ["START_TIMEOUT", "free_port", "wait_until_listening"]

START_TIMEOUT = 60.0
"""Seconds that a server may take to come up."""


def wait_until_listening(port: int, timeout: float = START_TIMEOUT) -> None:
    """Wait until something accepts connections.

    Raises:
        TimeoutError: Nothing does.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError as exc:
            if time.monotonic() > deadline:
                raise TimeoutError(f"nothing listens on port {port}") from exc
            time.sleep(0.02)
