"""What the documentation shows can be typed, and docs/command-line.md has all of it."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest

from lgckpt.cli.app import load
from lgckpt.cli.environment import in_place
from tests.cli.command import ROOT
from tests.docs.pages import PAGES, blocks

TEXT = (ROOT / "docs" / "command-line.md").read_text()
COMMANDS: dict[str, Any] = load().commands
LINES = [
    line
    for page in PAGES
    for block in blocks(page)
    if block.language == "sh"
    for line in block.code.replace("\\\n", "").splitlines()
    if line.startswith("lgckpt ") and not line.startswith("lgckpt --")
]


@pytest.mark.parametrize("line", LINES)
def test_an_example_parses(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OLD", "NEW", "DATABASE_URL"):
        monkeypatch.setenv(name, f"sqlite:///{name}.db")
    _, name, *words = shlex.split(re.split(r" [>|<](?: |$)", line)[0], comments=True)
    COMMANDS[name].make_context(name, in_place(words))


def test_every_command_is_in_it() -> None:
    for name in COMMANDS:
        assert f"lgckpt {name} " in TEXT


def test_every_kind_of_finding_is_in_it() -> None:
    source = "".join(path.read_text() for path in (ROOT / "lgckpt" / "upkeep").glob("*.py"))
    kinds = set(re.findall(r'"((?:damaged|severed|broken|orphan|newer|dangling)-[a-z-]+)"', source))
    assert len(kinds) >= 10
    for kind in (*kinds, "server-setting", "schema-version"):
        assert f"`{kind}`" in TEXT
