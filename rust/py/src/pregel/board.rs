//! LangGraph's checkpoint and channels as what the core's step is applied to.

use lgckpt_core::Error;
use lgckpt_core::error::Fault;
use lgckpt_core::pregel::Board;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;

use super::counter;
use super::host::Host;
use super::names::{Slot, Slots};
use super::tasks::{Task, set};
use super::versions;
use crate::channels::held::{Held, done};
use crate::channels::rules::{Done, Stop};
use crate::error::Failure;

/// What a step fails with half-way.
pub enum Broken {
    /// A Python exception is set.
    Raised,
    /// The core refuses.
    Core(Error),
}

impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl Fault for Broken {}

impl From<Stop> for Broken {
    fn from(_: Stop) -> Self {
        Self::Raised
    }
}

impl Broken {
    /// What Python sees.
    pub fn into_pyerr(self, py: Python<'_>) -> PyErr {
        match self {
            Self::Raised => PyErr::fetch(py),
            Self::Core(error) => Failure::from(error).into(),
        }
    }
}

/// See the file. The pointers are to plain dicts, alive for as long as this.
pub struct PythonBoard<'a, 'py> {
    pub py: Python<'py>,
    pub host: &'a Host,
    pub slots: &'a Slots,
    /// What names a node is its task.
    pub tasks: &'a [Task],
    pub versions: *mut ffi::PyObject,
    pub versions_seen: *mut ffi::PyObject,
    /// A function, or None.
    pub get_next_version: *mut ffi::PyObject,
    pub next_version: Option<Held>,
}

impl PythonBoard<'_, '_> {
    fn slot(&self, slot: usize) -> Result<&Slot, Broken> {
        let len = self.slots.all.len();
        self.slots.all.get(slot).ok_or(Broken::Core(Error::NoChannel { slot, len }))
    }

    /// The versions that a node has seen; a new dict if it has none.
    unsafe fn seen(&self, name: &Held) -> Done<Held> {
        // SAFETY: the GIL is held.
        unsafe {
            let seen = ffi::PyDict_GetItemWithError(self.versions_seen, name.ptr());
            if !seen.is_null() {
                return Ok(Held::borrowed(seen));
            }
            if !ffi::PyErr_Occurred().is_null() {
                return Err(Stop::Raised);
            }
            let seen = Held::given(ffi::PyDict_New())?;
            set(self.versions_seen, name.ptr(), seen.ptr())?;
            Ok(seen)
        }
    }

    /// Copies the present versions of a task's triggers.
    unsafe fn copy_versions(&self, task: &Task, into: &Held) -> Done<()> {
        // SAFETY: the GIL is held; the triggers are plain strs in a plain list or tuple.
        unsafe {
            let triggers = crate::channels::rules::Values::of(task.triggers.ptr())?;
            for index in 0..triggers.len() {
                let name = triggers.get(index);
                let version = ffi::PyDict_GetItemWithError(self.versions, name);
                if !version.is_null() {
                    set(into.ptr(), name, version)?;
                } else if !ffi::PyErr_Occurred().is_null() {
                    return Err(Stop::Raised);
                }
            }
            Ok(())
        }
    }

    unsafe fn see_task(&self, task: &Task) -> Done<()> {
        // SAFETY: the GIL is held.
        unsafe {
            let seen = self.seen(&task.name)?;
            if ffi::PyDict_CheckExact(seen.ptr()) != 0 {
                return self.copy_versions(task, &seen);
            }
            let versions = Held::given(ffi::PyDict_New())?;
            self.copy_versions(task, &versions)?;
            let arguments = [seen.ptr(), versions.ptr()];
            let update = intern!(self.py, "update").as_ptr();
            let none = std::ptr::null_mut();
            Held::given(ffi::PyObject_VectorcallMethod(update, arguments.as_ptr(), 2, none))?;
            Ok(())
        }
    }

    unsafe fn next(&self) -> Done<Option<Held>> {
        // SAFETY: the GIL is held.
        unsafe {
            if self.get_next_version == ffi::Py_None() {
                return Ok(None);
            }
            let highest = versions::highest(self.versions)?;
            if let Some(next) = self.counted(highest.as_ref())? {
                return Ok(Some(next));
            }
            let highest = highest.as_ref().map_or_else(|| ffi::Py_None(), Held::ptr);
            let arguments = [highest, ffi::Py_None()];
            let none = std::ptr::null_mut();
            let function = self.get_next_version;
            let next = ffi::PyObject_Vectorcall(function, arguments.as_ptr(), 2, none);
            let next = Held::given(next)?;
            Ok((next.ptr() != ffi::Py_None()).then_some(next))
        }
    }

    /// The next version, where it is plain what the function would give.
    unsafe fn counted(&self, highest: Option<&Held>) -> Done<Option<Held>> {
        // SAFETY: the GIL is held.
        unsafe {
            let bound = |object| Bound::from_borrowed_ptr(self.py, object);
            if !counter::is_known(&bound(self.get_next_version)) {
                return Ok(None);
            }
            let highest = bound(highest.map_or_else(|| ffi::Py_None(), Held::ptr));
            match counter::next_version(self.py, &highest) {
                Ok(Some(next)) => Held::given(next.into_ptr()).map(Some),
                Ok(None) => Ok(None),
                Err(error) => {
                    error.restore(self.py);
                    Err(Stop::Raised)
                }
            }
        }
    }

    unsafe fn apply(&self, slot: &Slot, values: &mut Vec<Held>) -> Done<bool> {
        // SAFETY: the GIL is held; a new list takes the references.
        unsafe {
            if values.is_empty() {
                return slot.channel.update(self.py, self.host.no_values.ptr());
            }
            let list = Held::given(ffi::PyList_New(values.len().cast_signed()))?;
            for (index, value) in (0..).zip(values.drain(..)) {
                ffi::PyList_SET_ITEM(list.ptr(), index, value.into_owned());
            }
            slot.channel.update(self.py, list.ptr())
        }
    }
}

impl Board for PythonBoard<'_, '_> {
    type Value = Held;
    type Error = Broken;

    fn see(&mut self, node: usize, _: &[usize]) -> Result<(), Broken> {
        // A task's triggers may be names without a channel, which have versions all the same.
        if let Some(task) = self.tasks.get(node) {
            // SAFETY: the GIL is held (so for every method here).
            unsafe { self.see_task(task)? };
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<bool, Broken> {
        // SAFETY: as above.
        self.next_version = unsafe { self.next()? };
        Ok(self.next_version.is_some())
    }

    fn bump(&mut self, slot: usize) -> Result<(), Broken> {
        if let Some(version) = &self.next_version {
            let name = self.slot(slot)?.name.ptr();
            // SAFETY: as above.
            unsafe { set(self.versions, name, version.ptr())? };
        }
        Ok(())
    }

    fn is_available(&self, slot: usize) -> Result<bool, Broken> {
        // SAFETY: as above; the slot keeps its channel.
        Ok(unsafe { self.slot(slot)?.channel.is_available(self.py)? })
    }

    fn update(&mut self, slot: usize, values: &mut Vec<Held>) -> Result<bool, Broken> {
        // SAFETY: as above.
        Ok(unsafe { self.apply(self.slot(slot)?, values)? })
    }

    fn consume(&mut self, slot: usize) -> Result<bool, Broken> {
        // SAFETY: as above.
        Ok(unsafe { self.slot(slot)?.channel.consume(self.py)? })
    }

    fn finish(&mut self, slot: usize) -> Result<bool, Broken> {
        // SAFETY: as above.
        Ok(unsafe { self.slot(slot)?.channel.finish(self.py)? })
    }
}

/// The channels that a step updated, as Python's set of names.
///
/// # Safety
/// The GIL is held.
pub unsafe fn names(slots: &Slots, updated: &[usize]) -> Done<Held> {
    // SAFETY: the caller's.
    unsafe {
        let set = Held::given(ffi::PySet_New(std::ptr::null_mut()))?;
        for slot in updated.iter().filter_map(|&slot| slots.all.get(slot)) {
            done(ffi::PySet_Add(set.ptr(), slot.name.ptr()))?;
        }
        Ok(set)
    }
}
