//! Chunks that are sealed one by one, and what a chunk refers to.

use crate::error::{Error, Result};
use crate::frame::{Codec, seal, unseal};
use crate::hash::hash_chunk;
use crate::params::LEVEL_MAX;
use crate::refs::{LEAF, REF_LEN, ROOT, Ref, parse, parse_node};
use crate::varint;

/// The longest plain bytes a chunk may hold.
pub const CHUNK_MAX: usize = 1 << 31;

/// The parts of a root.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Root<'a> {
    /// The length of the value.
    pub size: u64,
    /// Its first bytes.
    pub head: &'a [u8],
    /// References to the chunks between, 21 bytes each.
    pub refs: &'a [u8],
    /// Its last bytes.
    pub tail: &'a [u8],
}

impl<'a> Root<'a> {
    /// Seals it into a chunk of its own.
    #[must_use]
    pub fn seal(&self, codec: Codec) -> (Ref, Vec<u8>) {
        let parts = self.head.len() + self.refs.len() + self.tail.len();
        let mut plain = Vec::with_capacity(parts + 24);
        varint::put(&mut plain, self.size);
        varint::put(&mut plain, self.head.len() as u64);
        plain.extend_from_slice(self.head);
        varint::put(&mut plain, (self.refs.len() / REF_LEN) as u64);
        plain.extend_from_slice(self.refs);
        plain.extend_from_slice(self.tail);
        sealed(ROOT, &plain, codec)
    }

    /// Reads the plain bytes of such a chunk.
    pub fn parse(mut plain: &'a [u8]) -> Result<Self> {
        let size = take(&mut plain)?;
        let head_len = take(&mut plain)?;
        let head = split(&mut plain, head_len)?;
        let count = take(&mut plain)?;
        let refs = split(&mut plain, count.saturating_mul(REF_LEN as u64))?;
        Ok(Self { size, head, refs, tail: plain })
    }
}

/// Seals raw bytes into one leaf.
#[must_use]
pub fn seal_leaf(data: &[u8], codec: Codec) -> (Ref, Vec<u8>) {
    sealed(LEAF, data, codec)
}

/// The references that a chunk of this level names: none for a leaf.
pub fn children(level: u8, frame: &[u8]) -> Result<Vec<u8>> {
    if level > LEVEL_MAX && level != ROOT {
        return Err(Error::Frame("a chunk of a level that does not exist"));
    }
    let plain = unseal(frame, CHUNK_MAX)?;
    if level == ROOT {
        let root = Root::parse(&plain)?;
        let refs = parse(root.refs)?.flat_map(|it| it.to_bytes());
        return Ok(refs.collect());
    }
    let Some(level) = level.checked_sub(1) else { return Ok(Vec::new()) };
    let mut refs = Vec::with_capacity(plain.len() / 20 * REF_LEN);
    for &hash in parse_node(&plain)? {
        Ref { level, hash }.put(&mut refs);
    }
    Ok(refs)
}

fn sealed(level: u8, plain: &[u8], codec: Codec) -> (Ref, Vec<u8>) {
    (Ref { level, hash: hash_chunk(level, plain) }, seal(plain, codec))
}

fn take(plain: &mut &[u8]) -> Result<u64> {
    varint::take(plain).ok_or(Error::Frame("a root is cut short"))
}

fn split<'a>(plain: &mut &'a [u8], len: u64) -> Result<&'a [u8]> {
    let len = usize::try_from(len).map_err(|_| Error::Frame("a root is cut short"))?;
    let (taken, rest) = plain.split_at_checked(len).ok_or(Error::Frame("a root is cut short"))?;
    *plain = rest;
    Ok(taken)
}
