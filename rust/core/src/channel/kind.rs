//! The kinds of channels, with what each is made with.

use std::sync::Arc;

use super::Channel;
use super::any_value::AnyValue;
use super::binary_operator::BinaryOperatorAggregate;
use super::domain::Domain;
use super::ephemeral_value::EphemeralValue;
use super::last_value::LastValue;
use super::last_value_after_finish::LastValueAfterFinish;
use super::named_barrier::NamedBarrierValue;
use super::named_barrier_after_finish::NamedBarrierValueAfterFinish;
use super::names::Names;
use super::state::State;
use super::topic::Topic;

/// What a channel is made with: LangGraph's class and the arguments of its constructor.
#[derive(Debug)]
pub enum Kind<V, R> {
    /// The last value received, at most one a step.
    LastValue,
    /// The last value received, to be read after `finish`.
    LastValueAfterFinish,
    /// The last value of the step before.
    AnyValue,
    /// The value of the step before.
    EphemeralValue {
        /// Whether more than one in a step is an error.
        guard: bool,
    },
    /// All values.
    Topic {
        /// Of all steps, or of the step before.
        accumulate: bool,
    },
    /// All values, reduced into one.
    BinaryOperatorAggregate(Arc<R>),
    /// Waits for these values.
    NamedBarrierValue(Arc<Names<V>>),
    /// Waits for these values and for `finish`.
    NamedBarrierValueAfterFinish(Arc<Names<V>>),
}

impl<V, R> Clone for Kind<V, R> {
    fn clone(&self) -> Self {
        match self {
            Self::LastValue => Self::LastValue,
            Self::LastValueAfterFinish => Self::LastValueAfterFinish,
            Self::AnyValue => Self::AnyValue,
            &Self::EphemeralValue { guard } => Self::EphemeralValue { guard },
            &Self::Topic { accumulate } => Self::Topic { accumulate },
            Self::BinaryOperatorAggregate(reducer) => {
                Self::BinaryOperatorAggregate(Arc::clone(reducer))
            }
            Self::NamedBarrierValue(names) => Self::NamedBarrierValue(Arc::clone(names)),
            Self::NamedBarrierValueAfterFinish(names) => {
                Self::NamedBarrierValueAfterFinish(Arc::clone(names))
            }
        }
    }
}

impl<V, R> Kind<V, R> {
    /// Whether a step without updates can change a channel of this kind.
    #[must_use]
    pub fn fades(&self) -> bool {
        matches!(
            self,
            Self::AnyValue | Self::EphemeralValue { .. } | Self::Topic { accumulate: false }
        )
    }

    /// Whether the end of a run can change a channel of this kind.
    #[must_use]
    pub fn finishes(&self) -> bool {
        matches!(self, Self::LastValueAfterFinish | Self::NamedBarrierValueAfterFinish(_))
    }

    /// A new channel of this kind.
    pub fn channel<D>(&self, domain: &D) -> Result<Channel<V, R>, D::Error>
    where
        D: Domain<Value = V, Reducer = R>,
    {
        self.restore(domain, State::Missing)
    }

    /// A channel of this kind, as a checkpoint has it; a new one where it has nothing.
    pub fn restore<D>(&self, domain: &D, state: State<V>) -> Result<Channel<V, R>, D::Error>
    where
        D: Domain<Value = V, Reducer = R>,
    {
        Ok(match self {
            Self::LastValue => Channel::LastValue(LastValue::new(state.value()?)),
            Self::LastValueAfterFinish => {
                Channel::LastValueAfterFinish(LastValueAfterFinish::new(state.finished()?))
            }
            Self::AnyValue => Channel::AnyValue(AnyValue::new(state.value()?)),
            &Self::EphemeralValue { guard } => {
                Channel::EphemeralValue(EphemeralValue::new(guard, state.value()?))
            }
            &Self::Topic { accumulate } => Channel::Topic(Topic::new(accumulate, state.values()?)),
            Self::BinaryOperatorAggregate(reducer) => {
                let value = match state.value()? {
                    None => domain.initial(reducer)?,
                    value => value,
                };
                Channel::BinaryOperatorAggregate(BinaryOperatorAggregate::new(
                    Arc::clone(reducer),
                    value,
                ))
            }
            Self::NamedBarrierValue(names) => Channel::NamedBarrierValue(Box::new(
                NamedBarrierValue::restore(domain, names, state.seen()?)?,
            )),
            Self::NamedBarrierValueAfterFinish(names) => {
                let (seen, finished) = state.seen_finished()?;
                Channel::NamedBarrierValueAfterFinish(Box::new(
                    NamedBarrierValueAfterFinish::restore(domain, names, seen, finished)?,
                ))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Kind;
    use crate::channel::domain::{Plain, Reducer};
    use crate::channel::names::Names;
    use crate::channel::state::State;
    use crate::error::Error;

    #[test]
    fn what_another_kind_keeps_is_refused() -> Result<(), Error> {
        let domain = Plain::<i32>::default();
        let names = Arc::new(Names::new(&domain, [1])?);
        let sum = Reducer::new(None, |left: &mut i32, right| {
            *left += right;
            Ok(())
        });
        let kinds = [
            (Kind::LastValue, 0),
            (Kind::AnyValue, 0),
            (Kind::EphemeralValue { guard: true }, 0),
            (Kind::BinaryOperatorAggregate(Arc::new(sum)), 0),
            (Kind::LastValueAfterFinish, 1),
            (Kind::Topic { accumulate: true }, 2),
            (Kind::NamedBarrierValue(Arc::clone(&names)), 3),
            (Kind::NamedBarrierValueAfterFinish(names), 4),
        ];
        let states = [
            State::Value(1),
            State::Finished(1, true),
            State::Values(vec![1]),
            State::Seen(vec![1]),
            State::SeenFinished(vec![1], true),
        ];
        for (kind, own) in &kinds {
            assert!(kind.restore(&domain, State::Missing).is_ok());
            for (at, state) in states.iter().enumerate() {
                let restored = kind.restore(&domain, state.clone());
                if at == *own {
                    assert_eq!(restored?.checkpoint().to_state(&domain), *state);
                } else {
                    assert!(
                        matches!(restored, Err(Error::OtherState { .. })),
                        "{kind:?} {state:?}"
                    );
                }
            }
        }
        Ok(())
    }
}
