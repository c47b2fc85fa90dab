"""Values packed one beside the other, each checked against packing it afresh."""

from __future__ import annotations

import random

import lgckpt.core
from lgckpt.errors import EncodeError
from lgckpt.serde import Serializer

from .changes import ai_message


def outcome(call):
    """What a call gives, and what it says if it refuses."""
    try:
        return call(), None
    except EncodeError as error:
        return None, str(error)


class Channel:
    """A channel's values, each packed beside the one before; its tree is that of a fresh one."""

    def __init__(self, serde: Serializer) -> None:
        self.serde = serde
        self.core = lgckpt.core.core
        self.tree = self.core.Tree(b"", True)

    def put(self, value: list[object]) -> int:
        """Pack a value; gives how many elements were proved unchanged."""
        fresh, refused = outcome(lambda: self.serde.dumps_plain(value)[1])
        tree, refused_beside = outcome(lambda: self.serde.dumps_tree(value, self.tree))
        if tree is None:
            # A list that is left to the plain way, or one that neither can pack.
            assert refused_beside in (refused, None)
            tree = self.core.Tree(fresh, True, self.tree) if fresh is not None else self.tree
            self.tree = tree
            return 0
        assert refused is None
        assert tree.data == fresh
        alone = self.core.Tree(fresh, True)
        assert (tree.head, tree.refs, tree.tail) == (alone.head, alone.refs, alone.tail)
        self.tree = tree
        return tree.proved


def chat(count: int) -> list[object]:
    rng = random.Random(5)
    return [ai_message(rng) for _ in range(count)]
