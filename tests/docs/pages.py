"""The code blocks of a page, in their order.

A block runs as what it says it is: `python`, `sh`, `json` (a file, named by its title). `text` is
what a program prints, or the layout of a format. A comment on the line before a block changes
that, and has to say why:

- `<!-- not run: reason -->`: the block is only read.
- `<!-- ends with 1: reason -->`: the commands end with that exit code.

A comment `<!-- given: name -->` anywhere has something made ready before the page's first block.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in DOCS.rglob("*.md"))
README = "README.md"

LANGUAGES = {"python", "sh", "json", "text"}

_FENCE = re.compile(r'^```(?P<language>\w*)(?: title="(?P<title>[^"]+)")?$')
_NOT_RUN = re.compile(r"^<!-- not run: (.+) -->$")
_ENDS = re.compile(r"^<!-- ends with (\d+): .+ -->$")
_GIVEN = re.compile(r"^<!-- given: (\w+) -->$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One code block.

    Attributes:
        page: The page, from the root of the repository.
        line: The line of its first line of code, from 1.
        language: As it is written.
        title: The file that it is, if it is one.
        code: What it says.
        not_run: Why it is not run; None if it is.
        code_expected: The exit code of its commands.
    """

    page: str
    line: int
    language: str
    title: str | None
    code: str
    not_run: str | None
    code_expected: int


def text_of(page: str) -> str:
    """A page's Markdown."""
    return (ROOT / page).read_text()


def given(page: str) -> list[str]:
    """What is made ready for a page."""
    return _GIVEN.findall(text_of(page))


def blocks(page: str) -> list[Block]:
    """The code blocks of a page.

    Raises:
        ValueError: One is never closed, or its first line is not understood.
    """
    found: list[Block] = []
    lines = text_of(page).splitlines()
    at = 0
    while at < len(lines):
        if not lines[at].startswith("```"):
            at += 1
            continue
        end = next((i for i in range(at + 1, len(lines)) if lines[i] == "```"), None)
        fence = _FENCE.match(lines[at])
        if fence is None or end is None:
            raise ValueError(f"{page}:{at + 1}: {lines[at]}")
        before = lines[at - 1] if at else ""
        not_run, ends = _NOT_RUN.match(before), _ENDS.match(before)
        found.append(
            Block(
                page=page,
                line=at + 2,
                language=fence["language"],
                title=fence["title"],
                code="\n".join(lines[at + 1 : end]) + "\n",
                not_run=not_run[1] if not_run else None,
                code_expected=int(ends[1]) if ends else 0,
            )
        )
        at = end + 1
    return found
