//! A plain dict gone through beside others that have the same keys in the same order.

use std::marker::PhantomData;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// A place in a dict. `PyDict_Next` checks it each time, so that a dict that changed meanwhile
/// is misread at most.
pub struct Walk<'a> {
    dict: *mut ffi::PyObject,
    next: ffi::Py_ssize_t,
    here: Option<(*mut ffi::PyObject, *mut ffi::PyObject)>,
    held: PhantomData<&'a PyDict>,
}

impl<'a> Walk<'a> {
    /// At the first item.
    pub fn of(dict: &'a Bound<'_, PyDict>) -> Self {
        let mut walk = Self { dict: dict.as_ptr(), next: 0, here: None, held: PhantomData };
        walk.go_on();
        walk
    }

    /// The key and the value of this item, borrowed for as long as the dict keeps them.
    #[inline(always)]
    pub fn here(&self) -> Option<(*mut ffi::PyObject, *mut ffi::PyObject)> {
        self.here
    }

    /// To the next item.
    #[inline(always)]
    pub fn go_on(&mut self) {
        let (mut key, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: the dict is held, and so is the GIL for as long as that; what is given is borrowed.
        let more = unsafe {
            ffi::PyDict_Next(self.dict, &raw mut self.next, &raw mut key, &raw mut value)
        };
        self.here = (more != 0).then_some((key, value));
    }

    /// To the next item, if the key of this one is this very object; gives its value.
    #[inline(always)]
    pub fn pass(&mut self, key: *mut ffi::PyObject) -> Option<*mut ffi::PyObject> {
        let (_, value) = self.here.filter(|&(own, _)| own == key)?;
        self.go_on();
        Some(value)
    }
}
