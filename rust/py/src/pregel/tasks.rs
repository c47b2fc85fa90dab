//! The tasks of a step as Python has them: what they wrote, and what triggered them.

use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;

use super::host::Host;
use super::names::Slots;
use super::paths;
use crate::channels::any::Classes;
use crate::channels::held::{Held, done, truth};
use crate::channels::rules::{Done, Stop, Values};

/// A task, read.
pub struct Task {
    pub name: Held,
    /// A plain list or tuple.
    pub triggers: Held,
    /// The channels among the triggers.
    pub slots: Vec<usize>,
    pub writes: Vec<(usize, Held)>,
}

/// A warning that is due: the task, and the name it wrote to.
pub type Stray = (Held, Held);

/// Reads tasks, and gives each channel they name a number.
pub struct Reader<'a, 'py> {
    pub py: Python<'py>,
    pub host: &'a Host,
    pub classes: &'a Classes,
    /// A plain dict.
    pub channels: *mut ffi::PyObject,
    pub slots: Slots,
    pub strays: Vec<Stray>,
}

/// The tasks in the order in which they are applied.
///
/// # Safety
/// `tasks` is a plain list, alive, and the GIL is held.
pub unsafe fn sorted(py: Python<'_>, tasks: Values) -> Done<Vec<Held>> {
    // SAFETY: the caller's.
    unsafe {
        let len = tasks.len();
        let mut keyed = Vec::with_capacity(len.unsigned_abs());
        let mut index = 0;
        while index < tasks.len() {
            let task = Held::borrowed(tasks.get(index));
            let mut key = Vec::new();
            if len > 1 {
                let path =
                    Held::given(ffi::PyObject_GetAttr(task.ptr(), intern!(py, "path").as_ptr()))?;
                key.reserve(48);
                paths::append(&mut key, path.ptr(), 0)?;
            }
            keyed.push((key, task));
            index += 1;
        }
        keyed.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(keyed.into_iter().map(|(_, task)| task).collect())
    }
}

impl Reader<'_, '_> {
    /// # Safety
    /// The GIL is held (so for every method here).
    pub unsafe fn read(&mut self, task: &Held) -> Done<Task> {
        // SAFETY: the caller's.
        unsafe {
            let of = |name: &Bound<'_, pyo3::types::PyString>| {
                Held::given(ffi::PyObject_GetAttr(task.ptr(), name.as_ptr()))
            };
            let name = of(intern!(self.py, "name"))?;
            let triggers = of(intern!(self.py, "triggers"))?;
            let slots = self.triggers(Values::of(triggers.ptr())?)?;
            let written = self.sequence(of(intern!(self.py, "writes"))?)?;
            let writes = self.writes(task, Values::of(written.ptr())?)?;
            Ok(Task { name, triggers, slots, writes })
        }
    }

    /// What a task wrote is in a deque, unless it comes from no task.
    unsafe fn sequence(&self, items: Held) -> Done<Held> {
        // SAFETY: the caller's.
        unsafe {
            if ffi::Py_TYPE(items.ptr()) == self.host.deque.class() {
                Held::given(ffi::PySequence_List(items.ptr()))
            } else {
                Ok(items)
            }
        }
    }

    unsafe fn triggers(&mut self, names: Values) -> Done<Vec<usize>> {
        // SAFETY: the caller's.
        unsafe {
            let mut slots = Vec::new();
            for index in 0..names.len() {
                let name = names.get(index);
                if let Some(slot) = self.slot(name)?
                    && !truth(ffi::PySet_Contains(self.host.reserved.ptr(), name))?
                {
                    slots.push(slot);
                }
            }
            Ok(slots)
        }
    }

    unsafe fn writes(&mut self, task: &Held, writes: Values) -> Done<Vec<(usize, Held)>> {
        // SAFETY: the caller's; a tuple of two is checked for.
        unsafe {
            let mut read = Vec::with_capacity(writes.len().unsigned_abs());
            for index in 0..writes.len() {
                let write = writes.get(index);
                if ffi::PyTuple_CheckExact(write) == 0 || ffi::PyTuple_GET_SIZE(write) != 2 {
                    return Err(Stop::Unusual);
                }
                let name = ffi::PyTuple_GET_ITEM(write, 0);
                plain(name)?;
                if truth(ffi::PySet_Contains(self.host.unwritten.ptr(), name))? {
                    continue;
                }
                match self.slot(name)? {
                    Some(slot) => {
                        read.push((slot, Held::borrowed(ffi::PyTuple_GET_ITEM(write, 1))));
                    }
                    None => {
                        self.strays.push((Held::borrowed(task.ptr()), Held::borrowed(name)));
                    }
                }
            }
            Ok(read)
        }
    }

    /// The number of the channel of that name, if there is one.
    unsafe fn slot(&mut self, name: *mut ffi::PyObject) -> Done<Option<usize>> {
        // SAFETY: the caller's.
        unsafe {
            plain(name)?;
            if let Some(slot) = self.slots.number(name) {
                return Ok(Some(slot));
            }
            let channel = ffi::PyDict_GetItemWithError(self.channels, name);
            if channel.is_null() {
                return if ffi::PyErr_Occurred().is_null() { Ok(None) } else { Err(Stop::Raised) };
            }
            Ok(Some(self.slots.add(name, self.classes.channel(channel))))
        }
    }

    /// Says which writes go nowhere, in LangGraph's words.
    pub unsafe fn warn(&self) -> PyResult<()> {
        for (task, name) in &self.strays {
            // SAFETY: the caller's.
            let (task, name) = unsafe {
                let bound = |held: &Held| Bound::from_borrowed_ptr(self.py, held.ptr());
                (bound(task), bound(name))
            };
            let (node, path) = (task.getattr("name")?, task.getattr("path")?);
            let text = format!(
                "Task {} with path {} wrote to unknown channel {}, ignoring it.",
                node.str()?,
                path.str()?,
                name.str()?
            );
            // SAFETY: as above; the logger is kept for ever.
            let logger = unsafe { Bound::from_borrowed_ptr(self.py, self.host.logger.ptr()) };
            logger.call_method1("warning", (text,))?;
        }
        Ok(())
    }
}

/// Requires a plain str, with which nothing in a dict runs Python code.
///
/// # Safety
/// `name` is alive and the GIL is held.
#[inline(always)]
pub unsafe fn plain(name: *mut ffi::PyObject) -> Done<()> {
    // SAFETY: the caller's.
    if unsafe { ffi::PyUnicode_CheckExact(name) } == 0 { Err(Stop::Unusual) } else { Ok(()) }
}

/// Whether the name is in a mapping or a set.
///
/// # Safety
/// As for [`plain`].
#[inline(always)]
pub unsafe fn contains(mapping: *mut ffi::PyObject, name: *mut ffi::PyObject) -> Done<bool> {
    // SAFETY: the caller's.
    unsafe {
        if ffi::PyDict_CheckExact(mapping) != 0 {
            truth(ffi::PyDict_Contains(mapping, name))
        } else {
            truth(ffi::PySequence_Contains(mapping, name))
        }
    }
}

/// Puts a value into a dict.
///
/// # Safety
/// All are alive and the GIL is held.
#[inline(always)]
pub unsafe fn set(
    dict: *mut ffi::PyObject,
    name: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
) -> Done<()> {
    // SAFETY: the caller's.
    unsafe { done(ffi::PyDict_SetItem(dict, name, value)) }
}
