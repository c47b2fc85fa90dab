//! The bytes of a large value that is remembered: its own, or the beginning of a buffer that grows.
//!
//! A list that is appended to at every step has the bytes of the step before and a few more. They
//! are written behind the others, once; a list that was there before keeps seeing its own.

use std::sync::{Arc, PoisonError, RwLock};

use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// See the file.
pub enum Value {
    Whole(Py<PyBytes>),
    Grown(Grown),
}

/// The beginning of a buffer, but for the head, which differs from list to list.
pub struct Grown {
    buffer: Arc<RwLock<Vec<u8>>>,
    head: Box<[u8]>,
    len: usize,
}

/// A value as code without the interpreter sees it.
#[derive(Clone, Copy)]
pub enum View<'a> {
    Whole(&'a [u8]),
    Grown(&'a Grown),
}

/// Of a buffer that has to be longer, this part more is taken than is needed.
const SPARE: usize = 4;

impl Value {
    pub fn len(&self, py: Python<'_>) -> usize {
        match self {
            Self::Whole(bytes) => bytes.as_bytes(py).len(),
            Self::Grown(grown) => grown.len,
        }
    }

    /// The memory it takes, bytes.
    pub fn nbytes(&self, py: Python<'_>) -> usize {
        match self {
            Self::Whole(bytes) => bytes.as_bytes(py).len(),
            Self::Grown(grown) => {
                grown.buffer.read().unwrap_or_else(PoisonError::into_inner).capacity()
            }
        }
    }

    pub fn view<'a>(&'a self, py: Python<'a>) -> View<'a> {
        match self {
            Self::Whole(bytes) => View::Whole(bytes.as_bytes(py)),
            Self::Grown(grown) => View::Grown(grown),
        }
    }

    /// The bytes, head and all.
    pub fn bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        match self {
            Self::Whole(bytes) => Ok(bytes.bind(py).clone()),
            Self::Grown(grown) => PyBytes::new_with(py, grown.len, |out| {
                View::Grown(grown).with(|bytes| out.copy_from_slice(bytes));
                out[..grown.head.len()].copy_from_slice(&grown.head);
                Ok(())
            }),
        }
    }

    /// The head of a value, which is as long as that of its tree.
    pub fn head<'py>(&self, py: Python<'py>, len: usize) -> Bound<'py, PyBytes> {
        match self {
            Self::Whole(bytes) => PyBytes::new(py, &bytes.as_bytes(py)[..len]),
            Self::Grown(grown) => PyBytes::new(py, &grown.head[..len]),
        }
    }

    /// A value with another head and the same bytes up to `end`, then `rest`.
    pub fn grow(&self, py: Python<'_>, end: usize, head: &[u8], rest: &[u8]) -> Self {
        let (len, head) = (end + rest.len(), Box::from(head));
        if let Self::Grown(grown) = self {
            let mut buffer = grown.buffer.write().unwrap_or_else(PoisonError::into_inner);
            // Another list may have grown from this one already.
            if buffer.len() == end && grown.len == end {
                if buffer.capacity() < len {
                    buffer.reserve_exact(rest.len() + len / SPARE);
                }
                buffer.extend_from_slice(rest);
                return Self::Grown(Grown { buffer: Arc::clone(&grown.buffer), head, len });
            }
        }
        let mut buffer = Vec::with_capacity(len + len / SPARE);
        self.view(py).with(|bytes| buffer.extend_from_slice(&bytes[..end]));
        buffer.extend_from_slice(rest);
        Self::Grown(Grown { buffer: Arc::new(RwLock::new(buffer)), head, len })
    }
}

impl View<'_> {
    /// Lends the bytes to what neither waits for the interpreter nor runs Python code; the head is
    /// to be had of the value alone.
    pub fn with<T>(self, job: impl FnOnce(&[u8]) -> T) -> T {
        match self {
            Self::Whole(bytes) => job(bytes),
            Self::Grown(grown) => {
                let buffer = grown.buffer.read().unwrap_or_else(PoisonError::into_inner);
                job(&buffer[..grown.len])
            }
        }
    }
}
