"""A checkpoint or a batch of writes made ready to store: encoded at once, bound later.

Encoding happens when the saver is called, before anything waits, so that what the
caller changes afterwards cannot tear what is stored. Binding takes the unchanged
values from the parent as it is remembered or was read, and may be done again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextvars import Context
from typing import Any, NamedTuple

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    get_checkpoint_metadata,
)

from lgckpt.configs import text
from lgckpt.core import core
from lgckpt.hints import Hint, Hints
from lgckpt.packing import (
    SETTLE_MIN,
    Packed,
    Packer,
    State,
    Value,
    pack_write,
    parent_hashes,
)
from lgckpt.rows import (
    CheckpointKey,
    CheckpointRow,
    Chunk,
    ParentClaim,
    PutCheckpoint,
    PutWrites,
    WriteRow,
    hashes,
)

_NONE = object()
"""No value, and equal to no version."""


class Draft(NamedTuple):
    """A checkpoint, serialized but for the values it carries on from its parent.

    Attributes:
        bare: The tag and the bytes of the checkpoint without its values.
        versions: Its `channel_versions`.
        changed: The values of the channels in `new_versions`.
        carried: The other channels, each with its value in case the parent has none.
    """

    key: CheckpointKey
    parent_id: str | None
    packer: Packer
    bare: tuple[str, bytes]
    versions: dict[str, Any]
    metadata: bytes
    run_id: str | None
    changed: dict[str, Packed]
    carried: dict[str, Any]

    @property
    def wants_parent(self) -> bool:
        """Whether the parent's row would spare work: something is carried, or large."""
        if self.parent_id is None:
            return False
        return bool(self.carried) or any(p.tree is not None for p in self.changed.values())


def draft(
    packer: Packer,
    config: RunnableConfig,
    key: CheckpointKey,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    new_versions: ChannelVersions,
    hints: Hints,
) -> Draft:
    """Encode what `put` was given, now."""
    thread_id, checkpoint_ns, _ = key
    values = checkpoint["channel_values"]
    full = get_checkpoint_metadata(config, metadata)
    run_id = full.get("run_id")
    changed: dict[str, Packed] = {}
    for channel in new_versions:
        if channel in values:
            earlier = hints.tree(thread_id, checkpoint_ns, channel)
            packed = changed[channel] = packer.value(values[channel], earlier)
            if packed.tree is not None:
                # At once, since the next value may be encoded before this one is stored. Nothing
                # is taken to be stored for that: only bytes are compared with it.
                hints.put_tree(thread_id, checkpoint_ns, channel, packed.tree)
    parent_id = config["configurable"].get("checkpoint_id")
    return Draft(
        key,
        None if parent_id is None else text(parent_id, "checkpoint_id"),
        packer,
        packer.checkpoint(checkpoint),
        dict(checkpoint["channel_versions"]),
        packer.metadata(full),
        None if run_id is None else str(run_id),
        changed,
        carried_values(checkpoint, new_versions),
    )


def carried_values(checkpoint: Checkpoint, new_versions: ChannelVersions) -> dict[str, Any]:
    """Channels whose value may be the parent's: a version says so even where no value is given.

    A DeltaChannel gives no value between snapshots; the version it inherits names the
    snapshot's, which is how LangGraph's in-memory and Postgres savers read it back.
    """
    values, versions = checkpoint["channel_values"], checkpoint["channel_versions"]
    carried = {k: values.get(k, _NONE) for k in versions if k not in new_versions}
    carried.update((k, v) for k, v in values.items() if k not in versions and k not in new_versions)
    return carried


def pack_carried(draft: Draft) -> Draft:
    """Encode what is carried, now: the parent has to be read first and may be found absent."""
    value = draft.packer.value
    packed = {
        k: v if v is _NONE or isinstance(v, Packed) else value(v) for k, v in draft.carried.items()
    }
    return draft._replace(carried=packed)


class Bound(NamedTuple):
    """A draft bound to its parent: what to store, and what to remember once it is."""

    put: PutCheckpoint
    hint: Hint


def bind(draft: Draft, parent: Hint | None, *, whole: bool = False) -> Bound:
    """Take what the draft carries from its parent and leave out what is stored already.

    Args:
        draft: The checkpoint.
        parent: Its parent as remembered or read, if there is one.
        whole: Send every chunk, trusting nothing remembered.
    """
    packer, metadata = draft.packer, draft.metadata
    binder = _Binder(draft, parent, whole)
    values = binder.carry()
    for channel, packed in draft.changed.items():
        values[channel] = binder.sent(channel, packed)
    values = in_order(draft.versions, values)
    state, refs = packer.state(State(*draft.bare, values))
    tag = core.etag(state, refs, metadata)
    row = CheckpointRow(*draft.key, draft.parent_id, draft.run_id, 0, tag, metadata, state, refs)
    put = PutCheckpoint(row, binder.chunks, binder.parent_claim(), binder.further_claims())
    held = len(state) + len(refs)
    inline = None if refs else packer.inline(draft.versions, values)
    hint = Hint(row.checkpoint_id, tag, held, draft.versions, values, binder.known, inline=inline)
    return Bound(put, hint)


def in_order(versions: dict[str, Any], values: dict[str, Value]) -> dict[str, Value]:
    """The values in the order of the versions, which steps keep, and any others after them."""
    return {**{k: values[k] for k in versions if k in values}, **values}


class _Binder:
    __slots__ = ("_chosen", "_draft", "_parent", "chunks", "claims", "known")

    def __init__(self, draft: Draft, parent: Hint | None, whole: bool) -> None:
        self._draft = draft
        self._parent = parent
        self._chosen = None if whole else parent
        self.chunks: list[Chunk] = []
        self.claims: list[bytes] = []
        self.known: dict[str, Any] = {}

    def carry(self) -> dict[str, Value]:
        """The values that did not change: the parent's, or encoded where it has none."""
        versions, parent, packer = self._draft.versions, self._parent, self._draft.packer
        values: dict[str, Value] = {}
        for channel, given in self._draft.carried.items():
            value = None
            version = versions.get(channel)
            if parent is not None and version == parent.versions.get(channel, _NONE):
                value = parent.values.get(channel)
            if value is not None:
                values[channel] = self._settled(channel, value)
            elif given is not _NONE:
                packed = given if isinstance(given, Packed) else packer.value(given)
                values[channel] = self.sent(channel, packed)
        return values

    def _settled(self, channel: str, value: Value) -> Value:
        if not value.refs and value.size <= SETTLE_MIN:
            return value
        self.claims.extend(hashes(value.refs))
        settled, chunk = self._draft.packer.settle(value)
        if chunk is not None:
            self.chunks.append(chunk)
        if self._parent is not None and channel in self._parent.known:
            self.known[channel] = self._parent.known[channel]
        return settled

    def sent(self, channel: str, packed: Packed) -> Value:
        """A value that was encoded: its chunks are sent but for those known to be there."""
        value, tree, chunk = packed
        if chunk is not None:
            self.chunks.append(chunk)
        if tree is not None:
            chunks, claims = tree.unsent(self._trusted(channel), self._draft.packer.codec)
            self.chunks.extend(Chunk(*one) for one in chunks)
            self.claims.extend(claims)
            self.known[channel] = tree.known()
        return value

    def _trusted(self, channel: str) -> list[Any]:
        if self._chosen is None:
            return []
        known = self._chosen.known.get(channel)
        return [*self._chosen.written, *([] if known is None else [known])]

    def parent_claim(self) -> ParentClaim | None:
        """That the parent's row is still the one this was built upon."""
        if self._parent is None:
            return None
        return ParentClaim(self._parent.checkpoint_id, self._parent.etag)

    def further_claims(self) -> list[bytes]:
        """The chunks taken to be there which the parent's row does not itself vouch for."""
        if not self.claims:
            return self.claims
        vouched: set[bytes] = set()
        if self._parent is not None and self._parent.stored_here:
            vouched = parent_hashes(self._parent.values)
        return [h for h in dict.fromkeys(self.claims) if h not in vouched]


class TaskWrites(NamedTuple):
    """Pending writes of one task.

    Attributes:
        writes: (channel, value) pairs.
        task_id: The task.
        task_path: Its path, which decides the order of replay.
        context: Where the values are serialized; None for wherever they are stored from.
    """

    writes: Sequence[tuple[str, Any]]
    task_id: str
    task_path: str = ""
    context: Context | None = None


class DraftedWrites(NamedTuple):
    """Pending writes of one task, serialized: (channel, idx, packed value)."""

    rows: list[tuple[str, int, Packed]]
    task_id: str
    task_path: str

    @property
    def special(self) -> bool:
        """Whether they replace what is there: all are to special channels."""
        return all(channel in WRITES_IDX_MAP for channel, _, _ in self.rows)

    @property
    def large(self) -> bool:
        """Whether any of them takes chunks."""
        return any(
            packed.tree is not None or packed.chunk is not None for _, _, packed in self.rows
        )


def draft_writes(packer: Packer, task: TaskWrites) -> DraftedWrites:
    """Encode what `put_writes` was given, now."""
    rows = [
        (text(channel, "channel"), WRITES_IDX_MAP.get(channel, idx), packer.value(value))
        for idx, (channel, value) in enumerate(task.writes)
    ]
    return DraftedWrites(rows, text(task.task_id, "task_id"), text(task.task_path, "task_path"))


def alike(tasks: Iterable[DraftedWrites]) -> Iterator[list[DraftedWrites]]:
    """The tasks in order, in runs that are stored at once.

    All of a run replace what is there, or none do; no two are of one task; one that takes chunks
    is a run by itself.
    """
    run: list[DraftedWrites] = []
    ids: set[str] = set()
    for task in tasks:
        if run and (task.task_id in ids or not _may_join(run[0], task)):
            yield run
            run, ids = [], set()
        run.append(task)
        ids.add(task.task_id)
    if run:
        yield run


def _may_join(first: DraftedWrites, task: DraftedWrites) -> bool:
    return task.special == first.special and not task.large and not first.large


def bind_writes(
    packer: Packer, key: CheckpointKey, tasks: Sequence[DraftedWrites], trusted: list[Any]
) -> tuple[PutWrites, list[Any]]:
    """Make the rows of a run; gives also the hashes of its chunk trees, to be remembered."""
    rows: list[WriteRow] = []
    chunks: list[Chunk] = []
    claims: list[bytes] = []
    trees: list[Any] = []
    for drafted, task_id, task_path in tasks:
        for channel, idx, packed in drafted:
            value, refs, root = pack_write(packer, packed)
            chunks.extend(root)
            if packed.chunk is not None:
                chunks.append(packed.chunk)
            if packed.tree is not None:
                sent, claimed = packed.tree.unsent(trusted, packer.codec)
                chunks.extend(Chunk(*chunk) for chunk in sent)
                claims.extend(claimed)
                trees.append(packed.tree.known())
            tag = packed.value.tag
            rows.append(WriteRow(*key, task_id, idx, task_path, channel, tag, value, refs))
    return PutWrites(rows, tasks[0].special, chunks, list(dict.fromkeys(claims))), trees
