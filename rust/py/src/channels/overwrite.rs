//! Tells an `Overwrite` from other updates.

use pyo3::ffi;

use super::held::{Held, truth};
use super::host::Host;
use super::plain::is_plain;
use super::rules::Done;

/// What the update overwrites with, if it is LangGraph's `Overwrite` in any form.
///
/// # Safety
/// `update` is alive, kept so by the caller, and the GIL is held (so for every function here).
#[inline(always)]
pub unsafe fn overwrite(host: &Host, update: *mut ffi::PyObject) -> Done<Option<Held>> {
    // SAFETY: the caller's.
    unsafe {
        if ffi::Py_TYPE(update) == &raw mut ffi::PyDict_Type {
            return if may_overwrite(host, update)? { general(host, update) } else { Ok(None) };
        }
        if is_plain(update) || !is_instance(host, update)? {
            return Ok(None);
        }
        general(host, update)
    }
}

/// Whether LangGraph looks into the update at all.
unsafe fn is_instance(host: &Host, update: *mut ffi::PyObject) -> Done<bool> {
    // SAFETY: the caller's.
    unsafe {
        let dict = (&raw mut ffi::PyDict_Type).cast();
        Ok(truth(ffi::PyObject_IsInstance(update, host.overwrite.ptr()))?
            || truth(ffi::PyObject_IsInstance(update, dict))?)
    }
}

/// Whether a plain dict has one of the keys that make it an `Overwrite`.
unsafe fn may_overwrite(host: &Host, dict: *mut ffi::PyObject) -> Done<bool> {
    // SAFETY: the caller's.
    unsafe {
        let key = if ffi::PyDict_Size(dict) == 1 { host.overwrite_key } else { host.type_key };
        truth(ffi::PyDict_Contains(dict, key.ptr()))
    }
}

/// LangGraph's own answer.
unsafe fn general(host: &Host, update: *mut ffi::PyObject) -> Done<Option<Held>> {
    // SAFETY: the caller's; a tuple of two is what LangGraph's function gives.
    unsafe {
        let answer = Held::given(ffi::PyObject_CallOneArg(host.get_overwrite.ptr(), update))?;
        let given = ffi::PySequence_GetItem(answer.ptr(), 0);
        let is_overwrite = Held::given(given)?;
        if !truth(ffi::PyObject_IsTrue(is_overwrite.ptr()))? {
            return Ok(None);
        }
        Ok(Some(Held::given(ffi::PySequence_GetItem(answer.ptr(), 1))?))
    }
}
