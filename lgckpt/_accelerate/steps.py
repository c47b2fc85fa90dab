"""The native step in LangGraph's places: which of them can take it, and what each has now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from langgraph.pregel._loop import PregelLoop

from lgckpt import channels, pregel
from lgckpt._accelerate import dispatch, probe
from lgckpt._accelerate.patch import Patch
from lgckpt._accelerate.places import PLACES, Place
from lgckpt._accelerate.sources import is_tested
from lgckpt.barrier import at_barrier
from lgckpt.gathering import gathering

_NATIVE: Final[dict[str, tuple[Callable[..., Any], Callable[..., Any]]]] = {
    "apply_writes": (pregel.apply_writes, dispatch.apply_writes),
    "create_checkpoint": (pregel.create_checkpoint, dispatch.create_checkpoint),
    "channels_from_checkpoint": (
        pregel.channels_from_checkpoint,
        dispatch.channels_from_checkpoint,
    ),
    "achannels_from_checkpoint": (
        pregel.achannels_from_checkpoint,
        dispatch.achannels_from_checkpoint,
    ),
    "_triggers": (pregel.triggers, dispatch._triggers),
    "PregelLoop._put_checkpoint": (
        at_barrier(PregelLoop._put_checkpoint),
        dispatch.put_checkpoint,
    ),
    "PregelLoop.put_writes": (gathering(PregelLoop.put_writes), dispatch.put_writes),
    "copy_checkpoint": (dispatch.copy_checkpoint, dispatch.copy_checkpoint),
}
"""What is put in a place: for every run, and where only some graphs are accelerated."""

UNTESTED = "its source is not one that was tested with"
FOREIGN = "somebody else replaced it"
UNSEEN = "the probe graph does not come by it"


class Steps:
    """All places, patched or not. Not safe for threads by itself.

    Attributes:
        reasons: By what is not native, why.
    """

    def __init__(self) -> None:
        self.reasons: dict[str, str] = _channels()
        self._patches: dict[Place, Patch] = {}
        self._proved: dict[Place, bool] = {}
        for function, places in PLACES.items():
            original = function.look_up()
            if is_tested(function):
                self._patches |= {place: Patch(place, original) for place in places}
            else:
                self.reasons |= {str(place): UNTESTED for place in places}

    def put(self, *, everywhere: bool) -> None:
        """Put the native step into every place that can take it.

        Args:
            everywhere: For every run; else for runs of graphs that are accelerated by themselves.
        """
        self._prove()
        for place, patch in self._patches.items():
            if self._proved.get(place):
                for_all, for_some = _NATIVE[place.name]
                patch.put(for_all if everywhere else for_some)

    def take_back(self) -> list[Place]:
        """Put LangGraph's own functions back.

        Returns:
            Where somebody else's stays in front of ours.
        """
        covered = [p for p, patch in self._patches.items() if patch.has_put and patch.is_foreign]
        for patch in self._patches.values():
            patch.take_back()
        return covered

    def native(self) -> list[str]:
        """Where LangGraph finds the native step now."""
        return sorted(str(place) for place, patch in self._patches.items() if patch.is_ours)

    def _prove(self) -> None:
        """See by a probe which places are looked up, for those of which that is not known."""
        free = {place: patch for place, patch in self._patches.items() if not patch.is_foreign}
        for place in self._patches:
            self.reasons.pop(str(place), None)
            if place not in free:
                self.reasons[str(place)] = FOREIGN
        unknown = {place: patch for place, patch in free.items() if place not in self._proved}
        failure = self._probe(unknown) if unknown else None
        for place in free:
            if failure is not None and place in unknown:
                self.reasons[str(place)] = failure
            elif not self._proved[place]:
                self.reasons[str(place)] = UNSEEN

    def _probe(self, patches: dict[Place, Patch]) -> str | None:
        for place, patch in patches.items():
            patch.put(probe.counted(place, _NATIVE[place.name][0]))
        try:
            seen = probe.run()
        except RuntimeError as failure:
            return f"the probe graph failed ({failure})"
        finally:
            for patch in patches.values():
                patch.take_back()
        self._proved |= {place: seen[place] > 0 for place in patches}
        return None


def _channels() -> dict[str, str]:
    """The kinds of channels that are asked by their own methods."""
    return {
        f"langgraph.channels.{name}": UNTESTED
        for name in channels.__all__
        if getattr(channels, name).__module__ != channels.__name__
    }
