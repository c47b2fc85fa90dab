"""One thread put in the one-call way of small rows and in the general way, side by side."""

from __future__ import annotations

from enum import Enum
from typing import Any

import lgckpt
from lgckpt.drafting import bind, draft
from lgckpt.hints import Hints
from lgckpt.packing import Packer
from lgckpt.reading import read_tuple
from lgckpt.rows import CheckpointKey, Loaded, whole
from lgckpt.small import bind_small, draft_of
from tests.checkpoints import checkpoint


class Oddity(Enum):
    """What LangGraph's loop does not do, and other callers may."""

    NONE = "none"
    ALL_FRESH = "channels count as new whose versions are not"
    FRESH_ELSEWHERE = "a channel without a version counts as new"
    STRAY_VALUE = "a value has no version"
    FEWER_VALUES = "a value without a new version is missing"
    MORE_VALUES = "a channel without a new version has a value that had none"
    ANOTHER_ORDER = "values have another order than versions"
    EQUAL_NAMES = "names are other objects than before"
    SAME_VERSION = "a channel with another value counts as new whose version is not"
    UNTOLD_VERSION = "so it does, and another one's version is new that does not count so"
    LONE_VERSION = "a channel that was not there has a version, and does not count as new"

    def of(
        self, values: dict[str, Any], versions: dict[str, str], fresh: dict[str, str]
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """The values and the new versions to put; `versions` is changed in place."""
        match self:
            case Oddity.ALL_FRESH:
                fresh = {**dict(list(versions.items())[::3]), **fresh}
            case Oddity.FRESH_ELSEWHERE:
                values, fresh = {**values, "elsewhere": 1}, {**fresh, "elsewhere": "1"}
            case Oddity.STRAY_VALUE:
                values = {**values, "stray": 1}
            case Oddity.FEWER_VALUES:
                values = {k: v for k, v in list(values.items())[1:] if k not in fresh}
            case Oddity.MORE_VALUES:
                values = {**{k: "more" for k in versions if k not in fresh}, **values}
            case Oddity.ANOTHER_ORDER:
                values = dict(reversed(values.items()))
            case Oddity.EQUAL_NAMES:
                items = [("".join(list(k)), "".join(list(v))) for k, v in versions.items()]
                versions.clear()
                versions.update(items)
            case Oddity.SAME_VERSION | Oddity.UNTOLD_VERSION:
                kept = [k for k in versions if k not in fresh]
                if self is Oddity.UNTOLD_VERSION and kept:
                    versions[kept.pop()] = "untold"
                again = next((k for k in kept if k in values), None)
                if again is not None:
                    values, fresh = {**values, again: "again"}, {**fresh, again: versions[again]}
            case Oddity.LONE_VERSION:
                versions["lone"] = "1"
        return values, fresh


class Both:
    """One thread put in both ways, step by step, each with a memory of its own.

    Args:
        codec: Of the rows.
        stays: Whether rows of the small way stay in the process.
        channels: How many there are beside those that are put.
    """

    def __init__(self, codec: str | None, *, stays: bool = False, channels: int = 0) -> None:
        self.stays = stays
        self.packer = Packer(lgckpt.Serializer(), codec, stays=stays)
        self.small, self.general = Hints(), Hints()
        self.values: dict[str, Any] = {}
        self.versions: dict[str, str] = {}
        self.config: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
        self.taken = self.built = self.step = 0
        if channels:
            names = [f"other {n}" for n in range(channels)]
            self.put({n: n for n in names if n.endswith("3")}, set(names), {})

    def put(
        self,
        updates: dict[str, Any],
        gone: set[str],
        metadata: dict[str, Any],
        oddity: Oddity = Oddity.NONE,
    ) -> None:
        self.step += 1
        fresh = dict.fromkeys([*updates, *gone], f"{self.step:032}.5")
        self.versions = {**self.versions, **fresh}
        kept = {k: v for k, v in self.values.items() if k not in gone - updates.keys()}
        self.values = {**kept, **updates}
        values, fresh = oddity.of(self.values, self.versions, fresh)
        made = checkpoint(values, id=f"{self.step:036}", channel_versions=dict(self.versions))
        key = CheckpointKey("t", "", made["id"])
        arguments = (self.packer, self.config, key, made, metadata, fresh)
        small = bind_small(*arguments, self.small)
        drafted = draft(*arguments, self.general)
        parent = self.general.get("t", "", drafted.parent_id or "")
        bound = bind(drafted, parent if drafted.wants_parent else None)
        if small is not None:
            self.taken += 1
            self.built += type(small.put.row.state) is not bytes
            assert whole(small.put.row) == bound.put.row
            assert small.put.row.etag == small.hint.etag
            assert small.hint.values == bound.hint.values
            assert small.hint.versions == bound.hint.versions
            claims = [put.parent and put.parent.checkpoint_id for put in (small.put, bound.put)]
            assert claims[0] == claims[1]
            assert self.stays or small.put.parent == bound.put.parent
            assert not bound.put.claims
            assert bind(draft_of(self.packer, small, made, fresh), parent).put.row == bound.put.row
        self.small.put("t", "", bound.hint if small is None else small.hint)
        self.general.put("t", "", bound.hint)
        self.config = {"configurable": {**self.config["configurable"], "checkpoint_id": made["id"]}}
        assert_read_alike(self.packer, bound.put.row)


def assert_read_alike(packer: Packer, row: Any) -> None:
    general = Packer(packer.serde, packer.codec)
    general.rows = None
    loaded = Loaded(row, (), {})
    if row.refs:
        return
    one, other = read_tuple(packer, loaded, None), read_tuple(general, loaded, None)
    assert one == other
    assert repr(one) == repr(other)
