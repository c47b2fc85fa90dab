//! The border between `lgckpt-core` and Python: this file only registers.
use pyo3::prelude::*;

mod error;
mod pack;
mod tree;

/// The compiled core of lgckpt.
#[pymodule(gil_used = true)]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("BUILD_PROFILE", if cfg!(debug_assertions) { "debug" } else { "release" })?;
    pack::register(module)?;
    tree::register(module)
}
