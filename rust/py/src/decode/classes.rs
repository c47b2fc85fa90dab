//! The classes named in extensions: looked up once, and seen again when they are replaced.
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyString, PyTuple};

use super::cache::hash;
use crate::failure::Done;
use crate::known::{Known, Stamp, stamp_of};
use crate::pause::resumed;
use crate::schema::{Fields, Names, names};

const CLASSES: usize = 1024;

/// How instances of one class are made.
pub enum Making {
    /// LangGraph's own hook decides.
    General,
    /// The class is called as the extension's code says.
    Call,
    Datetime,
    Date,
    Set,
    Frozenset,
    /// The fields, in the order in which the class's own `__init__` sets them.
    Dataclass(Names),
    Model(ModelMaking),
}

/// How instances of one model are made without its constructor.
pub struct ModelMaking {
    pub fields: Fields,
    /// Set for messages whose validator looks at tool calls.
    pub tool_calls: Option<ToolCalls>,
}

/// Where a message's validator looks, by the places of the fields.
#[derive(FromPyObject)]
pub struct ToolCalls {
    #[pyo3(attribute("additional_kwargs"))]
    pub kwargs: usize,
    #[pyo3(attribute("tool_calls"))]
    pub valid: usize,
    #[pyo3(attribute("invalid_tool_calls"))]
    pub invalid: usize,
}

/// A class that a name leads to now.
pub struct Found {
    module: Py<PyAny>,
    pub class: Py<PyAny>,
    stamp: Option<Stamp>,
    pub making: Making,
}

/// One `module` and `name`, and what they led to last.
pub struct Named {
    /// Both, as they are in the message.
    prefix: Box<[u8]>,
    pub module: Py<PyString>,
    pub name: Py<PyString>,
    pub key: Py<PyTuple>,
    found: Mutex<Option<Arc<Found>>>,
}

static NAMED: Mutex<Vec<Option<Arc<Named>>>> = Mutex::new(Vec::new());

/// The names that `prefix` holds, if they were met before.
pub fn met(prefix: &[u8]) -> Option<Arc<Named>> {
    let table = NAMED.lock().unwrap_or_else(PoisonError::into_inner);
    let named = table.get(place(prefix))?.as_ref()?;
    (*named.prefix == *prefix).then(|| Arc::clone(named))
}

#[expect(clippy::cast_possible_truncation, reason = "an index")]
fn place(prefix: &[u8]) -> usize {
    hash(prefix) as usize % CLASSES
}

/// Remembers the names that `prefix` holds.
pub fn meet(
    prefix: &[u8],
    module: &Bound<'_, PyAny>,
    name: &Bound<'_, PyAny>,
) -> PyResult<Arc<Named>> {
    let (module, name) = (module.cast::<PyString>()?, name.cast::<PyString>()?);
    let named = Arc::new(Named {
        prefix: prefix.into(),
        module: module.clone().unbind(),
        name: name.clone().unbind(),
        key: PyTuple::new(module.py(), [module, name])?.unbind(),
        found: Mutex::new(None),
    });
    let old = {
        let mut table = NAMED.lock().unwrap_or_else(PoisonError::into_inner);
        if table.is_empty() {
            table.resize_with(CLASSES, || None);
        }
        table[place(prefix)].replace(Arc::clone(&named))
    };
    // Dropped here, outside the lock: releasing a class may run code.
    drop(old);
    Ok(named)
}

impl Named {
    /// Whether they are written as `prefix`.
    pub fn is(&self, prefix: &[u8]) -> bool {
        *self.prefix == *prefix
    }

    /// The class they lead to in the modules loaded now; None if that is not a plain lookup.
    pub fn find(&self, py: Python<'_>, known: &Known) -> Done<Option<Arc<Found>>> {
        // SAFETY: borrowed references, used before anything could drop them.
        let (module, class) = unsafe {
            let modules = ffi::PyImport_GetModuleDict();
            let module = ffi::PyDict_GetItemWithError(modules, self.module.as_ptr());
            if module.is_null() || ffi::Py_TYPE(module) != &raw mut ffi::PyModule_Type {
                ffi::PyErr_Clear();
                return Ok(None);
            }
            let class =
                ffi::PyDict_GetItemWithError(ffi::PyModule_GetDict(module), self.name.as_ptr());
            if class.is_null() || ffi::PyType_Check(class) == 0 {
                ffi::PyErr_Clear();
                return Ok(None);
            }
            (module, class)
        };
        if let Some(found) = &*self.found.lock().unwrap_or_else(PoisonError::into_inner)
            && found.module.as_ptr() == module
            && found.class.as_ptr() == class
            && found.stamp.is_some()
            // SAFETY: the class is alive.
            && found.stamp == unsafe { Stamp::of(class.cast()) }
        {
            return Ok(Some(Arc::clone(found)));
        }
        // SAFETY: both are alive.
        let (module, class) =
            unsafe { (Bound::from_borrowed_ptr(py, module), Bound::from_borrowed_ptr(py, class)) };
        self.look(known, &module, &class).map(Some)
    }

    #[cold]
    fn look(
        &self,
        known: &Known,
        module: &Bound<'_, PyAny>,
        class: &Bound<'_, PyAny>,
    ) -> Done<Arc<Found>> {
        // SAFETY: the class is alive.
        let stamp = unsafe { stamp_of(known, class.as_ptr().cast()) };
        let making = if stamp.is_some() { making(class)? } else { Making::General };
        let found = Arc::new(Found {
            module: module.clone().unbind(),
            class: class.clone().unbind(),
            stamp,
            making,
        });
        let old = {
            let mut slot = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            slot.replace(Arc::clone(&found))
        };
        drop(old);
        Ok(found)
    }
}

/// The function that plans for a class.
pub fn planner(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static PLANNER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    PLANNER.import(py, "lgckpt._serde.plans", "decode_plan")
}

fn making(class: &Bound<'_, PyAny>) -> PyResult<Making> {
    let py = class.py();
    // SAFETY: `known` loaded the datetime API before anything was decoded.
    let api = unsafe { &*ffi::PyDateTimeAPI() };
    let pointer = class.as_ptr().cast::<ffi::PyTypeObject>();
    if pointer == api.DateTimeType {
        return Ok(Making::Datetime);
    } else if pointer == api.DateType {
        return Ok(Making::Date);
    } else if pointer == &raw mut ffi::PySet_Type {
        return Ok(Making::Set);
    } else if pointer == &raw mut ffi::PyFrozenSet_Type {
        return Ok(Making::Frozenset);
    }
    let spec = resumed(|| planner(py)?.call1((class,)))?;
    if spec.is_none() {
        return Ok(Making::General);
    }
    let spec = spec.cast::<PyTuple>()?;
    match spec.get_item(0)?.cast::<PyString>()?.to_str()? {
        "call" => Ok(Making::Call),
        "dataclass" => Ok(Making::Dataclass(names(&spec.get_item(1)?)?)),
        _ => Ok(Making::Model(ModelMaking {
            fields: Fields::read(&spec.get_item(1)?)?,
            tool_calls: spec.get_item(2)?.extract()?,
        })),
    }
}
