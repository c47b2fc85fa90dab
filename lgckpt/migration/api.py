"""`lgckpt.migrate`: from one database, in any layout, to another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from lgckpt.errors import ConfigurationError
from lgckpt.migration import filters, selected
from lgckpt.migration.engine import Follow, passes
from lgckpt.migration.existing import Nothing, check_there, is_there
from lgckpt.migration.opening import open_side
from lgckpt.migration.plain import PlainSerde
from lgckpt.migration.progress import Progress
from lgckpt.migration.recode import Codec, codec_of
from lgckpt.migration.report import Migration
from lgckpt.migration.running import finished
from lgckpt.migration.selected import Selected
from lgckpt.migration.sides import Side, check_target
from lgckpt.migration.thread import How
from lgckpt.migration.times import first_id
from lgckpt.migration.verify import verify as verify_sides
from lgckpt.packing import Packer
from lgckpt.saver import Saver

Where = str | Saver
"""A URL, or a saver, which stays open."""

Watch = Callable[[Progress], None]
"""Called about every `TICK` seconds, and at the end."""

TICK = 0.25


async def amigrate(
    source: Where,
    target: Where,
    *,
    workers: int = 4,
    dry_run: bool = False,
    verify: bool = False,
    verify_only: bool = False,
    skip_corrupt: bool = False,
    threads: Sequence[str] = (),
    thread_prefix: str | None = None,
    shard: str | None = None,
    since: str | datetime | None = None,
    latest_only: bool = False,
    re_encode: Codec | None = None,
    follow: float | None = None,
    until_idle: int | None = None,
    stop: asyncio.Event | None = None,
    watch: Watch | None = None,
) -> Migration:
    """Move threads from one database to another, and nothing that is there already.

    It keeps no state of its own: what the target has is what is done. So it can be killed at
    any moment and run again, and run again to carry what was written meanwhile. What was
    deleted on the source stays on the target. Nothing of what is moved is deserialized: no
    class of yours is needed, and what is encrypted stays so.

    Args:
        source: A URL (see `from_url`; `langgraph+sqlite://` and the like for the layouts of
            LangGraph's own savers), or a saver, which stays open.
        target: Likewise. Its schema is made if it is not there.
        workers: How many threads are moved at a time.
        dry_run: Only count what would be moved; the target is not written to.
        verify: Compare both sides afterwards, every checkpoint, write and chunk.
        verify_only: Move nothing, and compare.
        skip_corrupt: Leave out what is damaged, and report it, instead of stopping there.
        threads: Only these threads; empty for all.
        thread_prefix: Only threads whose id begins with it.
        shard: "I/N", I from 1 to N: only that part of the threads, by a hash of the id.
        since: Only checkpoints not before this time (ISO 8601 if text, UTC unless it says
            otherwise) or this checkpoint id, and what they need: the latest of each other
            namespace of their thread, and what their DeltaChannels are rebuilt from.
        latest_only: Only what `prune("keep_latest")` would leave.
        re_encode: How what is moved is compressed on the target: "lz4", "zstd" or "none".
        follow: Seconds between passes, which go on until `stop` is set or `until_idle`.
        until_idle: End after so many passes in a row that moved nothing.
        stop: Ends `follow` after one pass more, with all that was stored before it was set.
        watch: Called now and then with what has been done so far.

    Returns:
        What was done; `ok` says whether nothing was skipped and nothing differs.

    Raises:
        CorruptCheckpointError: Something is damaged, and `skip_corrupt` was not asked for.
        UnsupportedFormatError: A newer release wrote something.
        StorageError: A database cannot be used, or the source is not there.
        ConfigurationError: The arguments make no sense.
    """
    options = _Options(
        workers, dry_run, verify, verify_only, follow, until_idle, latest_only, since, re_encode
    )
    options.check()
    chosen = filters.choose(threads, thread_prefix, shard)
    packer = Packer(source.serde if isinstance(source, Saver) else PlainSerde(), None)
    choose = selected.latest_only(packer) if latest_only else None
    if since is not None:
        choose = selected.since(packer, first_id(since))
    codec = None if re_encode is None else codec_of(re_encode)
    how = How(dry_run, skip_corrupt, re_encode is not None, codec)
    again = None if follow is None else Follow(follow, until_idle, stop or asyncio.Event())
    progress = Progress()
    sides = _opened(source, target, moving=not verify_only, dry=dry_run)
    async with sides as (ours, theirs), _shown(progress, watch):
        part, count = Selected(ours, chosen, choose, workers), watch is not None
        if not verify_only:
            await passes(part, theirs, how, workers, progress, again, count=count)
        missing = await chosen.missing(ours)
        done = replace(_report(ours, theirs, progress, dry=dry_run), missing=tuple(missing))
        if not (verify or verify_only):
            return done
        alike = Selected(theirs, chosen, None)
        found = await verify_sides(part, theirs, workers, progress, extra=alike, count=count)
        return replace(done, verification=found)


def migrate(source: Where, target: Where, **options: Any) -> Migration:
    """Sync version of `amigrate`, with the same options; not for a running event loop's thread.

    Raises:
        ConfigurationError: It was called on one.
    """
    return finished(amigrate(source, target, **options))


@dataclass(frozen=True)
class _Options:
    """Those of which not every combination makes sense."""

    workers: int
    dry_run: bool
    verify: bool
    verify_only: bool
    follow: float | None
    until_idle: int | None
    latest_only: bool
    since: object
    re_encode: object

    def check(self) -> None:
        for is_wrong, why in (
            (self.workers < 1, "there is at least one worker"),
            (self.follow is not None and self.follow < 0, "the interval of follow is not negative"),
            (self.until_idle is not None and self.until_idle < 1, "until_idle is at least 1"),
            (
                self.until_idle is not None and self.follow is None,
                "until_idle is about the passes of follow",
            ),
            (
                self.latest_only and self.since is not None,
                "latest_only and since cannot be had together",
            ),
            (
                self.dry_run and (self.verify or self.verify_only or self.follow is not None),
                "a dry run moves nothing that could be followed or verified",
            ),
            (
                self.verify_only and (self.follow is not None or self.re_encode is not None),
                "to verify only moves nothing: there is nothing to follow or to re-encode",
            ),
        ):
            if is_wrong:
                raise ConfigurationError(why)


@asynccontextmanager
async def _opened(
    source: Where, target: Where, *, moving: bool, dry: bool
) -> AsyncIterator[tuple[Side, Side]]:
    """Both sides; the target as an empty one if it is not there and is not to be written to."""
    if isinstance(source, str) and source == target:
        raise ConfigurationError("the source is the target")
    async with AsyncExitStack() as stack:
        ours = open_side(source)
        stack.push_async_callback(ours.close)
        theirs = open_side(target, **options_of(target))
        stack.push_async_callback(theirs.close)
        if moving:
            check_target(theirs)
        if isinstance(source, str):
            await check_there(ours)
        # Also of a target that is written to: a server that is not there is told of at once.
        there = isinstance(target, Saver) or await is_there(theirs)
        if moving and not dry:
            await theirs.setup()
            yield ours, theirs
        else:
            yield ours, theirs if there else Nothing(theirs)


def options_of(target: Where) -> dict[str, Any]:
    """How a target is opened.

    SQLite waits for the disk at the end alone, when the file is closed: what a power cut takes
    away before then is moved again by the next run.
    """
    if isinstance(target, str) and target.startswith("sqlite:"):
        return {"synchronous": "NORMAL"}
    return {}


@asynccontextmanager
async def _shown(progress: Progress, watch: Watch | None) -> AsyncIterator[None]:
    """Meanwhile have what was done so far shown, now and then."""

    async def tick(show: Watch) -> None:
        while True:
            show(progress)
            await asyncio.sleep(TICK)

    task = None if watch is None else asyncio.create_task(tick(watch))
    try:
        yield
    finally:
        if task is not None and watch is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            watch(progress)


def _report(source: Side, target: Side, progress: Progress, *, dry: bool) -> Migration:
    seconds = progress.seconds
    return Migration(
        source=source.name,
        target=target.name,
        dry_run=dry,
        threads=progress.threads,
        threads_moved=progress.threads_moved,
        checkpoints=progress.checkpoints,
        writes=progress.writes,
        bytes=progress.bytes,
        skipped=progress.skipped,
        damage=tuple(progress.damage),
        passes=progress.passes,
        seconds=round(seconds, 3),
        rate=round(progress.checkpoints / max(seconds, 1e-6), 1),
    )
