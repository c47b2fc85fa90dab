//! What a channel gives to whoever reads it, and what it leaves in a checkpoint.

use super::domain::Domain;
use super::names::Seen;
use crate::error::Error;

/// What a channel holds for its readers.
#[derive(Debug)]
pub enum Reading<'a, V> {
    /// Nothing: LangGraph raises `EmptyChannelError`.
    Empty,
    /// One value.
    Value(&'a V),
    /// The values of a `Topic`.
    Values(&'a [V]),
    /// A barrier that is complete: LangGraph gives None.
    Ready,
}

// Derived, it would ask the same of V.
impl<V> Clone for Reading<'_, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for Reading<'_, V> {}

impl<'a, V> Reading<'a, V> {
    /// A reading of a value that may be missing.
    #[inline]
    pub(super) fn of(value: Option<&'a V>) -> Self {
        value.map_or(Self::Empty, Self::Value)
    }

    /// The value, where there is just one.
    #[inline]
    #[must_use]
    pub fn value(self) -> Option<&'a V> {
        match self {
            Self::Value(value) => Some(value),
            _ => None,
        }
    }
}

/// A channel's part of a checkpoint, borrowed from the channel.
#[derive(Debug)]
pub enum View<'a, V> {
    /// Nothing is stored.
    Missing,
    /// One value.
    Value(&'a V),
    /// Of a `LastValueAfterFinish`: its value, and whether it has finished.
    Finished(&'a V, bool),
    /// Of a `Topic`.
    Values(&'a [V]),
    /// Of a `NamedBarrierValue`: what it has seen.
    Seen(&'a Seen<V>),
    /// Of a `NamedBarrierValueAfterFinish`: what it has seen, and whether it has finished.
    SeenFinished(&'a Seen<V>, bool),
}

impl<V> Clone for View<'_, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for View<'_, V> {}

impl<'a, V> View<'a, V> {
    /// A view of a value that may be missing.
    #[inline]
    pub(super) fn of(value: Option<&'a V>) -> Self {
        value.map_or(Self::Missing, Self::Value)
    }

    /// The same, owned.
    pub fn to_state(self, domain: &impl Domain<Value = V>) -> State<V> {
        match self {
            Self::Missing => State::Missing,
            Self::Value(value) => State::Value(domain.share(value)),
            Self::Finished(value, finished) => State::Finished(domain.share(value), finished),
            Self::Values(values) => State::Values(shared(domain, values)),
            Self::Seen(seen) => State::Seen(shared(domain, seen.iter())),
            Self::SeenFinished(seen, finished) => {
                State::SeenFinished(shared(domain, seen.iter()), finished)
            }
        }
    }
}

/// References to, or copies of, many values.
pub(super) fn shared<'a, D: Domain<Value: 'a>>(
    domain: &D,
    values: impl IntoIterator<Item = &'a D::Value>,
) -> Vec<D::Value> {
    values.into_iter().map(|value| domain.share(value)).collect()
}

/// A channel's part of a checkpoint.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum State<V> {
    /// Nothing is stored.
    Missing,
    /// One value.
    Value(V),
    /// Of a `LastValueAfterFinish`: its value, and whether it has finished.
    Finished(V, bool),
    /// Of a `Topic`.
    Values(Vec<V>),
    /// Of a `NamedBarrierValue`: what it has seen.
    Seen(Vec<V>),
    /// Of a `NamedBarrierValueAfterFinish`: what it has seen, and whether it has finished.
    SeenFinished(Vec<V>, bool),
}

impl<V> State<V> {
    /// The one value, if it is there.
    pub(super) fn value(self) -> Result<Option<V>, Error> {
        match self {
            Self::Missing => Ok(None),
            Self::Value(value) => Ok(Some(value)),
            other => Err(other.instead_of(Self::VALUE)),
        }
    }

    /// The value and whether it has finished, if they are there.
    pub(super) fn finished(self) -> Result<Option<(V, bool)>, Error> {
        match self {
            Self::Missing => Ok(None),
            Self::Finished(value, finished) => Ok(Some((value, finished))),
            other => Err(other.instead_of(Self::FINISHED)),
        }
    }

    /// The values of a topic.
    pub(super) fn values(self) -> Result<Vec<V>, Error> {
        match self {
            Self::Missing => Ok(Vec::new()),
            Self::Values(values) => Ok(values),
            other => Err(other.instead_of(Self::VALUES)),
        }
    }

    /// The names seen.
    pub(super) fn seen(self) -> Result<Vec<V>, Error> {
        match self {
            Self::Missing => Ok(Vec::new()),
            Self::Seen(seen) => Ok(seen),
            other => Err(other.instead_of(Self::SEEN)),
        }
    }

    /// The names seen and whether the barrier has finished.
    pub(super) fn seen_finished(self) -> Result<(Vec<V>, bool), Error> {
        match self {
            Self::Missing => Ok((Vec::new(), false)),
            Self::SeenFinished(seen, finished) => Ok((seen, finished)),
            other => Err(other.instead_of(Self::SEEN_FINISHED)),
        }
    }

    const VALUE: &str = "one value";
    const FINISHED: &str = "a value and whether it has finished";
    const VALUES: &str = "a list of values";
    const SEEN: &str = "a set of names";
    const SEEN_FINISHED: &str = "a set of names and whether it has finished";

    /// The error for a channel that keeps something else.
    fn instead_of(&self, wanted: &'static str) -> Error {
        let found = match self {
            Self::Missing => "nothing",
            Self::Value(_) => Self::VALUE,
            Self::Finished(..) => Self::FINISHED,
            Self::Values(_) => Self::VALUES,
            Self::Seen(_) => Self::SEEN,
            Self::SeenFinished(..) => Self::SEEN_FINISHED,
        };
        Error::OtherState { wanted, found }
    }
}
