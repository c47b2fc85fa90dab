"""One place of LangGraph's, and what of ours is put there."""

from __future__ import annotations

from typing import Any

from lgckpt._accelerate.places import Place


class Patch:
    """A place that is LangGraph's own or ours, and left alone while it is anybody else's.

    Args:
        place: Where LangGraph looks a function up.
        original: The function that it finds there by itself.
    """

    def __init__(self, place: Place, original: Any) -> None:
        self._place = place
        self._original = original
        self._ours: Any = None

    @property
    def has_put(self) -> bool:
        """Whether something of ours is there, or was and was covered by somebody else's."""
        return self._ours is not None

    @property
    def is_ours(self) -> bool:
        """Whether what LangGraph finds there was put there by `put`."""
        return self.has_put and self._place.look_up() is self._ours

    @property
    def is_foreign(self) -> bool:
        """Whether somebody else put something there, over LangGraph's or over ours."""
        now = self._place.look_up()
        return now is not self._original and not (self.has_put and now is self._ours)

    def put(self, function: Any) -> None:
        """Have LangGraph find a function there."""
        if not self.is_foreign:
            self._place.put(function)
            self._ours = function

    def take_back(self) -> None:
        """Have LangGraph find its own there.

        What somebody else put there stays. Should they give ours back, it is still known as ours.
        """
        if self.is_ours:
            self._place.put(self._original)
            self._ours = None
