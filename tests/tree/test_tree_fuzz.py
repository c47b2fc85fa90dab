"""The fuzz targets, on mutations of their seeds: atheris is not needed for this."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path

import pytest
from tree_values import mutated

FUZZ = Path(__file__).parents[2] / "fuzz"
ROUNDS = 3000


@pytest.mark.parametrize("name", ["frames", "tree"])
def test_mutated_seeds_find_nothing(name):
    pytest.importorskip("lgckpt._core")
    spec = importlib.util.spec_from_file_location(f"fuzz_{name}", FUZZ / f"fuzz_{name}.py")
    target = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(target)
    seeds = [path.read_bytes() for path in sorted(target.SEEDS.iterdir())]
    assert len(seeds) >= 5
    rng = random.Random(20)
    for seed in seeds:
        target.TestOneInput(seed)
    for _ in range(ROUNDS):
        target.TestOneInput(mutated(rng.choice(seeds), rng))
