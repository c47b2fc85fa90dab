//! Versions of channels: the highest, and the one after it.

use pyo3::ffi;

use crate::channels::held::{Held, truth};
use crate::channels::rules::Done;
use crate::text::utf8;

/// The highest version in a plain dict; None in an empty one. Python's `max`, over its values.
///
/// # Safety
/// `versions` is a plain dict, alive, and the GIL is held (so for every function here).
pub unsafe fn highest(versions: *mut ffi::PyObject) -> Done<Option<Held>> {
    // SAFETY: the caller's.
    unsafe {
        let plain = plain(versions, |version| number(version))
            .or_else(|| plain(versions, |version| text(version)));
        match plain {
            Some(highest) => Ok(Some(Held::borrowed(highest))),
            None => general(versions),
        }
    }
}

/// The highest of versions that are all of one plain type; most channels of a run share a few.
unsafe fn plain<T: PartialOrd>(
    versions: *mut ffi::PyObject,
    read: impl Fn(*mut ffi::PyObject) -> Option<T>,
) -> Option<*mut ffi::PyObject> {
    let (mut at, mut version, mut last) = (0, std::ptr::null_mut(), std::ptr::null_mut());
    let mut highest: Option<(*mut ffi::PyObject, T)> = None;
    // SAFETY: the caller's. Nothing here runs Python code.
    unsafe {
        while ffi::PyDict_Next(versions, &raw mut at, std::ptr::null_mut(), &raw mut version) != 0 {
            if version == last {
                continue;
            }
            last = version;
            let value = read(version)?;
            if highest.as_ref().is_none_or(|(_, highest)| value > *highest) {
                highest = Some((version, value));
            }
        }
    }
    highest.map(|(version, _)| version)
}

unsafe fn number(version: *mut ffi::PyObject) -> Option<i64> {
    let mut overflow = 0;
    // SAFETY: the caller's; only an int is read.
    unsafe {
        if ffi::PyLong_CheckExact(version) == 0 {
            return None;
        }
        let number = ffi::PyLong_AsLongLongAndOverflow(version, &raw mut overflow);
        (overflow == 0).then_some(number)
    }
}

unsafe fn text<'a>(version: *mut ffi::PyObject) -> Option<&'a [u8]> {
    // SAFETY: the caller's; only a str is read.
    unsafe { if ffi::PyUnicode_CheckExact(version) != 0 { utf8(version) } else { None } }
}

/// The highest as Python compares them, which may run Python code: a snapshot is walked.
unsafe fn general(versions: *mut ffi::PyObject) -> Done<Option<Held>> {
    // SAFETY: the caller's.
    unsafe {
        let values = Held::given(ffi::PyDict_Values(versions))?;
        let mut highest: Option<*mut ffi::PyObject> = None;
        for index in 0..ffi::PyList_GET_SIZE(values.ptr()) {
            let version = ffi::PyList_GET_ITEM(values.ptr(), index);
            let higher = match highest {
                Some(highest) => above(version, highest)?,
                None => true,
            };
            if higher {
                highest = Some(version);
            }
        }
        Ok(highest.map(|version| Held::borrowed(version)))
    }
}

unsafe fn above(one: *mut ffi::PyObject, other: *mut ffi::PyObject) -> Done<bool> {
    // SAFETY: the caller's.
    unsafe {
        let answer = Held::given(ffi::PyObject_RichCompare(one, other, ffi::Py_GT))?;
        truth(ffi::PyObject_IsTrue(answer.ptr()))
    }
}
