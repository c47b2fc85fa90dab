"""Writes the golden portable file of this release, once: `python -m tests.golden.write_archive`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import lgckpt
from tests.golden.threads import CODECS, fill


async def main() -> None:
    path = Path(__file__).parent / "archive" / f"{lgckpt.status().version}.lgckpt"
    if path.exists():
        raise SystemExit(f"{path} is there: golden files are never written again")
    path.parent.mkdir(exist_ok=True)
    # One after the other, so that the file has an end before its last batches too.
    for codec in CODECS:
        async with lgckpt.MemorySaver(compression=codec) as saver:
            await fill(saver, f"thread {codec}")
            await lgckpt.amigrate(saver, path.absolute().as_uri())


if __name__ == "__main__":
    asyncio.run(main())
