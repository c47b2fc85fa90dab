//! A checkpoint row whose values are all small, read in one call.
//!
//! `lgckpt.reading` reads any row and says what is wrong with one; what is not plainly in order is left
//! to it.
use lgckpt_core::frame::unseal;
use lgckpt_core::seal::CHUNK_MAX;
use lgckpt_core::state;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::{Decoder, Rules};
use crate::failure::{Done, Fail};

const MSGPACK: &str = "msgpack";

/// A checkpoint with its channel values, and its metadata.
pub type Row<'py> = (Bound<'py, PyDict>, Bound<'py, PyDict>);

/// The row, or None where it takes more than this path can do, damage among it.
pub fn read<'py>(
    py: Python<'py>,
    state: &[u8],
    metadata: &[u8],
    rules: &Rules<'_, 'py>,
) -> PyResult<Option<Row<'py>>> {
    match row(py, state, metadata, rules) {
        Ok(row) => Ok(row),
        Err(Fail::Raised(error)) if !error.is_instance_of::<pyo3::exceptions::PyException>(py) => {
            Err(*error)
        }
        Err(_) => Ok(None),
    }
}

fn row<'py>(
    py: Python<'py>,
    state: &[u8],
    metadata: &[u8],
    rules: &Rules<'_, 'py>,
) -> Done<Option<Row<'py>>> {
    let (Ok(state), Ok(metadata)) = (unseal(state, CHUNK_MAX), unseal(metadata, CHUNK_MAX)) else {
        return Ok(None);
    };
    let Some((MSGPACK, bare, values)) = state::parse(&state) else { return Ok(None) };
    let Some(metadata) = metadata.strip_prefix(b"msgpack\0") else { return Ok(None) };
    let Ok(checkpoint) = value(py, bare, rules)?.cast_into_exact::<PyDict>() else {
        return Ok(None);
    };
    let found = PyDict::new(py);
    for it in values {
        let value = match it.tag {
            MSGPACK => value(py, it.data, rules)?,
            "null" if it.data.is_empty() => py.None().into_bound(py),
            "bytes" => PyBytes::new(py, it.data).into_any(),
            _ => return Ok(None),
        };
        found.set_item(it.channel, value)?;
    }
    checkpoint.set_item("channel_values", found)?;
    let metadata = value(py, metadata, rules)?.cast_into_exact();
    Ok(metadata.ok().map(|metadata| (checkpoint, metadata)))
}

fn value<'py>(py: Python<'py>, data: &[u8], rules: &Rules<'_, 'py>) -> Done<Bound<'py, PyAny>> {
    Decoder::over(py, data, rules)?.message()
}
