//! Msgpack to Python objects: what LangGraph's `JsonPlusSerializer` reads, and an error where it would
//! ignore trailing bytes or turn an object silently into `None`.
mod builtin;
mod cache;
mod classes;
mod ext;
mod input;
mod key;
mod object;
mod row;
mod text;
mod validate;
mod value;

use pyo3::prelude::*;

use crate::failure::Fail;
use crate::known::{Known, known};
use crate::pause::Pause;
use crate::stack;

use ext::{ObjectDecoder, Objects};
use input::Input;

/// One call's state.
struct Decoder<'a, 'py> {
    py: Python<'py>,
    known: &'static Known,
    data: &'a [u8],
    at: usize,
    /// Bytes that the open containers still need, at one a value: what is left must cover it.
    owed: usize,
    /// Values open in the current message, as ormsgpack counts them.
    depth: u32,
    /// Objects open, each with a message of its own.
    objects: u32,
    stack_floor: usize,
    rules: &'a Rules<'a, 'py>,
}

/// What extensions become.
enum Rules<'a, 'py> {
    /// Nothing: they are an error.
    None,
    /// What a callable gives for the code and the bytes.
    Hook(&'a Bound<'py, PyAny>),
    /// Objects, as LangGraph's own hook makes them.
    Objects(&'a Objects<'a, 'py>),
}

impl<'a, 'py> Decoder<'a, 'py> {
    fn over(py: Python<'py>, data: &'a [u8], rules: &'a Rules<'a, 'py>) -> PyResult<Self> {
        Ok(Self {
            py,
            known: known(py)?,
            data,
            at: 0,
            owed: 0,
            depth: 0,
            objects: stack::objects(),
            stack_floor: stack::floor(),
            rules,
        })
    }
}

fn run<'py>(data: &Bound<'py, PyAny>, rules: &Rules<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = data.py();
    let input = Input::of(data).map_err(Fail::into_pyerr)?;
    let mut decoder = Decoder::over(py, input.bytes(), rules)?;
    let _pause = Pause::over(py, decoder.data.len());
    decoder.message().map_err(Fail::into_pyerr)
}

/// Unpacks one value, as `ormsgpack.unpackb` does with `OPT_NON_STR_KEYS`.
///
/// `ext_hook` is called with the code and the bytes of each extension.
#[pyfunction]
#[pyo3(signature = (data, ext_hook = None))]
fn decode<'py>(
    data: &Bound<'py, PyAny>,
    ext_hook: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    match ext_hook.filter(|hook| !hook.is_none()) {
        Some(hook) => run(data, &Rules::Hook(hook)),
        None => run(data, &Rules::None),
    }
}

/// Registers the decoder.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(decode, module)?)?;
    module.add_class::<ObjectDecoder>()
}
