"""Holds the write lock of a file: `python -m tests.survive.foreigner PATH SECONDS`."""

from __future__ import annotations

import sqlite3
import sys
import time
from contextlib import closing

from tests.survive.harness import guard


def main(path: str, seconds: float) -> None:
    guard()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        print("locked", flush=True)
        time.sleep(seconds)
        connection.execute("ROLLBACK")


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
