"""The fuzz target, on mutations of its seeds: atheris is not needed for this."""

import importlib.util
import logging
import random
from pathlib import Path

import pytest

FUZZ = Path(__file__).parents[2] / "fuzz" / "fuzz_decode.py"
ROUNDS = 4000
_INTERESTING = bytes(
    [0xC1, 0xC7, 0xC8, 0xC9, 0xD4, 0xD8, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF, 0xFF, 0x80, 0x90]
)


def mutated(seed, rng):
    """A seed with a few bytes changed, cut out, or said twice."""
    data = bytearray(seed)
    for _ in range(rng.randint(1, 5)):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(4)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1 and at < len(data):
            data[at] = rng.choice(_INTERESTING)
        elif kind == 2:
            del data[at : at + rng.randint(1, 6)]
        else:
            data[at:at] = data[at : at + rng.randint(1, 9)]
        if not data:
            data.append(0xC0)
    return bytes(data)


@pytest.fixture
def target():
    pytest.importorskip("lgckpt._core")
    spec = importlib.util.spec_from_file_location("fuzz_decode", FUZZ)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    logging.disable(logging.NOTSET)


@pytest.mark.filterwarnings("ignore")
def test_mutated_seeds_find_nothing(target):
    seeds = [path.read_bytes() for path in sorted(target.SEEDS.iterdir())]
    assert len(seeds) >= 8
    rng = random.Random(20)
    for seed in seeds:
        target.TestOneInput(seed)
    for _ in range(ROUNDS):
        target.TestOneInput(mutated(rng.choice(seeds), rng))
