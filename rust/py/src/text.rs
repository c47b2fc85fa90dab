//! Direct access to the bytes of Python strings.
use pyo3::ffi;

const COMPACT_ASCII: u32 = 0b11 << 5;

/// The UTF-8 bytes of a string, without a copy; None if it holds surrogates (the error is cleared).
///
/// # Safety
/// `string` is a live `str` (or a subclass) and the GIL is held; the slice lives as long as the string.
#[inline(always)]
pub unsafe fn utf8<'a>(string: *mut ffi::PyObject) -> Option<&'a [u8]> {
    let ascii = string.cast::<ffi::PyASCIIObject>();
    // SAFETY: every str starts with PyASCIIObject, and a compact ASCII string keeps its bytes after it.
    unsafe {
        if (*ascii).state & COMPACT_ASCII == COMPACT_ASCII {
            let length = (*ascii).length.cast_unsigned();
            return Some(std::slice::from_raw_parts(ascii.add(1).cast(), length));
        }
        utf8_cached(string)
    }
}

#[inline(never)]
unsafe fn utf8_cached<'a>(string: *mut ffi::PyObject) -> Option<&'a [u8]> {
    let mut size: ffi::Py_ssize_t = 0;
    // SAFETY: the caller's; CPython keeps the encoded bytes with the string.
    unsafe {
        let data = ffi::PyUnicode_AsUTF8AndSize(string, &raw mut size);
        if data.is_null() {
            ffi::PyErr_Clear();
            return None;
        }
        Some(std::slice::from_raw_parts(data.cast(), size.cast_unsigned()))
    }
}
