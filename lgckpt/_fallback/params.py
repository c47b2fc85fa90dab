"""Every constant that decides where chunks end: those of `rust/core/src/params.rs`.

Changing one makes new trees share nothing with stored ones; readers use none of them.
"""

from typing import Final

LEAF_MIN: Final = 1024
LEAF_MAX: Final = 16384
ELEMENT_MAX: Final = 4096
GEAR_MASK: Final = 0xFFE0
GEAR_WINDOW: Final = 16
GEAR_SEED: Final = 0x3141_5926_5358_9793
DEPTH_MAX: Final = 32

NODE_MIN: Final = 4
NODE_MAX: Final = 64
NODE_MASK: Final = 3
LEVEL_MAX: Final = 32

# What a reader does rely on.
CHUNK_MAX: Final = 2**31
LEAF_LEAST: Final = 64
HASH_LEN: Final = 20
REF_LEN: Final = 21
LEAF: Final = 0
ROOT: Final = 255
