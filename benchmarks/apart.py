"""A group measured in a process of its own: what others left in memory and caches is not its.

`python -m benchmarks.apart GROUP SETTINGS ROWS` is that process; both files are pickles of ours.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.groups import GROUPS
from benchmarks.rows import Result
from benchmarks.runner import Settings


def measured(group: str, settings: Settings) -> list[Result]:
    """Run a group in a fresh process, with servers of its own; gives its rows.

    Raises:
        SystemExit: It failed, and has said why.
    """
    with TemporaryDirectory() as directory:
        given, made = Path(directory) / "settings", Path(directory) / "rows"
        given.write_bytes(pickle.dumps(settings))
        command = [sys.executable, "-m", "benchmarks.apart", group, str(given), str(made)]
        if subprocess.run(command, check=False).returncode:
            raise SystemExit(f"the group {group!r} failed")
        rows: list[Result] = pickle.loads(made.read_bytes())
        return rows


def main() -> None:
    """Be the process of one group."""
    group, given, made = sys.argv[1:]
    rows = list(GROUPS[group](pickle.loads(Path(given).read_bytes())))
    Path(made).write_bytes(pickle.dumps(rows))


if __name__ == "__main__":
    main()
