//! A growing `bytes` object: msgpack is written straight into what is returned.
use pyo3::ffi;
use pyo3::prelude::*;

use crate::failure::{Done, fetched};

const FIRST: usize = 1024;
/// From here on the output grows by less each time.
const LARGE: usize = 256 * 1024;
/// The part of a large output that may stay unused.
const SLACK: usize = 8;

unsafe extern "C" {
    fn _PyBytes_Resize(bytes: *mut *mut ffi::PyObject, size: ffi::Py_ssize_t) -> std::ffi::c_int;
}

/// The output of one call.
pub struct Writer<'py> {
    py: Python<'py>,
    bytes: *mut ffi::PyObject,
    start: *mut u8,
    len: usize,
    capacity: usize,
}

impl<'py> Writer<'py> {
    /// An empty output.
    pub fn new(py: Python<'py>) -> Done<Self> {
        // SAFETY: the GIL is held; the new object is ours alone until `finish`.
        unsafe {
            let bytes = ffi::PyBytes_FromStringAndSize(std::ptr::null(), FIRST.cast_signed());
            if bytes.is_null() {
                return Err(fetched(py));
            }
            let start = ffi::PyBytes_AsString(bytes).cast();
            Ok(Self { py, bytes, start, len: 0, capacity: FIRST })
        }
    }

    /// Bytes written.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.len
    }

    /// What was written from `start` on.
    pub fn since(&self, start: usize) -> &[u8] {
        debug_assert!(start <= self.len);
        // SAFETY: the first `len` bytes are written, and nobody else has the object.
        unsafe { std::slice::from_raw_parts(self.start.add(start), self.len - start) }
    }

    /// Forgets everything written after `len`.
    pub fn truncate(&mut self, len: usize) {
        debug_assert!(len <= self.len);
        self.len = len;
    }

    /// Makes room for `extra` bytes.
    #[inline(always)]
    pub fn reserve(&mut self, extra: usize) -> Done {
        if self.capacity - self.len < extra {
            return self.grow(extra);
        }
        Ok(())
    }

    /// Makes room for about as much as an earlier output took, and a little more.
    ///
    /// Sizes are rounded, so that the next output of a value that grows step by step finds what an
    /// earlier one gave back. With another size each time, a new mapping is made for each, and to touch
    /// its pages for the first time costs ten times what copying the bytes does.
    pub fn reserve_about(&mut self, size: usize) -> Done {
        let size = size + FIRST;
        let step = (size.next_power_of_two() / (2 * SLACK)).max(FIRST);
        self.reserve(size.next_multiple_of(step))
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, extra: usize) -> Done {
        let factor = if self.capacity < LARGE { 4 } else { 2 };
        self.resize((self.len + extra).max(self.capacity * factor))
    }

    fn resize(&mut self, size: usize) -> Done {
        // SAFETY: the object has one reference, ours; on failure CPython frees it and nulls the pointer.
        unsafe {
            if _PyBytes_Resize(&raw mut self.bytes, size.cast_signed()) != 0 {
                self.capacity = 0;
                self.len = 0;
                return Err(fetched(self.py));
            }
            self.start = ffi::PyBytes_AsString(self.bytes).cast();
        }
        self.capacity = size;
        Ok(())
    }

    /// Writes one byte into room already made.
    ///
    /// # Safety
    /// `reserve` made room for it.
    #[inline(always)]
    pub unsafe fn put(&mut self, byte: u8) {
        debug_assert!(self.len < self.capacity);
        // SAFETY: the caller's.
        unsafe { *self.start.add(self.len) = byte };
        self.len += 1;
    }

    /// Writes bytes into room already made.
    ///
    /// # Safety
    /// `reserve` made room for them.
    #[inline(always)]
    pub unsafe fn put_all(&mut self, bytes: &[u8]) {
        debug_assert!(self.len + bytes.len() <= self.capacity);
        // SAFETY: the caller's; `bytes` belongs to another object than the output.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.start.add(self.len), bytes.len());
        };
        self.len += bytes.len();
    }

    /// Writes bytes.
    #[inline(always)]
    pub fn write(&mut self, bytes: &[u8]) -> Done {
        self.reserve(bytes.len())?;
        // SAFETY: there is room.
        unsafe { self.put_all(bytes) };
        Ok(())
    }

    /// Writes a marker followed by a big-endian number.
    #[inline(always)]
    pub fn marked<const N: usize>(&mut self, marker: u8, number: [u8; N]) -> Done {
        self.reserve(1 + N)?;
        // SAFETY: there is room.
        unsafe {
            self.put(marker);
            self.put_all(&number);
        }
        Ok(())
    }

    /// Puts `header` in place of the `room` bytes at `at`, moving what follows.
    pub fn replace_header(&mut self, at: usize, room: usize, header: &[u8]) -> Done {
        let body = self.len - at - room;
        if header.len() > room {
            self.reserve(header.len() - room)?;
        }
        // SAFETY: both ranges lie within the capacity, and `copy` allows them to overlap.
        unsafe {
            let start = self.start.add(at);
            if header.len() != room {
                std::ptr::copy(start.add(room), start.add(header.len()), body);
            }
            std::ptr::copy_nonoverlapping(header.as_ptr(), start, header.len());
        }
        self.len = at + header.len() + body;
        Ok(())
    }

    /// The finished `bytes` object.
    pub fn finish(mut self) -> PyResult<Bound<'py, PyAny>> {
        let len = self.len;
        if len < LARGE || self.capacity - len > self.capacity / SLACK {
            self.resize(len).map_err(crate::failure::Fail::into_pyerr)?;
        } else {
            // SAFETY: the object is ours alone, and has room for `len` bytes and the one after them.
            unsafe {
                (*self.bytes.cast::<ffi::PyVarObject>()).ob_size = len.cast_signed();
                *self.start.add(len) = 0;
            }
        }
        let bytes = std::mem::replace(&mut self.bytes, std::ptr::null_mut());
        // SAFETY: `bytes` is our one reference, given away here.
        Ok(unsafe { Bound::from_owned_ptr(self.py, bytes) })
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        // SAFETY: null, or our one reference.
        unsafe { ffi::Py_XDECREF(self.bytes) };
    }
}
