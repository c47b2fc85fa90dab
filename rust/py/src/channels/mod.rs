//! Native rules for LangGraph's channels, on the slots of LangGraph's own instances.
//!
//! A class of `lgckpt.channels` is a subclass of LangGraph's of the same kind, with nothing of its
//! own but method descriptors over the functions in here. They read and write the `__slots__` of
//! the instance where they lie, so attributes, equality, copying, pickling and the collector's work
//! stay what LangGraph's class makes of them, and an operator may touch its own channel: nothing is
//! ever borrowed. Whatever is not plain (a subclass, a deleted attribute, two values where one may
//! come) is left to LangGraph's own method, with the arguments as they came.

mod after_finish;
pub mod any;
mod barrier;
mod binary_operator;
mod channel;
pub mod class;
pub mod held;
mod host;
mod methods;
mod overwrite;
mod plain;
pub mod rules;
mod slots;
mod topic;
mod value;
mod watched;

use pyo3::prelude::*;
use pyo3::types::PyType;

use class::Kind;

/// Gives a subclass of LangGraph's channel class of that name the native methods.
///
/// Whether it did: a class whose slots are not those of LangGraph 1.2 is left as it is.
#[pyfunction]
fn adopt_channel(
    name: &str,
    theirs: &Bound<'_, PyType>,
    ours: &Bound<'_, PyType>,
) -> PyResult<bool> {
    let Some(kind) = Kind::named(name) else { return Ok(false) };
    let Some(class) = slots::class(kind, theirs, ours)? else { return Ok(false) };
    class::keep(class);
    Ok(true)
}

/// Adds the functions of this file to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(adopt_channel, module)?)
}
