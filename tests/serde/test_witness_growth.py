"""Lists that grow share the bytes they have in common, and each keeps seeing its own."""

from __future__ import annotations

import random
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgckpt.core import core
from lgckpt.serde import Serializer
from tests.serde.channel import chat

pytestmark = pytest.mark.skipif(core.BUILD_PROFILE == "pure", reason="the pure core packs afresh")

MESSAGES = chat(120)


class Line:
    """Lists of one channel, one after another, each with the tree it had when it was packed."""

    def __init__(self):
        self.serde = Serializer()
        self.all = []

    def put(self, values, after=-1):
        plain = self.serde.dumps_plain(values)[1]
        earlier = self.all[after][1] if self.all else core.Tree(plain, True)
        tree = self.serde.dumps_tree(list(values), earlier)
        self.all.append((plain, tree))

    def check(self):
        for plain, tree in self.all:
            fresh = core.Tree(plain, True)
            assert tree.data == plain
            assert (tree.head, tree.refs, tree.tail) == (fresh.head, fresh.refs, fresh.tail)
            assert tree.size == len(plain)
            assert sorted(tree.unsent([], None)[0]) == sorted(fresh.unsent([], None)[0])


STEP = st.one_of(
    st.tuples(st.just("append"), st.integers(1, 4)),
    st.tuples(st.just("drop last"), st.integers(1, 3)),
    st.tuples(st.just("drop first"), st.integers(1, 2)),
    st.tuples(st.just("replace"), st.integers(0, 119)),
    st.tuples(st.just("long"), st.integers(1, 60_000)),
    st.tuples(st.just("go back"), st.integers(1, 5)),
)


@settings(deadline=None, max_examples=60)
@given(st.integers(10, 100), st.lists(STEP, min_size=1, max_size=12))
def test_every_list_has_the_tree_of_its_own_bytes(start, steps):
    line, values, lists, after = Line(), list(MESSAGES[:start]), [], -1
    line.put(values)
    lists.append(values)
    for kind, number in steps:
        after = -1
        values = list(values)
        if kind == "append":
            values += MESSAGES[len(values) % 100 :][:number]
        elif kind == "drop last":
            del values[-number:]
        elif kind == "drop first":
            del values[:number]
        elif kind == "replace" and values:
            values[number % len(values)] = {"role": "user", "content": f"edited {number}" * 20}
        elif kind == "long":
            values.append({"text": random.Random(number).randbytes(number).hex()})
        else:
            after = -min(number, len(lists))
            values = [*lists[after], MESSAGES[0]]
        if len(values) < 2 or isinstance(values[-1], str):
            break
        line.put(values, after)
        lists.append(values)
    line.check()


@pytest.mark.parametrize("count", [14, 15, 16, 65_534, 65_535, 65_536])
def test_a_header_that_gets_longer_moves_all_that_follows(count):
    values = [{"number": n, "text": "x" * (400 if count < 100 else 1)} for n in range(count)]
    line = Line()
    line.put(values)
    for _ in range(4):
        values.append({"number": -1, "text": "one more"})
        line.put(values)
    line.check()


def test_two_lists_that_grow_from_one_do_not_meet():
    line = Line()
    line.put(MESSAGES[:60])
    line.put(MESSAGES[:61])
    for after in (-1, -2, -3, -1):
        line.put([*MESSAGES[:61], MESSAGES[70 + after]], after)
    line.check()


def test_lists_that_grow_in_many_threads_at_once():
    base = Line()
    base.put(MESSAGES[:60])
    base.put(MESSAGES[:61])
    lines = [Line() for _ in range(8)]
    failed = []

    def grow(line):
        try:
            line.all = list(base.all)
            for end in range(62, 120):
                line.put(MESSAGES[:end])
            line.check()
        except BaseException as exc:
            failed.append(exc)

    threads = [threading.Thread(target=grow, args=(line,)) for line in lines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


def test_what_grows_is_not_copied_at_every_step():
    line = Line()
    line.put(MESSAGES[:60])
    line.put(MESSAGES[:61])
    before = line.all[-1][1].nbytes
    for end in range(62, 80):
        line.put(MESSAGES[:end])
    assert line.all[-1][1].nbytes < 2.5 * before
