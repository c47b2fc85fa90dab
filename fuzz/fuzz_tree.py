"""Fuzz splitting and putting together: `python fuzz/fuzz_tree.py -runs=20000`.

Needs atheris. Any bytes make the same tree on both cores and come back whole; any chunks, given as
a mapping read from the bytes, are put together or end in an error of lgckpt's own.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

from lgckpt.errors import FrameError, UnsupportedFormatError

CORES = [import_module(name) for name in ("lgckpt._core", "lgckpt._fallback")]
HERE = Path(__file__).parent
SEEDS = HERE / "seeds" / "tree"
# Repeated, short inputs reach the limits of leaves and nodes.
REPEATS = 12


def check_split(data: bytes, structured: bool) -> None:
    """Split on both cores, compare, and put together from the other's chunks."""
    trees = [core.Tree(data, structured) for core in CORES]
    parts = [(tree.size, tree.head, tree.refs, tree.tail) for tree in trees]
    if parts[0] != parts[1]:
        raise AssertionError(f"two trees of {data!r}")
    for core, tree in zip(CORES, reversed(trees), strict=True):
        chunks, claims = tree.unsent([], None)
        if claims or core.assemble(*parts[0], dict(chunks)) != data:
            raise AssertionError(f"{data!r} does not come back")


def check_assemble(data: bytes) -> None:
    """Take the bytes for references, sizes and chunks at once."""
    core = CORES[0]
    count = data[0] % 8
    plain = data[1:]
    refs = b"".join(bytes((data[at % len(data)] % 4,)) + bytes((at,)) * 20 for at in range(count))
    nodes = {bytes((at,)) * 20: core.seal(bytes((at // 2,)) * 20 * 64, None) for at in range(4)}
    leaves = {bytes((at,)) * 20: core.seal(plain, None) for at in range(4, 8)}
    sizes = (len(plain) * count, 64 * len(plain), 1 << 16)
    for size in sizes:
        results = []
        for it in CORES:
            try:
                results.append(it.assemble(size, b"", refs, b"", nodes | leaves))
            except (FrameError, UnsupportedFormatError) as error:
                results.append(type(error))
        if results[0] != results[1]:
            raise AssertionError(f"the cores put {data!r} together differently")


def TestOneInput(data: bytes) -> None:  # noqa: N802 - the name atheris and libFuzzer use
    """Split the bytes, alone and as items of a long array, and take them for chunks."""
    for structured in (True, False):
        check_split(data, structured)
    check_split(b"\xdc" + REPEATS.to_bytes(2, "big") + data * REPEATS, True)
    if data:
        check_assemble(data)


def main() -> None:
    """Run until told to stop by atheris' own arguments."""
    import atheris  # noqa: PLC0415 - the tests run the target without it

    atheris.instrument_all()
    corpus, artifacts = HERE / "corpus" / "tree", HERE / "artifacts"
    for folder in (corpus, artifacts):
        folder.mkdir(parents=True, exist_ok=True)
    options = [f"-artifact_prefix={artifacts}/", *sys.argv[1:], str(corpus), str(SEEDS)]
    atheris.Setup([sys.argv[0], *options], TestOneInput)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
