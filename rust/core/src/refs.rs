//! References to chunks: 21 bytes each, the level and then the key.

use crate::error::{Error, Result};
use crate::hash::{HASH_LEN, Hash};
use crate::params::LEVEL_MAX;

/// The length of one reference.
pub const REF_LEN: usize = HASH_LEN + 1;
/// The level of a chunk of plain bytes.
pub const LEAF: u8 = 0;
/// The level of a chunk that holds a whole root.
pub const ROOT: u8 = 255;

/// One reference.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ref {
    /// 0 for a leaf, 1 to 32 for a node, 255 for a root.
    pub level: u8,
    /// The key of the chunk.
    pub hash: Hash,
}

impl Ref {
    /// Appends the 21 bytes.
    pub fn put(&self, out: &mut Vec<u8>) {
        out.push(self.level);
        out.extend_from_slice(&self.hash);
    }

    /// The 21 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; REF_LEN] {
        let mut bytes = [self.level; REF_LEN];
        bytes[1..].copy_from_slice(&self.hash);
        bytes
    }
}

/// Reads references laid end to end.
pub fn parse(bytes: &[u8]) -> Result<impl DoubleEndedIterator<Item = Ref> + Clone + '_> {
    let (refs, rest) = bytes.as_chunks::<REF_LEN>();
    if !rest.is_empty() {
        return Err(Error::Frame("the references are not a whole number of 21 bytes"));
    }
    if refs.iter().any(|[level, ..]| *level > LEVEL_MAX && *level != ROOT) {
        return Err(Error::Frame("a reference of a level that does not exist"));
    }
    Ok(refs.iter().map(|[level, key @ ..]| Ref { level: *level, hash: *key }))
}

/// Reads a node's plain bytes: the keys of its children.
pub fn parse_node(plain: &[u8]) -> Result<&[Hash]> {
    match plain.as_chunks::<HASH_LEN>() {
        (keys, []) if !keys.is_empty() => Ok(keys),
        _ => Err(Error::Frame("a node is not a whole number of 20-byte keys")),
    }
}
