"""What of a call goes into a recording."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata

from lgckpt.errors import StorageError
from lgckpt.loadtest.calls import place_of
from lgckpt.loadtest.digests import digest
from lgckpt.loadtest.tape import MAGIC, SERDE, write_record

Scrub = Callable[[Any], Any]

_STRUCTURE = frozenset({"source", "step", "parents"})
"""Metadata that LangGraph writes itself, and that says nothing of anybody."""


class Writer:
    """Appends calls to a file; from any thread.

    Args:
        path: The file; what was there is replaced.
        scrub: Makes values unreadable; threads are numbered then.

    Raises:
        StorageError: The file cannot be written (so every method that writes).
    """

    def __init__(self, path: Path, scrub: Scrub | None) -> None:
        self._path = path
        self._scrub = scrub
        self._lock = threading.Lock()
        with self._told_of():
            self._file = path.open("wb")
            self._file.write(MAGIC)
        self._began = monotonic()
        self._numbers: dict[bytes, int] = {}
        self._threads: dict[str, str] = {}
        self._told: set[tuple[str, str, str, Any]] = set()

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        versions: ChannelVersions,
    ) -> None:
        """A put."""
        rest = {name: one for name, one in checkpoint.items() if name != "channel_values"}
        with self._lock:
            thread, ns, parent = self._place(config)
            channels: dict[str, Any] = {}
            for name, value in checkpoint["channel_values"].items():
                version = (thread, ns, name, checkpoint["channel_versions"].get(name))
                if name in versions or version not in self._told:
                    self._told.add(version)
                    channels[name] = self._reference(value)
            self._append(
                "put", thread, ns, parent, self._plain(rest), self._plain(self._meta(metadata)),
                self._plain(versions), channels,
            )  # fmt: skip

    def put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task: str, path: str
    ) -> None:
        """A put_writes."""
        with self._lock:
            told = [[channel, self._number(value)] for channel, value in writes]
            self._append("put_writes", *self._place(config), task, path, told)

    def get(self, config: RunnableConfig) -> None:
        """A get_tuple."""
        with self._lock:
            self._append("get", *self._place(config))

    def list(
        self,
        config: RunnableConfig | None,
        filter: dict[str, Any] | None,
        before: RunnableConfig | None,
        limit: int | None,
    ) -> None:
        """A list of one thread; one of all threads reads what others wrote, and is left out."""
        if config is None:
            return
        until = None if before is None else before["configurable"].get("checkpoint_id")
        with self._lock:
            wanted = None if filter is None else self._plain(self._meta(filter))
            self._append("list", *self._place(config), until, limit, wanted)

    def close(self) -> None:
        """Nothing more will come; what does is left out."""
        with self._lock, self._told_of():
            self._file.close()

    def _place(self, config: RunnableConfig) -> tuple[str, str, str | None]:
        thread, ns, checkpoint_id = place_of(config)
        name = str(thread)
        if self._scrub is not None:
            # By number: made unreadable, two short ids may come out the same, and the calls of two
            # threads would be played as those of one.
            name = self._threads.setdefault(name, f"thread-{len(self._threads)}")
        return name, ns, checkpoint_id

    def _meta(self, metadata: Any) -> dict[str, Any]:
        scrub = self._scrub
        if scrub is None:
            return dict(metadata)
        return {k: v if k in _STRUCTURE else scrub(v) for k, v in metadata.items()}

    def _plain(self, value: Any) -> Any:
        return list(SERDE.dumps_typed(value))

    def _append(self, what: str, *parts: Any) -> None:
        self._write(what, monotonic() - self._began, *parts)
        if not self._file.closed:
            # What was recorded is to be there if the program is killed.
            with self._told_of():
                self._file.flush()

    def _write(self, *record: Any) -> None:
        if not self._file.closed:
            with self._told_of():
                write_record(self._file, *record)

    @contextmanager
    def _told_of(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise StorageError(f"{self._path} cannot be written: {exc.strerror or exc}") from exc

    def _reference(self, value: Any) -> Any:
        """Where a channel's value is; a list's elements one by one."""
        if type(value) is list:
            return [self._number(one) for one in value]
        return self._number(value)

    def _number(self, value: Any) -> int:
        known = digest(value).value
        number = self._numbers.get(known)
        if number is None:
            number = self._numbers[known] = len(self._numbers)
            shown = value if self._scrub is None else self._scrub(value)
            self._write("v", number, *SERDE.dumps_typed(shown))
        return number
