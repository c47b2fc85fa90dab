"""The command line's one application, and what every command shares: URLs, JSON, exit codes."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Coroutine
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from lgckpt.cli.environment import OPTION, in_place
from lgckpt.errors import ConfigurationError, LgckptError

T = TypeVar("T")

DONE, PROBLEM, USAGE = 0, 1, 2
"""Exit codes: done; a problem was found; the command was used wrongly."""

COMMANDS: tuple[str, ...] = ()
"""Modules of this package that each add their commands to `app`, in the order of `--help`."""

app = typer.Typer(
    name="lgckpt",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
out = Console(soft_wrap=True)
err = Console(stderr=True, soft_wrap=True)

Url = Annotated[
    str,
    typer.Argument(
        metavar="URL",
        help=f"The database, or in its place {OPTION} VAR: the URL in that environment variable.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"lgckpt {version('lgckpt')}")
        raise typer.Exit


@app.callback()
def main(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Move, inspect and look after what LangGraph agents remember.

    Exit codes: 0 done, 1 a problem was found, 2 wrong usage.
    """


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a command's work to its end."""
    return asyncio.run(coroutine)


def print_json(found: Any) -> None:
    """Print one JSON document, as it is: no colours, nothing folded."""
    sys.stdout.write(json.dumps(found, ensure_ascii=False, default=str) + "\n")


def invoke(args: list[str]) -> int:
    """Run a command; gives its exit code. Errors of ours are a line, not a traceback."""
    for name in COMMANDS:
        import_module(f"lgckpt.cli.{name}")
    try:
        app(in_place(args), standalone_mode=True)
    except ConfigurationError as exc:
        err.print(f"lgckpt: {exc}", markup=False, highlight=False)
        return USAGE
    except LgckptError as exc:
        err.print(f"lgckpt: {exc}", markup=False, highlight=False)
        return PROBLEM
    except SystemExit as exc:
        return exc.code if isinstance(exc.code, int) else PROBLEM
    return DONE
