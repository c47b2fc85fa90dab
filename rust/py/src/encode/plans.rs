//! One plan a class, made by `lgckpt._serde.plans` and kept until the class changes.
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyString, PyTuple, PyType};

use super::dataclass::DataclassPlan;
use super::model::ModelPlan;
use crate::failure::{Done, Fail};
use crate::known::{Stamp, known, stamp_of};
use crate::pause::resumed;
use crate::schema::Fields;

/// Classes remembered; more than a process has in use, and a bound for one that makes classes for ever.
const MAX_PLANS: usize = 2048;

/// How instances of one class are written.
pub enum Plan {
    /// LangGraph's own code decides.
    General,
    /// The prefix of its members.
    Enum(Box<[u8]>),
    Dataclass(DataclassPlan),
    Model(ModelPlan),
}

struct Entry {
    /// Keeps the address from being used for another class.
    _class: Py<PyType>,
    stamp: Stamp,
    plan: Arc<Plan>,
}

static PLANS: Mutex<Option<HashMap<usize, Entry>>> = Mutex::new(None);

/// The plan of an object's class, and whether it had to be made, by Python code.
///
/// # Safety
/// `class` is alive, and the GIL is held.
pub unsafe fn of(py: Python<'_>, class: *mut ffi::PyTypeObject) -> Done<(Arc<Plan>, bool)> {
    // SAFETY: the caller's.
    let stamp = unsafe { stamp_of(known(py)?, class) }.ok_or(Fail::Unproven)?;
    {
        let plans = PLANS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = plans.as_ref().and_then(|plans| plans.get(&(class as usize)))
            && entry.stamp == stamp
        {
            return Ok((Arc::clone(&entry.plan), false));
        }
    }
    // SAFETY: the caller's.
    let class = unsafe { Bound::from_borrowed_ptr(py, class.cast()) };
    let class = class.cast::<PyType>().map_err(PyErr::from)?.clone();
    Ok((resumed(|| make(&class, stamp))?, true))
}

/// The function that plans for a class.
pub fn planner(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static PLANNER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    PLANNER.import(py, "lgckpt._serde.plans", "encode_plan")
}

fn make(class: &Bound<'_, PyType>, stamp: Stamp) -> Done<Arc<Plan>> {
    let spec = planner(class.py())?.call1((class,))?;
    let plan = Arc::new(read(&spec)?);
    let entry = Entry { _class: class.clone().unbind(), stamp, plan: Arc::clone(&plan) };
    let old = {
        let mut plans = PLANS.lock().unwrap_or_else(PoisonError::into_inner);
        let plans = plans.get_or_insert_default();
        let full = plans.len() >= MAX_PLANS && !plans.contains_key(&(class.as_ptr() as usize));
        let old = full.then(|| std::mem::take(plans));
        (plans.insert(class.as_ptr() as usize, entry), old)
    };
    // Dropped here, outside the lock: releasing a class may run code.
    drop(old);
    Ok(plan)
}

fn read(spec: &Bound<'_, PyAny>) -> PyResult<Plan> {
    if spec.is_none() {
        return Ok(Plan::General);
    }
    let spec = spec.cast::<PyTuple>()?;
    let prefix = spec.get_item(1)?.cast_into::<PyBytes>()?.as_bytes().into();
    match spec.get_item(0)?.cast::<PyString>()?.to_str()? {
        "enum" => Ok(Plan::Enum(prefix)),
        "dataclass" => {
            let fields = crate::schema::names(&spec.get_item(2)?)?;
            Ok(Plan::Dataclass(DataclassPlan { prefix, fields }))
        }
        _ => Ok(Plan::Model(ModelPlan { prefix, fields: Fields::read(&spec.get_item(2)?)? })),
    }
}
