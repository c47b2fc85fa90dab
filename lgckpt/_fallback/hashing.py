"""The keys of chunks: BLAKE2b (RFC 7693) of the plain bytes, 20 long, personalised by level."""

from __future__ import annotations

from hashlib import blake2b

from lgckpt._fallback.params import HASH_LEN


def hash_chunk(level: int, plain: bytes) -> bytes:
    """The 20-byte key of a chunk."""
    return blake2b(plain, digest_size=HASH_LEN, person=b"lgckpt" + bytes((level,))).digest()
