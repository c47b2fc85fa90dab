//! The one conversion of errors of the core to the classes of `lgckpt.errors`.

use lgckpt_core::Error;
use pyo3::exceptions::PyTypeError;
use pyo3::{CastError, PyErr, import_exception};

import_exception!(lgckpt.errors, ConfigurationError);
import_exception!(lgckpt.errors, DecodeError);
import_exception!(lgckpt.errors, EncodeError);
import_exception!(lgckpt.errors, FrameError);
import_exception!(lgckpt.errors, UnsupportedFormatError);

/// What a function of the border fails with: Python raises it, whichever side it came from.
pub struct Failure(PyErr);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        Self(match error {
            Error::Compressed { .. } => DecodeError::new_err(text),
            _ if error.unsupported_version().is_some() => UnsupportedFormatError::new_err(text),
            _ => FrameError::new_err(text),
        })
    }
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Self(error)
    }
}

impl From<CastError<'_, '_>> for Failure {
    fn from(error: CastError<'_, '_>) -> Self {
        Self(PyTypeError::new_err(error.to_string()))
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        failure.0
    }
}
