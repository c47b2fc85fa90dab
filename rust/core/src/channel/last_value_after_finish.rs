//! `LastValueAfterFinish`: the last value received, to be read once the run finishes.

use super::domain::Domain;
use crate::error::Error;

/// Holds the last value it received, gives it out only after `finish`, and only once.
#[derive(Debug)]
pub struct LastValueAfterFinish<V> {
    value: Option<V>,
    finished: bool,
}

impl<V> LastValueAfterFinish<V> {
    /// A channel that holds this value, if any, and whether it has finished with it.
    #[must_use]
    pub fn new(state: Option<(V, bool)>) -> Self {
        match state {
            Some((value, finished)) => Self { value: Some(value), finished },
            None => Self { value: None, finished: false },
        }
    }

    /// Takes the updates of a step, of which the last counts; whether there was one.
    #[inline]
    pub fn update(&mut self, values: impl Iterator<Item = V>) -> bool {
        let Some(value) = values.last() else { return false };
        self.finished = false;
        self.value = Some(value);
        true
    }

    /// Gives up a value that was given out; whether there was one.
    pub fn consume(&mut self) -> bool {
        if !self.finished {
            return false;
        }
        self.finished = false;
        self.value = None;
        true
    }

    /// Gives the value out from now on; whether that is new.
    pub fn finish(&mut self) -> bool {
        if self.finished || self.value.is_none() {
            return false;
        }
        self.finished = true;
        true
    }

    /// The value, if it is given out.
    #[inline]
    pub fn get(&self) -> Result<&V, Error> {
        self.value.as_ref().filter(|_| self.finished).ok_or(Error::EmptyChannel)
    }

    /// The channel's part of a checkpoint: the value, and whether it is given out.
    #[must_use]
    pub fn checkpoint(&self) -> Option<(&V, bool)> {
        self.value.as_ref().map(|value| (value, self.finished))
    }

    /// A channel that holds the same.
    #[must_use]
    pub fn copy(&self, domain: &impl Domain<Value = V>) -> Self {
        Self::new(self.checkpoint().map(|(value, finished)| (domain.share(value), finished)))
    }
}

#[cfg(test)]
mod tests {
    use super::LastValueAfterFinish;
    use crate::channel::domain::Plain;
    use crate::error::Error;

    #[test]
    fn gives_its_value_out_between_finish_and_consume() {
        let mut channel = LastValueAfterFinish::new(None);
        assert!(!channel.finish());
        assert!(!channel.update([].into_iter()));
        assert!(channel.update([1, 2].into_iter()), "more than one value is no error");
        assert_eq!(channel.get(), Err(Error::EmptyChannel));
        assert!(!channel.consume());
        assert_eq!(channel.checkpoint(), Some((&2, false)));
        assert!(channel.finish());
        assert!(!channel.finish());
        assert_eq!(channel.get(), Ok(&2));
        assert_eq!(channel.checkpoint(), Some((&2, true)));
        let copy = channel.copy(&Plain::<_>::default());
        assert!(channel.consume());
        assert_eq!(channel.checkpoint(), None);
        assert_eq!(copy.get(), Ok(&2));
    }

    #[test]
    fn a_new_value_waits_for_finish_again() {
        let mut channel = LastValueAfterFinish::new(Some((1, true)));
        assert_eq!(channel.get(), Ok(&1));
        assert!(channel.update([2].into_iter()));
        assert_eq!(channel.get(), Err(Error::EmptyChannel));
        assert!(channel.finish());
        assert_eq!(channel.get(), Ok(&2));
    }
}
