//! The names a barrier waits for, and those it has seen.

use std::sync::Arc;

use super::domain::Domain;
use super::slots::Slots;
use super::state::shared;

/// A set of values, found by their hash.
#[derive(Debug)]
pub struct Names<V> {
    values: Vec<V>,
    /// Hashes and where their values are, in the order of the hashes.
    places: Vec<(u64, usize)>,
}

impl<V> Names<V> {
    /// The set of these values; one that equals another before it is left out.
    pub fn new<D: Domain<Value = V>>(
        domain: &D,
        values: impl IntoIterator<Item = V>,
    ) -> Result<Self, D::Error> {
        let mut names = Self { values: Vec::new(), places: Vec::new() };
        for value in values {
            if names.position(domain, &value)?.is_none() {
                let hash = domain.hash(&value)?;
                let at = names.places.partition_point(|&(other, _)| other < hash);
                names.places.insert(at, (hash, names.values.len()));
                names.values.push(value);
            }
        }
        Ok(names)
    }

    /// Where the value is among [`Self::values`].
    pub fn position<D: Domain<Value = V>>(
        &self,
        domain: &D,
        value: &V,
    ) -> Result<Option<usize>, D::Error> {
        let hash = domain.hash(value)?;
        let first = self.places.partition_point(|&(other, _)| other < hash);
        for &(_, at) in self.places[first..].iter().take_while(|&&(other, _)| other == hash) {
            if domain.same(&self.values[at], value)? {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// The values, in the order in which they were given.
    #[must_use]
    pub fn values(&self) -> &[V] {
        &self.values
    }
}

/// Which names a barrier has seen.
///
/// A checkpoint may hold values that the barrier does not wait for any more: they are kept, and it
/// is never complete with them, as no two sets of which only one has them are equal.
#[derive(Debug)]
pub struct Seen<V> {
    names: Arc<Names<V>>,
    places: Slots,
    count: usize,
    strays: Vec<V>,
}

impl<V> Seen<V> {
    pub(super) fn new(names: &Arc<Names<V>>) -> Self {
        let places = Slots::new(names.values.len());
        Self { names: Arc::clone(names), places, count: 0, strays: Vec::new() }
    }

    pub(super) fn restore<D: Domain<Value = V>>(
        domain: &D,
        names: &Arc<Names<V>>,
        values: Vec<V>,
    ) -> Result<Self, D::Error> {
        let mut seen = Self::new(names);
        for value in values {
            match names.position(domain, &value)? {
                Some(at) => seen.count += usize::from(seen.places.insert(at)),
                None => seen.strays.push(value),
            }
        }
        Ok(seen)
    }

    /// Adds the values; whether any is new. Those before one that is not waited for are added.
    pub(super) fn update<D: Domain<Value = V>>(
        &mut self,
        domain: &D,
        values: impl Iterator<Item = V>,
    ) -> Result<bool, D::Error> {
        let mut updated = false;
        for value in values {
            let Some(at) = self.names.position(domain, &value)? else {
                return Err(domain.not_named(&value, &self.names.values));
            };
            if self.places.insert(at) {
                self.count += 1;
                updated = true;
            }
        }
        Ok(updated)
    }

    /// Whether these are all that the barrier waits for, and no other.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.count == self.names.values.len() && self.strays.is_empty()
    }

    /// What was seen: names in their order, then the others.
    pub fn iter(&self) -> impl Iterator<Item = &V> {
        let named = self.places.iter().filter_map(|at| self.names.values.get(at));
        named.chain(&self.strays)
    }

    /// How many were seen.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count + self.strays.len()
    }

    /// Whether none was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn clear(&mut self) {
        self.places.clear();
        self.count = 0;
        self.strays.clear();
    }

    pub(super) fn copy(&self, domain: &impl Domain<Value = V>) -> Self {
        Self {
            names: Arc::clone(&self.names),
            places: self.places.clone(),
            count: self.count,
            strays: shared(domain, &self.strays),
        }
    }
}
