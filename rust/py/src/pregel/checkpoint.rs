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
use crate::walk::Walk;

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
        if let Ok(before) = before.cast_exact::<PyDict>()
            && let Some(values) = updated(channels, versions, before, &classes)?
        {
            return Ok(values);
        }
        let values = PyDict::new(py);
        for (name, channel) in snapshot(channels) {
            if raised(py, truth(ffi::PyDict_Contains(versions.as_ptr(), name.ptr())))? {
                let value = raised(py, classes.channel(channel.ptr()).checkpoint(py))?;
                if value.ptr() != missing {
                    raised(py, set(values.as_ptr(), name.ptr(), value.ptr()))?;
                }
            }
        }
        Ok(values)
    }
}

/// The values of the last checkpoint, but for those that are other objects now; None unless they are
/// of the same channels, in the same order, all of known kinds.
///
/// # Safety
/// The GIL is held.
unsafe fn updated<'py>(
    channels: &Bound<'py, PyDict>,
    versions: &Bound<'py, PyDict>,
    before: &Bound<'py, PyDict>,
    classes: &Classes,
) -> PyResult<Option<Bound<'py, PyDict>>> {
    let (py, values) = (channels.py(), before.copy()?);
    let missing = host(py)?.missing.ptr();
    let (mut walk, mut versioned, mut kept) =
        (Walk::of(channels), Walk::of(versions), Walk::of(&values));
    // SAFETY: the caller's. What is used of the dicts is held, since a finalizer may run: only the
    // copy is nobody else's, and its values are those of `before` until they are replaced.
    unsafe {
        while let Some((name, channel)) = walk.here() {
            let (name, channel) = (Held::borrowed(name), Held::borrowed(channel));
            walk.go_on();
            if versioned.pass(name.ptr()).is_none()
                && !raised(py, truth(ffi::PyDict_Contains(versions.as_ptr(), name.ptr())))?
            {
                continue;
            }
            let value = match classes.channel(channel.ptr()).plain_checkpoint() {
                Err(Stop::Unusual) => return Ok(None),
                given => raised(py, given)?,
            };
            if value.ptr() == missing {
                continue;
            }
            match kept.pass(name.ptr()) {
                Some(had) if had == value.ptr() => {}
                Some(_) if ffi::PyUnicode_CheckExact(name.ptr()) != 0 => {
                    raised(py, set(values.as_ptr(), name.ptr(), value.ptr()))?;
                }
                _ => return Ok(None),
            }
        }
    }
    Ok(kept.here().is_none().then_some(values))
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
