//! A plain dict gone through beside others that have the same keys in the same order.

use std::marker::PhantomData;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// A place in a dict. Nothing of an item is kept, and `PyDict_Next` checks the place each time, so
/// that a dict that changed meanwhile is misread at most.
pub struct Walk<'a> {
    dict: *mut ffi::PyObject,
    place: ffi::Py_ssize_t,
    /// The place behind the item that was looked at last.
    next: ffi::Py_ssize_t,
    held: PhantomData<&'a PyDict>,
}

impl<'a> Walk<'a> {
    /// At the first item.
    pub fn of(dict: &'a Bound<'_, PyDict>) -> Self {
        Self { dict: dict.as_ptr(), place: 0, next: 0, held: PhantomData }
    }

    /// The key and the value of this item, borrowed for as long as the dict keeps them.
    #[inline(always)]
    pub fn here(&mut self) -> Option<(*mut ffi::PyObject, *mut ffi::PyObject)> {
        let (mut key, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
        self.next = self.place;
        // SAFETY: the dict is held, and so is the GIL for as long as that; what is given is borrowed.
        let more = unsafe {
            ffi::PyDict_Next(self.dict, &raw mut self.next, &raw mut key, &raw mut value)
        };
        (more != 0).then_some((key, value))
    }

    /// Beyond the item that was looked at last.
    #[inline(always)]
    pub fn go_on(&mut self) {
        self.place = self.next;
    }

    /// To the next item, if the key of this one is this very object; gives its value.
    #[inline(always)]
    pub fn pass(&mut self, key: *mut ffi::PyObject) -> Option<*mut ffi::PyObject> {
        let (_, value) = self.here().filter(|&(own, _)| own == key)?;
        self.go_on();
        Some(value)
    }
}
