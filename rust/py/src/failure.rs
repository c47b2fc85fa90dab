//! How a conversion ends early: not proven equal to the general path, or with a Python exception.
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

use crate::error::{DecodeError, EncodeError};

/// Why the native path stopped.
pub enum Fail {
    /// Nothing is wrong with the value: this path cannot show that it gives what LangGraph gives.
    Unproven,
    /// An exception for the caller.
    Raised(Box<PyErr>),
}

/// The outcome of one step of a conversion.
pub type Done<T = ()> = Result<T, Fail>;

impl From<PyErr> for Fail {
    #[cold]
    fn from(error: PyErr) -> Self {
        Self::Raised(Box::new(error))
    }
}

impl Fail {
    /// Turns the failure into what Python sees; `Unproven` never leaves the native path.
    #[cold]
    pub fn into_pyerr(self) -> PyErr {
        match self {
            Self::Raised(error) => *error,
            Self::Unproven => {
                pyo3::exceptions::PySystemError::new_err("unproven value left the native path")
            }
        }
    }
}

/// `lgckpt.errors.EncodeError` with `message`.
#[cold]
pub fn encode_error(message: &str) -> Fail {
    EncodeError::new_err(message.to_owned()).into()
}

/// `lgckpt.errors.DecodeError` with `message`.
#[cold]
pub fn decode_error(message: &str) -> Fail {
    DecodeError::new_err(message.to_owned()).into()
}

/// `error` as the cause of a new failure, unless it must not be caught (`KeyboardInterrupt`, ...).
#[cold]
pub fn caused_by(py: Python<'_>, error: Box<PyErr>, wrap: impl FnOnce() -> Fail) -> Fail {
    if !error.is_instance_of::<PyException>(py) {
        return Fail::Raised(error);
    }
    let failure = wrap();
    if let Fail::Raised(outer) = &failure {
        outer.set_cause(py, Some(*error));
    }
    failure
}

/// The exception a C function left behind.
#[cold]
pub fn fetched(py: Python<'_>) -> Fail {
    PyErr::fetch(py).into()
}
