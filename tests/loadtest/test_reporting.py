"""The real command: `--report DIR`, the live view on a terminal, and `compare`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lgckpt.loadtest import results
from lgckpt.loadtest.embedded.redis import EmbeddedRedis
from tests.cli.command import lgckpt
from tests.cli.terminal import on_terminal
from tests.loadtest import made

SHORT = ("--clients", "2", "--duration", "1s", "--warmup", "0s")
SECRET = "a-password-nobody-knows"


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("loadtest")
    url = f"sqlite:///{directory}/ours.db"
    vs = f"langgraph+sqlite:///{directory}/theirs.db"
    ended = lgckpt("loadtest", url, "--vs", vs, *SHORT, "--report", str(directory / "out"))
    assert ended.code == 0, ended.stderr
    assert "The data was right" in ended.stdout
    return directory / "out"


def test_a_report_has_both_sides_and_all_plots(reported: Path) -> None:
    run = results.read(reported / "results.json")
    ours, theirs = run.sides
    assert (ours.name, theirs.name) == ("lgckpt sqlite", "official sqlite")
    for side in run.sides:
        assert side.steps
        assert side.correctness.checked
        assert side.samples
        assert side.stored
        assert {one.operation for one in side.operations} >= {"put", "put_writes", "get"}
    page = (reported / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/svg+xml;base64,") == 3
    assert f"{ours.steps:,}" in page
    assert f"{theirs.steps:,}" in page


def test_two_of_them_are_compared(reported: Path, tmp_path: Path) -> None:
    first = str(reported / "results.json")
    other = tmp_path / "other.json"
    results.write(made.run(), other)
    ended = lgckpt("loadtest", "compare", first, first)
    assert ended.code == 0, ended.stderr
    assert re.search(r"lgckpt sqlite +supersteps/s .* 1\.00x", ended.stdout)
    assert "better" not in ended.stdout
    found = lgckpt("loadtest", "compare", first, str(other), "--json").json
    assert {one["side"] for one in found["changes"]} == {
        "lgckpt sqlite / lgckpt postgres",
        "official sqlite / official postgres",
    }
    assert "seed: 1 and 7" in found["differences"]
    assert found["wrong"] == {"before": 0, "after": 0}


def test_what_cannot_be_compared_is_said(tmp_path: Path) -> None:
    here, gone = tmp_path / "a.json", tmp_path / "b.json"
    here.write_text(json.dumps({"schema": 99}))
    ended = lgckpt("loadtest", "compare", str(here), str(gone))
    assert (ended.code, ended.stdout) == (2, "")
    assert "schema 99, of a newer lgckpt" in ended.stderr
    assert lgckpt("loadtest", "compare", str(here)).code == 2


def test_the_view_is_live_on_a_terminal(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    code, written = on_terminal("loadtest", url, *SHORT, columns=80)
    assert code == 0
    text = written.decode()
    assert text.count("of 1 s") >= 2
    assert "reads checked, all right" in re.sub(r"\x1b\[[0-9;]*m", "", text)
    # It is drawn over itself, and is gone when the results are printed.
    assert "\x1b[1A\x1b[2K" in text
    assert text.rindex("\x1b[2K") < text.index("The data was right")


def test_json_is_a_document_that_compare_reads(tmp_path: Path) -> None:
    ended = lgckpt("loadtest", f"sqlite:///{tmp_path}/a.db", *SHORT, "--json")
    assert (ended.code, ended.stderr) == (0, "")
    path = tmp_path / "a.json"
    path.write_text(ended.stdout)
    assert results.read(path).sides[0].steps == ended.json["sides"][0]["steps"]


def test_no_password_is_in_a_report(tmp_path: Path) -> None:
    server = EmbeddedRedis()
    try:
        # Its default user takes any password.
        url = server.url.replace("redis://", f"redis://default:{SECRET}@")
        ended = lgckpt("loadtest", url, *SHORT, "--report", str(tmp_path / "out"))
    finally:
        server.remove()
    assert ended.code == 0, ended.stderr
    written = [path.read_text(encoding="utf-8") for path in (tmp_path / "out").glob("*")]
    assert len(written) == 2
    for text in (ended.stdout, ended.stderr, *written):
        assert SECRET not in text
    assert all("default:***@" in text for text in written)
