"""Every code block of the documentation runs, in the order of its page."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs import ready
from tests.docs.pages import LANGUAGES, PAGES, README, ROOT, blocks, given, text_of
from tests.docs.places import places, put_in
from tests.services.postgres import wheel_binaries

LIMIT = 120.0
"""Seconds that a page may take."""

WIDTH = 88
"""Characters of a line of code that a page shows beside both of its columns."""

RUN = [page for page in (*PAGES, README) if any(not b.not_run for b in blocks(page))]

NOT_RUN = ROOT / "tests" / "docs" / "not_run.json"


def _command(directory: Path) -> None:
    """The command `lgckpt`, of this interpreter and these sources."""
    command = directory / "lgckpt"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m lgckpt.cli "$@"\n')
    command.chmod(command.stat().st_mode | stat.S_IXUSR)


@pytest.mark.parametrize("page", RUN)
def test_a_page_does_what_it_says(page: str, tmp_path: Path) -> None:
    work, tools = tmp_path / "work", tmp_path / "tools"
    work.mkdir()
    tools.mkdir()
    _command(tools)
    parts = [block for block in blocks(page) if not block.not_run]
    with places("".join(block.code for block in parts)) as found:
        ready.make(given(page), work, found)
        steps = [{**vars(block), "code": put_in(block.code, found)} for block in parts]
        (tools / "steps.json").write_text(json.dumps(steps))
        search = [str(tools), str(wheel_binaries()), os.environ["PATH"]]
        done = subprocess.run(
            [sys.executable, "-m", "tests.docs.follow", str(tools / "steps.json")],
            cwd=work,
            env={
                **os.environ,
                "HOME": str(tmp_path),
                "PATH": os.pathsep.join(search),
                "PYTHONPATH": os.pathsep.join([str(ROOT), str(work)]),
                "PYTHONWARNINGS": "error",
                "TERM": "dumb",
                **ready.variables(found),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def test_what_is_not_run_is_listed() -> None:
    """A block joins this list by a decision, not by an oversight."""
    found = [
        [block.page, block.code.splitlines()[0], block.not_run]
        for page in (*PAGES, README)
        for block in blocks(page)
        if block.not_run
    ]
    assert found == json.loads(NOT_RUN.read_text())


def test_every_block_is_of_a_language_that_runs() -> None:
    for page in PAGES:
        for block in blocks(page):
            where = f"{page}:{block.line}"
            assert block.language in LANGUAGES, where
            assert block.language != "json" or block.title, where


def test_no_line_of_code_is_cut_off() -> None:
    for page in PAGES:
        for block in blocks(page):
            for number, line in enumerate(block.code.splitlines(), block.line):
                assert len(line) <= WIDTH, f"{page}:{number}"


def test_what_is_installed_can_be() -> None:
    extras = set(re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text(), re.MULTILINE))
    named = [
        extra
        for page in (*PAGES, README)
        for match in re.findall(r"pip install '?(?:lgckpt|\.)\[([\w,]+)\]", text_of(page))
        for extra in match.split(",")
    ]
    assert len(named) > 5
    assert set(named) <= extras
