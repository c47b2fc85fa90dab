"""Writes the golden SQLite file of this release, once: `python -m tests.golden.write_sqlite`."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import lgckpt
from tests.golden.threads import CODECS, fill


async def main() -> None:
    path = Path(__file__).parent / "sqlite" / f"{lgckpt.status().version}.db"
    if path.exists():
        raise SystemExit(f"{path} is there: golden files are never written again")
    path.parent.mkdir(exist_ok=True)
    for codec in CODECS:
        async with lgckpt.SqliteSaver(path, compression=codec) as saver:
            await fill(saver, f"thread {codec}")
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()


if __name__ == "__main__":
    asyncio.run(main())
