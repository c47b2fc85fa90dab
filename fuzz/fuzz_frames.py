"""Fuzz everything that reads frames: `python fuzz/fuzz_frames.py -runs=20000`.

Needs atheris. Whatever the bytes, a core answers with bytes or with an error of lgckpt's own, and
both cores agree.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from zlib import crc32

from lgckpt.errors import DecodeError, FrameError, UnsupportedFormatError

CORES = [import_module(name) for name in ("lgckpt._core", "lgckpt._fallback")]
MAX_LEN = 1 << 20
LZ4_BLOCK = b"\x01"
HERE = Path(__file__).parent
SEEDS = HERE / "seeds" / "frames"


def outcome(call: Callable[..., bytes], *args: object) -> object:
    """The result, or the class of the error it ended in."""
    try:
        return call(*args)
    except (DecodeError, FrameError, UnsupportedFormatError) as error:
        return type(error)


def agree(name: str, frame: bytes, *args: object) -> None:
    """Call a function of each core with a frame, and insist that they do alike."""
    one, two = (outcome(getattr(core, name), *args) for core in CORES)
    # The checksum holds, and still it is no block that a compressor makes: one library may be lax.
    lax = frame[1:2] == LZ4_BLOCK and FrameError in (one, two)
    if one != two and not lax:
        raise AssertionError(f"{name}{args}: {one!r} and {two!r}")


def resealed(frame: bytes) -> bytes:
    """The frame with a checksum that holds, so that what is behind it is reached."""
    head, rest = frame[:2], frame[6:]
    return head + struct.pack("<I", crc32(rest, crc32(head))) + rest


def TestOneInput(data: bytes) -> None:  # noqa: N802 - the name atheris and libFuzzer use
    """Read the bytes as every kind of frame there is."""
    for frame in (data, resealed(data)) if len(data) >= 6 else (data,):
        agree("unseal", frame, frame, MAX_LEN)
        agree("open_root", frame, frame)
        for level in (0, 1, 32, 33, 255):
            agree("children", frame, level, frame)
    for codec in ("lz4", "zstd"):
        for core in CORES:
            plain = outcome(core.decompress, data, codec, MAX_LEN)
            if isinstance(plain, bytes) and len(plain) > MAX_LEN:
                raise AssertionError("more than was allowed")


def main() -> None:
    """Run until told to stop by atheris' own arguments."""
    import atheris  # noqa: PLC0415 - the tests run the target without it

    atheris.instrument_all()
    corpus, artifacts = HERE / "corpus" / "frames", HERE / "artifacts"
    for folder in (corpus, artifacts):
        folder.mkdir(parents=True, exist_ok=True)
    options = [f"-artifact_prefix={artifacts}/", *sys.argv[1:], str(corpus), str(SEEDS)]
    atheris.Setup([sys.argv[0], *options], TestOneInput)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
