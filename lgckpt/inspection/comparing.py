"""`compare_checkpoints`: what changed between two checkpoints, channel by channel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from lgckpt.inspection.jsonable import jsonable
from lgckpt.inspection.messages import Message, conversation
from lgckpt.inspection.reading import Where, opened, places
from lgckpt.inspection.showing import ChannelView, CheckpointView, chosen, view_of
from lgckpt.inspection.text import compact
from lgckpt.inspection.views import Typed
from lgckpt.migration.report import Damage
from lgckpt.migration.running import finished

Kind = Literal["added", "removed", "changed"]

_LONGEST = 2000
"""Elements up to which a list is aligned; above, it is compared place by place."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference within a channel.

    Attributes:
        path: Where: of a message its id, or its number where it has none; "" for the whole value.
        before: The value, or the `Message`, that was there; None if it was added.
        after: What is there now; None if it was removed.
    """

    kind: Kind
    path: str
    before: Any = None
    after: Any = None


@dataclass(frozen=True, slots=True)
class ChannelChange:
    """What changed in one channel.

    Attributes:
        messages: Whether it holds messages, and the changes are of these.
        unchanged: How many messages or elements are as they were.
    """

    name: str
    kind: Kind
    messages: bool
    changes: tuple[Change, ...]
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two checkpoints.

    Attributes:
        channels: Those that differ.
        unchanged: The names of those that do not.
        metadata: Differences of the metadata.
    """

    thread_id: str
    before: tuple[str, str]
    after: tuple[str, str]
    channels: tuple[ChannelChange, ...]
    unchanged: tuple[str, ...]
    metadata: tuple[Change, ...]
    damage: tuple[Damage, ...]


def compare_checkpoints(
    where: Where, thread_id: str, before: str, after: str, *, checkpoint_ns: str | None = None
) -> Comparison:
    """Say what changed between two checkpoints of a thread.

    Args:
        where: The database.
        thread_id: The thread.
        before: The first checkpoint, named as for `show_checkpoint`.
        after: The second.
        checkpoint_ns: Their namespace.

    Raises:
        NotFoundError: There is no such thread or checkpoint.
        ConfigurationError: Several checkpoints have ids that begin or end so.
        StorageError: The database cannot be used.
    """
    return finished(
        acompare_checkpoints(where, thread_id, before, after, checkpoint_ns=checkpoint_ns)
    )


async def acompare_checkpoints(
    where: Where, thread_id: str, before: str, after: str, *, checkpoint_ns: str | None = None
) -> Comparison:
    """Async version of `compare_checkpoints`."""
    async with opened(where) as side:
        found = await places(side, thread_id)
        chose = [chosen(found, thread_id, name, checkpoint_ns) for name in (before, after)]
        old, new = [await view_of(side, thread_id, place) for place in chose]
    return compare(old, new)


def compare(old: CheckpointView, new: CheckpointView) -> Comparison:
    """Say what changed between two checkpoints that were read."""
    damaged = {one.channel for one in (*old.damage, *new.damage)}
    ours = {one.name: one for one in old.channels}
    theirs = {one.name: one for one in new.channels}
    changes: list[ChannelChange] = []
    unchanged: list[str] = []
    if None not in damaged:
        for name in sorted((ours.keys() | theirs.keys()) - damaged):
            found = _channel(name, ours.get(name), theirs.get(name))
            if found is None:
                unchanged.append(name)
            else:
                changes.append(found)
    return Comparison(
        old.thread_id,
        (old.checkpoint_ns, old.checkpoint_id),
        (new.checkpoint_ns, new.checkpoint_id),
        tuple(changes),
        tuple(unchanged),
        tuple(_values("", old.metadata, new.metadata)) if None not in damaged else (),
        (*old.damage, *new.damage),
    )


def _channel(name: str, old: ChannelView | None, new: ChannelView | None) -> ChannelChange | None:
    if old is not None and new is not None:
        if old.packed == new.packed or old.value == new.value:
            return None
        kind: Kind = "changed"
    else:
        kind = "removed" if new is None else "added"
    before, after = (None if one is None else one.value for one in (old, new))
    ours, theirs = _messages(before, old is None), _messages(after, new is None)
    if ours is not None and theirs is not None and (ours or theirs):
        changes, same = _conversation(ours, theirs)
        if changes:
            return ChannelChange(name, kind, True, tuple(changes), same)
    if kind != "changed":
        return ChannelChange(name, kind, False, (Change(kind, "", before, after),))
    return ChannelChange(name, kind, False, tuple(_values("", before, after)))


_Said = tuple[Message, Any]
"""A message, and the value that it is."""


def _messages(view: Any, absent: bool) -> dict[str, _Said] | None:
    """Messages by id; by their number where there is none, or it came before."""
    if absent or view == []:
        return {}
    found = conversation(view)
    if found is None:
        return None
    views = view.content if isinstance(view, Typed) else view
    said: dict[str, _Said] = {}
    for number, (one, value) in enumerate(zip(found, views, strict=True)):
        said[f"[{number}]" if one.id is None or one.id in said else one.id] = one, value
    return said


def _conversation(ours: dict[str, _Said], theirs: dict[str, _Said]) -> tuple[list[Change], int]:
    """The changes of messages, in the order of the conversation; those removed first."""
    changes = [Change("removed", key, one) for key, (one, _) in ours.items() if key not in theirs]
    same = 0
    for key, (one, value) in theirs.items():
        if key not in ours:
            changes.append(Change("added", key, None, one))
            continue
        earlier, before = ours[key]
        if earlier != one:
            changes.append(Change("changed", key, earlier, one))
        elif before != value:
            changes.extend(_values(key, before, value))
        else:
            same += 1
    return changes, same


def _values(path: str, old: Any, new: Any) -> Iterator[Change]:
    """The smallest parts that differ."""
    if _same(old, new):
        return
    if isinstance(old, Typed) and isinstance(new, Typed) and old.path == new.path:
        yield from _values(path, old.content, new.content)
    elif isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            inner = f"{path}.{key}" if path else str(key)
            if key not in new:
                yield Change("removed", inner, old[key])
            elif key not in old:
                yield Change("added", inner, None, new[key])
            else:
                yield from _values(inner, old[key], new[key])
    elif isinstance(old, list) and isinstance(new, list):
        yield from _lists(path, old, new)
    else:
        yield Change("changed", path, old, new)


def _same(old: Any, new: Any) -> bool:
    return type(old) is type(new) and bool(old == new)


def _lists(path: str, old: list[Any], new: list[Any]) -> Iterator[Change]:
    if max(len(old), len(new)) > _LONGEST:
        blocks = [("replace", 0, len(old), 0, len(new))]
    else:
        ours, theirs = ([compact(one, None) for one in found] for found in (old, new))
        blocks = [*SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes()]
    for tag, a, b, c, d in blocks:
        if tag == "equal":
            continue
        both = min(b - a, d - c)
        for i in range(both):
            yield from _values(f"{path}[{c + i}]", old[a + i], new[c + i])
        for i in range(a + both, b):
            yield Change("removed", f"{path}[{i}]", old[i])
        for i in range(c + both, d):
            yield Change("added", f"{path}[{i}]", None, new[i])


def jsonable_change(change: Change) -> dict[str, Any]:
    """A change as what JSON can hold: no `before` of what was added, no `after` if removed."""
    found: dict[str, Any] = {"kind": change.kind, "path": change.path}
    for name, absent in (("before", "added"), ("after", "removed")):
        if change.kind != absent:
            value = getattr(change, name)
            is_message = isinstance(value, Message)
            found[name] = asdict(value) if is_message else jsonable(value)
    return found
