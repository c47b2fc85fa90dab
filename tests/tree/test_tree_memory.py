"""A length that bytes claim is not a reason to allocate it."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import resource, struct, sys
from importlib import import_module
from pathlib import Path
from zlib import crc32

core = import_module(sys.argv[1])
from lgckpt.errors import DecodeError, FrameError

pages = int(Path("/proc/self/statm").read_text().split()[0])
limit = pages * resource.getpagesize() + 400 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

def forged(codec, length, payload):
    rest = bytearray()
    while length > 127:
        rest.append(length & 127 | 128)
        length >>= 7
    rest = bytes(rest) + bytes((length,)) + payload
    return struct.pack("<BBI", 1, codec, crc32(rest, crc32(bytes((1, codec))))) + rest

def refused(error, call, *args):
    try:
        call(*args)
    except error:
        return
    raise SystemExit(f"{call} took {args}")

zstd = bytes.fromhex("28b52ffde0") + (2**32).to_bytes(8, "little") + bytes(10)
for length in (2**31, 2**32, 2**40, 2**63):
    for codec in (0, 1, 2):
        for payload in (b"", b"a", zstd, bytes(1000)):
            refused(FrameError, core.unseal, forged(codec, length, payload), 2**63)
            refused(FrameError, core.children, 1, forged(codec, length, payload))
    refused(FrameError, core.assemble, length, b"", b"", b"", {})
    leaf = forged(1, length, bytes(1000))
    refused(FrameError, core.assemble, length, b"", bytes(21), b"", {bytes(20): leaf})
refused(DecodeError, core.decompress, zstd, "zstd", 2**63)
lz4 = bytes.fromhex("04224d186870") + (2**32).to_bytes(8, "little")
for check in range(256):
    refused(DecodeError, core.decompress, lz4 + bytes((check, 0, 0, 0, 0)), "lz4", 2**63)
print("refused")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and limits address space")
def test_claims_of_gigabytes_are_refused_without_the_memory(core):
    command = [sys.executable, "-c", SCRIPT, core.__name__]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, "refused\n"), run.stderr
