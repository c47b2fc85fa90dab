"""Rows whose values are all small, made and read in one native call each.

`lgckpt.drafting` and `lgckpt.reading` hold the rules and can do any row; here is a way
round them for the commonest, which gives the same bytes and the same values.
"""

from __future__ import annotations

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    get_checkpoint_metadata,
)

from lgckpt.configs import text
from lgckpt.drafting import Bound, Draft, carried_values
from lgckpt.hints import Hint, Hints
from lgckpt.packing import Packed, Packer, unpack_state
from lgckpt.rows import CheckpointKey, CheckpointRow, ParentClaim, PutCheckpoint, whole

_PLAIN = (int, bytes, bytes)
_TEXT = (str, type(None))


def bind_small(
    packer: Packer,
    config: RunnableConfig,
    key: CheckpointKey,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    new_versions: ChannelVersions,
    hints: Hints,
) -> Bound | None:
    """What `drafting.draft` and `drafting.bind` would give; None where it takes them to say."""
    if packer.rows is None:
        return None
    parent_id, hint = config["configurable"].get("checkpoint_id"), None
    if parent_id is not None:
        parent_id = text(parent_id, "checkpoint_id")
        hint = hints.get(key.thread_id, key.checkpoint_ns, parent_id)
        if hint is not None and hint.inline is None:
            return None
    full = get_checkpoint_metadata(config, metadata)
    inline = None if hint is None else hint.inline
    made = packer.rows.dumps_row(checkpoint, full, new_versions, inline, packer.rules)
    if made is None:
        return None
    state, frame, etag, inline, carried = made
    run_id = full.get("run_id")
    run_id = None if run_id is None else str(run_id)
    row = CheckpointRow(*key, parent_id, run_id, 0, etag, frame, state, b"")
    claim = ParentClaim(hint.checkpoint_id, hint.etag) if carried and hint is not None else None
    kept = Hint(key.checkpoint_id, etag, len(state), inline.versions, None, {}, inline=inline)
    return Bound(PutCheckpoint(row, (), claim), kept)


def draft_of(
    packer: Packer, bound: Bound, checkpoint: Checkpoint, new_versions: ChannelVersions
) -> Draft:
    """The draft of a row that was made here, to be bound to its parent as that is now.

    What it holds comes from the row: the caller may have changed its values since.
    """
    row = whole(bound.put.row)
    state = unpack_state(row)
    packed = {k: Packed(value, None, None) for k, value in state.values.items()}
    carried = carried_values(checkpoint, new_versions)
    return Draft(
        row.key,
        row.parent_id,
        packer,
        (state.tag, state.checkpoint),
        bound.hint.versions,
        row.metadata,
        row.run_id,
        {k: packed[k] for k in new_versions if k in packed},
        {k: packed.get(k, value) for k, value in carried.items()},
    )


def read_small(packer: Packer, row: CheckpointRow) -> tuple[Checkpoint, CheckpointMetadata] | None:
    """The checkpoint with its values and the metadata; None where `reading` has to say."""
    rows, (parent_id, run_id, flags, etag, metadata, state, refs) = packer.rows, row[3:]
    if rows is None or refs or (type(flags), type(etag), type(refs)) != _PLAIN:
        return None
    if type(state) is not bytes or type(metadata) is not bytes or type(parent_id) not in _TEXT:
        return None
    found = rows.loads_row(state, metadata) if type(run_id) in _TEXT else None
    return found if found is not None and found[0].get("id") == row.checkpoint_id else None
