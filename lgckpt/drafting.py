"""A checkpoint or a batch of writes made ready to store: encoded at once, bound later.

Encoding happens when the saver is called, before anything waits, so that what the
caller changes afterwards cannot tear what is stored. Binding takes the unchanged
values from the parent as it is remembered or was read, and may be done again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    get_checkpoint_metadata,
)

from lgckpt.hints import Hint, Hints
from lgckpt.packing import Packed, Packer, Value, etag, pack_write, parent_hashes
from lgckpt.rows import (
    CheckpointKey,
    CheckpointRow,
    Chunk,
    ParentClaim,
    PutCheckpoint,
    PutWrites,
    WriteRow,
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A checkpoint with its changed values packed."""

    key: CheckpointKey
    parent_id: str | None
    packer: Packer
    checkpoint: Checkpoint
    metadata: bytes
    run_id: str | None
    changed: dict[str, Packed]
    carried: list[str]

    @property
    def wants_parent(self) -> bool:
        """Whether the parent's row would spare work: something is carried, or large."""
        large = any(packed.tree is not None for packed in self.changed.values())
        return self.parent_id is not None and (large or bool(self.carried))


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
    place = (key.thread_id, key.checkpoint_ns)
    values = checkpoint["channel_values"]
    full = get_checkpoint_metadata(config, metadata)
    run_id = full.get("run_id")
    return Draft(
        key=key,
        parent_id=config["configurable"].get("checkpoint_id"),
        packer=packer,
        checkpoint=checkpoint,
        metadata=packer.metadata(full),
        run_id=None if run_id is None else str(run_id),
        changed={
            k: packer.value(v, hints.tree(*place, k))
            for k, v in values.items()
            if k in new_versions
        },
        carried=_carried(checkpoint, new_versions),
    )


def _carried(checkpoint: Checkpoint, new_versions: ChannelVersions) -> list[str]:
    """Channels whose value may be the parent's: a version says so even where no value is given.

    A DeltaChannel gives no value between snapshots; the version it inherits names the
    snapshot's, which is how LangGraph's in-memory and Postgres savers read it back.
    """
    names = dict.fromkeys(checkpoint["channel_values"])
    names.update(dict.fromkeys(checkpoint["channel_versions"]))
    return [k for k in names if k not in new_versions]


@dataclass(frozen=True, slots=True)
class Bound:
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
    binder = _Binder(draft, parent, whole)
    values = {**binder.carry(), **binder.change()}
    packer = draft.packer
    state, refs = packer.state(draft.checkpoint, values)
    row = CheckpointRow(
        *draft.key, draft.parent_id, draft.run_id, 0,
        etag(draft.metadata, state, refs), draft.metadata, state, refs,
    )  # fmt: skip
    named = set() if parent is None else parent_hashes(parent.values)
    put = PutCheckpoint(
        row,
        binder.chunks,
        None if parent is None else ParentClaim(parent.checkpoint_id, parent.etag),
        [h for h in dict.fromkeys(binder.claims) if h not in named],
    )
    versions = dict(draft.checkpoint["channel_versions"])
    held = sum(len(v.head) + len(v.refs) + len(v.tail) for v in values.values())
    return Bound(put, Hint(row.checkpoint_id, row.etag, held, versions, values, binder.known))


class _Binder:
    def __init__(self, draft: Draft, parent: Hint | None, whole: bool) -> None:
        self.draft = draft
        self.parent = parent
        self.whole = whole
        self.chunks: list[Chunk] = []
        self.claims: list[bytes] = []
        self.known: dict[str, Any] = {}

    def carry(self) -> dict[str, Value]:
        versions = self.draft.checkpoint["channel_versions"]
        given = self.draft.checkpoint["channel_values"]
        values: dict[str, Value] = {}
        for channel in self.draft.carried:
            value = self._inherited(channel, versions.get(channel))
            if value is not None:
                values[channel] = self._settled(value)
            elif channel in given:
                values[channel] = self._sent(channel, self.draft.packer.value(given[channel]))
        return values

    def change(self) -> dict[str, Value]:
        return {k: self._sent(k, packed) for k, packed in self.draft.changed.items()}

    def _inherited(self, channel: str, version: Any) -> Value | None:
        if self.parent is None or version is None:
            return None
        if self.parent.versions.get(channel) != version:
            return None
        known = self.parent.known.get(channel)
        if known is not None:
            self.known[channel] = known
        return self.parent.values.get(channel)

    def _settled(self, value: Value) -> Value:
        settled, chunk = self.draft.packer.settle(value)
        if chunk is not None:
            self.chunks.append(chunk)
        return settled

    def _sent(self, channel: str, packed: Packed) -> Value:
        if packed.chunk is not None:
            self.chunks.append(packed.chunk)
        if packed.tree is not None:
            chunks, claims = packed.tree.unsent(self._trusted(channel), self.draft.packer.codec)
            self.chunks.extend(Chunk(*chunk) for chunk in chunks)
            self.claims.extend(claims)
            self.known[channel] = packed.tree.known()
        return packed.value

    def _trusted(self, channel: str) -> list[Any]:
        if self.parent is None or self.whole:
            return []
        known = self.parent.known.get(channel)
        return [*self.parent.written, *([] if known is None else [known])]


def draft_writes(
    packer: Packer, writes: Sequence[tuple[str, Any]]
) -> list[tuple[str, int, Packed]]:
    """Encode what `put_writes` was given, now: (channel, idx, packed value)."""
    return [
        (channel, WRITES_IDX_MAP.get(channel, idx), packer.value(value))
        for idx, (channel, value) in enumerate(writes)
    ]


def bind_writes(
    packer: Packer,
    key: CheckpointKey,
    drafted: list[tuple[str, int, Packed]],
    task_id: str,
    task_path: str,
    trusted: list[Any],
) -> tuple[PutWrites, list[Any]]:
    """Make the rows of a batch; gives also the hashes of its chunk trees, to be remembered."""
    rows: list[WriteRow] = []
    chunks: list[Chunk] = []
    claims: list[bytes] = []
    trees: list[Any] = []
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
        rows.append(WriteRow(*key, task_id, idx, task_path, channel, packed.value.tag, value, refs))
    special = all(channel in WRITES_IDX_MAP for channel, _, _ in drafted)
    return PutWrites(rows, special, chunks, list(dict.fromkeys(claims))), trees
