"""What is remembered of a list, to pack the next one beside it: how much, and for how long."""

from __future__ import annotations

import copy
import gc
import sys
import weakref

from .channel import chat


def test_messages_are_not_kept_alive(channel):
    messages = chat(20)
    channel.put(messages)
    assert channel.put(messages) == 20
    seen = [weakref.ref(one) for one in messages]
    gc.disable()
    try:
        messages.clear()
        assert [one() for one in seen] == [None] * 20
    finally:
        gc.enable()
    assert set(gc.get_referents(channel.tree)) <= {type(channel.tree)}


def test_what_is_kept_of_them_goes_with_the_tree(channel):
    text = "text " * 20
    key = "key " * 20
    values = [{"k": text, key: [text, i]} for i in range(50)]
    before = sys.getrefcount(text), sys.getrefcount(key)
    channel.put(values)
    held = sys.getrefcount(text), sys.getrefcount(key)
    assert held == (before[0] + 100, before[1] + 50)
    older = channel.tree
    for _ in range(3):
        channel.put(values)
    assert (sys.getrefcount(text), sys.getrefcount(key)) == held
    values[3]["k"] = "other"
    channel.put(values)
    del older
    assert sys.getrefcount(text) == held[0] - 2
    channel.tree = None
    assert (sys.getrefcount(text), sys.getrefcount(key)) == (before[0] - 1, before[1])


def test_a_failed_proof_and_a_failed_put_keep_nothing(channel):
    text = "text " * 20
    values = [{"k": text, "set": {1}}, [text, object]]
    before = sys.getrefcount(text)
    for _ in range(5):
        channel.put(values)
    values[1].append(2**70)
    for _ in range(5):
        channel.put([[text], *values])
    assert sys.getrefcount(text) == before


def test_the_memory_it_takes_is_counted(channel):
    messages = chat(200)
    plain = channel.core.Tree(channel.serde.dumps_plain(messages)[1], True)
    channel.put(messages)
    with_witness = channel.tree.nbytes
    assert plain.nbytes + len(plain.data) < with_witness < plain.nbytes + 4 * len(plain.data)
    channel.put(messages)
    # From now on the bytes are in a buffer that has some room to grow.
    assert with_witness < channel.tree.nbytes < with_witness + len(plain.data) // 3


def test_a_large_list_gets_a_witness_of_bounded_size(channel):
    limit = 16 * 1024 * 1024
    values = [{f"k{n}": [n] for n in range(100)} for _ in range(12_000)]
    channel.put(values)
    plain = channel.core.Tree(channel.tree.data, True)
    assert limit < channel.tree.nbytes - plain.nbytes < limit + 2 * 1024 * 1024
    proved = channel.put(values)
    assert 0 < proved < len(values)


def test_values_that_are_copied_at_every_step_soon_get_no_proofs(channel):
    messages = chat(20)
    plain = channel.core.Tree(channel.serde.dumps_plain(messages)[1], True).nbytes
    made = []
    for _ in range(60):
        messages = copy.deepcopy(messages)
        # Strings are not copied, so each gets another object for its content.
        for one in messages:
            one.additional_kwargs = {"k": [str(id(one))]}
        channel.put(messages)
        made.append(channel.tree.nbytes > plain + 2000)
    assert made[:2] == [True, True]
    assert 2 < sum(made) < 12
    proved = [channel.put(messages) for _ in range(20)]
    assert proved[-1] == 20
