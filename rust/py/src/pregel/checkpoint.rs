//! What channels leave in a checkpoint, and how they are made of it again.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::host::host;
use super::tasks::set;
use crate::channels::any::Classes;
use crate::channels::class::Kind;
use crate::channels::held::{Held, truth};
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
    // SAFETY: the GIL is held, and so are the channels.
    unsafe {
        let mut found = Vec::with_capacity(channels.len());
        for (name, channel) in snapshot(channels) {
            if raised(py, truth(ffi::PyDict_Contains(versions.as_ptr(), name.ptr())))? {
                let value = raised(py, classes.channel(channel.ptr()).checkpoint(py))?;
                if value.ptr() != missing {
                    found.push((name, value));
                }
            }
        }
        let (values, changed) = match before.cast_exact::<PyDict>() {
            Ok(before) => match changes(before.as_ptr(), &found) {
                Some(changed) => (before.copy()?, changed),
                None => (PyDict::new(py), (0..found.len()).collect()),
            },
            Err(_) => (PyDict::new(py), (0..found.len()).collect()),
        };
        for (name, value) in changed.into_iter().filter_map(|index| found.get(index)) {
            raised(py, set(values.as_ptr(), name.ptr(), value.ptr()))?;
        }
        Ok(values)
    }
}

/// The items of a dict, held: a channel's method may change it.
///
/// # Safety
/// The GIL is held.
unsafe fn snapshot(dict: &Bound<'_, PyDict>) -> Vec<(Held, Held)> {
    let mut items = Vec::with_capacity(dict.len());
    let (mut at, mut name, mut value) = (0, std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: the caller's. Nothing here runs Python code.
    unsafe {
        while ffi::PyDict_Next(dict.as_ptr(), &raw mut at, &raw mut name, &raw mut value) != 0 {
            items.push((Held::borrowed(name), Held::borrowed(value)));
        }
    }
    items
}

/// Which values are other objects in a plain dict, if that has just these names in this order, and
/// each is one object with it.
///
/// # Safety
/// The GIL is held.
unsafe fn changes(before: *mut ffi::PyObject, found: &[(Held, Held)]) -> Option<Vec<usize>> {
    let (mut at, mut name, mut value) = (0, std::ptr::null_mut(), std::ptr::null_mut());
    let mut changed = Vec::new();
    // SAFETY: the caller's. Nothing here runs Python code.
    unsafe {
        if ffi::PyDict_Size(before).cast_unsigned() != found.len() {
            return None;
        }
        for (index, (own, now)) in found.iter().enumerate() {
            if ffi::PyDict_Next(before, &raw mut at, &raw mut name, &raw mut value) == 0
                || name != own.ptr()
                || ffi::PyUnicode_CheckExact(name) == 0
            {
                return None;
            }
            if value != now.ptr() {
                changed.push(index);
            }
        }
    }
    Some(changed)
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
    // SAFETY: the GIL is held, and so are the specs.
    unsafe {
        for (name, spec) in snapshot(specs) {
            let bound = Bound::from_borrowed_ptr(py, name.ptr());
            let stored = values.get_item(&bound)?;
            let channel = classes.channel(spec.ptr());
            let checkpoint = stored.as_ref().map_or(missing, Bound::as_ptr);
            let replayed = checkpoint == missing
                && channel.kind() == Some(Kind::BinaryOperatorAggregate)
                && versions.contains(&bound)?;
            if channel.kind().is_none() || replayed {
                others.push(bound);
                continue;
            }
            let restored = raised(py, channel.restored(py, checkpoint))?;
            raised(py, set(channels.as_ptr(), name.ptr(), restored.ptr()))?;
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
