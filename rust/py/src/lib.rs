//! The border between `lgckpt-core` and Python: this file only registers.
mod decode;
mod encode;
mod failure;
mod known;
mod schema;
mod stack;
mod text;

use pyo3::prelude::*;

/// The compiled core of lgckpt.
#[pymodule(gil_used = true)]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("BUILD_PROFILE", if cfg!(debug_assertions) { "debug" } else { "release" })?;
    module.add_function(wrap_pyfunction!(encode::encode, module)?)?;
    module.add_function(wrap_pyfunction!(decode::decode, module)?)?;
    module.add_class::<encode::PackedExt>()?;
    module.add_class::<encode::ObjectEncoder>()?;
    module.add_class::<decode::ObjectDecoder>()?;
    Ok(())
}
