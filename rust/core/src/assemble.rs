//! Putting a value together again from its root and its chunks.
//!
//! In two steps, so that Python's objects are touched in the first and nothing but bytes in the
//! second: [`Plan::new`] follows the references down to the leaves, [`Plan::fill`] decompresses them
//! into place.

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::frame::{Envelope, Opener, unseal};
use crate::hash::{ByPrefix, Hash};
use crate::refs::{LEAF, ROOT, Ref, parse, parse_node};
use crate::seal::{CHUNK_MAX, Root};

/// No leaf under a node is shorter, in any release that writes format version 1: what bounds the
/// work that a few nodes naming each other's children over and over can cause.
const LEAF_LEAST: usize = 64;

/// What a value consists of, checked to add up to its size.
#[derive(Debug)]
pub struct Plan<F> {
    size: usize,
    pieces: Pieces<F>,
}

/// Each piece once, and the order in which they make up the value.
#[derive(Debug)]
struct Pieces<F> {
    distinct: Vec<Piece<F>>,
    order: Vec<u32>,
    /// Which of the distinct ones is which leaf.
    leaves: HashMap<Hash, u32, ByPrefix>,
}

#[derive(Debug)]
enum Piece<F> {
    Leaf { hash: Hash, frame: F, len: usize },
    Bytes(Vec<u8>),
}

impl<F: AsRef<[u8]>> Plan<F> {
    /// Follows all references of a root. `chunk` finds the frame of a key.
    ///
    /// Memory is bounded by the distinct frames found and a sixteenth of the root's size.
    pub fn new<E: From<Error>>(
        root: Root<'_>,
        mut chunk: impl FnMut(&Hash) -> std::result::Result<Option<F>, E>,
    ) -> std::result::Result<Self, E> {
        let size = usize::try_from(root.size).ok().filter(|&size| size <= CHUNK_MAX);
        let size = size.ok_or(Error::TooLarge { claimed: root.size, allowed: CHUNK_MAX as u64 })?;
        let mut walk = Walk { left: size, pieces: Pieces::new(), chunk: &mut chunk };
        walk.root(&root, true)?;
        if walk.left != 0 {
            return Err(Error::Frame("a value is shorter than its root says").into());
        }
        Ok(Self { size, pieces: walk.pieces })
    }

    /// The length of the value.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Writes the value to `out`, which must be of its size.
    pub fn fill(&self, mut out: &mut [u8]) -> Result<()> {
        if out.len() != self.size {
            return Err(Error::Frame("a value is not as long as the space for it"));
        }
        let mut opener = Opener::default();
        for piece in self.pieces.in_order() {
            match piece {
                Piece::Bytes(bytes) => out[..bytes.len()].copy_from_slice(bytes),
                Piece::Leaf { hash, frame, .. } => open(frame.as_ref(), out, &mut opener)
                    .map_err(|error| error.in_chunk(LEAF, hash))?,
            }
            out = &mut std::mem::take(&mut out)[piece.len()..];
        }
        Ok(())
    }
}

/// Puts a value together. `chunk` finds the frame of a key.
pub fn assemble<F: AsRef<[u8]>>(
    root: Root<'_>,
    mut chunk: impl FnMut(&Hash) -> Option<F>,
) -> Result<Vec<u8>> {
    let plan = Plan::new(root, |hash| Ok::<_, Error>(chunk(hash)))?;
    let mut out = vec![0; plan.size()];
    plan.fill(&mut out)?;
    Ok(out)
}

impl<F> Pieces<F> {
    fn new() -> Self {
        Self { distinct: Vec::new(), order: Vec::new(), leaves: HashMap::default() }
    }

    fn in_order(&self) -> impl Iterator<Item = &Piece<F>> {
        self.order.iter().filter_map(|&index| self.distinct.get(index as usize))
    }

    /// Repeats a leaf that came before; returns its length.
    fn repeat(&mut self, hash: &Hash) -> Option<usize> {
        let index = *self.leaves.get(hash)?;
        self.order.push(index);
        self.distinct.get(index as usize).map(Piece::len)
    }

    fn push(&mut self, piece: Piece<F>) -> Result<()> {
        let index = u32::try_from(self.distinct.len()).map_err(|_| longer())?;
        if let Piece::Leaf { hash, .. } = &piece {
            self.leaves.insert(*hash, index);
        }
        self.order.push(index);
        self.distinct.push(piece);
        Ok(())
    }
}

impl<F> Piece<F> {
    fn len(&self) -> usize {
        match self {
            Self::Leaf { len, .. } => *len,
            Self::Bytes(bytes) => bytes.len(),
        }
    }
}

fn open(frame: &[u8], out: &mut [u8], opener: &mut Opener) -> Result<()> {
    let envelope = Envelope::parse(frame, CHUNK_MAX)?;
    envelope.verify()?;
    opener.open(&envelope, out)
}

struct Walk<'a, F, C> {
    /// How many bytes of the value are not accounted for yet.
    left: usize,
    pieces: Pieces<F>,
    chunk: &'a mut C,
}

impl<F: AsRef<[u8]>, C> Walk<'_, F, C> {
    fn root<E: From<Error>>(
        &mut self,
        root: &Root<'_>,
        outermost: bool,
    ) -> std::result::Result<(), E>
    where
        C: FnMut(&Hash) -> std::result::Result<Option<F>, E>,
    {
        self.bytes(root.head)?;
        for it in parse(root.refs)? {
            match it.level {
                LEAF => self.leaf(&it.hash, 0)?,
                ROOT if outermost => self.root_chunk(&it)?,
                ROOT => return Err(Error::Frame("a root within a root").into()),
                _ => self.node(&it)?,
            }
        }
        Ok(self.bytes(root.tail)?)
    }

    fn root_chunk<E: From<Error>>(&mut self, it: &Ref) -> std::result::Result<(), E>
    where
        C: FnMut(&Hash) -> std::result::Result<Option<F>, E>,
    {
        let plain = self.plain(it)?;
        let root = Root::parse(&plain).map_err(|error| error.in_chunk(it.level, &it.hash))?;
        let before = self.left;
        self.root(&root, false)?;
        if (before - self.left) as u64 == root.size {
            return Ok(());
        }
        let error = Error::Frame("a value is not of the size its root says");
        Err(error.in_chunk(it.level, &it.hash).into())
    }

    /// Follows a node down, at most as deep as there are levels.
    fn node<E: From<Error>>(&mut self, it: &Ref) -> std::result::Result<(), E>
    where
        C: FnMut(&Hash) -> std::result::Result<Option<F>, E>,
    {
        let mut stack = vec![(it.level, it.hash)];
        while let Some((level, hash)) = stack.pop() {
            let Some(below) = level.checked_sub(1) else {
                self.leaf(&hash, LEAF_LEAST)?;
                continue;
            };
            let plain = self.plain(&Ref { level, hash })?;
            let keys = parse_node(&plain).map_err(|error| error.in_chunk(level, &hash))?;
            // Every child holds a leaf, so a node cannot have more of them than the value has room.
            if keys.len() > self.left / LEAF_LEAST {
                return Err(longer().into());
            }
            stack.extend(keys.iter().rev().map(|&key| (below, key)));
        }
        Ok(())
    }

    fn leaf<E: From<Error>>(&mut self, hash: &Hash, least: usize) -> std::result::Result<(), E>
    where
        C: FnMut(&Hash) -> std::result::Result<Option<F>, E>,
    {
        let (len, frame) = if let Some(len) = self.pieces.repeat(hash) {
            (len, None)
        } else {
            let frame = self.find(LEAF, hash)?;
            let envelope = Envelope::parse(frame.as_ref(), CHUNK_MAX);
            (envelope.map_err(|error| error.in_chunk(LEAF, hash))?.len, Some(frame))
        };
        if len < least {
            return Err(Error::Frame("too short").in_chunk(LEAF, hash).into());
        }
        self.left = self.left.checked_sub(len).ok_or_else(longer)?;
        if let Some(frame) = frame {
            self.pieces.push(Piece::Leaf { hash: *hash, frame, len })?;
        }
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.left = self.left.checked_sub(bytes.len()).ok_or_else(longer)?;
        self.pieces.push(Piece::Bytes(bytes.to_vec()))
    }

    fn plain<E: From<Error>>(&mut self, it: &Ref) -> std::result::Result<Vec<u8>, E>
    where
        C: FnMut(&Hash) -> std::result::Result<Option<F>, E>,
    {
        let frame = self.find(it.level, &it.hash)?;
        let plain = unseal(frame.as_ref(), CHUNK_MAX);
        Ok(plain.map_err(|error| error.in_chunk(it.level, &it.hash))?)
    }

    fn find<E: From<Error>>(&mut self, level: u8, hash: &Hash) -> std::result::Result<F, E>
    where
        C: FnMut(&Hash) -> std::result::Result<Option<F>, E>,
    {
        let missing = Error::Missing { level, hash: *hash };
        Ok((self.chunk)(hash)?.ok_or(missing)?)
    }
}

fn longer() -> Error {
    Error::Frame("a value is longer than its root says")
}

const _: () = assert!(LEAF_LEAST <= crate::params::LEAF_MIN);
