//! Which channels a graph has: what all its runs have in common.

use std::sync::Arc;

use indexmap::IndexMap;

use super::kind::Kind;
use crate::error::Error;

/// The channels of a graph, by name and by number, in the order in which they were added.
#[derive(Debug)]
pub struct Layout<V, R> {
    kinds: IndexMap<Arc<str>, Kind<V, R>>,
}

impl<V, R> Default for Layout<V, R> {
    fn default() -> Self {
        Self { kinds: IndexMap::default() }
    }
}

impl<V, R> Layout<V, R> {
    /// Adds a channel; its number.
    pub fn add(&mut self, name: &str, kind: Kind<V, R>) -> Result<usize, Error> {
        if self.kinds.contains_key(name) {
            return Err(Error::SameName(name.into()));
        }
        let (slot, _) = self.kinds.insert_full(name.into(), kind);
        Ok(slot)
    }

    /// How many channels there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// The number of the channel named.
    #[must_use]
    pub fn slot(&self, name: &str) -> Option<usize> {
        self.kinds.get_index_of(name)
    }

    /// The name of a channel.
    #[must_use]
    pub fn name(&self, slot: usize) -> Option<&Arc<str>> {
        self.kinds.get_index(slot).map(|(name, _)| name)
    }

    /// Names and kinds, in order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Arc<str>, &Kind<V, R>)> {
        self.kinds.iter()
    }
}
