"""What to keep: the rules of `prune("keep_latest")` and `delete_for_runs`.

The rules are those of LangGraph's Postgres saver: writes go by the checkpoints
deleted, a head from before format v4 keeps the parent that holds its pending
sends, and a subgraph call's namespace goes with the root checkpoint it started
from. Where that one refuses threads with a DeltaChannel, the ancestors whose
writes a surviving checkpoint still replays stay here as hidden rows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

from langgraph.checkpoint.base import Checkpoint, CheckpointMetadata
from langgraph.checkpoint.serde.types import TASKS

from lgckpt.core import core
from lgckpt.errors import CorruptCheckpointError
from lgckpt.packing import Packer, State
from lgckpt.reading import read_checkpoint, read_metadata, read_state
from lgckpt.rows import HIDDEN, CheckpointRow, Entry, ThreadEdit
from lgckpt.storage import ThreadView

Place = tuple[str, str]
"""(checkpoint_ns, checkpoint_id) within one thread."""

FORMAT_WITHOUT_PENDING_SENDS = 4
"""Checkpoint format from which sends are a channel, no longer the parent's writes."""


class _Opened(NamedTuple):
    row: CheckpointRow
    state: State
    checkpoint: Checkpoint
    metadata: CheckpointMetadata


async def keep_latest(view: ThreadView, packer: Packer) -> ThreadEdit:
    """Decide what `prune` with strategy "keep_latest" deletes from one thread."""
    pruner = _Pruner(view, packer, await view.entries())
    pruner.absent_parents_go = True
    heads: dict[str, _Opened] = {}
    for ns, checkpoint_id in pruner.heads().items():
        heads[ns] = await pruner.open((ns, checkpoint_id))
    kept = {(ns, head.row.checkpoint_id) for ns, head in heads.items()}
    for ns, head in heads.items():
        if await pruner.sends_in_parent(head) and head.row.parent_id is not None:
            kept.add((ns, head.row.parent_id))
    calls = pruner.ended_calls(heads, kept)
    return await pruner.edit({place for place in kept if place[0] not in calls}, sorted(calls))


async def without_runs(view: ThreadView, packer: Packer, run_ids: Collection[str]) -> ThreadEdit:
    """Decide what `delete_for_runs` deletes from one thread."""
    entries = await view.entries()
    pruner = _Pruner(view, packer, entries)
    kept = {
        (e.checkpoint_ns, e.checkpoint_id)
        for e in entries
        if not e.flags & HIDDEN and e.run_id not in run_ids
    }
    return await pruner.edit(kept, [])


Choose = Callable[[Sequence[Entry]], "Collection[Place] | None"]
"""Gives of a thread's checkpoints those to keep; None if nothing of it is to stay at all."""


async def keep_where(
    view: ThreadView, packer: Packer, choose: Choose, *, calls: bool = True
) -> ThreadEdit:
    """Decide what goes from a thread, by a rule that says what stays.

    Args:
        view: The thread.
        packer: The saver's.
        choose: The rule. What a DeltaChannel of what stays replays is kept out of sight, and a
            checkpoint from before format v4 keeps the parent that holds its pending sends.
        calls: Whether a subgraph call goes with the root checkpoint that it started from.
    """
    entries = await view.entries()
    chosen = choose([e for e in entries if not e.flags & HIDDEN])
    if chosen is None:
        return ThreadEdit(drop_namespaces=sorted({e.checkpoint_ns for e in entries}))
    pruner = _Pruner(view, packer, entries)
    kept = set(chosen) & pruner.entries.keys()
    for place in sorted(kept):
        parent = pruner.entries[place].parent_id
        above = (place[0], parent or "")
        if above not in pruner.entries or above in kept:
            continue
        if await pruner.sends_in_parent(await pruner.open(place)):
            kept.add(above)
    ended: set[str] = set()
    if calls:
        heads = {
            ns: await pruner.open((ns, checkpoint_id))
            for ns, checkpoint_id in pruner.heads().items()
            if ":" in ns
        }
        ended = pruner.ended_calls(heads, kept)
    return await pruner.edit({place for place in kept if place[0] not in ended}, sorted(ended))


class _Pruner:
    def __init__(self, view: ThreadView, packer: Packer, entries: list[Entry]) -> None:
        self.view = view
        self.packer = packer
        self.entries = {(e.checkpoint_ns, e.checkpoint_id): e for e in entries}
        self.absent_parents_go = False

    def heads(self) -> dict[str, str]:
        """The latest visible checkpoint of each namespace."""
        latest: dict[str, str] = {}
        for (ns, checkpoint_id), entry in self.entries.items():
            if not entry.flags & HIDDEN and checkpoint_id > latest.get(ns, ""):
                latest[ns] = checkpoint_id
        return latest

    async def open(self, place: Place) -> _Opened:
        row = await self.view.row(*place)
        if row is None:
            raise CorruptCheckpointError(
                "is listed and cannot be found by its key",
                thread_id=self.view.thread_id,
                checkpoint_ns=place[0],
                checkpoint_id=place[1],
            )
        state = read_state(row)
        serde = self.packer.serde
        checkpoint = read_checkpoint(serde, row, state)
        return _Opened(row, state, checkpoint, read_metadata(serde, row.key, row.metadata))

    async def sends_in_parent(self, head: _Opened) -> bool:
        if head.checkpoint["v"] >= FORMAT_WITHOUT_PENDING_SENDS or not head.row.parent_id:
            return False
        return await self.view.has_writes(head.row.checkpoint_ns, head.row.parent_id, TASKS)

    def ended_calls(self, heads: dict[str, _Opened], kept: set[Place]) -> set[str]:
        """Namespaces of subgraph calls whose root checkpoint is saved and not kept.

        A call's namespace has its task id after a ":", unlike that of a subgraph with
        `checkpointer=True`, whose state outlives each call. Runs save in the background, so
        a call can be there before its root checkpoint, and stays then.
        """
        ended = set()
        for ns, head in heads.items():
            root = (head.metadata.get("parents") or {}).get("")
            saved = root is not None and ("", root) in self.entries
            if ":" in ns and saved and ("", root) not in kept:
                ended.add(ns)
        return ended

    async def edit(self, kept: set[Place], dropped: list[str]) -> ThreadEdit:
        replayed = await self.replayed(kept)
        stay = kept | replayed.keys()
        edit = ThreadEdit(drop_namespaces=dropped)
        for place, entry in self.entries.items():
            if place[0] in dropped:
                continue
            if place in kept:
                await self._orphan(edit, place, entry, stay)
            elif place in replayed:
                await self._hide(edit, place, replayed[place], stay)
            else:
                edit.delete.append(place)
        return edit

    async def replayed(self, kept: set[Place]) -> dict[Place, set[str]]:
        """The rows not kept that a kept DeltaChannel is rebuilt from, with its channels."""
        needed: dict[Place, set[str]] = {}
        queue: list[tuple[Place, set[str]]] = []
        for place in sorted(kept):
            row = await self.view.row(*place)
            if row is None or not row.parent_id:
                continue
            names = _delta_channels(read_metadata(self.packer.serde, row.key, row.metadata))
            if names and (names := names - read_state(row).values.keys()):
                queue.append(((place[0], row.parent_id), names))
        while queue:
            place, names = queue.pop()
            fresh = names - needed.get(place, set())
            if place not in self.entries or not fresh:
                continue
            needed.setdefault(place, set()).update(fresh)
            row = await self.view.row(*place)
            if row is not None and row.parent_id:
                rest = fresh - read_state(row).values.keys()
                if rest:
                    queue.append(((place[0], row.parent_id), rest))
        return {place: names for place, names in needed.items() if place not in kept}

    async def _orphan(
        self,
        edit: ThreadEdit,
        place: Place,
        entry: Entry,
        stay: Collection[Place],
    ) -> None:
        """Leave a kept row without a parent if that one goes.

        A hidden parent stays its parent: LangGraph puts a copy of a checkpoint below the
        parent it reads, and the copy's DeltaChannels are rebuilt from there.
        """
        parent = None if entry.parent_id is None else (place[0], entry.parent_id)
        if parent is None or parent in stay:
            return
        if parent not in self.entries and not self.absent_parents_go:
            return
        row = await self.view.row(*place)
        if row is not None:
            edit.replace.append(row._replace(parent_id=None))

    async def _hide(
        self, edit: ThreadEdit, place: Place, names: set[str], stay: Collection[Place]
    ) -> None:
        """Keep of a row only what is replayed, out of sight."""
        opened = await self.open(place)
        values = {k: v for k, v in opened.state.values.items() if k in names}
        state, refs = self.packer.state(opened.state._replace(values=values))
        row = opened.row
        parent = None if row.parent_id is None else (place[0], row.parent_id)
        above = parent in stay
        edit.replace.append(
            row._replace(
                state=state,
                refs=refs,
                flags=row.flags | HIDDEN,
                run_id=None,
                parent_id=row.parent_id if above else None,
                etag=core.etag(state, refs, row.metadata),
            )
        )
        edit.trim_writes[place] = frozenset(names)


def _delta_channels(metadata: Any) -> set[str]:
    """The channels that LangGraph counts updates of since their last snapshot."""
    counters = metadata.get("counters_since_delta_snapshot")
    return set(counters) if isinstance(counters, dict) else set()
