"""References to chunks: 21 bytes each, the level and then the key."""

from __future__ import annotations

from lgckpt._fallback.params import HASH_LEN, LEVEL_MAX, REF_LEN, ROOT
from lgckpt.errors import FrameError


def parse(refs: bytes) -> list[tuple[int, bytes]]:
    """The level and the key of each.

    Raises:
        FrameError: They are cut short, or of a level that does not exist.
    """
    if len(refs) % REF_LEN:
        raise FrameError("damaged frame: the references are not a whole number of 21 bytes")
    if any(level > LEVEL_MAX and level != ROOT for level in refs[::REF_LEN]):
        raise FrameError("damaged frame: a reference of a level that does not exist")
    return [(refs[at], refs[at + 1 : at + REF_LEN]) for at in range(0, len(refs), REF_LEN)]


def parse_node(plain: bytes) -> list[bytes]:
    """The keys of a node's children.

    Raises:
        FrameError: They are cut short, or there are none.
    """
    if not plain or len(plain) % HASH_LEN:
        raise FrameError("damaged frame: a node is not a whole number of 20-byte keys")
    return [plain[at : at + HASH_LEN] for at in range(0, len(plain), HASH_LEN)]
