//! What channels ask of their values, so that they need not know what these are.

use std::fmt::{self, Debug};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::marker::PhantomData;

use crate::error::{Error, Fault, InvalidUpdate};

/// A write to a channel with a reducer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Write<V> {
    /// To be reduced into what is there.
    Reduce(V),
    /// LangGraph's `Overwrite`: takes the place of what is there.
    Overwrite(V),
}

/// The operations on values that channels need.
///
/// Channels own values and nothing else; whoever calls them brings the domain along. A border to
/// another language keeps in it what its values can only be touched with, and lets its own errors
/// pass through unchanged.
pub trait Domain {
    /// What channels hold.
    type Value;
    /// What a `BinaryOperatorAggregate` reduces with.
    type Reducer;
    /// What the operations fail with.
    type Error: Fault;

    /// Another reference to, or a copy of, a value.
    fn share(&self, value: &Self::Value) -> Self::Value;

    /// A hash that equal values have in common.
    fn hash(&self, value: &Self::Value) -> Result<u64, Self::Error>;

    /// Whether two values are equal.
    fn same(&self, one: &Self::Value, other: &Self::Value) -> Result<bool, Self::Error>;

    /// Appends what a `Topic` gets by this update: the items of a list, and any other value itself.
    ///
    /// What a failure leaves behind in `into` is taken away again by the caller.
    fn spread(&self, update: Self::Value, into: &mut Vec<Self::Value>) -> Result<(), Self::Error>;

    /// Tells an `Overwrite` from a value.
    fn write(&self, update: Self::Value) -> Result<Write<Self::Value>, Self::Error>;

    /// What a new channel with this reducer holds, if it holds anything.
    fn initial(&self, reducer: &Self::Reducer) -> Result<Option<Self::Value>, Self::Error>;

    /// Reduces `right` into `left`, which stays as it was if that fails.
    fn reduce(
        &self,
        reducer: &Self::Reducer,
        left: &mut Self::Value,
        right: Self::Value,
    ) -> Result<(), Self::Error>;

    /// The error for a value that is none of those a barrier waits for.
    fn not_named(&self, value: &Self::Value, names: &[Self::Value]) -> Self::Error {
        let _ = (value, names);
        Error::from(InvalidUpdate::NotNamed).into()
    }
}

/// Reduces the second value into the first, which must stay as it was if that fails.
pub type Operator<V, E> = dyn Fn(&mut V, V) -> Result<(), E> + Send + Sync;

/// A reducer of plain Rust values.
pub struct Reducer<V, E = Error> {
    initial: Option<V>,
    operator: Box<Operator<V, E>>,
}

impl<V, E> Reducer<V, E> {
    /// A reducer, and what a channel holds before its first update.
    pub fn new(
        initial: Option<V>,
        operator: impl Fn(&mut V, V) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        Self { initial, operator: Box::new(operator) }
    }
}

impl<V: Debug, E> Debug for Reducer<V, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Reducer").field("initial", &self.initial).finish_non_exhaustive()
    }
}

/// The domain of plain Rust values: none of them is a list or an `Overwrite`.
#[derive(Clone, Copy, Debug)]
pub struct Plain<V, E = Error>(PhantomData<fn() -> (V, E)>);

impl<V, E> Default for Plain<V, E> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<V: Clone + Eq + Hash, E: Fault> Domain for Plain<V, E> {
    type Value = V;
    type Reducer = Reducer<V, E>;
    type Error = E;

    fn share(&self, value: &V) -> V {
        value.clone()
    }

    fn hash(&self, value: &V) -> Result<u64, E> {
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        Ok(hasher.finish())
    }

    fn same(&self, one: &V, other: &V) -> Result<bool, E> {
        Ok(one == other)
    }

    fn spread(&self, update: V, into: &mut Vec<V>) -> Result<(), E> {
        into.push(update);
        Ok(())
    }

    fn write(&self, update: V) -> Result<Write<V>, E> {
        Ok(Write::Reduce(update))
    }

    fn initial(&self, reducer: &Reducer<V, E>) -> Result<Option<V>, E> {
        Ok(reducer.initial.clone())
    }

    fn reduce(&self, reducer: &Reducer<V, E>, left: &mut V, right: V) -> Result<(), E> {
        (reducer.operator)(left, right)
    }
}
