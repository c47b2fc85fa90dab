"""Fuzz the decoder: `python fuzz/fuzz_decode.py -runs=20000`.

Needs atheris. Whatever the bytes, the serializer answers with a value or with an error of lgckpt's
own, it packs again what it made, and it makes what `JsonPlusSerializer` makes where both give a
value.
"""

from __future__ import annotations

import logging
import math
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import ormsgpack

from lgckpt.errors import DecodeError, EncodeError

HERE = Path(__file__).parent
SEEDS = HERE / "seeds" / "decode"
CORES = [import_module(name) for name in ("lgckpt._core", "lgckpt._fallback")]
# Only safe classes: a fuzzer must not find out what `subprocess.Popen` does.
_SERDES: list[Any] = []


def serdes() -> list[Any]:
    """One strict serializer over each core."""
    if not _SERDES:
        import lgckpt.core  # noqa: PLC0415 - the cores are put in one after another
        from lgckpt.serde import Serializer  # noqa: PLC0415

        logging.disable(logging.WARNING)
        chosen = lgckpt.core.core
        for core in CORES:
            lgckpt.core.core = core
            _SERDES.append(Serializer(allowed_msgpack_modules=None))
        lgckpt.core.core = chosen
    return _SERDES


def plain(core: Any, data: bytes) -> Any:
    """The plain value, with extensions as pairs; or the class of the error."""
    try:
        return core.decode(data, lambda code, content: ("ext", code, content))
    except DecodeError as error:
        return type(error)


def alike(one: Any, other: Any) -> bool:
    """Whether two plain values are the same; numbers that are not numbers are."""
    if isinstance(one, float) and isinstance(other, float):
        return one == other or (math.isnan(one) and math.isnan(other))
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, dict):
        return len(one) == len(other) and all(
            map(alike, (*one, *one.values()), (*other, *other.values()))
        )
    return bool(one == other)


def TestOneInput(data: bytes) -> None:  # noqa: N802 - the name atheris and libFuzzer use
    """Read the bytes as a plain value and as objects."""
    values = [plain(core, data) for core in CORES]
    if not alike(*values):
        raise AssertionError(f"{values[0]!r} and {values[1]!r}")
    if values[0] is not DecodeError:
        reference = ormsgpack.unpackb(
            data,
            ext_hook=lambda code, content: ("ext", code, content),
            option=ormsgpack.OPT_NON_STR_KEYS,
        )
        if not alike(values[0], reference):
            raise AssertionError(f"{values[0]!r} and {reference!r}")
    for serde in serdes():
        try:
            value = serde.loads_typed(("msgpack", data))
            serde.dumps_typed(value)
        except (DecodeError, EncodeError):
            pass


def main() -> None:
    """Run until told to stop by atheris' own arguments."""
    import atheris  # noqa: PLC0415 - the tests run the target without it

    atheris.instrument_all()
    corpus, artifacts = HERE / "corpus" / "decode", HERE / "artifacts"
    for folder in (corpus, artifacts):
        folder.mkdir(parents=True, exist_ok=True)
    options = [f"-artifact_prefix={artifacts}/", *sys.argv[1:], str(corpus), str(SEEDS)]
    atheris.Setup([sys.argv[0], *options], TestOneInput)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
