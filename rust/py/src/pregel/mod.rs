//! LangGraph's step on its own checkpoints and channels, native channel by channel.
//!
//! What a function in here cannot do exactly as LangGraph's does is said with None, before anything
//! has changed: `lgckpt.pregel` then calls LangGraph's.

mod apply;
mod board;
mod checkpoint;
mod counter;
mod host;
mod ids;
mod moving;
mod names;
mod paths;
mod tasks;
mod triggers;
mod versions;

use pyo3::prelude::*;

/// Adds the functions of this directory to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(apply::apply_writes, module)?)?;
    module.add_function(wrap_pyfunction!(checkpoint::channel_values, module)?)?;
    module.add_function(wrap_pyfunction!(checkpoint::restore_channels, module)?)?;
    module.add_function(wrap_pyfunction!(counter::count_versions, module)?)?;
    module.add_function(wrap_pyfunction!(counter::next_version, module)?)?;
    module.add_function(wrap_pyfunction!(ids::uuid6, module)?)?;
    module.add_function(wrap_pyfunction!(triggers::triggers, module)?)
}
