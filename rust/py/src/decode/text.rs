//! Strings: UTF-8 into the compact form CPython keeps them in.
use pyo3::ffi;
use pyo3::prelude::*;

use super::Decoder;
use crate::failure::Done;

impl<'py> Decoder<'_, 'py> {
    /// A string of `length` bytes.
    #[inline(always)]
    pub(super) fn text(&mut self, length: usize) -> Done<Bound<'py, PyAny>> {
        let bytes = self.take(length)?;
        self.string(bytes)
    }

    /// A new string.
    #[inline(always)]
    pub(super) fn string(&self, bytes: &[u8]) -> Done<Bound<'py, PyAny>> {
        if !bytes.is_ascii() {
            return self.wide_string(bytes);
        }
        // SAFETY: a new compact ASCII string keeps its bytes after its header; the empty one is shared,
        // and is not written to.
        unsafe {
            let string = ffi::PyUnicode_New(bytes.len().cast_signed(), 127);
            let string = Bound::from_owned_ptr_or_err(self.py, string)?;
            let start = string.as_ptr().cast::<ffi::PyASCIIObject>().add(1).cast::<u8>();
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), start, bytes.len());
            Ok(string)
        }
    }

    #[inline(never)]
    fn wide_string(&self, bytes: &[u8]) -> Done<Bound<'py, PyAny>> {
        let text =
            simdutf8::basic::from_utf8(bytes).map_err(|_| self.fail("invalid UTF-8 string"))?;
        let highest = bytes.iter().copied().max().unwrap_or_default();
        let length = text.chars().count().cast_signed();
        // SAFETY: the width is the narrowest that holds the highest character, as CPython requires, and
        // as many units are written as there are characters.
        unsafe {
            match highest {
                0xf0.. => {
                    let string = self.new_string(length, 0x10_ffff)?;
                    fill::<u32>(&string, text.chars().map(u32::from));
                    Ok(string)
                }
                0xc4.. => {
                    let string = self.new_string(length, 0xffff)?;
                    fill::<u16>(&string, text.chars().map(|c| u32::from(c) as u16));
                    Ok(string)
                }
                _ => {
                    let string = self.new_string(length, 0xff)?;
                    fill::<u8>(&string, text.chars().map(|c| u32::from(c) as u8));
                    Ok(string)
                }
            }
        }
    }

    unsafe fn new_string(&self, length: ffi::Py_ssize_t, highest: u32) -> Done<Bound<'py, PyAny>> {
        // SAFETY: the GIL is held.
        unsafe { Ok(Bound::from_owned_ptr_or_err(self.py, ffi::PyUnicode_New(length, highest))?) }
    }
}

/// Writes the characters of a new string that is not ASCII.
unsafe fn fill<T>(string: &Bound<'_, PyAny>, units: impl Iterator<Item = T>) {
    // SAFETY: the units of a compact string follow its longer header.
    unsafe {
        let mut at = string.as_ptr().cast::<ffi::PyCompactUnicodeObject>().add(1).cast::<T>();
        for unit in units {
            at.write(unit);
            at = at.add(1);
        }
    }
}
