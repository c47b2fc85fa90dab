"""What a thread keeps between calls is its own, bounded, and never shows in a result."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import zstandard
from tree_values import CODECS, chat, prose

from lgckpt import _fallback
from lgckpt._fallback import contexts
from lgckpt.errors import DecodeError, FrameError

THREADS = 16
# Around where the GIL is let go, and beyond what a context is kept for.
LENGTHS = (70, 400, 3_000, 5_000, 17_000, 70_000, 300_000)
FORK = """
import os, sys
from importlib import import_module

core = import_module(sys.argv[1])
text = b"some text, and some more of it" * 20
frame = core.seal(text, "zstd")
assert core.unseal(frame) == text
child = os.fork()
if child:
    assert os.waitpid(child, 0)[1] == 0
same = core.seal(text, "zstd") == frame and core.unseal(frame) == text
print("same" if same else "not the same", flush=True)
"""


def lengths(thread: int) -> list[int]:
    return [length + thread for length in LENGTHS[thread % 7 :] + LENGTHS[: thread % 7]]


def round_trips(core, thread: int, together: threading.Barrier) -> int:
    texts = [prose(length, thread).encode() for length in lengths(thread)]
    value = chat(20, thread)
    tree = core.Tree(value, True)
    together.wait()
    right = 0
    for codec in CODECS:
        for text in texts:
            right += core.unseal(core.seal(text, codec)) == text
            key, frame = core.seal_leaf(text, codec)
            right += core.assemble(len(text), b"", key, b"", {key[1:]: frame}) == text
            if codec is not None:
                right += core.decompress(core.compress(text, codec), codec) == text
        chunks = dict(tree.unsent([], codec)[0])
        right += core.assemble(len(value), tree.head, tree.refs, tree.tail, chunks) == value
        root, frame = core.seal_root(len(value), tree.head, tree.refs, tree.tail, codec)
        right += core.children(root[0], frame) == tree.refs
    return right


def test_many_threads_at_once_get_right_results(core):
    together = threading.Barrier(THREADS)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(THREADS) as pool:
            right = pool.map(lambda thread: round_trips(core, thread, together), range(THREADS))
            each = len(LENGTHS) * (2 * 3 + 2) + 2 * 3
            assert list(right) == [each] * THREADS
    finally:
        sys.setswitchinterval(interval)


@pytest.mark.parametrize("codec", CODECS)
def test_what_was_sealed_before_does_not_show(core, codec):
    text = prose(400, 1).encode()
    frame = core.seal(text, codec)
    for length in (0, 70_000, 300_000, 3_000_000):
        core.unseal(core.seal(prose(1_000, 2).encode() * (length // 1_000), codec))
        assert core.seal(text, codec) == frame
        assert core.unseal(frame) == text


def test_damage_does_not_show_in_what_is_read_after_it(core):
    text = prose(700, 3).encode()
    packed, frame = core.compress(text, "zstd"), core.seal(text, "zstd")
    for at in range(4, len(packed)):
        damaged = packed[:at] + bytes((packed[at] ^ 0xFF,)) + packed[at + 1 :]
        with suppress(DecodeError):
            core.decompress(damaged, "zstd")
        with pytest.raises(FrameError):
            core.unseal(frame[:at])
        assert core.decompress(packed, "zstd") == text
        assert core.unseal(frame) == text


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_fork_seals_and_unseals(core):
    # In a process of its own: the one of the tests may have threads, which Python warns of.
    command = [sys.executable, "-c", FORK, core.__name__]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, "same\nsame\n"), run.stderr


def test_the_fallback_keeps_small_contexts_only():
    text = prose(5_000, 5).encode()
    _fallback.unseal(_fallback.seal(text, "zstd"))
    compressor, decompressor = contexts._kept.compressor, contexts._kept.decompressor
    assert compressor is not None
    assert decompressor is not None
    _fallback.unseal(_fallback.seal(text, "zstd"))
    assert contexts._kept.compressor is compressor
    assert contexts._kept.decompressor is decompressor
    _fallback.compress(bytes(2**22), "zstd")
    assert contexts._kept.compressor is None
    writer = zstandard.ZstdCompressor(level=19).compressobj()
    wide = writer.compress(bytes(2**24)) + writer.flush()
    assert _fallback.decompress(wide, "zstd") == bytes(2**24)
    assert contexts._kept.decompressor is None
