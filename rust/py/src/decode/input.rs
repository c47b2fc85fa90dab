//! The bytes to be read, held so that nobody frees them meanwhile.
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView};

use crate::failure::{Done, decode_error};

/// A held buffer.
pub struct Input<'py> {
    buffer: ffi::Py_buffer,
    _py: Python<'py>,
}

impl<'py> Input<'py> {
    /// The bytes of a `bytes`, a `bytearray` or a C-contiguous `memoryview`.
    pub fn of(data: &Bound<'py, PyAny>) -> Done<Self> {
        let py = data.py();
        if !(data.is_exact_instance_of::<PyBytes>()
            || data.is_exact_instance_of::<PyByteArray>()
            || data.is_exact_instance_of::<PyMemoryView>())
        {
            return Err(decode_error("Input must be bytes, bytearray, memoryview"));
        }
        let mut buffer = std::mem::MaybeUninit::<ffi::Py_buffer>::zeroed();
        // SAFETY: filled on success, and released when this is dropped.
        unsafe {
            if ffi::PyObject_GetBuffer(data.as_ptr(), buffer.as_mut_ptr(), ffi::PyBUF_CONTIG_RO)
                != 0
            {
                ffi::PyErr_Clear();
                return Err(decode_error("Input type memoryview must be a C contiguous buffer"));
            }
            Ok(Self { buffer: buffer.assume_init(), _py: py })
        }
    }

    /// The bytes. A bytearray cannot change its size while they are held.
    pub fn bytes(&self) -> &[u8] {
        if self.buffer.len == 0 {
            return &[];
        }
        // SAFETY: the buffer is contiguous and held for the life of `self`.
        unsafe {
            std::slice::from_raw_parts(self.buffer.buf.cast(), self.buffer.len.cast_unsigned())
        }
    }
}

impl Drop for Input<'_> {
    fn drop(&mut self) {
        // SAFETY: the buffer was filled, and the GIL is held.
        unsafe { ffi::PyBuffer_Release(&raw mut self.buffer) };
    }
}
