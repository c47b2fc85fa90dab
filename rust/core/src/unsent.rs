//! What of a tree has still to be stored.

use std::collections::HashSet;

use crate::frame::{Codec, Sealer};
use crate::hash::{ByPrefix, Hash};
use crate::known::Known;
use crate::tree::Tree;

/// What a put has to send, and what it relies on.
#[derive(Clone, Debug, Default)]
pub struct Unsent {
    /// Chunks to store, as key and frame: leaves first, so that none comes before what it names.
    pub chunks: Vec<(Hash, Vec<u8>)>,
    /// Keys that the root or a chunk sent names and that are known: they must still be there.
    pub claims: Vec<Hash>,
}

impl Tree {
    /// Walks the tree down from the root; what is in any of `known` is claimed, and what is below
    /// it is neither walked nor sent. `data` is the value the tree was made of.
    #[must_use]
    pub fn unsent(&self, data: &[u8], known: &[&Known], codec: Codec) -> Unsent {
        let mut walk = Walk { tree: self, known, seen: HashSet::default(), claims: Vec::new() };
        let send = walk.down();
        let mut sealer = Sealer::new(codec);
        let mut chunks = Vec::with_capacity(send.iter().map(Vec::len).sum());
        for (level, indices) in send.iter().enumerate() {
            for &index in indices {
                let span = self.span(level, index);
                let plain = match level.checked_sub(1) {
                    None => &data[span],
                    Some(below) => self.levels[below].hashes[span].as_flattened(),
                };
                chunks.push((self.levels[level].hashes[index], sealer.seal(plain)));
            }
        }
        Unsent { chunks, claims: walk.claims }
    }
}

struct Walk<'a> {
    tree: &'a Tree,
    known: &'a [&'a Known],
    /// Keys met already. A key names its level too, so one set serves all.
    seen: HashSet<Hash, ByPrefix>,
    claims: Vec<Hash>,
}

impl Walk<'_> {
    /// The chunks to send of each level, leaves first.
    fn down(&mut self) -> Vec<Vec<usize>> {
        let roots = self.tree.roots();
        let mut send = vec![Vec::new(); roots.len()];
        for level in (0..roots.len()).rev() {
            // The root's own come after those below nodes, as they do in the value.
            let below: Vec<usize> = match send.get(level + 1) {
                Some(nodes) => {
                    nodes.iter().flat_map(|&node: &usize| self.tree.span(level + 1, node)).collect()
                }
                None => Vec::new(),
            };
            let named = below.into_iter().chain(roots[level].clone());
            send[level] = named.filter(|&index| self.must_send(level, index)).collect();
        }
        send
    }

    fn must_send(&mut self, level: usize, index: usize) -> bool {
        let hash = self.tree.levels[level].hashes[index];
        if !self.seen.insert(hash) {
            return false;
        }
        let known = self.known.iter().any(|known| known.contains(&hash));
        if known {
            self.claims.push(hash);
        }
        !known
    }
}
