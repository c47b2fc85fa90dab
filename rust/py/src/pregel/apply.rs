//! `apply_writes`: LangGraph's, over the core's.

use std::cell::Cell;

use lgckpt_core::channel::Slots as Numbers;
use lgckpt_core::pregel::{Task as CoreTask, Wiring, Workspace, apply_writes as apply};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use super::board::{PythonBoard, names};
use super::host::host;
use super::moving;
use super::names::Slots;
use super::tasks::{Reader, Task, contains, plain, sorted};
use crate::channels::any::Classes;
use crate::channels::held::Held;
use crate::channels::rules::{Done, Stop, Values};

thread_local! {
    /// The memory of the last step of this thread; taken out, since a reducer may run a graph.
    static WORK: Cell<Option<Workspace<Held>>> = const { Cell::new(None) };
}

/// Applies the writes of tasks; None where LangGraph's own function has to do it.
#[pyfunction]
pub fn apply_writes<'py>(
    py: Python<'py>,
    checkpoint: &Bound<'py, PyAny>,
    channels: &Bound<'py, PyAny>,
    tasks: &Bound<'py, PyList>,
    get_next_version: &Bound<'py, PyAny>,
    trigger_to_nodes: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Ok(checkpoint) = checkpoint.cast_exact::<PyDict>() else { return Ok(None) };
    let part = |name| -> PyResult<Option<Bound<'py, PyDict>>> {
        Ok(checkpoint.get_item(name)?.and_then(|part| part.cast_into_exact().ok()))
    };
    let (Some(versions), Some(versions_seen)) =
        (part(intern!(py, "channel_versions"))?, part(intern!(py, "versions_seen"))?)
    else {
        return Ok(None);
    };
    if !is_dict(channels) {
        return Ok(None);
    }
    let (host, classes) = (host(py)?, Classes::now(py)?);
    let mut reader = Reader {
        py,
        host,
        classes: &classes,
        channels: channels.as_ptr(),
        slots: Slots::default(),
        strays: Vec::new(),
    };
    // SAFETY: the GIL is held, and what is borrowed outlives this call.
    unsafe {
        let step = match Step::read(&mut reader, tasks, trigger_to_nodes) {
            Ok(step) => step,
            Err(Stop::Unusual) => return Ok(None),
            Err(Stop::Raised) => return Err(PyErr::fetch(py)),
        };
        reader.warn()?;
        let mut board = PythonBoard {
            py,
            host,
            slots: &reader.slots,
            tasks: &[],
            versions: versions.as_ptr(),
            versions_seen: versions_seen.as_ptr(),
            get_next_version: get_next_version.as_ptr(),
            next_version: None,
        };
        Ok(Some(Bound::from_owned_ptr(py, step.apply(&mut board)?)))
    }
}

/// Whether a mapping is a dict, or a dict by another name: one whose items are found as a dict's are.
fn is_dict(mapping: &Bound<'_, PyAny>) -> bool {
    if mapping.is_exact_instance_of::<PyDict>() {
        return true;
    }
    // SAFETY: the GIL is held, a class is alive as long as its instance, and dict has these slots.
    unsafe {
        let (own, dict) = (ffi::Py_TYPE(mapping.as_ptr()), &raw const ffi::PyDict_Type);
        let subscript = |class: *const ffi::PyTypeObject| {
            (*class).tp_as_mapping.as_ref().and_then(|methods| methods.mp_subscript)
        };
        mapping.is_instance_of::<PyDict>()
            && subscript(own).map(|slot| slot as usize)
                == subscript(dict).map(|slot| slot as usize)
            && (*own).tp_iter.map(|slot| slot as usize)
                == (*dict).tp_iter.map(|slot| slot as usize)
    }
}

/// A step's tasks, and the channels it has to do with.
struct Step {
    tasks: Vec<Task>,
    fading: Vec<usize>,
    finishing: Vec<usize>,
    triggering: Numbers,
}

impl Step {
    /// # Safety
    /// The GIL is held (so for every function here).
    unsafe fn read(
        reader: &mut Reader<'_, '_>,
        tasks: &Bound<'_, PyList>,
        trigger_to_nodes: &Bound<'_, PyAny>,
    ) -> Done<Self> {
        // SAFETY: the caller's.
        unsafe {
            let sorted = sorted(reader.py, Values::of(tasks.as_ptr())?)?;
            let tasks = sorted.iter().map(|task| reader.read(task)).collect::<Done<Vec<Task>>>()?;
            let mut step = Self {
                tasks,
                fading: Vec::new(),
                finishing: Vec::new(),
                triggering: Numbers::default(),
            };
            if step.tasks.iter().any(Task::is_triggered) {
                step.scan(reader)?;
                step.triggering = Numbers::new(reader.slots.all.len());
                for (number, slot) in reader.slots.all.iter().enumerate() {
                    if contains(trigger_to_nodes.as_ptr(), slot.name.ptr())? {
                        step.triggering.insert(number);
                    }
                }
            }
            Ok(step)
        }
    }

    /// Finds the channels that are told of a new step or of the end, in the order of the mapping.
    unsafe fn scan(&mut self, reader: &mut Reader<'_, '_>) -> Done<()> {
        // SAFETY: the caller's. Nothing in the call runs Python code.
        unsafe {
            moving::each(reader.channels, reader.classes, |(name, object)| {
                let channel = reader.classes.channel(object);
                plain(name)?;
                let number = match reader.slots.number(name) {
                    Some(number) => number,
                    None if channel.is_idle() => return Ok(()),
                    None => reader.slots.add(name, channel),
                };
                if channel.fades() {
                    self.fading.push(number);
                }
                if channel.finishes() {
                    self.finishing.push(number);
                }
                Ok(())
            })
        }
    }

    /// The names of the updated channels, as a new reference.
    unsafe fn apply(mut self, board: &mut PythonBoard<'_, '_>) -> PyResult<*mut ffi::PyObject> {
        let py = board.py;
        let mut writes: Vec<_> =
            self.tasks.iter_mut().map(|task| std::mem::take(&mut task.writes)).collect();
        let mut tasks: Vec<_> = (0..)
            .zip(&self.tasks)
            .zip(writes.drain(..))
            .map(|((node, task), writes)| CoreTask {
                path: node,
                node,
                triggers: &task.slots,
                triggered: task.is_triggered(),
                writes,
            })
            .collect();
        let wiring = Wiring {
            len: board.slots.all.len(),
            fading: &self.fading,
            finishing: &self.finishing,
            triggering: &self.triggering,
        };
        let mut board = PythonBoard { tasks: &self.tasks, next_version: None, ..*board };
        let mut work = WORK.take().unwrap_or_default();
        apply(&mut board, &wiring, &mut tasks, &mut work).map_err(|error| error.into_pyerr(py))?;
        // SAFETY: the caller's.
        let updated = unsafe { names(board.slots, work.updated().slots()) };
        WORK.set(Some(work));
        updated.map(Held::into_owned).map_err(|_| PyErr::fetch(py))
    }
}

impl Task {
    /// Whether anything triggered it, a channel or not.
    fn is_triggered(&self) -> bool {
        // SAFETY: the triggers are a plain list or tuple, and the GIL is held.
        unsafe { ffi::Py_SIZE(self.triggers.ptr()) != 0 }
    }
}
