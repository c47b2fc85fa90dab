"""From a URL to one side of a migration."""

from __future__ import annotations

from typing import Any

from lgckpt.archive.opening import PREFIX as FILE
from lgckpt.archive.opening import open_archive
from lgckpt.errors import ConfigurationError
from lgckpt.migration.langgraph.opening import PREFIX, open_layout
from lgckpt.migration.native import NativeSide
from lgckpt.migration.sides import Side
from lgckpt.saver import Saver
from lgckpt.url import from_url, without_password


def open_side(where: str | Saver, **options: Any) -> Side:
    """Open a database for reading and writing whole threads.

    Args:
        where: A URL, `file:///path` of a portable file among them, or a saver, which stays
            open when the side is closed.
        **options: Passed to the saver that is made of a URL; for LangGraph's own layouts see
            `lgckpt.migration.langgraph.opening.open_layout`.

    Raises:
        ConfigurationError: The URL names no database that is known.
    """
    if isinstance(where, Saver):
        return NativeSide(where, type(where).__name__, owned=False)
    if where.startswith(FILE):
        return open_archive(where)
    if where.startswith("memory:"):
        raise ConfigurationError(
            "memory:// is empty in a process of its own; lgckpt.dump(saver, path) in the process "
            "that has the saver makes a file that can be read here: file:///path"
        )
    if where.startswith(PREFIX):
        return open_layout(where, **options)
    return NativeSide(from_url(where, **options), without_password(where), owned=True)
