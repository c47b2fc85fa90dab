"""What commands print for people: colours and tables on a terminal, plain text elsewhere.

What comes from a database is data: no markup in it is understood, and no control character of it
reaches the terminal.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from rich.table import Table
from rich.text import Text

from lgckpt.cli.app import out
from lgckpt.cli.dumping import dumped
from lgckpt.cli.secrets import without_urls
from lgckpt.inspection.text import one_line, safe

Part = str | tuple[str, str]
"""Text, or text and its style."""

_PAGE = 200
"""Rows of a table that are laid out together: a longer one goes on in another."""

_NARROWEST = 20
"""Characters that indented text has in a line at least."""


def text_of(*parts: Part) -> Text:
    """Parts, made safe, as one text."""
    made = Text()
    for part in parts:
        content, style = (part, "") if isinstance(part, str) else part
        made.append(without_urls(safe(content)), style)
    return made


def put(*parts: Part, indent: int = 0) -> None:
    """Print a line.

    Args:
        *parts: Of the line.
        indent: How far it is indented; on a terminal what is too long is wrapped, indented alike.
    """
    text = text_of(*parts)
    lines = [text]
    if indent and out.is_terminal:
        lines = list(text.wrap(out, max(_NARROWEST, out.width - indent)))
    for line in lines:
        line.rstrip()
        out.print(Text(" " * indent).append_text(line), soft_wrap=True, highlight=False)


def put_table(columns: Iterable[str], rows: Iterable[Iterable[Part]]) -> int:
    """Print rows as they come; gives how many there were.

    On a terminal as tables, elsewhere with a tab between cells and nothing cut. The name of a
    column of numbers begins with "#".
    """
    names = list(columns)
    remaining: Iterator[Iterable[Part]] = iter(rows)
    count = 0
    while page := list(islice(remaining, _PAGE)):
        if out.is_terminal:
            out.print(_table(names, page), highlight=False)
        else:
            heading = [] if count else ["\t".join(name.lstrip("#") for name in names)]
            for line in (*heading, *("\t".join(map(_plain, row)) for row in page)):
                sys.stdout.write(line + "\n")
        count += len(page)
    return count


def _table(names: list[str], page: list[Iterable[Part]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in names:
        if name.startswith("#"):
            table.add_column(name[1:], justify="right", no_wrap=True)
        else:
            table.add_column(name, overflow="fold")
    for row in page:
        table.add_row(*(text_of(_flat(cell)) for cell in row))
    return table


def _flat(cell: Part) -> Part:
    return one_line(cell) if isinstance(cell, str) else (one_line(cell[0]), cell[1])


def _plain(cell: Part) -> str:
    return without_urls(one_line(cell if isinstance(cell, str) else cell[0]))


def time_of(iso: str | None) -> str:
    """A time as people read it, to the second, in UTC as it is stored."""
    return "" if iso is None else iso[:19].replace("T", " ")


class JsonDocument:
    """One JSON document on stdout whose lists are printed as their elements come.

    Nothing is printed before the first element, or the end: what cannot be begun leaves no part.
    """

    def __init__(self) -> None:
        self._separator = "{"
        self._held: list[str] = []

    def add(self, name: str, value: Any) -> None:
        """A field."""
        self._hold(f"{self._separator}{json.dumps(name)}: {dumped(value)}")
        self._separator = ",\n"

    def add_list(self, name: str, values: Iterable[Any]) -> None:
        """A field that is a list."""
        self._hold(f"{self._separator}{json.dumps(name)}: [")
        for count, value in enumerate(values):
            self._hold(("," if count else "") + "\n" + dumped(value))
            self._print()
        self._hold("]")
        self._separator = ",\n"

    def end(self) -> None:
        """The end of the document."""
        self._hold("{}\n" if self._separator == "{" else "}\n")
        self._print()

    def _hold(self, text: str) -> None:
        self._held.append(text)

    def _print(self) -> None:
        sys.stdout.writelines(self._held)
        self._held.clear()
