"""What every command shares: where URLs come from, what is never shown, exit codes, completion."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from lgckpt.cli.app import load
from tests.cli.command import ROOT, Ended, lgckpt, started
from tests.cli.filled import fill, left
from tests.services.ports import free_port

pytestmark = pytest.mark.anyio

COMMANDS: dict[str, Any] = load().commands
PASSWORD = "s3cret-Pass%40w0rd"
PLAIN = "s3cret-Pass@w0rd"
REST: dict[str, list[str]] = {
    "prune": ["--keep", "1"],
    "copy": ["a", "b"],
    "delete": ["a", "--yes"],
    "show": ["a"],
    "history": ["a"],
    "diff": ["a", "1", "2"],
    "grep": ["pattern"],
    "export": ["a"],
}
"""What a command needs beside its URLs."""


def _urls(name: str) -> int:
    """How many URLs a command takes."""
    return sum(
        "--from-env" in (getattr(param, "help", "") or "") and not param.opts[0].startswith("--")
        for param in COMMANDS[name].params
    )


WITH_URL = [name for name in COMMANDS if _urls(name)]


@cache
def _help(name: str) -> str:
    ended = lgckpt(*name.split(), "--help", environment={"COLUMNS": "200"})
    assert ended.code == 0
    return ended.stdout


def _examples(text: str) -> list[str]:
    lines = (line.strip(" │\n") for line in text.partition("Examples")[2].splitlines())
    return [line for line in lines if line.startswith("lgckpt ")]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_examples_that_can_be_typed(name: str) -> None:
    examples = _examples(_help(name))
    assert examples
    for example in examples:
        words = shlex.split(example.partition(" > ")[0].partition(" < ")[0].partition(" | ")[0])
        assert words[:2] == ["lgckpt", name]
        # Parsed as far as can be without doing it: a missing or unknown word would raise.
        COMMANDS[name].make_context(name, _without_env(words[2:]))


def _without_env(words: list[str]) -> list[str]:
    found: list[str] = []
    rest = iter(words)
    for word in rest:
        found.append(f"sqlite:///{next(rest)}.db" if word == "--from-env" else word)
    return found


@pytest.mark.parametrize("name", WITH_URL)
def test_help_says_that_the_url_may_be_in_the_environment(name: str) -> None:
    assert "--from-env" in _help(name)


def test_the_help_of_all_says_what_there_is_and_the_exit_codes() -> None:
    text = _help("")
    assert "Exit codes: 0 done, 1 a problem was found, 2 wrong usage." in text
    for name in COMMANDS:
        assert name in text
    assert len(_examples(text)) > 1


def test_the_url_is_taken_from_the_environment(sqlite_url: str) -> None:
    for option in (["--from-env", "HERE"], ["--from-env=HERE"]):
        ended = lgckpt("doctor", *option, "--json", environment={"HERE": sqlite_url})
        assert (ended.code, ended.json["threads"]) == (0, 0)
    after = lgckpt("doctor", "--json", "--from-env", "HERE", environment={"HERE": sqlite_url})
    assert after.code == 0


def test_two_urls_are_taken_from_the_environment(sqlite_url: str, tmp_path: Path) -> None:
    fill(sqlite_url)
    target = f"sqlite:///{tmp_path}/target.db"
    variables = {"OLD": sqlite_url, "NEW": target}
    for words in (["--from-env", "OLD", "--from-env=NEW"], [sqlite_url, "--from-env", "NEW"]):
        assert lgckpt("migrate", *words, environment=variables).code == 0
        assert left(target) == left(sqlite_url)


@pytest.mark.parametrize("options", [["--from-env", "NOT_SET_ANYWHERE"], ["--from-env"]])
def test_a_variable_that_is_not_set_is_wrong_usage(options: list[str]) -> None:
    ended = lgckpt("doctor", *options)
    assert ended.code == 2
    _assert_one_line(ended)
    assert "--from-env" in ended.stderr


def _assert_one_line(ended: Ended) -> None:
    assert "Traceback" not in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1, ended.stderr
    assert ended.stderr.startswith("lgckpt: ")


def _assert_nothing_shown(ended: Ended) -> None:
    for word in (PASSWORD, PLAIN, "w0rd", "s3cret"):
        assert word not in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("name", "scheme"),
    [*zip(WITH_URL, cycle(["postgresql", "redis"]), strict=False), ("doctor", "postgresql"),
     ("doctor", "redis")],
)  # fmt: skip
def test_a_dead_server_is_one_line_without_the_password(name: str, scheme: str) -> None:
    port = free_port()
    urls = [f"{scheme}://somebody:{PASSWORD}@127.0.0.1:{port}/{n}" for n in range(_urls(name))]
    ended = lgckpt(name, *urls, *REST.get(name, []))
    _assert_nothing_shown(ended)
    if name == "ddl":
        assert ended.code == 0
        return
    assert ended.code in (1, 2)
    assert "Traceback" not in ended.stderr
    assert "127.0.0.1" in ended.stderr


URL = f"postgresql://somebody:{PASSWORD}@127.0.0.1:1/x"


@pytest.mark.parametrize("name", ["migrate", "doctor", "show"])
def test_no_password_is_shown_of_what_is_typed_wrongly(name: str) -> None:
    ended = lgckpt(name, f"--no-such-option={URL}", URL)
    _assert_nothing_shown(ended)
    _assert_one_line(ended)
    assert ended.code == 2


@pytest.mark.parametrize(
    "words",
    [
        [URL] * 9,
        [f"mysql://somebody:{PASSWORD}@127.0.0.1/x"],
        [f"postgresql://somebody:{PASSWORD}@[::1/x"],
        [f"postgresql://somebody:{PASSWORD}/more@127.0.0.1/x"],
        [f"redis://somebody:{PASSWORD}@127.0.0.1:port/x"],
        [f"sqlite://somebody:{PASSWORD}@127.0.0.1/x"],
        ["--thread", URL, "--grace", URL, URL],
    ],
    ids=str,
)
def test_no_password_is_shown_of_a_url_that_is_none(words: list[str]) -> None:
    ended = lgckpt("doctor", *words)
    _assert_nothing_shown(ended)
    _assert_one_line(ended)
    assert ended.code == 2


def test_no_password_is_shown_of_a_url_in_the_environment_or_in_the_place_of_a_command() -> None:
    url = f"postgresql://somebody@127.0.0.1:1/x?password={PASSWORD}"
    _assert_nothing_shown(lgckpt("doctor", "--from-env", "HERE", environment={"HERE": url}))
    ended = lgckpt(url)
    _assert_nothing_shown(ended)
    assert ended.code == 2


def test_exit_codes(sqlite_url: str) -> None:
    assert lgckpt("doctor", sqlite_url).code == 0
    assert lgckpt("delete", sqlite_url, "none", "--yes").code == 1
    for words in (
        [], ["no-such-command"], ["doctor"], ["doctor", "--no-such-option", sqlite_url],
        ["doctor", "mysql://h/x"], ["prune", sqlite_url], ["prune", sqlite_url, "--keep", "x"],
    ):  # fmt: skip
        ended = lgckpt(*words)
        assert ended.code == 2, words
        if words:
            assert ended.stdout == ""
            _assert_one_line(ended)


def test_a_file_that_is_no_database_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "text.db"
    path.write_text("not a database at all, but long enough to be taken for one" * 20)
    ended = lgckpt("doctor", f"sqlite:///{path}")
    assert ended.code == 1
    _assert_one_line(ended)
    assert "text.db" in ended.stderr


def test_the_version() -> None:
    assert re.fullmatch(r"lgckpt \d+\.\d+\.\d+\S*\n", lgckpt("--version").stdout)


def test_the_script_is_the_same_command() -> None:
    script = Path(sys.executable).parent / "lgckpt"
    if not script.exists():
        pytest.skip("it is not installed as a script here")
    done = subprocess.run(
        [script, "ddl", "sqlite:///x"], capture_output=True, text=True, cwd=ROOT, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stdout == lgckpt("ddl", "sqlite:///x").stdout


def test_ctrl_c_is_130_and_no_traceback(tmp_path: Path) -> None:
    port = free_port()
    holder = subprocess.Popen(
        [sys.executable, "-c", _SILENT, str(port)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        # A process that was started in the background may have been told to ignore it.
        process = started(
            ["doctor", f"postgresql://u@127.0.0.1:{port}/x"],
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        # Once it waits for the server's answer it is under way.
        assert holder.stdout.readline() == "connected\n"
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
    finally:
        holder.kill()
        holder.communicate()
    assert process.returncode == 130
    assert "Traceback" not in stderr


_SILENT = """
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening", flush=True)
held = []
while True:
    held.append(server.accept())
    print("connected", flush=True)
"""


def test_a_reader_that_went_away_is_no_traceback() -> None:
    process = started(["ddl", "postgresql://h/x"])
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    stderr = process.stderr.read()
    process.stderr.close()
    assert process.wait(30) == 141
    assert stderr == ""


def test_head_takes_what_it_wants() -> None:
    command = f"{shlex.quote(sys.executable)} -m lgckpt.cli ddl sqlite:///x | head -n 1"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize(
    ("shell", "said"), [("bash", "complete -o default -F"), ("zsh", "#compdef lgckpt")]
)
def test_completion_scripts(shell: str, said: str) -> None:
    ended = lgckpt(environment={"_LGCKPT_COMPLETE": f"source_{shell}"})
    assert said in ended.stdout
    assert "_LGCKPT_COMPLETE=complete_" + shell in ended.stdout
    if (binary := shutil.which(shell)) is not None:
        checked = subprocess.run(
            [binary, "-n"], input=ended.stdout, text=True, capture_output=True, check=False
        )
        assert checked.returncode == 0, checked.stderr


def _completed(*words: str, **variables: str) -> list[str]:
    """What bash is offered for the last of these words."""
    ended = lgckpt(
        environment={
            "_LGCKPT_COMPLETE": "complete_bash",
            "COMP_WORDS": " ".join(words),
            "COMP_CWORD": str(len(words) - 1),
            **variables,
        }
    )
    assert ended.stderr == ""
    return ended.stdout.split()


def test_bash_completes_commands_options_and_variables() -> None:
    assert _completed("lgckpt", "doc") == ["doctor"]
    assert set(_completed("lgckpt", "")) >= set(COMMANDS)
    assert _completed("lgckpt", "prune", "sqlite:///x", "--kee") == ["--keep", "--keep-latest"]
    assert _completed("lgckpt", "prune", "--from") == ["--from-env"]
    assert _completed("lgckpt", "prune", "--from-env", "HER", HERE="redis://h") == ["HERE"]
    found = _completed("lgckpt", "prune", "--from-env", "HERE", "--dry", HERE="redis://h")
    assert found == ["--dry-run"]


def test_zsh_completes_too() -> None:
    ended = lgckpt(
        environment={
            "_LGCKPT_COMPLETE": "complete_zsh",
            "_TYPER_COMPLETE_ARGS": "lgckpt doctor --from-env HERE --rep",
        }
    )
    assert ended.stderr == ""
    assert "--repair" in ended.stdout


def test_bash_itself_completes(tmp_path: Path) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    script = tmp_path / "lgckpt"
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m lgckpt.cli "$@"\n')
    script.chmod(0o755)
    program = (
        f"{lgckpt(environment={'_LGCKPT_COMPLETE': 'source_bash'}).stdout}\n"
        'COMP_WORDS=(lgckpt vac) COMP_CWORD=1\n_lgckpt_completion lgckpt\necho "${COMPREPLY[@]}"\n'
    )
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [bash, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout == "vacuum\n", done.stderr


@pytest.mark.parametrize(
    ("missing", "words", "extra"),
    [
        ("typer", ["--help"], "lgckpt[cli]"),
        ("rich", ["--help"], "lgckpt[cli]"),
        ("asyncpg", ["doctor", "postgresql://h/x"], "lgckpt[postgres]"),
        ("redis", ["doctor", "redis://h/0"], "lgckpt[redis]"),
    ],
)
def test_a_missing_extra_is_one_line(missing: str, words: list[str], extra: str) -> None:
    program = (
        f"import sys; sys.modules[{missing!r}] = None; sys.argv = ['lgckpt', *{words!r}]\n"
        "from lgckpt.cli.__main__ import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 2
    _assert_one_line(Ended(done.returncode, done.stdout, done.stderr))
    assert extra in done.stderr
