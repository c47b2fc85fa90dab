//! A class whose methods are known, for as long as nobody puts others in their place.

use std::sync::atomic::{AtomicU32, Ordering};

use pyo3::prelude::*;
use pyo3::types::PyType;

use super::class::METHODS;
use crate::known::{self, Immortal};

/// See the file.
pub struct Watched {
    pub class: Immortal,
    /// The methods as they were found, in the order of [`METHODS`].
    pub methods: [Immortal; METHODS.len()],
    /// The version the class had when its methods were last looked at; 0 before that.
    version: AtomicU32,
}

impl Watched {
    pub fn new(class: &Bound<'_, PyType>) -> PyResult<Self> {
        let this = Immortal::new(class.as_any().clone());
        let mut methods = [this; METHODS.len()];
        for (method, name) in methods.iter_mut().zip(METHODS) {
            *method = Immortal::new(class.getattr(name)?);
        }
        Ok(Self { class: this, methods, version: AtomicU32::new(0) })
    }

    /// Whether the class still has the methods it had.
    #[inline(always)]
    pub fn is_intact(&self, py: Python<'_>) -> PyResult<bool> {
        // SAFETY: the class is kept alive, and the GIL is held.
        let version = unsafe { known::version(self.class.class()) };
        if version != 0 && version == self.version.load(Ordering::Relaxed) {
            return Ok(true);
        }
        self.look(py)
    }

    #[cold]
    fn look(&self, py: Python<'_>) -> PyResult<bool> {
        // SAFETY: as above.
        let class = unsafe { Bound::from_borrowed_ptr(py, self.class.ptr()) };
        for (name, method) in METHODS.into_iter().zip(self.methods) {
            if class.getattr(name)?.as_ptr() != method.ptr() {
                return Ok(false);
            }
        }
        // SAFETY: as above. To look gave the class a version, if there are any left.
        let version = unsafe { known::version(self.class.class()) };
        self.version.store(version, Ordering::Relaxed);
        Ok(true)
    }
}
