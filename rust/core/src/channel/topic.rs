//! `Topic`: all values received, of one step or of all.

use super::domain::Domain;
use super::state::shared;
use crate::error::Error;

/// Holds the values received in the step before or, accumulating, in all steps.
#[derive(Debug)]
pub struct Topic<V> {
    values: Vec<V>,
    accumulate: bool,
}

impl<V> Topic<V> {
    /// A channel that holds these values.
    #[must_use]
    pub fn new(accumulate: bool, values: Vec<V>) -> Self {
        Self { values, accumulate }
    }

    /// Takes the updates of a step, the items of each that is a list; whether that changes anything.
    ///
    /// Nothing is taken if one update fails to give its items, but the values of the step before are
    /// gone then.
    #[inline]
    pub fn update<D: Domain<Value = V>>(
        &mut self,
        domain: &D,
        values: impl Iterator<Item = V>,
    ) -> Result<bool, D::Error> {
        let mut updated = false;
        if !self.accumulate {
            updated = !self.values.is_empty();
            self.values.clear();
        }
        let before = self.values.len();
        for value in values {
            if let Err(error) = domain.spread(value, &mut self.values) {
                self.values.truncate(before);
                return Err(error);
            }
        }
        Ok(updated || self.values.len() > before)
    }

    /// The values.
    #[inline]
    pub fn get(&self) -> Result<&[V], Error> {
        if self.values.is_empty() { Err(Error::EmptyChannel) } else { Ok(&self.values) }
    }

    /// The values, which are also the channel's part of a checkpoint, though there be none.
    #[inline]
    #[must_use]
    pub fn values(&self) -> &[V] {
        &self.values
    }

    /// A channel that holds the same.
    #[must_use]
    pub fn copy(&self, domain: &impl Domain<Value = V>) -> Self {
        Self { values: shared(domain, &self.values), accumulate: self.accumulate }
    }
}

#[cfg(test)]
mod tests {
    use super::Topic;
    use crate::channel::domain::{Domain, Write};
    use crate::error::Error;

    /// Strings are lists of their characters, and one of them cannot be read.
    struct Letters;

    impl Domain for Letters {
        type Value = &'static str;
        type Reducer = ();
        type Error = Error;

        fn share(&self, value: &Self::Value) -> Self::Value {
            value
        }

        fn hash(&self, _: &Self::Value) -> Result<u64, Error> {
            Ok(0)
        }

        fn same(&self, one: &Self::Value, other: &Self::Value) -> Result<bool, Error> {
            Ok(one == other)
        }

        fn spread(&self, update: Self::Value, into: &mut Vec<Self::Value>) -> Result<(), Error> {
            into.extend(update.split("").filter(|it| !it.is_empty()));
            if update == "bad" { Err(Error::Unwritable("bad")) } else { Ok(()) }
        }

        fn write(&self, update: Self::Value) -> Result<Write<Self::Value>, Error> {
            Ok(Write::Reduce(update))
        }

        fn initial(&self, (): &()) -> Result<Option<Self::Value>, Error> {
            Ok(None)
        }

        fn reduce(&self, (): &(), _: &mut Self::Value, _: Self::Value) -> Result<(), Error> {
            Ok(())
        }
    }

    fn update(topic: &mut Topic<&'static str>, values: &[&'static str]) -> Result<bool, Error> {
        topic.update(&Letters, values.iter().copied())
    }

    #[test]
    fn keeps_the_values_of_one_step() -> Result<(), Error> {
        let mut topic = Topic::new(false, Vec::new());
        assert!(!update(&mut topic, &[])?);
        assert!(!update(&mut topic, &[""])?, "a list of nothing is no update");
        assert!(update(&mut topic, &["xy", "z"])?);
        assert_eq!(topic.get()?, ["x", "y", "z"]);
        assert!(update(&mut topic, &[""])?, "cleared");
        assert_eq!(topic.get(), Err(Error::EmptyChannel));
        assert!(!update(&mut topic, &[])?);
        Ok(())
    }

    #[test]
    fn accumulates_the_values_of_all_steps() -> Result<(), Error> {
        let mut topic = Topic::new(true, vec!["a"]);
        assert!(!update(&mut topic, &[])?);
        assert!(update(&mut topic, &["b"])?);
        assert_eq!(topic.get()?.concat(), "ab");
        let mut copy = topic.copy(&Letters);
        assert!(update(&mut copy, &["c"])?);
        assert_eq!(copy.values().concat(), "abc");
        assert_eq!(topic.values().concat(), "ab");
        Ok(())
    }

    #[test]
    fn a_failure_takes_nothing() {
        for (accumulate, left) in [(true, "a"), (false, "")] {
            let mut topic = Topic::new(accumulate, vec!["a"]);
            assert!(update(&mut topic, &["b", "bad"]).is_err());
            assert_eq!(topic.values().concat(), left);
        }
    }
}
