"""The command line's one application, and what every command shares: URLs, JSON, exit codes."""

from __future__ import annotations

import asyncio
import os
import sys
import traceback
from collections.abc import Coroutine
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any, TypeVar

import typer
import typer.main
from rich.console import Console

from lgckpt.cli import completing, streams
from lgckpt.cli.dumping import dumped
from lgckpt.cli.environment import OPTION, in_place, url_of
from lgckpt.cli.secrets import hidden, learn, without_urls
from lgckpt.errors import ConfigurationError, LgckptError
from lgckpt.inspection.text import one_line, safe

T = TypeVar("T")

DONE, PROBLEM, USAGE = 0, 1, 2
"""Exit codes: done; a problem was found; the command was used wrongly."""

INTERRUPTED, UNREAD = 130, 141
"""Exit codes of a command that was ended by Ctrl-C, or whose output nobody reads any more."""

NAME = "lgckpt"

COMMANDS: tuple[str, ...] = (
    "threads",
    "history",
    "show",
    "diff",
    "grep",
    "stats",
    "export",
    "migrate",
    "loadtest",
    "prune",
    "vacuum",
    "copy",
    "delete",
    "doctor",
    "ddl",
)
"""Modules of this package that each add their commands to `app`, in the order of `--help`."""

app = typer.Typer(
    name=NAME,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
out = Console(soft_wrap=True)
err = Console(stderr=True, soft_wrap=True)


def resolved(context: typer.Context, word: str) -> str:
    """The URL that a command was given, its password noted so that it is never printed."""
    if context.resilient_parsing or word is None:
        return word
    url = url_of(word)
    learn([url])
    return url


Url = Annotated[
    str,
    typer.Argument(
        metavar="URL",
        help=f"The database, or in its place {OPTION} VAR: the URL in that environment variable.",
        show_default=False,
        callback=resolved,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def examples(*lines: str) -> str:
    """The end of a command's help, from examples that are command lines."""
    return "**Examples**\n\n" + "\n\n".join(f"`{line}`" for line in lines)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"lgckpt {version('lgckpt')}")
        raise typer.Exit


@app.callback(
    epilog=examples(
        "lgckpt threads sqlite:///agents.db",
        "lgckpt doctor --from-env DATABASE_URL",
        "lgckpt --install-completion",
    )
)
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
    sys.stdout.write(dumped(found) + "\n")


def say(line: str) -> None:
    """Print a line for people: names in it are data, and may hold anything."""
    sys.stdout.write(without_urls(safe(line.replace("\n", "\\n"))) + "\n")


def complain(message: object) -> None:
    """Say on one line of stderr what is wrong."""
    line = hidden(one_line(str(message)))
    err.print(f"{NAME}: {line}", markup=False, highlight=False)


def load() -> Any:
    """The command with all its subcommands, `--from-env` among the options of each with a URL."""
    for name in COMMANDS:
        import_module(f"lgckpt.cli.{name}")
    command = typer.main.get_command(app)
    for one in getattr(command, "commands", {}).values():
        if any(OPTION in (getattr(param, "help", None) or "") for param in one.params):
            one.params.append(_from_env())
    return command


def _from_env() -> Any:
    """For the help and for completion: what is given is read before any option is."""
    holder = typer.Typer(add_completion=False)

    @holder.command()
    def _(
        from_env: Annotated[
            list[str] | None,
            typer.Option(
                OPTION,
                metavar="VAR",
                help="In the place of a URL: take it from this environment variable.",
                autocompletion=completing.variables,
            ),
        ] = None,
    ) -> None: ...

    option = typer.main.get_command(holder).params[0]
    option.expose_value = False
    return option


def invoke(args: list[str]) -> int:
    """Run a command; gives its exit code. Errors are a line, not a traceback."""
    streams.prepare()
    learn([*args, *(word.partition("=")[2] for word in args)])
    code = DONE
    try:
        code = _code(args)
        sys.stdout.flush()
    except BrokenPipeError:
        streams.silence()
        return UNREAD
    except OSError as exc:
        streams.silence()
        if code == DONE:
            complain(f"the output cannot be written: {exc.strerror or exc}")
        return code or PROBLEM
    return code


def _code(args: list[str]) -> int:
    try:
        if completing.is_asked():
            completing.understand()
        command = load()
        found = command.main(in_place(args), prog_name=NAME, standalone_mode=False)
    except BrokenPipeError:
        raise
    except ConfigurationError as exc:
        complain(exc)
        return USAGE
    except LgckptError as exc:
        complain(exc)
        return PROBLEM
    except (KeyboardInterrupt, typer.Abort):
        complain("interrupted")
        return INTERRUPTED
    except SystemExit as exc:
        # Both libraries end a command so whose output is not read any more.
        if isinstance(exc.__context__, BrokenPipeError):
            raise exc.__context__ from exc
        return DONE if exc.code is None else exc.code if isinstance(exc.code, int) else PROBLEM
    except Exception as exc:
        return _unexpected(exc)
    return found if isinstance(found, int) and not isinstance(found, bool) else DONE


def _unexpected(exc: Exception) -> int:
    """Wrong usage as the library of the command line tells it, or a mistake of ours."""
    code = getattr(exc, "exit_code", None)
    if isinstance(code, int) and hasattr(exc, "format_message"):
        context = getattr(exc, "ctx", None)
        if type(exc).__name__ == "NoArgsIsHelpError":
            typer.echo(exc.format_message(), err=True)
            return USAGE
        path = NAME if context is None else context.command_path
        complain(f"{exc.format_message()} (see: {path} --help)")
        return code
    if os.environ.get("LGCKPT_TRACEBACK"):
        err.print(hidden("".join(traceback.format_exception(exc))), markup=False, highlight=False)
    complain(f"{type(exc).__name__}: {exc}")
    return PROBLEM
