"""A log of side effects: what an agent did to the world, by which process, outside the state."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple


class Entry(NamedTuple):
    """One line of the journal."""

    process: int
    event: str
    action: str


class Journal:
    """Appends a line when an action begins and when it is finished; survives a killed process."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def began(self, action: str) -> None:
        """Note that an action begins."""
        self._append("began", action)

    def finished(self, action: str) -> None:
        """Note that an action is done."""
        self._append("finished", action)

    def entries(self) -> list[Entry]:
        """Read everything noted so far."""
        if not self.path.exists():
            return []
        lines = self.path.read_text(encoding="utf-8").splitlines()
        found = (line.split(" ", 2) for line in lines)
        return [Entry(int(process), event, action) for process, event, action in found]

    def _append(self, event: str, action: str) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{os.getpid()} {event} {action}\n")
