//! Whether stored rows are as they were written: one call for many of them.

use lgckpt_core::hash::Hash;
use lgckpt_core::sound::{Chunks, Row, Write};
use pyo3::PyTypeInfo;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyInt, PyString, PyTuple};

type Tuples<'py> = Vec<Bound<'py, PyTuple>>;

/// A row's etag, metadata, state and references.
type RowCells = [PyBackedBytes; 4];

/// A write's value and references.
type WriteCells = [PyBackedBytes; 2];

#[pyfunction]
#[pyo3(name = "sound")]
fn is_sound<'py>(
    py: Python<'py>,
    rows: Tuples<'py>,
    writes: Tuples<'py>,
    chunks: Tuples<'py>,
    claims: Vec<Bound<'py, PyAny>>,
) -> bool {
    let rows: Option<Vec<RowCells>> = rows.into_iter().map(|row| row_cells(&row)).collect();
    let writes: Option<Vec<WriteCells>> = writes.into_iter().map(|row| write_cells(&row)).collect();
    let chunks: Option<Vec<_>> = chunks.into_iter().map(|one| chunk_cells(&one)).collect();
    let claims: Option<Vec<Hash>> = claims.into_iter().map(|key| hash(&key)).collect();
    let (Some(rows), Some(writes), Some(chunks), Some(claims)) = (rows, writes, chunks, claims)
    else {
        return false;
    };
    py.detach(|| {
        let frames = chunks.iter().map(|(hash, frame)| (*hash, &**frame));
        let mut chunks = Chunks::new(frames, claims.into_iter());
        rows.iter().all(|[etag, metadata, state, refs]| {
            chunks.hold_row(&Row { etag, metadata, state, refs })
        }) && writes.iter().all(|[value, refs]| chunks.hold_write(&Write { value, refs }))
    })
}

fn row_cells(row: &Bound<'_, PyTuple>) -> Option<RowCells> {
    let typed = maybe_text(row, 3) && maybe_text(row, 4) && is::<PyInt>(row, 5) && row.len() == 10;
    typed.then_some(())?;
    Some([bytes(row, 6)?, bytes(row, 7)?, bytes(row, 8)?, bytes(row, 9)?])
}

fn write_cells(row: &Bound<'_, PyTuple>) -> Option<WriteCells> {
    let texts = [3, 5, 6, 7].iter().all(|at| is::<PyString>(row, *at));
    (texts && is::<PyInt>(row, 4) && row.len() == 10).then_some(())?;
    Some([bytes(row, 8)?, bytes(row, 9)?])
}

fn chunk_cells(chunk: &Bound<'_, PyTuple>) -> Option<(Hash, PyBackedBytes)> {
    Some((hash(&chunk.get_item(0).ok()?)?, bytes(chunk, 1)?))
}

fn hash(key: &Bound<'_, PyAny>) -> Option<Hash> {
    key.cast_exact::<PyBytes>().ok()?.as_bytes().try_into().ok()
}

fn bytes(row: &Bound<'_, PyTuple>, at: usize) -> Option<PyBackedBytes> {
    row.get_item(at).ok()?.cast_into_exact::<PyBytes>().ok().map(Into::into)
}

/// Whether a cell is of a class, and of no subclass.
fn is<T: PyTypeInfo>(row: &Bound<'_, PyTuple>, at: usize) -> bool {
    row.get_item(at).is_ok_and(|cell| cell.is_exact_instance_of::<T>())
}

fn maybe_text(row: &Bound<'_, PyTuple>, at: usize) -> bool {
    is::<PyString>(row, at) || row.get_item(at).is_ok_and(|cell| cell.is_none())
}

/// Adds the function of this file to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(is_sound, module)?)
}
