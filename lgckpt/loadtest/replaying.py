"""A recording played back: each recorded thread is a script."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig

from lgckpt.loadtest.calls import Call, Get, History, Put, PutWrites, Script
from lgckpt.loadtest.tape import SERDE, Tape, read_tape


@dataclass(frozen=True)
class Replay:
    """A recording as a workload.

    Attributes:
        tape: The recording.
        pace: How many times as fast as it was recorded; None for as fast as may be.
    """

    tape: Tape
    pace: float | None

    @classmethod
    def of(cls, path: Path, pace: float | None) -> Replay:
        """Read a recording."""
        return cls(read_tape(path), pace)

    def script(self, thread_id: str, seed: int) -> Script:
        """One recorded thread's calls, on a thread of another name; threads come by turns."""
        threads = list(self.tape.threads.values())
        calls = threads[seed % len(threads)]
        begin = calls[0][1]
        told: dict[tuple[str, str, Any], Any] = {}
        for record in calls:
            at = None if self.pace is None else (record[1] - begin) / self.pace
            yield _MAKERS[record[0]](self.tape, told, thread_id, at, record)


def _config(thread_id: str, ns: str, checkpoint_id: str | None) -> RunnableConfig:
    configurable = {"thread_id": thread_id, "checkpoint_ns": ns}
    if checkpoint_id is not None:
        configurable["checkpoint_id"] = checkpoint_id
    return {"configurable": configurable}


def _plain(found: Any) -> Any:
    return SERDE.loads_typed((found[0], found[1]))


def _put(tape: Tape, told: dict[Any, Any], thread_id: str, at: float | None, record: Any) -> Call:
    _, _, _, ns, parent, rest, metadata, versions, channels = record
    checkpoint = _plain(rest)
    for name, where in channels.items():
        version = (ns, name, checkpoint["channel_versions"].get(name))
        told[version] = (
            [tape.value(one) for one in where] if isinstance(where, list) else tape.value(where)
        )
    values = {
        name: told[ns, name, version]
        for name, version in checkpoint["channel_versions"].items()
        if (ns, name, version) in told
    }
    checkpoint["channel_values"] = values
    config = _config(thread_id, ns, parent)
    return Put(config, checkpoint, _plain(metadata), _plain(versions), at)


def _put_writes(
    tape: Tape, _: dict[Any, Any], thread_id: str, at: float | None, record: Any
) -> Call:
    _, _, _, ns, checkpoint_id, task, path, writes = record
    found = [(channel, tape.value(number)) for channel, number in writes]
    return PutWrites(_config(thread_id, ns, checkpoint_id), found, task, path, at)


def _get(_: Tape, __: dict[Any, Any], thread_id: str, at: float | None, record: Any) -> Call:
    return Get(_config(thread_id, record[3], record[4]), at)


def _list(_: Tape, __: dict[Any, Any], thread_id: str, at: float | None, record: Any) -> Call:
    _, _, _, ns, checkpoint_id, before, limit, wanted = record
    until = None if before is None else _config(thread_id, ns, before)
    chosen = None if wanted is None else _plain(wanted)
    return History(_config(thread_id, ns, checkpoint_id), until, limit, chosen, at)


_MAKERS = {"put": _put, "put_writes": _put_writes, "get": _get, "list": _list}
