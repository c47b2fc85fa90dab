"""Ways to damage a SQLite file that was whole; each takes it and a random generator."""

from __future__ import annotations

import random
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

PAGE = 4096
INDEX_PAGES = (2, 10)
"""First byte of an interior and of a leaf page of an index, https://sqlite.org/fileformat2.html."""


def copy(source: Path, target: Path) -> None:
    """Copy a database with its log, if it has one."""
    for suffix in ("", "-wal"):
        with suppress(FileNotFoundError):
            shutil.copyfile(f"{source}{suffix}", f"{target}{suffix}")


def ends_with_an_index(path: Path) -> bool:
    """Whether the last page is of an index: SQLite takes rows it cannot find there for absent."""
    return path.read_bytes()[-PAGE] in INDEX_PAGES


def truncate(path: Path, rng: random.Random) -> None:
    """Cut the file somewhere in the middle, so that at least the last page is gone."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(rng.randrange(size // 10, size - PAGE + 1))


def truncate_last_page(path: Path, rng: random.Random) -> None:
    """Cut the last page alone, within its content: SQLite reads zeros in place of what is gone."""
    size = path.stat().st_size
    content = len(path.read_bytes().rstrip(b"\0"))
    with path.open("r+b") as file:
        file.truncate(rng.randrange(size - PAGE + 1, content))


def truncate_wal(path: Path, rng: random.Random) -> None:
    """Cut the write-ahead log."""
    wal = path.with_name(f"{path.name}-wal")
    size = wal.stat().st_size
    with wal.open("r+b") as file:
        file.truncate(rng.randrange(size // 10, size))


def flip(path: Path, rng: random.Random) -> None:
    """Change some bytes anywhere but in the first page, which says that it is SQLite at all."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        for _ in range(rng.choice([1, 8, 64])):
            file.seek(rng.randrange(PAGE, size))
            file.write(rng.randbytes(1))


def change_types(path: Path, rng: random.Random) -> None:
    """Let some cells of one column hold a value of another type, as a flipped header does."""
    table = rng.choice(["checkpoints", "writes", "chunks"])
    with closing(sqlite3.connect(path)) as connection, connection:
        names = [row[1] for row in connection.execute(f"PRAGMA table_info(lgckpt_{table})")]
        column = rng.choice([name for name in names if name != "tid"])
        value = rng.choice([7, -1, 1.5, 2**40, "text", "7", b"bytes", b""])
        connection.execute(
            f"UPDATE OR IGNORE lgckpt_{table} SET {column} = ? WHERE rowid % 5 = ?",
            (value, rng.randrange(5)),
        )


def part_indexes(path: Path, rng: random.Random) -> None:
    """Change one of the places where each key lies: an index is then out of order, or disagrees.

    From an index out of order SQLite gives entries that nobody asked for.
    """
    with closing(sqlite3.connect(path)) as connection:
        keys = connection.execute("SELECT hash FROM lgckpt_chunks").fetchall()
        ids = connection.execute("SELECT checkpoint_id FROM lgckpt_checkpoints").fetchall()
    content = bytearray(path.read_bytes())
    for (key,) in rng.sample(keys, 8) + rng.sample(ids, 2):
        found = key if isinstance(key, bytes) else key.encode()
        places = [match.start() for match in re.finditer(re.escape(found), content)]
        content[rng.choice(places)] = ord("0") if isinstance(key, str) else 0
    path.write_bytes(content)


DAMAGES: dict[str, Callable[[Path, random.Random], None]] = {
    "truncate": truncate,
    "last-page": truncate_last_page,
    "wal": truncate_wal,
    "flip": flip,
    "types": change_types,
    "indexes": part_indexes,
}
