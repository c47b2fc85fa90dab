//! What channels leave in a checkpoint, and how they are made of it again.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::host::host;
use super::tasks::set;
use crate::channels::any::Classes;
use crate::channels::class::Kind;
use crate::channels::held::Held;
use crate::channels::rules::{Done, Stop};

/// The checkpoint of each channel that has a version and holds anything, by name.
///
/// `before` are those of the last checkpoint: where they are of the same channels, a copy of them is
/// changed, which is quicker than to fill a dict.
#[pyfunction]
pub fn channel_values<'py>(
    py: Python<'py>,
    channels: &Bound<'py, PyDict>,
    versions: &Bound<'py, PyDict>,
    before: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyDict>> {
    let missing = host(py)?.missing.ptr();
    let classes = Classes::now(py)?;
    let mut found: Vec<(Bound<'py, PyAny>, Held)> = Vec::with_capacity(channels.len());
    for (name, object) in channels.iter() {
        if versions.contains(&name)? {
            // SAFETY: the GIL is held, and the channel is.
            let value = unsafe { raised(py, classes.channel(object.as_ptr()).checkpoint(py))? };
            if value.ptr() != missing {
                found.push((name, value));
            }
        }
    }
    // SAFETY: the GIL is held, and all of these are.
    unsafe {
        let values = match before.cast_exact::<PyDict>() {
            Ok(before) if same_names(before.as_ptr(), &found) => before.copy()?,
            _ => PyDict::new(py),
        };
        let filled = !values.is_empty();
        for (name, value) in &found {
            if !filled
                || ffi::PyDict_GetItemWithError(values.as_ptr(), name.as_ptr()) != value.ptr()
            {
                raised(py, set(values.as_ptr(), name.as_ptr(), value.ptr()))?;
            }
        }
        Ok(values)
    }
}

/// Whether a plain dict has just these names, in this order, and each is one object with it.
///
/// # Safety
/// The GIL is held.
unsafe fn same_names(before: *mut ffi::PyObject, found: &[(Bound<'_, PyAny>, Held)]) -> bool {
    let (mut at, mut name) = (0, std::ptr::null_mut());
    // SAFETY: the caller's. Nothing here runs Python code.
    unsafe {
        ffi::PyDict_Size(before).cast_unsigned() == found.len()
            && found.iter().all(|(own, _)| {
                ffi::PyDict_Next(before, &raw mut at, &raw mut name, std::ptr::null_mut()) != 0
                    && name == own.as_ptr()
                    && ffi::PyUnicode_CheckExact(name) != 0
            })
    }
}

/// Channels as a checkpoint has them, and the names of those that LangGraph's function has to make.
#[pyfunction]
pub fn restore_channels<'py>(
    py: Python<'py>,
    specs: &Bound<'py, PyDict>,
    values: &Bound<'py, PyDict>,
    versions: &Bound<'py, PyDict>,
) -> PyResult<(Bound<'py, PyDict>, Vec<Bound<'py, PyAny>>)> {
    let (channels, mut others) = (PyDict::new(py), Vec::new());
    let (classes, missing) = (Classes::now(py)?, host(py)?.missing.ptr());
    for (name, spec) in specs.iter() {
        let stored = values.get_item(&name)?;
        // SAFETY: the GIL is held, and all of these are.
        unsafe {
            let channel = classes.channel(spec.as_ptr());
            let checkpoint = stored.as_ref().map_or(missing, Bound::as_ptr);
            let replayed = checkpoint == missing
                && channel.kind() == Some(Kind::BinaryOperatorAggregate)
                && versions.contains(&name)?;
            if channel.kind().is_none() || replayed {
                others.push(name);
                continue;
            }
            let restored = raised(py, channel.restored(py, checkpoint))?;
            raised(py, set(channels.as_ptr(), name.as_ptr(), restored.ptr()))?;
        }
    }
    Ok((channels, others))
}

/// The exception that a C function set; no rule is unusual once its channel's method was asked.
pub fn raised<T>(py: Python<'_>, done: Done<T>) -> PyResult<T> {
    done.map_err(|stop| match stop {
        Stop::Raised => PyErr::fetch(py),
        Stop::Unusual => pyo3::exceptions::PySystemError::new_err("a channel gave no answer"),
    })
}
