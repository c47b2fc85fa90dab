//! Objects of Python's own commonest types, which no `isinstance` takes for anything else.

use pyo3::ffi;

/// Whether the object is exactly of one of these types.
///
/// # Safety
/// `object` is alive and the GIL is held.
#[inline(always)]
pub unsafe fn is_plain(object: *mut ffi::PyObject) -> bool {
    // SAFETY: the caller's; the types are static.
    unsafe {
        let class = ffi::Py_TYPE(object);
        class == &raw mut ffi::PyUnicode_Type
            || class == &raw mut ffi::PyList_Type
            || class == &raw mut ffi::PyDict_Type
            || class == &raw mut ffi::PyLong_Type
            || class == &raw mut ffi::PyTuple_Type
            || class == &raw mut ffi::PyFloat_Type
            || class == &raw mut ffi::PyBool_Type
            || class == &raw mut ffi::PySet_Type
            || class == &raw mut ffi::PyBytes_Type
            || object == ffi::Py_None()
    }
}
