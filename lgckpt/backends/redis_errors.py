"""What to make of redis-py's errors, whose classes differ between its versions and clients."""

from __future__ import annotations

from typing import Literal

from redis import exceptions

Kind = Literal["away", "replica", "forbidden", "full", "refused"]

_HINTS: dict[Kind, str] = {
    "full": "its memory is full, and nothing was stored",
    "replica": "it is a read-only replica, and no master was found in its place",
    "forbidden": "it refuses this user or password",
    "away": "it cannot be reached",
}

_STARTS: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    ("full", ("OOM",)),
    ("replica", ("READONLY",)),
    ("forbidden", ("NOAUTH", "WRONGPASS", "NOPERM", "invalid username-password")),
    ("away", ("LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN")),
)


def kind(exc: Exception) -> Kind:
    """Whether to try again, and where.

    "away": later; "replica": at whoever is the master now; the others: no more.
    """
    classes: tuple[tuple[Kind, tuple[type[Exception], ...]], ...] = (
        ("full", (exceptions.OutOfMemoryError,)),
        ("replica", (exceptions.ReadOnlyError,)),
        ("forbidden", (exceptions.AuthenticationError, exceptions.NoPermissionError)),
        ("away", (exceptions.ClusterDownError, exceptions.TryAgainError, exceptions.AskError)),
    )
    for found, types in classes:
        if isinstance(exc, types):
            return found
    for found, starts in _STARTS:
        if str(exc).startswith(starts):
            return found
    # Of Sentinel and Cluster clients, other errors too say that nobody is in charge just now.
    return "refused" if isinstance(exc, exceptions.ResponseError) else "away"


def reason(exc: Exception) -> str:
    """The error in words."""
    text = str(exc) or type(exc).__name__
    hint = _HINTS.get(kind(exc))
    return text if hint is None else f"{hint}: {text}"
