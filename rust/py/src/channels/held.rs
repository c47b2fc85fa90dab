//! A reference that is given up when it goes out of scope.

use pyo3::ffi;

use super::rules::{Done, Owned, Stop};

/// A strong reference; made and dropped only where the GIL is held.
pub struct Held(*mut ffi::PyObject);

impl Held {
    /// Another reference to this.
    ///
    /// # Safety
    /// `object` is alive and the GIL is held, for as long as this lives (so for all here).
    #[inline(always)]
    pub unsafe fn borrowed(object: *mut ffi::PyObject) -> Self {
        // SAFETY: the caller's.
        Self(unsafe { ffi::Py_NewRef(object) })
    }

    /// What a C function gave: a new reference, or null with an exception set.
    #[inline(always)]
    pub unsafe fn given(object: Owned) -> Done<Self> {
        if object.is_null() { Err(Stop::Raised) } else { Ok(Self(object)) }
    }

    #[inline(always)]
    pub fn ptr(&self) -> *mut ffi::PyObject {
        self.0
    }

    /// The reference, which is the caller's to give up.
    #[inline(always)]
    pub fn into_owned(self) -> Owned {
        std::mem::ManuallyDrop::new(self).0
    }
}

impl Drop for Held {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: the reference is this one's own, and the GIL is held.
        unsafe { ffi::Py_DECREF(self.0) }
    }
}

/// What a C function says of something: yes, no, or an exception.
#[inline(always)]
pub fn truth(answer: std::ffi::c_int) -> Done<bool> {
    if answer < 0 { Err(Stop::Raised) } else { Ok(answer != 0) }
}

/// Nothing, or the exception that a C function set.
#[inline(always)]
pub fn done(answer: std::ffi::c_int) -> Done<()> {
    truth(answer).map(|_| ())
}
