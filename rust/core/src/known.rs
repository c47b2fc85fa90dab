//! Sets of the keys of chunks that are thought to be stored already.

use std::collections::HashSet;

use crate::hash::{ByPrefix, HASH_LEN, Hash};

/// A set of keys.
#[derive(Clone, Debug, Default)]
pub struct Known(HashSet<Hash, ByPrefix>);

impl Known {
    /// Whether the key is in the set.
    #[must_use]
    pub fn contains(&self, hash: &Hash) -> bool {
        self.0.contains(hash)
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The memory it holds, bytes: a key and a byte of its table for each place there is.
    #[must_use]
    pub fn nbytes(&self) -> usize {
        size_of::<Self>() + self.0.capacity() * (HASH_LEN + 1)
    }
}

impl FromIterator<Hash> for Known {
    fn from_iter<I: IntoIterator<Item = Hash>>(hashes: I) -> Self {
        Self(hashes.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::Known;
    use crate::hash::hash_chunk;

    #[test]
    fn holds_what_was_put_in_and_nothing_else() {
        let key = |i: u32| hash_chunk(0, &i.to_le_bytes());
        let known: Known = (0..5_000).chain(0..100).map(key).collect();
        assert_eq!(known.len(), 5_000);
        assert!((0..5_000).all(|i| known.contains(&key(i))));
        assert!(!(5_000..9_000).any(|i| known.contains(&key(i))));
        assert!(known.nbytes() < 5_000 * 50);
        assert!(Known::default().is_empty());
    }
}
