//! The border between `lgckpt-core` and Python: this file only registers.
#![allow(clippy::inline_always, reason = "measured: the hot loops are made of these functions")]

mod channels;
mod decode;
mod encode;
mod error;
mod failure;
mod known;
mod pack;
mod pause;
mod pregel;
mod schema;
mod sound;
mod stack;
mod text;
mod tree;
mod value;
mod walk;

use pyo3::prelude::*;

/// The compiled core of lgckpt.
#[pymodule(gil_used = true)]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("BUILD_PROFILE", if cfg!(debug_assertions) { "debug" } else { "release" })?;
    channels::register(module)?;
    encode::register(module)?;
    decode::register(module)?;
    pack::register(module)?;
    pregel::register(module)?;
    sound::register(module)?;
    tree::register(module)
}
