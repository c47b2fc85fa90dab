"""What pages take as given: threads to look at, and where databases are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import lgckpt
from tests.checkpoints import checkpoint, config
from tests.docs.pages import blocks
from tests.docs.places import POSTGRES, REDIS
from tests.upkeep.made import LARGE, Aged

EARLY = "1f1a0000-ade9-6000-8000-000000000000"
"""The checkpoint that docs/command-line.md compares with the latest."""


def make(names: Sequence[str], directory: Path, found: dict[str, str]) -> None:
    """Make ready what a page asks for."""
    for name in names:
        MAKERS[name](directory, found)


def variables(found: dict[str, str]) -> dict[str, str]:
    """The environment variables that pages take URLs from."""
    target = found.get(POSTGRES, "sqlite:///new.db")
    return {"OLD": "sqlite:///agents.db", "NEW": target, "DATABASE_URL": target}


def _agent(directory: Path, _: dict[str, str]) -> None:
    """`agent.py`, which the quickstart writes."""
    (block,) = (b for b in blocks("docs/quickstart.md") if b.title == "agent.py")
    (directory / "agent.py").write_text(block.code)


def _threads(directory: Path, found: dict[str, str]) -> None:
    """The same threads in every database, each of several checkpoints of several ages."""
    source = f"sqlite:///{directory}/agents.db"
    asyncio.run(_fill(source))
    for name in (POSTGRES, REDIS):
        if name in found:
            lgckpt.migrate(source, found[name])


async def _fill(url: str) -> None:
    async with lgckpt.from_url(url) as saver:
        await saver.asetup()
        early = checkpoint({"large": LARGE}, id=EARLY)
        await saver.aput(config("thread-1"), early, {"source": "loop", "step": -1}, {"large": 1})
        for name, days in (("thread-1", 40), ("thread-2", 3), ("support-7", 2)):
            thread = Aged(saver, name)
            for step in range(3):
                values = {"large": [*LARGE, f"about order 10428{step}"]}
                at = await thread.put(days - step / 10, values, run_id="1f0c2d6e")
                await saver.aput_writes(at, [("n", step)], "task")


MAKERS: dict[str, Callable[[Path, dict[str, str]], None]] = {"agent": _agent, "threads": _threads}
