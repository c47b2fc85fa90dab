//! What the step needs of LangGraph.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyFrozenSet, PyTuple};

use crate::known::Immortal;

/// Looked up once, and kept for the life of the process.
pub struct Host {
    /// The names that are no channels for a trigger.
    pub reserved: Immortal,
    /// The names that writes are passed over for.
    pub unwritten: Immortal,
    pub logger: Immortal,
    pub missing: Immortal,
    pub deque: Immortal,
    pub no_values: Immortal,
}

/// The one table of them.
pub fn host(py: Python<'_>) -> PyResult<&'static Host> {
    static HOST: PyOnceLock<Host> = PyOnceLock::new();
    HOST.get_or_try_init(py, || load(py))
}

fn load(py: Python<'_>) -> PyResult<Host> {
    let constants = py.import("langgraph._internal._constants")?;
    let unwritten =
        ["NO_WRITES", "PUSH", "RESUME", "INTERRUPT", "RETURN", "ERROR", "ERROR_SOURCE_NODE"]
            .into_iter()
            .map(|name| constants.getattr(name))
            .collect::<PyResult<Vec<_>>>()?;
    let of = |module: &str, name: &str| -> PyResult<Immortal> {
        Ok(Immortal::new(py.import(module)?.getattr(name)?))
    };
    Ok(Host {
        reserved: Immortal::new(constants.getattr("RESERVED")?),
        unwritten: Immortal::new(PyFrozenSet::new(py, unwritten)?.into_any()),
        logger: of("langgraph.pregel._log", "logger")?,
        missing: of("langgraph._internal._typing", "MISSING")?,
        deque: of("collections", "deque")?,
        no_values: Immortal::new(PyTuple::empty(py).into_any()),
    })
}
