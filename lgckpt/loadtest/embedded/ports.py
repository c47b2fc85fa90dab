"""Free ports."""

from __future__ import annotations

import socket

START_LIMIT = 60.0
"""Seconds that a server may take to come up."""


def free_port() -> int:
    """A TCP port on the loopback interface that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
