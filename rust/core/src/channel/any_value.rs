//! `AnyValue`: the last value received, cleared by a step that brings none.

use super::domain::Domain;
use crate::error::Error;

/// Holds the last value received in the step before, taking all values of a step to be equal.
#[derive(Debug)]
pub struct AnyValue<V> {
    value: Option<V>,
}

impl<V> AnyValue<V> {
    /// A channel that holds this value, if any.
    #[must_use]
    pub fn new(value: Option<V>) -> Self {
        Self { value }
    }

    /// Takes the updates of a step, of which the last counts, or forgets its value where there is
    /// none; whether that changes anything.
    #[inline]
    pub fn update(&mut self, values: impl Iterator<Item = V>) -> bool {
        let had = self.value.is_some();
        self.value = values.last();
        had || self.value.is_some()
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
    use super::AnyValue;
    use crate::channel::domain::Plain;
    use crate::error::Error;

    #[test]
    fn holds_its_value_for_one_step() {
        let mut channel = AnyValue::new(None);
        assert!(!channel.update([].into_iter()));
        assert!(channel.update([1, 2, 3].into_iter()));
        assert_eq!(channel.get(), Ok(&3));
        assert_eq!(channel.copy(&Plain::<_>::default()).value(), Some(&3));
        assert!(channel.update([].into_iter()), "cleared");
        assert!(!channel.update([].into_iter()));
        assert_eq!(channel.get(), Err(Error::EmptyChannel));
    }
}
