//! The classes of `langgraph/channels`, method by method.

use std::collections::HashSet;
use std::sync::Arc;

use lgckpt_core::channel::{Kind, Names, Reading, State, View};
use proptest::prelude::*;

use super::value::{Adds, Python, Raised, Value, add, hashable, names};

type Raises<T> = Result<T, Raised>;

/// The arguments of a constructor.
#[derive(Clone, Debug)]
pub enum Spec {
    LastValue,
    LastValueAfterFinish,
    AnyValue,
    EphemeralValue(bool),
    Topic(bool),
    BinaryOperatorAggregate(Option<Value>),
    NamedBarrierValue(HashSet<Value>),
    NamedBarrierValueAfterFinish(HashSet<Value>),
}

pub fn spec() -> impl Strategy<Value = Spec> {
    let initial =
        prop_oneof![Just(None), Just(Some(Value::Int(0))), Just(Some(Value::List(Vec::new()))),];
    prop_oneof![
        Just(Spec::LastValue),
        Just(Spec::LastValueAfterFinish),
        Just(Spec::AnyValue),
        any::<bool>().prop_map(Spec::EphemeralValue),
        any::<bool>().prop_map(Spec::Topic),
        initial.prop_map(Spec::BinaryOperatorAggregate),
        names().prop_map(Spec::NamedBarrierValue),
        names().prop_map(Spec::NamedBarrierValueAfterFinish),
    ]
}

impl Spec {
    /// The same for the core.
    pub fn kind(&self) -> Kind<Value, Adds> {
        let names = |names: &HashSet<Value>| {
            Arc::new(Names::new(&Python, names.iter().cloned()).expect("hashable"))
        };
        match self {
            Self::LastValue => Kind::LastValue,
            Self::LastValueAfterFinish => Kind::LastValueAfterFinish,
            Self::AnyValue => Kind::AnyValue,
            &Self::EphemeralValue(guard) => Kind::EphemeralValue { guard },
            &Self::Topic(accumulate) => Kind::Topic { accumulate },
            Self::BinaryOperatorAggregate(initial) => {
                Kind::BinaryOperatorAggregate(Arc::new(Adds(initial.clone())))
            }
            Self::NamedBarrierValue(it) => Kind::NamedBarrierValue(names(it)),
            Self::NamedBarrierValueAfterFinish(it) => Kind::NamedBarrierValueAfterFinish(names(it)),
        }
    }
}

/// What `get` gives.
#[derive(Debug, PartialEq)]
pub enum Got {
    Value(Value),
    List(Vec<Value>),
    None,
}

/// What `get` of the core gives, as the model has it; `None` is `EmptyChannelError`.
pub fn got(reading: Reading<'_, Value>) -> Option<Got> {
    match reading {
        Reading::Empty => None,
        Reading::Value(value) => Some(Got::Value(value.clone())),
        Reading::Values(values) => Some(Got::List(values.to_vec())),
        Reading::Ready => Some(Got::None),
    }
}

/// What `checkpoint` gives.
#[derive(Clone, Debug, PartialEq)]
pub enum Saved {
    Missing,
    Value(Value),
    Pair(Value, bool),
    List(Vec<Value>),
    Set(HashSet<Value>),
    SetPair(HashSet<Value>, bool),
}

impl From<View<'_, Value>> for Saved {
    fn from(view: View<'_, Value>) -> Self {
        view.to_state(&Python).into()
    }
}

impl From<State<Value>> for Saved {
    fn from(state: State<Value>) -> Self {
        match state {
            State::Missing => Self::Missing,
            State::Value(value) => Self::Value(value),
            State::Finished(value, finished) => Self::Pair(value, finished),
            State::Values(values) => Self::List(values),
            State::Seen(seen) => Self::Set(seen.into_iter().collect()),
            State::SeenFinished(seen, finished) => {
                Self::SetPair(seen.into_iter().collect(), finished)
            }
        }
    }
}

impl From<Saved> for State<Value> {
    fn from(saved: Saved) -> Self {
        match saved {
            Saved::Missing => Self::Missing,
            Saved::Value(value) => Self::Value(value),
            Saved::Pair(value, finished) => Self::Finished(value, finished),
            Saved::List(values) => Self::Values(values),
            Saved::Set(seen) => Self::Seen(seen.into_iter().collect()),
            Saved::SetPair(seen, finished) => {
                Self::SeenFinished(seen.into_iter().collect(), finished)
            }
        }
    }
}

/// A channel of any class; fields that its class does not have are unused.
#[derive(Clone, Debug)]
pub struct Model {
    spec: Spec,
    value: Option<Value>,
    values: Vec<Value>,
    seen: HashSet<Value>,
    finished: bool,
}

impl Model {
    pub fn new(spec: &Spec) -> Self {
        let value = match spec {
            Spec::BinaryOperatorAggregate(initial) => initial.clone(),
            _ => None,
        };
        let spec = spec.clone();
        Self { spec, value, values: Vec::new(), seen: HashSet::new(), finished: false }
    }

    pub fn from_checkpoint(spec: &Spec, checkpoint: Saved) -> Self {
        let mut empty = Self::new(spec);
        match checkpoint {
            Saved::Missing => {}
            Saved::Value(value) => empty.value = Some(value),
            Saved::Pair(value, finished) => {
                (empty.value, empty.finished) = (Some(value), finished);
            }
            Saved::List(values) => empty.values = values,
            Saved::Set(seen) => empty.seen = seen,
            Saved::SetPair(seen, finished) => (empty.seen, empty.finished) = (seen, finished),
        }
        empty
    }

    pub fn checkpoint(&self) -> Saved {
        match &self.spec {
            Spec::LastValueAfterFinish => match &self.value {
                None => Saved::Missing,
                Some(value) => Saved::Pair(value.clone(), self.finished),
            },
            Spec::Topic(_) => Saved::List(self.values.clone()),
            Spec::NamedBarrierValue(_) => Saved::Set(self.seen.clone()),
            Spec::NamedBarrierValueAfterFinish(_) => {
                Saved::SetPair(self.seen.clone(), self.finished)
            }
            _ => self.value.clone().map_or(Saved::Missing, Saved::Value),
        }
    }

    pub fn get(&self) -> Option<Got> {
        match &self.spec {
            Spec::LastValueAfterFinish if !self.finished => None,
            Spec::Topic(_) if self.values.is_empty() => None,
            Spec::Topic(_) => Some(Got::List(self.values.clone())),
            Spec::NamedBarrierValue(names) => (self.seen == *names).then_some(Got::None),
            Spec::NamedBarrierValueAfterFinish(names) => {
                (self.finished && self.seen == *names).then_some(Got::None)
            }
            _ => self.value.clone().map(Got::Value),
        }
    }

    pub fn is_available(&self) -> bool {
        self.get().is_some()
    }

    pub fn update(&mut self, values: &[Value]) -> Raises<bool> {
        match self.spec.clone() {
            Spec::LastValue => self.update_last(values),
            Spec::LastValueAfterFinish => {
                let Some(last) = values.last() else { return Ok(false) };
                self.finished = false;
                self.value = Some(last.clone());
                Ok(true)
            }
            Spec::AnyValue => Ok(self.update_any(values)),
            Spec::EphemeralValue(guard) => {
                if values.len() > 1 && guard {
                    return Err(Raised::InvalidUpdate);
                }
                Ok(self.update_any(values))
            }
            Spec::Topic(accumulate) => Ok(self.update_topic(values, accumulate)),
            Spec::BinaryOperatorAggregate(_) => self.update_binop(values),
            Spec::NamedBarrierValue(names) | Spec::NamedBarrierValueAfterFinish(names) => {
                self.update_barrier(values, &names)
            }
        }
    }

    fn update_last(&mut self, values: &[Value]) -> Raises<bool> {
        match values {
            [] => Ok(false),
            [value] => {
                self.value = Some(value.clone());
                Ok(true)
            }
            _ => Err(Raised::InvalidUpdate),
        }
    }

    fn update_any(&mut self, values: &[Value]) -> bool {
        if values.is_empty() {
            return self.value.take().is_some();
        }
        self.value = values.last().cloned();
        true
    }

    fn update_topic(&mut self, values: &[Value], accumulate: bool) -> bool {
        let mut updated = false;
        if !accumulate {
            updated = !self.values.is_empty();
            self.values = Vec::new();
        }
        for value in values {
            match value {
                Value::List(items) => {
                    updated |= !items.is_empty();
                    self.values.extend(items.iter().cloned());
                }
                value => {
                    updated = true;
                    self.values.push(value.clone());
                }
            }
        }
        updated
    }

    fn update_binop(&mut self, mut values: &[Value]) -> Raises<bool> {
        if values.is_empty() {
            return Ok(false);
        }
        if self.value.is_none() {
            self.value = Some(values[0].clone());
            values = &values[1..];
        }
        let mut seen_overwrite = false;
        for value in values {
            if let Value::Overwrite(overwrite_value) = value {
                if seen_overwrite {
                    return Err(Raised::InvalidUpdate);
                }
                self.value = Some((**overwrite_value).clone());
                seen_overwrite = true;
                continue;
            }
            if !seen_overwrite {
                let left = self.value.clone().expect("it has a value by now");
                self.value = Some(add(&left, value)?);
            }
        }
        Ok(true)
    }

    fn update_barrier(&mut self, values: &[Value], names: &HashSet<Value>) -> Raises<bool> {
        let mut updated = false;
        for value in values {
            if !hashable(value) {
                return Err(Raised::TypeError);
            }
            if !names.contains(value) {
                return Err(Raised::InvalidUpdate);
            }
            if !self.seen.contains(value) {
                self.seen.insert(value.clone());
                updated = true;
            }
        }
        Ok(updated)
    }

    pub fn consume(&mut self) -> bool {
        match &self.spec {
            Spec::LastValueAfterFinish if self.finished => {
                self.finished = false;
                self.value = None;
                true
            }
            Spec::NamedBarrierValue(names) if self.seen == *names => {
                self.seen = HashSet::new();
                true
            }
            Spec::NamedBarrierValueAfterFinish(names) if self.finished && self.seen == *names => {
                self.finished = false;
                self.seen = HashSet::new();
                true
            }
            _ => false,
        }
    }

    pub fn finish(&mut self) -> bool {
        let ready = match &self.spec {
            Spec::LastValueAfterFinish => self.value.is_some(),
            Spec::NamedBarrierValueAfterFinish(names) => self.seen == *names,
            _ => false,
        };
        if !self.finished && ready {
            self.finished = true;
            return true;
        }
        false
    }
}
