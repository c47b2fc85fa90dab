"""The one tree of exceptions: everything lgckpt raises of its own derives from `LgckptError`."""

from __future__ import annotations

import ormsgpack


class LgckptError(Exception):
    """Base of every exception lgckpt raises of its own."""


class EncodeError(LgckptError, ormsgpack.MsgpackEncodeError):
    """A value cannot be serialized.

    Also a `ormsgpack.MsgpackEncodeError`, which is what `JsonPlusSerializer` raises.
    """


class DecodeError(LgckptError, ormsgpack.MsgpackDecodeError):
    """Bytes are not a value: truncated, corrupt, too deep, or followed by others.

    Also a `ormsgpack.MsgpackDecodeError`, which is what `JsonPlusSerializer` raises.
    """


class FrameError(LgckptError, ValueError):
    """A stored frame is damaged: its checksum, its length or its structure is wrong."""


class UnsupportedFormatError(LgckptError):
    """Stored by a newer release of lgckpt; the message names the format version."""


class StorageError(LgckptError):
    """The database cannot be used: dead, full, read-only, locked, or not a database."""


class MissingError(StorageError):
    """There is no such database, or it has none of the tables that were asked for."""


class ConfigurationError(LgckptError, ValueError):
    """A URL, an option or an argument makes no sense."""


class ClosedError(LgckptError):
    """The saver was closed."""


class CorruptCheckpointError(LgckptError):
    """One stored checkpoint, or one channel of it, is damaged; others stay readable.

    Attributes:
        thread_id: The thread.
        checkpoint_ns: The checkpoint namespace.
        checkpoint_id: The checkpoint, or None where the damage is not within one.
        channel: The channel, or None where the damage is not within one channel.
    """

    def __init__(
        self,
        reason: str,
        *,
        thread_id: str,
        checkpoint_ns: str,
        checkpoint_id: str | None = None,
        channel: str | None = None,
    ) -> None:
        self.reason = reason
        self.thread_id = thread_id
        self.checkpoint_ns = checkpoint_ns
        self.checkpoint_id = checkpoint_id
        self.channel = channel
        where = f"thread {thread_id!r}, checkpoint_ns {checkpoint_ns!r}"
        if checkpoint_id is not None:
            where += f", checkpoint {checkpoint_id!r}"
        if channel is not None:
            where += f", channel {channel!r}"
        super().__init__(f"{reason} ({where})")


class NotFoundError(LgckptError, LookupError):
    """There is no such thread or checkpoint."""
