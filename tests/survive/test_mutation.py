"""Another thread changes a value while it is being encoded: an exception at most, never a crash."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.survive.harness import SCALE, run

SECONDS = 3.0


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["memory", "agents.db"], ids=["memory", "sqlite"])
def test_mutation_while_encoding_never_crashes(tmp_path: Path, backend: str, seed: int) -> None:
    where = backend if backend == "memory" else tmp_path / backend
    outcomes = json.loads(run("mutate", where, SECONDS * SCALE, seed))
    assert outcomes["stored"] > 0
