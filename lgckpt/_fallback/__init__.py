"""The pure Python twin of the compiled core: the same functions, bytes and hashes.

Compressed payloads may differ, as other libraries make them; each core reads the other's.
"""

from lgckpt._fallback.assemble import assemble
from lgckpt._fallback.codec import ObjectDecoder, ObjectEncoder, PackedExt, decode, encode
from lgckpt._fallback.compress import compress, decompress
from lgckpt._fallback.frame import seal, unseal
from lgckpt._fallback.hashing import etag, hash_chunk
from lgckpt._fallback.seal import children, open_root, seal_leaf, seal_root
from lgckpt._fallback.sound import sound
from lgckpt._fallback.step import (
    adopt_channel,
    apply_writes,
    channel_values,
    count_versions,
    next_version,
    restore_channels,
    triggers,
    uuid6,
)
from lgckpt._fallback.tree import Known, Tree

BUILD_PROFILE = "pure"

__all__ = [
    "BUILD_PROFILE",
    "Known",
    "ObjectDecoder",
    "ObjectEncoder",
    "PackedExt",
    "Tree",
    "adopt_channel",
    "apply_writes",
    "assemble",
    "channel_values",
    "children",
    "compress",
    "count_versions",
    "decode",
    "decompress",
    "encode",
    "etag",
    "hash_chunk",
    "next_version",
    "open_root",
    "restore_channels",
    "seal",
    "seal_leaf",
    "seal_root",
    "sound",
    "triggers",
    "unseal",
    "uuid6",
]
