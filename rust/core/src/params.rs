//! Every constant of format version 1 that decides where chunks end, in one place.
//!
//! Changing one of them makes new trees share nothing with stored ones; all that is stored stays
//! readable, as a reader uses none of them. `lgckpt/_fallback/params.py` holds the same values.

/// No leaf is shorter, bytes. An element of at least this length always closes the leaf it ends.
///
/// What no leaf has closed over yet is stored again by every checkpoint, so that a list growing by
/// one chat message a step takes least space at 512; but each leaf is a row to read, and 1,000
/// messages are then read back a fifth slower. This is where both are well off.
pub const LEAF_MIN: usize = 1024;
/// No leaf is longer, bytes.
pub const LEAF_MAX: usize = 16384;
/// A longer element is split itself. With [`LEAF_MIN`] it fits [`LEAF_MAX`].
pub const ELEMENT_MAX: usize = 4096;
/// Inside long strings a leaf ends where these bits of the rolling hash are zero: one place in 2048.
pub const GEAR_MASK: u16 = 0xffe0;
/// The rolling hash covers this many bytes, one a bit.
pub const GEAR_WINDOW: usize = 16;
/// Seeds the table of the rolling hash (a SplitMix64 stream): the first digits of pi.
pub const GEAR_SEED: u64 = 0x3141_5926_5358_9793;
/// Containers and ext wrappers within each other that are looked into; deeper is one long string.
pub const DEPTH_MAX: usize = 32;

/// No node has fewer children.
pub const NODE_MIN: usize = 4;
/// No node has more.
pub const NODE_MAX: usize = 64;
/// A node ends after a child the last byte of whose hash has these bits zero: about seven children.
/// What no node has closed over stays in every root, so wide nodes take more bytes in all.
pub const NODE_MASK: u8 = 3;
/// Nodes are of level 1 to this.
pub const LEVEL_MAX: u8 = 32;
