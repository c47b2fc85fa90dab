//! What channels need of LangGraph: its sentinel, its classes, its names.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyString;

use crate::known::Immortal;

/// Looked up once, and kept for the life of the process.
pub struct Host {
    /// The value of a channel that holds none.
    pub missing: Immortal,
    pub empty_channel_error: Immortal,
    pub overwrite: Immortal,
    pub delta_snapshot: Immortal,
    /// LangGraph's own function that tells an `Overwrite`, in all its forms.
    pub get_overwrite: Immortal,
    /// `operator.add`.
    pub add: Immortal,
    /// The key that makes a dict an `Overwrite`.
    pub overwrite_key: Immortal,
    /// A key of a dict that was made of an `Overwrite`.
    pub type_key: Immortal,
}

/// The one table of them.
pub fn host(py: Python<'_>) -> PyResult<&'static Host> {
    static HOST: PyOnceLock<Host> = PyOnceLock::new();
    HOST.get_or_try_init(py, || load(py))
}

fn load(py: Python<'_>) -> PyResult<Host> {
    let of = |module: &str, name: &str| -> PyResult<Immortal> {
        Ok(Immortal::new(py.import(module)?.getattr(name)?))
    };
    Ok(Host {
        missing: of("langgraph._internal._typing", "MISSING")?,
        empty_channel_error: of("langgraph.errors", "EmptyChannelError")?,
        overwrite: of("langgraph.types", "Overwrite")?,
        delta_snapshot: of("langgraph.checkpoint.serde.types", "_DeltaSnapshot")?,
        get_overwrite: of("langgraph.channels.binop", "_get_overwrite")?,
        add: of("operator", "add")?,
        overwrite_key: of("langgraph._internal._constants", "OVERWRITE")?,
        type_key: Immortal::new(PyString::intern(py, "type").into_any()),
    })
}
