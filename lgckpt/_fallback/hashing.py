"""Keys of chunks, BLAKE2b (RFC 7693) personalised by level; and etags of rows, XXH3."""

from __future__ import annotations

from hashlib import blake2b

from xxhash import xxh3_64

from lgckpt._fallback.params import HASH_LEN


def hash_chunk(level: int, plain: bytes) -> bytes:
    """The 20-byte key of a chunk."""
    return blake2b(plain, digest_size=HASH_LEN, person=b"lgckpt" + bytes((level,))).digest()


def etag(state: bytes, refs: bytes, metadata: bytes) -> bytes:
    """Eight bytes that change whenever a row's content does."""
    digest = xxh3_64(state)
    digest.update(refs)
    digest.update(metadata)
    return digest.digest()
