//! `EphemeralValue`: the value received in the step immediately before, cleared after it.

use super::domain::Domain;
use crate::error::{Error, Fault, InvalidUpdate};

/// Holds the value received in the step before; with its guard on it takes at most one a step.
#[derive(Debug)]
pub struct EphemeralValue<V> {
    value: Option<V>,
    guard: bool,
}

impl<V> EphemeralValue<V> {
    /// A channel that holds this value, if any.
    #[must_use]
    pub fn new(guard: bool, value: Option<V>) -> Self {
        Self { value, guard }
    }

    /// Takes the updates of a step, of which the last counts, or forgets its value where there is
    /// none; whether that changes anything.
    #[inline]
    pub fn update<E: Fault>(
        &mut self,
        values: impl ExactSizeIterator<Item = V>,
    ) -> Result<bool, E> {
        if self.guard && values.len() > 1 {
            return Err(Error::from(InvalidUpdate::ManyGuarded).into());
        }
        let had = self.value.is_some();
        self.value = values.last();
        Ok(had || self.value.is_some())
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
        Self { value: self.value.as_ref().map(|value| domain.share(value)), guard: self.guard }
    }
}

#[cfg(test)]
mod tests {
    use super::EphemeralValue;
    use crate::channel::domain::Plain;
    use crate::error::{Error, InvalidUpdate};

    #[test]
    fn holds_its_value_for_one_step() -> Result<(), Error> {
        for guard in [true, false] {
            let mut channel = EphemeralValue::new(guard, None);
            assert!(!channel.update::<Error>([].into_iter())?);
            assert!(channel.update::<Error>([1].into_iter())?);
            assert_eq!(channel.get(), Ok(&1));
            assert_eq!(channel.copy(&Plain::<_>::default()).value(), Some(&1));
            assert!(channel.update::<Error>([].into_iter())?, "cleared");
            assert!(!channel.update::<Error>([].into_iter())?);
            assert_eq!(channel.get(), Err(Error::EmptyChannel));
        }
        Ok(())
    }

    #[test]
    fn the_guard_refuses_two_values_and_changes_nothing() -> Result<(), Error> {
        let mut channel = EphemeralValue::new(true, Some(1));
        let refused = channel.update::<Error>([2, 3].into_iter());
        assert_eq!(refused, Err(InvalidUpdate::ManyGuarded.into()));
        assert_eq!(channel.get(), Ok(&1));
        let copy = channel.copy(&Plain::<_>::default()).update::<Error>([2, 3].into_iter());
        assert_eq!(copy, refused, "a copy is guarded too");

        let mut channel = EphemeralValue::new(false, Some(1));
        assert!(channel.update::<Error>([2, 3].into_iter())?);
        assert_eq!(channel.get(), Ok(&3));
        Ok(())
    }
}
