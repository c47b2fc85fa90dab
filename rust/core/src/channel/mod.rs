//! LangGraph's channels, generic over what they hold.
//!
//! Each kind has a file of its own, with the rules of the class of the same name in LangGraph 1.2
//! (`langgraph/channels`). [`Channel`] is one of any kind, [`ChannelSet`] those of a run, by number;
//! a [`Layout`] says which there are, once for all runs. What is done with values is the
//! [`Domain`]'s.

mod any_value;
mod binary_operator;
mod domain;
mod ephemeral_value;
mod kind;
mod last_value;
mod last_value_after_finish;
mod layout;
mod named_barrier;
mod named_barrier_after_finish;
mod names;
mod set;
mod slots;
mod state;
mod topic;

pub use any_value::AnyValue;
pub use binary_operator::BinaryOperatorAggregate;
pub use domain::{Domain, Operator, Plain, Reducer, Write};
pub use ephemeral_value::EphemeralValue;
pub use kind::Kind;
pub use last_value::LastValue;
pub use last_value_after_finish::LastValueAfterFinish;
pub use layout::Layout;
pub use named_barrier::NamedBarrierValue;
pub use named_barrier_after_finish::NamedBarrierValueAfterFinish;
pub use names::{Names, Seen};
pub use set::ChannelSet;
pub use slots::Slots;
pub use state::{Reading, State, View};
pub use topic::Topic;

use crate::error::Error;

/// A channel of any kind.
#[derive(Debug)]
pub enum Channel<V, R> {
    /// See [`LastValue`].
    LastValue(LastValue<V>),
    /// See [`LastValueAfterFinish`].
    LastValueAfterFinish(LastValueAfterFinish<V>),
    /// See [`AnyValue`].
    AnyValue(AnyValue<V>),
    /// See [`EphemeralValue`].
    EphemeralValue(EphemeralValue<V>),
    /// See [`Topic`].
    Topic(Topic<V>),
    /// See [`BinaryOperatorAggregate`].
    BinaryOperatorAggregate(BinaryOperatorAggregate<V, R>),
    /// See [`NamedBarrierValue`].
    NamedBarrierValue(Box<NamedBarrierValue<V>>),
    /// See [`NamedBarrierValueAfterFinish`].
    NamedBarrierValueAfterFinish(Box<NamedBarrierValueAfterFinish<V>>),
}

impl<V, R> Channel<V, R> {
    /// Takes the updates of a step, in order; whether they change anything. None is an update too.
    #[inline]
    pub fn update<D: Domain<Value = V, Reducer = R>>(
        &mut self,
        domain: &D,
        values: impl ExactSizeIterator<Item = V>,
    ) -> Result<bool, D::Error> {
        match self {
            Self::LastValue(channel) => channel.update(values),
            Self::LastValueAfterFinish(channel) => Ok(channel.update(values)),
            Self::AnyValue(channel) => Ok(channel.update(values)),
            Self::EphemeralValue(channel) => channel.update(values),
            Self::Topic(channel) => channel.update(domain, values),
            Self::BinaryOperatorAggregate(channel) => channel.update(domain, values),
            Self::NamedBarrierValue(channel) => channel.update(domain, values),
            Self::NamedBarrierValueAfterFinish(channel) => channel.update(domain, values),
        }
    }

    /// Takes note that a task triggered by the channel ran; whether that changes anything.
    #[inline]
    pub fn consume(&mut self) -> bool {
        match self {
            Self::LastValueAfterFinish(channel) => channel.consume(),
            Self::NamedBarrierValue(channel) => channel.consume(),
            Self::NamedBarrierValueAfterFinish(channel) => channel.consume(),
            _ => false,
        }
    }

    /// Takes note that the run is about to finish; whether that changes anything.
    #[inline]
    pub fn finish(&mut self) -> bool {
        match self {
            Self::LastValueAfterFinish(channel) => channel.finish(),
            Self::NamedBarrierValueAfterFinish(channel) => channel.finish(),
            _ => false,
        }
    }

    /// What is there to be read, or [`Error::EmptyChannel`].
    #[inline]
    pub fn get(&self) -> Result<Reading<'_, V>, Error> {
        match self.read() {
            Reading::Empty => Err(Error::EmptyChannel),
            reading => Ok(reading),
        }
    }

    /// What is there to be read, [`Reading::Empty`] if there is nothing.
    #[inline]
    #[must_use]
    pub fn read(&self) -> Reading<'_, V> {
        let ready = |ready| if ready { Reading::Ready } else { Reading::Empty };
        match self {
            Self::LastValue(channel) => Reading::of(channel.value()),
            Self::LastValueAfterFinish(channel) => Reading::of(channel.get().ok()),
            Self::AnyValue(channel) => Reading::of(channel.value()),
            Self::EphemeralValue(channel) => Reading::of(channel.value()),
            Self::Topic(channel) => channel.get().map_or(Reading::Empty, Reading::Values),
            Self::BinaryOperatorAggregate(channel) => Reading::of(channel.value()),
            Self::NamedBarrierValue(channel) => ready(channel.is_available()),
            Self::NamedBarrierValueAfterFinish(channel) => ready(channel.is_available()),
        }
    }

    /// Whether there is anything to be read.
    #[inline]
    #[must_use]
    pub fn is_available(&self) -> bool {
        !matches!(self.read(), Reading::Empty)
    }

    /// The channel's part of a checkpoint. [`Kind::restore`] makes a channel of it again.
    #[must_use]
    pub fn checkpoint(&self) -> View<'_, V> {
        match self {
            Self::LastValue(channel) => View::of(channel.value()),
            Self::LastValueAfterFinish(channel) => match channel.checkpoint() {
                Some((value, finished)) => View::Finished(value, finished),
                None => View::Missing,
            },
            Self::AnyValue(channel) => View::of(channel.value()),
            Self::EphemeralValue(channel) => View::of(channel.value()),
            Self::Topic(channel) => View::Values(channel.values()),
            Self::BinaryOperatorAggregate(channel) => View::of(channel.value()),
            Self::NamedBarrierValue(channel) => View::Seen(channel.seen()),
            Self::NamedBarrierValueAfterFinish(channel) => {
                let (seen, finished) = channel.checkpoint();
                View::SeenFinished(seen, finished)
            }
        }
    }

    /// A channel of the same kind that holds the same.
    #[must_use]
    pub fn copy(&self, domain: &impl Domain<Value = V, Reducer = R>) -> Self {
        match self {
            Self::LastValue(channel) => Self::LastValue(channel.copy(domain)),
            Self::LastValueAfterFinish(channel) => Self::LastValueAfterFinish(channel.copy(domain)),
            Self::AnyValue(channel) => Self::AnyValue(channel.copy(domain)),
            Self::EphemeralValue(channel) => Self::EphemeralValue(channel.copy(domain)),
            Self::Topic(channel) => Self::Topic(channel.copy(domain)),
            Self::BinaryOperatorAggregate(channel) => {
                Self::BinaryOperatorAggregate(channel.copy(domain))
            }
            Self::NamedBarrierValue(channel) => {
                Self::NamedBarrierValue(Box::new(channel.copy(domain)))
            }
            Self::NamedBarrierValueAfterFinish(channel) => {
                Self::NamedBarrierValueAfterFinish(Box::new(channel.copy(domain)))
            }
        }
    }
}
