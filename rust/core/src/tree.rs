//! The chunk tree of one value: leaves of its bytes, nodes of their keys, and what is left over.
//!
//! Keys are grouped into nodes as bytes are into leaves, by content, level upon level. What no group
//! has closed over yet stays in the root, so the references of the root have levels that never rise,
//! and an append changes only their end.

use std::ops::Range;

use crate::chunk::{Split, resume, split};
use crate::hash::{Hash, hash_all};
use crate::known::Known;
use crate::params::{LEVEL_MAX, NODE_MASK, NODE_MAX, NODE_MIN};
use crate::refs::{REF_LEN, Ref};

/// The chunks of one value, without its bytes.
#[derive(Clone, Debug)]
pub struct Tree {
    size: usize,
    head: usize,
    /// Leaves first, then level upon level of nodes.
    pub(crate) levels: Vec<Level>,
}

/// All chunks of one level, in the order of the value.
#[derive(Clone, Debug, Default)]
pub(crate) struct Level {
    pub hashes: Vec<Hash>,
    /// Where each chunk ends: in the value for leaves, among the chunks one level down for nodes.
    pub ends: Vec<usize>,
}

impl Level {
    fn end(&self, first: usize) -> usize {
        self.ends.last().copied().unwrap_or(first)
    }
}

impl Tree {
    /// Splits and hashes a value: msgpack if `structured`, any bytes otherwise.
    #[must_use]
    pub fn new(data: &[u8], structured: bool) -> Self {
        Self::hashed(data, split(data, structured), Vec::new())
    }

    /// Like [`Tree::new`], and gives the same tree, but takes the keys of the leading leaves that
    /// an earlier value has too from that one's tree: comparing bytes is faster than hashing them.
    #[must_use]
    pub fn after(data: &[u8], structured: bool, earlier: &Self, earlier_data: &[u8]) -> Self {
        let parts = split(data, structured);
        let ours = spans(&parts.ends, parts.head).map(|span| &data[span]);
        let theirs = spans(&earlier.levels[0].ends, earlier.head).map(|span| &earlier_data[span]);
        let same = ours.zip(theirs).take_while(|(ours, theirs)| ours == theirs).count();
        Self::hashed(data, parts, earlier.levels[0].hashes[..same].to_vec())
    }

    /// The tree of an array that has the bytes of an earlier one up to the end of that one's first
    /// `leaves` leaves, where an item ends that has `left` items after it. The same as
    /// [`Tree::new`] gives, but nothing before that is looked at, nor is the head.
    #[must_use]
    pub fn grown(data: &[u8], earlier: &Self, leaves: usize, left: usize) -> Self {
        let Level { hashes, ends } = &earlier.levels[0];
        let known = Split { head: earlier.head, ends: ends[..leaves].to_vec() };
        Self::hashed(data, resume(data, known, left), hashes[..leaves].to_vec())
    }

    fn hashed(data: &[u8], parts: Split, mut hashes: Vec<Hash>) -> Self {
        let Split { head, ends } = parts;
        let plains = spans(&ends, head).map(|span| &data[span]);
        hashes.extend(hash_all(0, plains.skip(hashes.len())));
        let mut levels = vec![Level { hashes, ends }];
        for level in 1..=LEVEL_MAX {
            let nodes = nodes(level, &levels[usize::from(level) - 1].hashes);
            if nodes.hashes.is_empty() {
                break;
            }
            levels.push(nodes);
        }
        Self { size: data.len(), head, levels }
    }

    /// Where each leaf ends in the value.
    #[must_use]
    pub fn leaf_ends(&self) -> &[usize] {
        &self.levels[0].ends
    }

    /// The length of the whole value.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Where the head lies in the value.
    #[must_use]
    pub fn head(&self) -> Range<usize> {
        0..self.head
    }

    /// Where the tail lies in the value.
    #[must_use]
    pub fn tail(&self) -> Range<usize> {
        self.levels[0].end(self.head)..self.size
    }

    /// The references of the root, 21 bytes each: with head and tail they make up the value.
    #[must_use]
    pub fn refs(&self) -> Vec<u8> {
        let roots = self.roots();
        let count: usize = roots.iter().map(Range::len).sum();
        let mut refs = Vec::with_capacity(count * REF_LEN);
        for (level, range) in (0..=LEVEL_MAX).zip(roots).rev() {
            for &hash in &self.levels[usize::from(level)].hashes[range] {
                Ref { level, hash }.put(&mut refs);
            }
        }
        refs
    }

    /// The memory it holds besides the value, bytes.
    #[must_use]
    pub fn nbytes(&self) -> usize {
        let entry = size_of::<Hash>() + size_of::<usize>();
        size_of::<Self>() + self.levels.iter().map(|level| level.ends.len() * entry).sum::<usize>()
    }

    /// The keys of all its chunks.
    #[must_use]
    pub fn known(&self) -> Known {
        self.levels.iter().flat_map(|level| &level.hashes).copied().collect()
    }

    /// What the root itself refers to: at each level, what no node one level up has closed over.
    pub(crate) fn roots(&self) -> Vec<Range<usize>> {
        let above = self.levels[1..].iter().map(|level| level.end(0)).chain([0]);
        self.levels.iter().zip(above).map(|(level, start)| start..level.hashes.len()).collect()
    }

    /// The bytes a chunk spans in the value (level 0), or the chunks one level down (others).
    pub(crate) fn span(&self, level: usize, index: usize) -> Range<usize> {
        let ends = &self.levels[level].ends;
        let first = if level == 0 { self.head } else { 0 };
        index.checked_sub(1).map_or(first, |before| ends[before])..ends[index]
    }
}

/// Groups the keys of one level into the nodes of the next.
fn nodes(level: u8, hashes: &[Hash]) -> Level {
    let mut ends = Vec::new();
    let mut start = 0;
    for (index, hash) in hashes.iter().enumerate() {
        let children = index + 1 - start;
        let closes = hash[hash.len() - 1] & NODE_MASK == 0 && children >= NODE_MIN;
        if closes || children >= NODE_MAX {
            start = index + 1;
            ends.push(start);
        }
    }
    let plains = spans(&ends, 0).map(|span| hashes[span].as_flattened());
    Level { hashes: hash_all(level, plains), ends }
}

/// The spans between `first` and each end.
fn spans(ends: &[usize], first: usize) -> impl ExactSizeIterator<Item = Range<usize>> + '_ {
    let mut start = first;
    ends.iter().map(move |&end| std::mem::replace(&mut start, end)..end)
}
