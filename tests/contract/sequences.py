"""Random runs of what LangGraph calls a saver with, the same for every saver that is given one."""

from __future__ import annotations

import copy
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.checkpoints import config

CHANNELS = ("a", "b", "c", "large")
PLACES = (("t1", ""), ("t1", "sub:1"), ("t2", ""))
SPECIAL = ("__error__", "__interrupt__", "__resume__", "__scheduled__")


@dataclass(frozen=True)
class Call:
    """One call of a saver's method."""

    verb: str
    args: tuple[Any, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)

    async def of(self, saver: Any) -> Any:
        """Make the call with arguments of its own."""
        args, options = copy.deepcopy((self.args, self.options))
        return await getattr(saver, self.verb)(*args, **options)


class Sequence:
    """Makes calls: puts that build on any earlier checkpoint, writes, reads, deletes.

    Versions are never used twice, as LangGraph's savers need it. Checkpoint ids rise.

    Args:
        seed: Of the random choices.
        deletes: Whether threads are deleted on the way.
    """

    def __init__(self, seed: int, *, deletes: bool = True) -> None:
        self._random = random.Random(seed)
        self._deletes = deletes
        self._numbers = itertools.count(1)
        self._kept: dict[tuple[str, str], dict[str, dict[str, Any]]] = {p: {} for p in PLACES}
        self._promised: list[tuple[tuple[str, str], str]] = []

    def calls(self, count: int) -> Iterator[Call]:
        """That many calls."""
        verbs = {"put": 8, "put_again": 1, "put_writes": 5, "promise": 1}
        verbs |= {"get_tuple": 2, "list": 2, "history": 1}
        if self._deletes:
            verbs["delete_thread"] = 0.3
        for _ in range(count):
            (verb,) = self._random.choices(list(verbs), list(verbs.values()))
            yield getattr(self, f"_{verb}")()

    def readings(self) -> Iterator[Call]:
        """Calls that read everything there is."""
        for (thread, ns), kept in self._kept.items():
            yield Call("list", (config(thread, ns=ns),))
            yield Call("get_tuple", (config(thread, ns=ns),))
            for checkpoint_id in kept:
                named = config(thread, checkpoint_id, ns)
                yield Call("get_tuple", (named,))
                options = {"config": named, "channels": list(CHANNELS)}
                yield Call("get_delta_channel_history", (), options)

    def _put(self) -> Call:
        place = self._random.choice(PLACES)
        kept = self._kept[place]
        parent = self._random.choice([*kept][-3:]) if kept else None
        return self._store(place, parent, self._id(place))

    def _put_again(self) -> Call:
        """Store a childless checkpoint a second time."""
        place = self._random.choice(PLACES)
        kept = self._kept[place]
        parents = {one["parent"] for one in kept.values()}
        leaves = [one for one in kept if one not in parents]
        if not leaves:
            return self._put()
        again = self._random.choice(leaves)
        return self._store(place, kept[again]["parent"], again)

    def _store(self, place: tuple[str, str], parent: str | None, checkpoint_id: str) -> Call:
        before = self._kept[place][parent] if parent else {"values": {}, "versions": {}}
        values, versions, new = dict(before["values"]), dict(before["versions"]), {}
        for channel in self._random.sample(CHANNELS, self._random.randint(0, 3)):
            versions[channel] = new[channel] = f"{next(self._numbers):08}"
            values.pop(channel, None)
            if self._random.random() < 0.85:
                values[channel] = self._value(channel)
        self._kept[place][checkpoint_id] = {
            "parent": parent, "values": values, "versions": versions,
        }  # fmt: skip
        lacking = self._random.random() < 0.2
        made = {
            "v": 4,
            "id": checkpoint_id,
            "ts": "2024-01-01T00:00:00+00:00",
            "channel_values": {k: v for k, v in values.items() if k in new or not lacking},
            "channel_versions": versions,
            "versions_seen": {"node": dict(before["versions"])},
            "updated_channels": sorted(new),
        }
        metadata = {"source": "loop", "step": self._random.randint(0, 3), "parents": {}}
        asked = config(place[0], parent, place[1])
        asked["metadata"] = {"run_id": f"run-{self._random.randint(0, 4)}"}
        return Call("put", (asked, made, metadata, new))

    def _value(self, channel: str) -> Any:
        if channel == "large":
            words = [f"{self._random.getrandbits(64):x}" for _ in range(40)]
            return [{"id": i, "text": words[i % 40] * 3} for i in range(60)]
        return self._random.choice([None, 0, "text", [1, [2]], {"k": self._random.random()}])

    def _promise(self) -> Call:
        """Writes of a checkpoint that is stored later."""
        place = self._random.choice(PLACES)
        promised = f"{next(self._numbers):08}"
        self._promised.append((place, promised))
        return self._writes(place, promised)

    def _id(self, place: tuple[str, str]) -> str:
        for promised in [one for one in self._promised if one[0] == place]:
            self._promised.remove(promised)
            return promised[1]
        return f"{next(self._numbers):08}"

    def _put_writes(self) -> Call:
        place = self._random.choice(PLACES)
        return self._writes(place, self._some_id(place))

    def _some_id(self, place: tuple[str, str]) -> str:
        kept = self._kept[place]
        return self._random.choice([*kept]) if kept else "never stored"

    def _writes(self, place: tuple[str, str], checkpoint_id: str) -> Call:
        if self._random.random() < 0.3:
            names = self._random.sample(SPECIAL, self._random.randint(1, 3))
        else:
            names = self._random.choices(CHANNELS, k=self._random.randint(0, 4))
        writes = [(name, self._value(name)) for name in names]
        task = f"task-{self._random.randint(0, 4)}"
        path = self._random.choice(["", "~__pregel_pull, a", "~__pregel_pull, b"])
        return Call("put_writes", (config(place[0], checkpoint_id, place[1]), writes, task, path))

    def _get_tuple(self) -> Call:
        thread, ns = self._random.choice(PLACES)
        checkpoint_id = self._some_id((thread, ns)) if self._random.random() < 0.6 else None
        return Call("get_tuple", (config(thread, checkpoint_id, ns),))

    def _list(self) -> Call:
        thread, ns = self._random.choice(PLACES)
        options: dict[str, Any] = {}
        if self._random.random() < 0.5:
            options["filter"] = {"step": self._random.randint(0, 3)}
        if self._random.random() < 0.3:
            options["limit"] = self._random.randint(0, 5)
        if self._random.random() < 0.3:
            options["before"] = config(thread, self._some_id((thread, ns)), ns)
        return Call("list", (config(thread, ns=ns),), options)

    def _history(self) -> Call:
        thread, ns = self._random.choice(PLACES)
        named = config(thread, self._some_id((thread, ns)), ns)
        wanted = self._random.sample(CHANNELS, 2)
        return Call("get_delta_channel_history", (), {"config": named, "channels": wanted})

    def _delete_thread(self) -> Call:
        thread = self._random.choice(PLACES)[0]
        for place in PLACES:
            if place[0] == thread:
                self._kept[place].clear()
        return Call("delete_thread", (thread,))
