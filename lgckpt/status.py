"""What is in use, and why."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version

from lgckpt.acceleration import Acceleration, acceleration
from lgckpt.core import REASON, core


@dataclass(frozen=True)
class Status:
    """What `status` reports.

    Attributes:
        version: Of lgckpt.
        core: "compiled" or "pure".
        build: "release", "debug" or "pure".
        reason: Why this core is the one in use.
        acceleration: What of LangGraph's loop is native, and why the rest is not.
    """

    version: str
    core: str
    build: str
    reason: str
    acceleration: Acceleration


def status() -> Status:
    """Name the core in use and why it is that one, and what of LangGraph's loop is native."""
    kind = "pure" if core.BUILD_PROFILE == "pure" else "compiled"
    return Status(version("lgckpt"), kind, core.BUILD_PROFILE, REASON, acceleration())
