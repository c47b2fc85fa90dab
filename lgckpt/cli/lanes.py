"""The lines at the left of a history: which checkpoint was made from which."""

from __future__ import annotations


class Lanes:
    """Draws one checkpoint after the other, newest first; a lane leads down to a parent."""

    def __init__(self) -> None:
        self._awaited: list[str] = []

    def step(self, checkpoint_id: str, parent_id: str | None) -> tuple[str, str]:
        """Draw a checkpoint.

        Returns:
            What stands before its line, and before the lines below it.
        """
        lanes = self._awaited
        mine = [n for n, name in enumerate(lanes) if name == checkpoint_id]
        if not mine:
            lanes.append(checkpoint_id)
            mine = [len(lanes) - 1]
        node = "".join(self._mark(n, mine) for n in range(len(lanes))).rstrip("─")
        for n in reversed(mine[1:]):
            del lanes[n]
        if parent_id is None:
            del lanes[mine[0]]
        else:
            lanes[mine[0]] = parent_id
        below = "│" * len(lanes)
        return node, below.ljust(len(node))

    def _mark(self, lane: int, mine: list[int]) -> str:
        if lane == mine[0]:
            return "●"
        if lane in mine:
            return "┘"
        return "┼" if mine[0] < lane < mine[-1] else "│"
