//! The order of a step's tasks: by path, as LangGraph's `task_path_str` writes it.

use pyo3::ffi;

use crate::channels::held::Held;
use crate::channels::rules::{Done, Stop};
use crate::text::utf8;

/// Appends a path, or a part of one, in the form by which they are compared.
///
/// # Safety
/// `part` is alive and the GIL is held.
pub unsafe fn append(key: &mut Vec<u8>, part: *mut ffi::PyObject, depth: u32) -> Done<()> {
    // SAFETY: the caller's, and the types are checked.
    unsafe {
        let class = ffi::Py_TYPE(part);
        if class == &raw mut ffi::PyUnicode_Type {
            key.extend_from_slice(utf8(part).ok_or(Stop::Unusual)?);
        } else if class == &raw mut ffi::PyTuple_Type && depth < 64 {
            key.push(b'~');
            for index in 0..ffi::PyTuple_GET_SIZE(part) {
                if index > 0 {
                    key.extend_from_slice(b", ");
                }
                append(key, ffi::PyTuple_GET_ITEM(part, index), depth + 1)?;
            }
        } else if class == &raw mut ffi::PyLong_Type || class == &raw mut ffi::PyBool_Type {
            number(key, part)?;
        } else if ffi::PyTuple_Check(part) != 0
            || ffi::PyList_Check(part) != 0
            || ffi::PyLong_Check(part) != 0
        {
            return Err(Stop::Unusual);
        } else {
            let text = Held::given(ffi::PyObject_Str(part))?;
            key.extend_from_slice(utf8(text.ptr()).ok_or(Stop::Unusual)?);
        }
        Ok(())
    }
}

unsafe fn number(key: &mut Vec<u8>, part: *mut ffi::PyObject) -> Done<()> {
    use std::io::Write;
    let mut overflow = 0;
    // SAFETY: the caller's, and it is an int.
    let number = unsafe { ffi::PyLong_AsLongLongAndOverflow(part, &raw mut overflow) };
    if overflow != 0 {
        return Err(Stop::Unusual);
    }
    write!(key, "{number:010}").map_err(|_| Stop::Unusual)
}
