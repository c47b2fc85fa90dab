//! `LastValue`: the last value received, at most one a step.

use super::domain::Domain;
use crate::error::{Error, Fault, InvalidUpdate};

/// Holds the last value it received; it takes at most one a step.
#[derive(Debug)]
pub struct LastValue<V> {
    value: Option<V>,
}

impl<V> LastValue<V> {
    /// A channel that holds this value, if any.
    #[must_use]
    pub fn new(value: Option<V>) -> Self {
        Self { value }
    }

    /// Takes the update of a step; whether there was one.
    #[inline]
    pub fn update<E: Fault>(
        &mut self,
        mut values: impl ExactSizeIterator<Item = V>,
    ) -> Result<bool, E> {
        if values.len() > 1 {
            return Err(Error::from(InvalidUpdate::ManyValues).into());
        }
        let Some(value) = values.next() else { return Ok(false) };
        self.value = Some(value);
        Ok(true)
    }

    /// The value.
    #[inline]
    pub fn get(&self) -> Result<&V, Error> {
        self.value.as_ref().ok_or(Error::EmptyChannel)
    }

    /// The value, which is also the channel's part of a checkpoint.
    #[inline]
    #[must_use]
    pub fn value(&self) -> Option<&V> {
        self.value.as_ref()
    }

    /// A channel that holds the same.
    #[must_use]
    pub fn copy(&self, domain: &impl Domain<Value = V>) -> Self {
        Self { value: self.value.as_ref().map(|value| domain.share(value)) }
    }
}

#[cfg(test)]
mod tests {
    use super::LastValue;
    use crate::channel::domain::Plain;
    use crate::error::{Error, InvalidUpdate};

    #[test]
    fn holds_the_last_value() -> Result<(), Error> {
        let mut channel = LastValue::new(None);
        assert_eq!(channel.get(), Err(Error::EmptyChannel));
        assert!(!channel.update::<Error>([].into_iter())?);
        assert!(channel.update::<Error>([1].into_iter())?);
        assert!(channel.update::<Error>([1].into_iter())?, "an equal value is an update too");
        assert!(!channel.update::<Error>([].into_iter())?);
        assert_eq!(channel.get(), Ok(&1));
        assert_eq!(channel.copy(&Plain::<_>::default()).value(), Some(&1));
        Ok(())
    }

    #[test]
    fn two_values_in_a_step_are_refused_and_change_nothing() {
        let mut channel = LastValue::new(Some(1));
        let refused = channel.update::<Error>([2, 2].into_iter());
        assert_eq!(refused, Err(InvalidUpdate::ManyValues.into()));
        assert_eq!(channel.value(), Some(&1));
    }
}
