"""Locks and connections across `os.fork`, as gunicorn's preload does it.

A thread that holds a lock does not exist in the child, where the lock would stay
taken for ever. What registers here is told before a fork, so that it can come to
rest, and in the child, so that it can start anew.
"""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet


class Forkable(Protocol):
    """What holds locks or connections."""

    def before_fork(self) -> None:
        """Come to rest: nothing may be half done in the copy that the child gets."""

    def after_fork(self, *, child: bool) -> None:
        """Go on in the parent, or start anew in the child."""


_registered: WeakSet[Forkable] = WeakSet()
_resting: list[Forkable] = []


def register(one: Forkable) -> None:
    """Have `one` told of every fork for as long as it lives."""
    _registered.add(one)


def _before() -> None:
    _resting[:] = list(_registered)
    for one in _resting:
        one.before_fork()


def _after(*, child: bool) -> None:
    for one in _resting:
        one.after_fork(child=child)
    _resting.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before,
        after_in_parent=lambda: _after(child=False),
        after_in_child=lambda: _after(child=True),
    )
