"""Output that cannot be written, or not in every letter."""

from __future__ import annotations

import shlex
import subprocess
import sys

import pytest

from tests.cli.command import ROOT, lgckpt, started
from tests.cli.stored import Stored, stored

__all__ = ["stored"]


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", [("threads",), ("export", "--all"), ("stats", "--json")])
def test_a_full_disk_is_a_problem_told_in_one_line(
    stored: Stored, words: tuple[str, ...], unbuffered: str
) -> None:
    name, *options = words
    with open("/dev/full", "w") as full:
        process = started(
            [name, stored.url, *options], {"PYTHONUNBUFFERED": unbuffered}, stdout=full
        )
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert len(stderr.splitlines()) == 1
    assert "No space left on device" in stderr


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "0<&- 1>&-"])
def test_what_a_closed_stream_was_needed_for_is_not_done_in_silence(
    stored: Stored, closed: str
) -> None:
    name = "export --all" if ">" in closed else "import"
    command = f"{shlex.quote(sys.executable)} -W error -m lgckpt.cli {name} {stored.url} {closed}"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "Bad file descriptor" in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_letters_that_an_encoding_does_not_have_are_written_out(
    stored: Stored, encoding: str
) -> None:
    environment = {"PYTHONIOENCODING": encoding}
    shown = lgckpt("history", stored.url, "talk", environment=environment)
    assert (shown.code, shown.stderr) == (0, "")
    assert shown.stdout.startswith("● " if encoding == "utf-8" else "\\u25cf ")


def test_json_is_json_in_an_encoding_of_few_letters(stored: Stored) -> None:
    words = ("delete", stored.url, "é 😀", "--yes", "--json")
    told = lgckpt(*words, environment={"PYTHONIOENCODING": "ascii"})
    assert told.code == 1
    assert told.json["missing"] == ["é 😀"]
