"""LangGraph's saver operations as coroutines over a driver: the rules, and no I/O of their own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
)
from langgraph.checkpoint.serde.types import TASKS

from lgckpt import retention
from lgckpt.configs import checkpoint_id_of, config_of, key_of, namespace_of, text, thread_of
from lgckpt.core import core
from lgckpt.drafting import (
    Bound,
    Draft,
    DraftedWrites,
    TaskWrites,
    alike,
    bind,
    bind_writes,
    draft_writes,
    pack_carried,
)
from lgckpt.errors import (
    ConfigurationError,
    CorruptCheckpointError,
    LgckptError,
    StorageError,
    UnsupportedFormatError,
)
from lgckpt.hints import MAX_WRITTEN, Hint, Hints
from lgckpt.history import channel_history
from lgckpt.packing import Packer
from lgckpt.reading import (
    ordered,
    read_checkpoint,
    read_state,
    read_tuple,
    read_write,
)
from lgckpt.recall import Recall
from lgckpt.rows import CheckpointKey, Loaded, Written
from lgckpt.small import draft_of
from lgckpt.snapshots import rows_of
from lgckpt.storage import Driver, ThreadView
from lgckpt.telling import tell, tell_damage
from lgckpt.versions import next_version

ATTEMPTS = 16
"""How often a put or a read is tried again while its thread keeps changing elsewhere."""

TRUSTING = 3
"""Attempts of a put after which it takes nothing from its parent, whose row may be damaged."""

STRATEGIES = ("keep_latest", "delete")

logger = logging.getLogger(__name__)


class Context(NamedTuple):
    """What an operation works with: one colour's driver and the saver's serializer as it is now."""

    driver: Driver
    packer: Packer
    hints: Hints


async def setup(context: Context) -> None:
    """Create the schema."""
    await context.driver("setup")


async def put(
    context: Context,
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    new_versions: ChannelVersions,
) -> RunnableConfig:
    """Encode now, then store; built again from what is there when a claim did not hold."""
    packer, hints = context.packer, context.hints
    rows = rows_of(packer, config, checkpoint, metadata, new_versions, hints)
    if isinstance(rows, Draft):
        key = rows.key
        await _store(context, rows)
    else:
        key = rows.put.row.key
        if await context.driver("put", rows.put):
            hints.put(key.thread_id, key.checkpoint_ns, rows.hint)
        else:
            await _store(context, draft_of(packer, rows, checkpoint, new_versions), missed=True)
    return config_of(config["configurable"]["thread_id"], key.checkpoint_ns, key.checkpoint_id)


async def _store(context: Context, drafted: Draft, *, missed: bool = False) -> None:
    """Bind and store; `missed` says that what is remembered of the parent is not so any more."""
    key = drafted.key
    parent: Hint | None = None
    if drafted.wants_parent and drafted.parent_id is not None:
        if not missed:
            parent = context.hints.get(key.thread_id, key.checkpoint_ns, drafted.parent_id)
        if parent is None:
            drafted = pack_carried(drafted)
            parent = await _read_hint(context, drafted)
    for attempt in range(ATTEMPTS):
        bound = bind(drafted, parent, whole=attempt > 0)
        if await context.driver("put", bound.put):
            _remember(context, drafted, bound)
            return
        tell(
            logger,
            logging.DEBUG,
            "retry",
            "a put to thread %r is made again: what it was built on has changed",
            key.thread_id,
            reason="claim",
            attempt=attempt + 1,
            thread_id=key.thread_id,
            checkpoint_id=key.checkpoint_id,
        )
        parent = await _read_hint(context, drafted) if attempt < TRUSTING else None
    raise StorageError(
        f"thread {key.thread_id!r} kept changing under a put of checkpoint "
        f"{key.checkpoint_id!r}: {ATTEMPTS} attempts"
    )


def _remember(context: Context, drafted: Draft, bound: Bound) -> None:
    context.hints.put(drafted.key.thread_id, drafted.key.checkpoint_ns, bound.hint)


async def _read_hint(context: Context, drafted: Draft) -> Hint | None:
    """The parent as it is stored, or None where it is absent or cannot be read."""
    if drafted.parent_id is None:
        return None
    key = drafted.key._replace(checkpoint_id=drafted.parent_id)
    row = await context.driver("get_row", key)
    if row is None:
        return None
    try:
        state = read_state(row)
        checkpoint = read_checkpoint(context.packer.serde, row, state)
        versions = dict(checkpoint["channel_versions"])
    except (CorruptCheckpointError, UnsupportedFormatError, KeyError) as exc:
        tell_damage(logger, exc)
        return None
    known = _known(state.values)
    held = len(row.state) + len(row.refs)
    return Hint(row.checkpoint_id, row.etag, held, versions, state.values, known, stored_here=False)


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    return {k: core.Known(v.refs) for k, v in values.items() if v.refs}


async def put_writes(context: Context, config: RunnableConfig, tasks: Sequence[TaskWrites]) -> None:
    """Encode now, then store the writes of tasks of one checkpoint."""
    key = key_of(config)
    pack = partial(draft_writes, context.packer)
    drafted = [pack(it) if it.context is None else it.context.run(pack, it) for it in tasks]
    for run in alike(drafted):
        await _store_writes(context, key, run)


async def _store_writes(
    context: Context, key: CheckpointKey, tasks: Sequence[DraftedWrites]
) -> None:
    """Store a run of writes; with every chunk if one taken to be there was not."""
    hint = context.hints.get(*key)
    trusted = [] if hint is None else [*hint.known.values(), *hint.written]
    for attempt in range(2):
        put, trees = bind_writes(context.packer, key, tasks, [] if attempt else trusted)
        if await context.driver("put_writes", put):
            if hint is not None and len(hint.written) < MAX_WRITTEN:
                hint.written.extend(trees)
            return
    raise StorageError(f"writes of thread {key.thread_id!r} were refused without a claim")


async def get_tuple(context: Context, config: RunnableConfig) -> CheckpointTuple | None:
    """One checkpoint with its pending writes."""
    thread_id, checkpoint_ns = thread_of(config), namespace_of(config)
    checkpoint_id = checkpoint_id_of(config)
    recall = Recall(context.hints)
    try:
        loaded = await context.driver("get", thread_id, checkpoint_ns, checkpoint_id, recall.wanted)
        if loaded is None:
            return None
        found = read_tuple(context.packer, loaded, config if checkpoint_id else None, recall)
    except CorruptCheckpointError as exc:
        tell_damage(logger, exc)
        raise
    if found.checkpoint["v"] < retention.FORMAT_WITHOUT_PENDING_SENDS and found.parent_config:
        await _migrate_pending_sends(context, found, loaded)
    return found


async def to_tuple(context: Context, loaded: Loaded) -> CheckpointTuple:
    """A loaded checkpoint as LangGraph sees it, its pending sends where its format wants them."""
    found = read_tuple(context.packer, loaded, None)
    if found.checkpoint["v"] < retention.FORMAT_WITHOUT_PENDING_SENDS and found.parent_config:
        await _migrate_pending_sends(context, found, loaded)
    return found


async def _migrate_pending_sends(context: Context, found: CheckpointTuple, loaded: Loaded) -> None:
    """Before format v4, the sends of a superstep were writes of its parent.

    LangGraph's Postgres saver gives them in the same way.
    """
    row = loaded.row
    written: Written = await context.driver(
        "writes", row.thread_id, row.checkpoint_ns, [row.parent_id], [TASKS]
    )
    if not written.rows:
        return
    serde = context.packer.serde
    sends = [read_write(serde, w, written.chunks)[2] for w in ordered(written.rows)]
    versions: dict[str, Any] = found.checkpoint["channel_versions"]
    found.checkpoint["channel_values"][TASKS] = sends
    versions[TASKS] = max(versions.values()) if versions else next_version(None)


async def delete_thread(context: Context, thread_id: str) -> None:
    """Delete a thread."""
    thread_id = text(thread_id, "thread_id")
    context.hints.forget(thread_id)
    await context.driver("delete_thread", thread_id)


async def delete_for_runs(context: Context, run_ids: Sequence[str]) -> None:
    """Delete runs, thread by thread; a damaged thread is named once all others are done."""
    wanted = _ids(run_ids, "run_ids")
    if not wanted:
        return
    decide = partial(retention.without_runs, packer=context.packer, run_ids=frozenset(wanted))
    damaged: LgckptError | None = None
    for thread_id in await context.driver("threads_of_runs", wanted):
        try:
            await _edit(context, thread_id, decide)
        except (CorruptCheckpointError, UnsupportedFormatError) as exc:
            tell_damage(logger, exc)
            damaged = damaged or exc
    if damaged is not None:
        raise damaged


async def prune(context: Context, thread_ids: Sequence[str], strategy: str) -> None:
    """Prune thread by thread."""
    wanted = _ids(thread_ids, "thread_ids")
    if strategy not in STRATEGIES:
        raise ConfigurationError(f"unknown prune strategy: {strategy!r}")
    for thread_id in wanted:
        if strategy == "delete":
            await delete_thread(context, thread_id)
        else:
            await _edit(context, thread_id, partial(retention.keep_latest, packer=context.packer))


async def _edit(context: Context, thread_id: str, decide: Callable[[ThreadView], Any]) -> None:
    context.hints.forget(thread_id)
    await context.driver("edit_thread", thread_id, decide)


async def sweep(context: Context) -> int:
    """Delete the threads that have expired."""
    found: int = await context.driver("sweep")
    return found


def _ids(ids: Sequence[str], what: str) -> list[str]:
    if isinstance(ids, str):
        raise TypeError(f"{what} is a sequence of ids, not a str")
    return list(dict.fromkeys(text(i, what) for i in ids))


async def copy_thread(context: Context, source: str, target: str) -> None:
    """Copy a thread."""
    source, target = text(source, "source_thread_id"), text(target, "target_thread_id")
    if source != target:
        context.hints.forget(target)
        await context.driver("copy_thread", source, target)


async def delta_history(
    context: Context, config: RunnableConfig, channels: Sequence[str]
) -> Mapping[str, DeltaChannelHistory]:
    """Each channel's seed and writes; read again if a prune came between the reads."""
    names = list(dict.fromkeys(channels))
    if not names:
        return {}
    target = await _target(context, config)
    if target is None:
        return {name: {"writes": []} for name in names}
    for _ in range(ATTEMPTS - 1):
        try:
            return await channel_history(context.driver, context.packer.serde, target, names)
        except CorruptCheckpointError:
            continue
    try:
        return await channel_history(context.driver, context.packer.serde, target, names)
    except CorruptCheckpointError as exc:
        tell_damage(logger, exc)
        raise


async def _target(context: Context, config: RunnableConfig) -> CheckpointKey | None:
    thread_id, checkpoint_ns = thread_of(config), namespace_of(config)
    checkpoint_id = checkpoint_id_of(config)
    if checkpoint_id is None:
        loaded = await context.driver("get", thread_id, checkpoint_ns, None, lambda _: b"")
        return None if loaded is None else loaded.row.key
    return CheckpointKey(thread_id, checkpoint_ns, checkpoint_id)
