//! Values that behave as Python's: lists, integers, LangGraph's Overwrite.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use lgckpt_core::channel::{Domain, Write};
use lgckpt_core::{Error, Fault};
use proptest::collection::vec;
use proptest::prelude::*;

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Value {
    Int(i64),
    List(Vec<Value>),
    Overwrite(Box<Value>),
}

/// What Python raises.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Raised {
    InvalidUpdate,
    TypeError,
}

impl From<Error> for Raised {
    fn from(error: Error) -> Self {
        match error {
            Error::InvalidUpdate(_) => Self::InvalidUpdate,
            other => panic!("not raised by LangGraph: {other}"),
        }
    }
}

impl Fault for Raised {}

/// `operator.add`: of two integers or two lists.
pub fn add(left: &Value, right: &Value) -> Result<Value, Raised> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => Ok(Value::Int(left + right)),
        (Value::List(left), Value::List(right)) => {
            Ok(Value::List([left.as_slice(), right].concat()))
        }
        _ => Err(Raised::TypeError),
    }
}

/// Which initial value a reducer has, if its type can be called without arguments.
#[derive(Clone, Debug)]
pub struct Adds(pub Option<Value>);

/// The domain of these values.
pub struct Python;

impl Domain for Python {
    type Value = Value;
    type Reducer = Adds;
    type Error = Raised;

    fn share(&self, value: &Value) -> Value {
        value.clone()
    }

    fn hash(&self, value: &Value) -> Result<u64, Raised> {
        if !hashable(value) {
            return Err(Raised::TypeError);
        }
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        // Two bits, so that different values often have one hash.
        Ok(hasher.finish() % 4)
    }

    fn same(&self, one: &Value, other: &Value) -> Result<bool, Raised> {
        Ok(one == other)
    }

    fn spread(&self, update: Value, into: &mut Vec<Value>) -> Result<(), Raised> {
        match update {
            Value::List(items) => into.extend(items),
            other => into.push(other),
        }
        Ok(())
    }

    fn write(&self, update: Value) -> Result<Write<Value>, Raised> {
        Ok(match update {
            Value::Overwrite(value) => Write::Overwrite(*value),
            other => Write::Reduce(other),
        })
    }

    fn initial(&self, reducer: &Adds) -> Result<Option<Value>, Raised> {
        Ok(reducer.0.clone())
    }

    fn reduce(&self, _: &Adds, left: &mut Value, right: Value) -> Result<(), Raised> {
        *left = add(left, &right)?;
        Ok(())
    }
}

pub fn hashable(value: &Value) -> bool {
    match value {
        Value::Int(_) => true,
        // The dataclass compares by value, and has no hash for that.
        Value::List(_) | Value::Overwrite(_) => false,
    }
}

/// Small integers most of all, so that barriers meet their names and writes meet each other.
pub fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        8 => (0..4_i64).prop_map(Value::Int),
        2 => vec((0..4_i64).prop_map(Value::Int), 0..3).prop_map(Value::List),
        1 => (0..4_i64).prop_map(|it| Value::Overwrite(Box::new(Value::Int(it)))),
    ]
}

pub fn names() -> impl Strategy<Value = HashSet<Value>> {
    proptest::collection::hash_set((0..4_i64).prop_map(Value::Int), 0..4)
}
