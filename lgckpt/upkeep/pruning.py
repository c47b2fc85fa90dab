"""Old and superfluous checkpoints, by rules that a person gives."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

from lgckpt.bulk import Place
from lgckpt.errors import ConfigurationError, CorruptCheckpointError, UnsupportedFormatError
from lgckpt.migration.running import finished
from lgckpt.migration.times import time_of
from lgckpt.migration.view import SideView
from lgckpt.reading import read_checkpoint, read_state
from lgckpt.retention import keep_latest as keep_latest_of
from lgckpt.retention import keep_where
from lgckpt.rows import CheckpointRow, Entry, ThreadEdit
from lgckpt.saver import Saver
from lgckpt.storage import ThreadView
from lgckpt.upkeep.choosing import age, all_marks, all_threads, names
from lgckpt.upkeep.opening import Database, opened
from lgckpt.upkeep.weighing import Weight, pages, weigh


@dataclass(frozen=True)
class PrunedThread:
    """What went from one thread, or would.

    Attributes:
        whole: Whether nothing is left of it.
        weight: How much went.
    """

    thread_id: str
    whole: bool
    weight: Weight


@dataclass(frozen=True)
class Trouble:
    """A thread that was left as it is.

    Attributes:
        what: Why.
    """

    thread_id: str
    what: str


@dataclass(frozen=True)
class Pruned:
    """What a prune took away, or would.

    Attributes:
        dry_run: Whether nothing was changed.
        threads: What went of each thread that lost something.
        whole_threads: How many of these went whole.
        total: All of it.
        troubles: Threads that were left as they are, since they are damaged.
    """

    dry_run: bool
    threads: tuple[PrunedThread, ...]
    whole_threads: int
    total: Weight
    troubles: tuple[Trouble, ...]


@dataclass(frozen=True)
class Rule:
    """What goes: that which is older than a time, of these runs, and not among the newest.

    Attributes:
        before: Checkpoints of this time or later stay; None for any.
        keep: How many of the newest of each namespace stay; 0 for none.
        latest_only: Whether to do as `prune("keep_latest")` of a saver does.
        runs: Only checkpoints of these runs go; empty for any.
    """

    before: datetime | None
    keep: int
    latest_only: bool
    runs: frozenset[str]

    def choose(self, old: Collection[Place], entries: Sequence[Entry]) -> Collection[Place] | None:
        """What stays of a thread; None if it goes whole.

        Args:
            old: Its checkpoints from before the time.
            entries: All of them that are in sight.
        """
        keep = self.keep
        if self.before is not None and not keep and not self.runs:
            if entries and all(_place(e) in old for e in entries):
                return None
            keep = 1
        kept = _newest(entries, keep)
        kept.update(_place(e) for e in entries if not self._goes(e, old))
        return kept

    def _goes(self, entry: Entry, old: Collection[Place]) -> bool:
        if self.before is not None and _place(entry) not in old:
            return False
        return not self.runs or entry.run_id in self.runs


def rule(
    older_than: str | timedelta | None,
    keep: int | None,
    keep_latest: bool,
    runs: Sequence[str],
) -> Rule:
    """A rule from what was asked for.

    Raises:
        ConfigurationError: Nothing was asked for, or what makes no sense.
    """
    wanted = frozenset(names(runs, "runs"))
    if keep is not None and keep < 1:
        raise ConfigurationError(f"keep is 1 or more, not {keep}; `delete` deletes whole threads")
    if keep is not None and keep_latest:
        raise ConfigurationError("keep_latest is keep=1: give one of the two")
    if older_than is None and keep is None and not keep_latest and not wanted:
        raise ConfigurationError(
            "say what goes: older_than, keep, keep_latest or runs "
            "(--older-than, --keep, --keep-latest, --run)"
        )
    before = None if older_than is None else _ago(age(older_than))
    latest_only = keep_latest and before is None and not wanted
    return Rule(before, 1 if keep_latest else keep or 0, latest_only, wanted)


def _ago(span: timedelta) -> datetime:
    try:
        return datetime.now(timezone.utc) - span
    except OverflowError:
        return datetime.min.replace(tzinfo=timezone.utc)


async def aprune(
    where: str | Saver,
    *,
    older_than: str | timedelta | None = None,
    keep: int | None = None,
    keep_latest: bool = False,
    runs: Sequence[str] = (),
    threads: Sequence[str] = (),
    thread_prefix: str = "",
    dry_run: bool = False,
    progress: Callable[[PrunedThread | Trouble], None] | None = None,
) -> Pruned:
    """Delete checkpoints that are old or many, with their pending writes.

    A checkpoint goes if every one of `older_than`, `runs` and `keep` that is given lets it go.
    Where only `older_than` is given, a thread of which every checkpoint is that old goes whole, and
    of any other the latest checkpoint of each namespace stays, since it goes on from there. A
    subgraph call goes with the root checkpoint that it started from. What a DeltaChannel of a
    checkpoint that stays is rebuilt from stays too, out of sight.

    Each thread is pruned in one transaction; a damaged one is left as it is and named.

    Args:
        where: A URL, or a saver, which stays open.
        older_than: An age: a `timedelta`, or text as in "30d" (s, m, h, d, w). A checkpoint's age
            counts from its `ts`.
        keep: How many of the newest checkpoints of each namespace stay.
        keep_latest: As `keep=1`; given alone, it does what `prune` of a saver does.
        runs: Only checkpoints of these runs go.
        threads: Only these threads; empty for all.
        thread_prefix: Only threads whose id begins with it.
        dry_run: Change nothing, and tell what would go.
        progress: Called with each thread that lost something, or was left as it is.

    Returns:
        What went, as it was counted just before; what is put meanwhile is not in it.

    Raises:
        ConfigurationError: The arguments make no sense.
        StorageError: The database cannot be used.
    """
    given = rule(older_than, keep, keep_latest, runs)
    only = names(threads, "threads")
    done: list[PrunedThread] = []
    troubles: list[Trouble] = []
    async with opened(where) as database:
        async for thread_id in _threads(database, given, only, thread_prefix):
            try:
                found = await _prune(database, thread_id, given, dry_run)
            except (CorruptCheckpointError, UnsupportedFormatError) as exc:
                trouble = Trouble(thread_id, str(exc))
                troubles.append(trouble)
                if progress is not None:
                    progress(trouble)
                continue
            if found is not None:
                done.append(found)
                if progress is not None:
                    progress(found)
    total = sum((one.weight for one in done), Weight())
    whole = sum(one.whole for one in done)
    return Pruned(dry_run, tuple(done), whole, total, tuple(troubles))


def prune(where: str | Saver, **options: Any) -> Pruned:
    """Sync version of `aprune`."""
    return finished(aprune(where, **options))


async def _threads(
    database: Database, given: Rule, only: Sequence[str], prefix: str
) -> AsyncIterator[str]:
    if given.runs:
        of_runs = await database.driver("threads_of_runs", sorted(given.runs))
        only = [name for name in of_runs if not only or name in only]
        if not only:
            return
    async for thread_id in all_threads(database.driver, only, prefix):
        yield thread_id


async def _prune(
    database: Database, thread_id: str, given: Rule, dry_run: bool
) -> PrunedThread | None:
    """Prune one thread; None if nothing of it goes."""
    old = frozenset[Place]()
    if given.before is not None:
        old = await _older(database, thread_id, given.before)
        if not old:
            return None
    decide = partial(_decide, database=database, given=given, old=old)
    planned = await decide(await SideView.of_all(database.side, thread_id))
    if not (planned.delete or planned.replace or planned.drop_namespaces):
        return None
    weight = await weigh(database.driver, thread_id, planned)
    made: list[ThreadEdit] = [planned]
    if not dry_run:
        made.clear()

        async def decide_now(view: ThreadView) -> ThreadEdit:
            made[:] = [await decide(view)]
            return made[0]

        database.forget(thread_id)
        await database.driver("edit_thread", thread_id, decide_now)
    return PrunedThread(thread_id, any(_is_whole(edit) for edit in made), weight)


def _is_whole(edit: ThreadEdit) -> bool:
    """Whether nothing stays, as where all namespaces are dropped: the root's never is otherwise."""
    return "" in edit.drop_namespaces


async def _decide(
    view: ThreadView, *, database: Database, given: Rule, old: frozenset[Place]
) -> ThreadEdit:
    if given.latest_only:
        return await keep_latest_of(view, database.packer)
    choose = partial(given.choose, old)
    return await keep_where(view, database.packer, choose, calls=not given.runs)


async def _older(database: Database, thread_id: str, before: datetime) -> frozenset[Place]:
    """The checkpoints of a thread that are in sight and from before a time."""
    old: set[Place] = set()
    async for marks in all_marks(database.driver, thread_id):
        for batch in await pages(database.driver, thread_id, marks):
            for row in batch.rows:
                if not row.flags and _time(database, row) < before:
                    old.add((row.checkpoint_ns, row.checkpoint_id))
    return frozenset(old)


def _time(database: Database, row: CheckpointRow) -> datetime:
    """When a checkpoint was made: its `ts`, or if that is none, the time in its id."""
    checkpoint = read_checkpoint(database.packer.serde, row, read_state(row))
    try:
        found = datetime.fromisoformat(str(checkpoint.get("ts")).replace("Z", "+00:00"))
    except ValueError:
        # What has no time is never old.
        return time_of(row.checkpoint_id) or datetime.max.replace(tzinfo=timezone.utc)
    return found if found.tzinfo is not None else found.replace(tzinfo=timezone.utc)


def _place(entry: Entry) -> Place:
    return entry.checkpoint_ns, entry.checkpoint_id


def _newest(entries: Sequence[Entry], keep: int) -> set[Place]:
    """The newest checkpoints of each namespace."""
    if not keep:
        return set()
    ids: dict[str, list[str]] = {}
    for entry in entries:
        ids.setdefault(entry.checkpoint_ns, []).append(entry.checkpoint_id)
    return {(ns, one) for ns, some in ids.items() for one in sorted(some)[-keep:]}
