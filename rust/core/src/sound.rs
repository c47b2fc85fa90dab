//! Whether stored rows are as they were written: etags, checksums, and every chunk below them.

use std::collections::{HashMap, HashSet};

use crate::frame::unseal;
use crate::hash::{ByPrefix, Hash, etag, hash_chunk};
use crate::params::LEVEL_MAX;
use crate::refs::{LEAF, REF_LEN, ROOT, parse, parse_node};
use crate::seal::{CHUNK_MAX, Root};

/// The bytes of a checkpoint row.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// What its content has to give.
    pub etag: &'a [u8],
    /// A frame.
    pub metadata: &'a [u8],
    /// A frame.
    pub state: &'a [u8],
    /// References, 21 bytes each.
    pub refs: &'a [u8],
}

/// The bytes of a pending write.
#[derive(Clone, Copy, Debug)]
pub struct Write<'a> {
    /// A frame, whose first plain byte says whether there is a reference.
    pub value: &'a [u8],
    /// References, 21 bytes each.
    pub refs: &'a [u8],
}

/// Chunks, and which of those have been found to be whole.
#[derive(Debug, Default)]
pub struct Chunks<'a> {
    frames: HashMap<Hash, &'a [u8], ByPrefix>,
    claims: HashSet<Hash, ByPrefix>,
    whole: HashSet<(u8, Hash)>,
}

impl<'a> Chunks<'a> {
    /// The frames by key, and the keys of what is whole elsewhere.
    pub fn new(
        frames: impl Iterator<Item = (Hash, &'a [u8])>,
        claims: impl Iterator<Item = Hash>,
    ) -> Self {
        Self { frames: frames.collect(), claims: claims.collect(), whole: HashSet::new() }
    }

    /// Whether a row has its etag, and all that it refers to.
    pub fn hold_row(&mut self, row: &Row<'_>) -> bool {
        row.etag == etag(&[row.state, row.refs, row.metadata]) && self.hold(row.refs)
    }

    /// Whether a write's frame is whole, and all that it refers to.
    pub fn hold_write(&mut self, write: &Write<'_>) -> bool {
        let kind = u8::from(!write.refs.is_empty());
        unseal(write.value, CHUNK_MAX).is_ok_and(|plain| plain.first() == Some(&kind))
            && self.hold(write.refs)
    }

    /// Whether all chunks below references are there and hold what they are named for.
    fn hold(&mut self, refs: &[u8]) -> bool {
        let mut open = Vec::new();
        if !push(refs, &mut open) {
            return false;
        }
        while let Some((level, hash)) = open.pop() {
            if self.claims.contains(&hash) || !self.whole.insert((level, hash)) {
                continue;
            }
            let Some(frame) = self.frames.get(&hash) else { return false };
            if !descend(level, &hash, frame, &mut open) {
                return false;
            }
        }
        true
    }
}

/// Checks one chunk; what it refers to is left open. It is taken for whole while that is: nothing
/// is asked of what held something damaged.
fn descend(level: u8, hash: &Hash, frame: &[u8], open: &mut Vec<(u8, Hash)>) -> bool {
    let Ok(plain) = unseal(frame, CHUNK_MAX) else { return false };
    if hash_chunk(level, &plain) != *hash {
        return false;
    }
    match level {
        LEAF => true,
        ROOT => Root::parse(&plain).is_ok_and(|root| {
            root.refs.iter().step_by(REF_LEN).all(|level| *level != ROOT) && push(root.refs, open)
        }),
        1..=LEVEL_MAX => parse_node(&plain).is_ok_and(|keys| {
            open.extend(keys.iter().map(|key| (level - 1, *key)));
            true
        }),
        _ => false,
    }
}

fn push(refs: &[u8], open: &mut Vec<(u8, Hash)>) -> bool {
    let Ok(found) = parse(refs) else { return false };
    open.extend(found.map(|it| (it.level, it.hash)));
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::seal;
    use crate::seal::seal_leaf;

    fn kept(frame: &[u8], hash: Hash) -> Chunks<'_> {
        Chunks::new([(hash, frame)].into_iter(), std::iter::empty())
    }

    #[test]
    fn a_row_with_its_etag_and_its_chunks_is_sound() {
        let (it, frame) = seal_leaf(b"a leaf", None);
        let root = Root { size: 6, head: b"", refs: &it.to_bytes(), tail: b"" };
        let (top, top_frame) = root.seal(None);
        let refs = top.to_bytes();
        let frames = [(it.hash, frame.as_slice()), (top.hash, top_frame.as_slice())];
        let etag = etag(&[b"state", &refs, b"metadata"]);
        let row = Row { etag: &etag, metadata: b"metadata", state: b"state", refs: &refs };
        assert!(Chunks::new(frames.into_iter(), std::iter::empty()).hold_row(&row));
        assert!(!Chunks::new(frames.into_iter().skip(1), std::iter::empty()).hold_row(&row));
        let claimed = [it.hash].into_iter();
        assert!(Chunks::new(frames.into_iter().skip(1), claimed).hold_row(&row));
        let other = Row { state: b"other", ..row };
        assert!(!Chunks::new(frames.into_iter(), std::iter::empty()).hold_row(&other));
    }

    #[test]
    fn a_changed_chunk_is_found() {
        let (it, frame) = seal_leaf(b"a leaf", None);
        let refs = it.to_bytes();
        let value = seal(b"\x01\x06", None);
        let write = Write { value: &value, refs: &refs };
        assert!(kept(&frame, it.hash).hold_write(&write));
        for at in 0..frame.len() {
            let mut changed = frame.clone();
            changed[at] ^= 1;
            assert!(!kept(&changed, it.hash).hold_write(&write));
        }
        assert!(!kept(&seal(b"another", None), it.hash).hold_write(&write));
    }

    #[test]
    fn a_write_says_whether_it_has_a_reference() {
        let (it, frame) = seal_leaf(b"a leaf", None);
        let (small, large) = (seal(b"\0x", None), seal(b"\x01x", None));
        let refs = it.to_bytes();
        let mut chunks = kept(&frame, it.hash);
        assert!(chunks.hold_write(&Write { value: &small, refs: b"" }));
        assert!(!chunks.hold_write(&Write { value: &small, refs: &refs }));
        assert!(!chunks.hold_write(&Write { value: &large, refs: b"" }));
        assert!(!chunks.hold_write(&Write { value: &large, refs: &refs[1..] }));
    }

    #[test]
    fn a_root_within_a_root_is_damage() {
        let (inner, inner_frame) = Root { size: 0, head: b"", refs: b"", tail: b"" }.seal(None);
        let refs = inner.to_bytes();
        let (outer, outer_frame) = Root { size: 0, head: b"", refs: &refs, tail: b"" }.seal(None);
        let frames = [(inner.hash, inner_frame.as_slice()), (outer.hash, outer_frame.as_slice())];
        let value = seal(b"\x01", None);
        let write = Write { value: &value, refs: &outer.to_bytes() };
        assert!(!Chunks::new(frames.into_iter(), std::iter::empty()).hold_write(&write));
    }
}
