"""`results.json`: what is written is read, and what is not of this version is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lgckpt.errors import ConfigurationError
from lgckpt.loadtest import results
from tests.loadtest import made


@pytest.mark.parametrize("run", [made.run(), made.ramped(), made.killed()])
def test_what_is_written_is_read(run: results.Run, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    results.write(run, path)
    assert results.read(path) == run
    assert json.loads(path.read_text())["schema"] == results.SCHEMA


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no json", "not the JSON of a load test"),
        ("[1]", "not the JSON of a load test"),
        ('{"sides": []}', "not the JSON of a load test"),
        ('{"schema": 99}', "schema 99, of a newer lgckpt"),
        ('{"schema": 1}', "damaged"),
        ('{"schema": 1, "sides": [{"correctness": 1}]}', "damaged"),
    ],
)
def test_another_file_is_refused(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=said):
        results.read(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.json cannot be read"):
        results.read(tmp_path / "none.json")


def test_what_is_counted_of_a_run() -> None:
    run = made.killed()
    assert run.wrong == 3
    assert run.sides[0].errors == {"StorageError": 20, "TimeoutError": 4}
    assert run.sides[1].steps_per_second == run.sides[1].steps / 30
