//! `NamedBarrierValue`: waits until every name has come.

use std::sync::Arc;

use super::domain::Domain;
use super::names::{Names, Seen};
use crate::error::Error;

/// Is available once it has received every value that it waits for, until it is consumed.
#[derive(Debug)]
pub struct NamedBarrierValue<V> {
    seen: Seen<V>,
}

impl<V> NamedBarrierValue<V> {
    /// A channel that has received nothing.
    #[must_use]
    pub fn new(names: &Arc<Names<V>>) -> Self {
        Self { seen: Seen::new(names) }
    }

    /// A channel that has received these values.
    pub fn restore<D: Domain<Value = V>>(
        domain: &D,
        names: &Arc<Names<V>>,
        seen: Vec<V>,
    ) -> Result<Self, D::Error> {
        Ok(Self { seen: Seen::restore(domain, names, seen)? })
    }

    /// Takes the updates of a step; whether one is new. One that is not waited for is an error.
    pub fn update<D: Domain<Value = V>>(
        &mut self,
        domain: &D,
        values: impl Iterator<Item = V>,
    ) -> Result<bool, D::Error> {
        self.seen.update(domain, values)
    }

    /// Starts to wait again if all have come; whether they had.
    pub fn consume(&mut self) -> bool {
        let complete = self.is_available();
        if complete {
            self.seen.clear();
        }
        complete
    }

    /// Nothing, if all have come.
    pub fn get(&self) -> Result<(), Error> {
        if self.is_available() { Ok(()) } else { Err(Error::EmptyChannel) }
    }

    /// Whether all have come.
    #[must_use]
    pub fn is_available(&self) -> bool {
        self.seen.is_complete()
    }

    /// What has come, which is the channel's part of a checkpoint.
    #[must_use]
    pub fn seen(&self) -> &Seen<V> {
        &self.seen
    }

    /// A channel that has received the same.
    #[must_use]
    pub fn copy(&self, domain: &impl Domain<Value = V>) -> Self {
        Self { seen: self.seen.copy(domain) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::NamedBarrierValue;
    use crate::channel::domain::Plain;
    use crate::channel::names::Names;
    use crate::error::{Error, InvalidUpdate};

    const DOMAIN: fn() -> Plain<&'static str> = Plain::default;

    fn names(values: &[&'static str]) -> Result<Arc<Names<&'static str>>, Error> {
        Ok(Arc::new(Names::new(&DOMAIN(), values.iter().copied())?))
    }

    #[test]
    fn opens_when_all_have_come_and_closes_when_consumed() -> Result<(), Error> {
        let mut channel = NamedBarrierValue::new(&names(&["a", "b", "a"])?);
        assert!(!channel.update(&DOMAIN(), [].into_iter())?);
        assert!(channel.update(&DOMAIN(), ["b", "b"].into_iter())?);
        assert!(!channel.update(&DOMAIN(), ["b"].into_iter())?, "nothing new");
        assert!(!channel.consume());
        assert_eq!(channel.get(), Err(Error::EmptyChannel));
        assert!(channel.update(&DOMAIN(), ["a"].into_iter())?);
        assert_eq!(channel.get(), Ok(()));
        let copy = channel.copy(&DOMAIN());
        assert!(channel.consume());
        assert!(channel.seen().is_empty());
        assert!(copy.is_available());
        Ok(())
    }

    #[test]
    fn a_value_not_waited_for_is_refused_after_those_before_it() -> Result<(), Error> {
        let mut channel = NamedBarrierValue::new(&names(&["a", "b"])?);
        let refused = channel.update(&DOMAIN(), ["a", "c", "b"].into_iter());
        assert_eq!(refused, Err(InvalidUpdate::NotNamed.into()));
        assert_eq!(channel.seen().iter().collect::<Vec<_>>(), [&"a"]);
        Ok(())
    }

    #[test]
    fn a_name_of_an_older_graph_keeps_it_closed() -> Result<(), Error> {
        let mut channel = NamedBarrierValue::restore(&DOMAIN(), &names(&["a"])?, vec!["old", "a"])?;
        assert!(!channel.is_available());
        assert!(!channel.consume());
        assert_eq!(channel.seen().iter().collect::<Vec<_>>(), [&"a", &"old"]);
        assert_eq!(channel.copy(&DOMAIN()).seen().len(), 2);
        Ok(())
    }

    #[test]
    fn one_that_waits_for_nothing_is_open() -> Result<(), Error> {
        let mut channel = NamedBarrierValue::new(&names(&[])?);
        assert!(channel.is_available());
        assert!(channel.consume());
        assert!(channel.is_available());
        Ok(())
    }
}
