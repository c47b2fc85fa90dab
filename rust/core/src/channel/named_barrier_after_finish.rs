//! `NamedBarrierValueAfterFinish`: waits until every name has come and the run finishes.

use std::sync::Arc;

use super::domain::Domain;
use super::names::{Names, Seen};
use crate::error::Error;

/// Is available once it has received every value that it waits for and the run then finished.
#[derive(Debug)]
pub struct NamedBarrierValueAfterFinish<V> {
    seen: Seen<V>,
    finished: bool,
}

impl<V> NamedBarrierValueAfterFinish<V> {
    /// A channel that has received nothing.
    #[must_use]
    pub fn new(names: &Arc<Names<V>>) -> Self {
        Self { seen: Seen::new(names), finished: false }
    }

    /// A channel that has received these values, and whether it has finished.
    pub fn restore<D: Domain<Value = V>>(
        domain: &D,
        names: &Arc<Names<V>>,
        seen: Vec<V>,
        finished: bool,
    ) -> Result<Self, D::Error> {
        Ok(Self { seen: Seen::restore(domain, names, seen)?, finished })
    }

    /// Takes the updates of a step; whether one is new. One that is not waited for is an error.
    pub fn update<D: Domain<Value = V>>(
        &mut self,
        domain: &D,
        values: impl Iterator<Item = V>,
    ) -> Result<bool, D::Error> {
        self.seen.update(domain, values)
    }

    /// Starts to wait again if it was available; whether it was.
    pub fn consume(&mut self) -> bool {
        let available = self.is_available();
        if available {
            self.finished = false;
            self.seen.clear();
        }
        available
    }

    /// Becomes available if all have come; whether that is new.
    pub fn finish(&mut self) -> bool {
        if self.finished || !self.seen.is_complete() {
            return false;
        }
        self.finished = true;
        true
    }

    /// Nothing, if it is available.
    pub fn get(&self) -> Result<(), Error> {
        if self.is_available() { Ok(()) } else { Err(Error::EmptyChannel) }
    }

    /// Whether all have come and the run finished.
    #[must_use]
    pub fn is_available(&self) -> bool {
        self.finished && self.seen.is_complete()
    }

    /// The channel's part of a checkpoint: what has come, and whether it has finished.
    #[must_use]
    pub fn checkpoint(&self) -> (&Seen<V>, bool) {
        (&self.seen, self.finished)
    }

    /// A channel that has received the same.
    #[must_use]
    pub fn copy(&self, domain: &impl Domain<Value = V>) -> Self {
        Self { seen: self.seen.copy(domain), finished: self.finished }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::NamedBarrierValueAfterFinish;
    use crate::channel::domain::Plain;
    use crate::channel::names::Names;
    use crate::error::{Error, InvalidUpdate};

    #[test]
    fn opens_when_all_have_come_and_the_run_finishes() -> Result<(), Error> {
        let domain = Plain::<_>::default();
        let names = Arc::new(Names::new(&domain, [1, 2])?);
        let mut channel = NamedBarrierValueAfterFinish::new(&names);
        assert!(channel.update(&domain, [1].into_iter())?);
        assert!(!channel.finish());
        assert!(channel.update(&domain, [2].into_iter())?);
        assert_eq!(channel.get(), Err(Error::EmptyChannel));
        assert!(!channel.consume());
        assert!(channel.finish());
        assert!(!channel.finish());
        assert_eq!(channel.get(), Ok(()));
        let copy = channel.copy(&domain);
        assert!(channel.consume());
        assert!(!channel.checkpoint().1);
        assert!(channel.checkpoint().0.is_empty());
        assert!(copy.is_available());
        let refused = channel.update(&domain, [3].into_iter());
        assert_eq!(refused, Err(InvalidUpdate::NotNamed.into()));
        Ok(())
    }

    #[test]
    fn restores_both_halves_of_its_state() -> Result<(), Error> {
        let domain = Plain::<_>::default();
        let names = Arc::new(Names::new(&domain, [1, 2])?);
        let restored =
            |seen, finished| NamedBarrierValueAfterFinish::restore(&domain, &names, seen, finished);
        assert!(restored(vec![1, 2], true)?.is_available());
        assert!(!restored(vec![1, 2], false)?.is_available());
        assert!(!restored(vec![2], true)?.is_available());
        assert!(!restored(vec![2], true)?.finish(), "it has finished already");
        Ok(())
    }
}
