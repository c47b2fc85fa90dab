"""Structured logging: a sentence for people, and the same as fields for machines.

Every record has `lgckpt_event`, one of the words below, and what else it is about as further
attributes that begin with `lgckpt_`. They name databases, threads and checkpoints, and classes
of errors: never what a driver said, which may quote values, and never a password.

Events:
    retry: Something failed in a way that may pass and is tried again.
    recovered: It succeeded after that.
    reconnect: Connections are replaced.
    damage: A stored row cannot be read.
    sweep: Threads that expired were deleted.
    sweep_failed: They could not be, for now.
    fallback: A slower or more careful way is taken.
    other_tables: LangGraph's own saver used the same database.
    eviction: The server may drop checkpoints.
    refresh_failed: A thread that was read does not live longer for it.
"""

from __future__ import annotations

import logging
from typing import Any

from lgckpt.errors import CorruptCheckpointError


def tell(
    logger: logging.Logger, level: int, event: str, sentence: str, *args: object, **fields: Any
) -> None:
    """Log a sentence with its fields.

    Args:
        logger: Of the module that tells.
        level: As of `logging`.
        event: Which kind of thing happened.
        sentence: As the logger takes it, with `args`.
        args: What the sentence is about.
        fields: The same for machines; each becomes an attribute of the record.
    """
    if logger.isEnabledFor(level):
        extra = {
            "lgckpt_event": event,
            **{f"lgckpt_{name}": value for name, value in fields.items()},
        }
        logger.log(level, sentence, *args, extra=extra, stacklevel=2)


def tell_damage(logger: logging.Logger, exc: Exception) -> None:
    """Log a stored row that cannot be read; any other error is its caller's alone."""
    if isinstance(exc, CorruptCheckpointError):
        tell(
            logger,
            logging.ERROR,
            "damage",
            "damaged: thread %r, checkpoint_ns %r, checkpoint %r, channel %r",
            exc.thread_id,
            exc.checkpoint_ns,
            exc.checkpoint_id,
            exc.channel,
            thread_id=exc.thread_id,
            checkpoint_ns=exc.checkpoint_ns,
            checkpoint_id=exc.checkpoint_id,
            channel=exc.channel,
        )
