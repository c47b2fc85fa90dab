//! Frames, compression, single chunks, and values put together again.

use lgckpt_core::assemble::Plan;
use lgckpt_core::compress::Format;
use lgckpt_core::frame::{self, Codec, Envelope, Opener};
use lgckpt_core::seal::{self as chunks, CHUNK_MAX, Root};
use lgckpt_core::{Error, compress as formats, hash, refs};
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict};

use crate::error::{ConfigurationError, Failure};

/// Shorter work is done before another thread could take over.
const DETACH_MIN: usize = 4096;

/// Works on bytes, without the GIL where that is worth it.
pub fn work<T: Send>(py: Python<'_>, len: usize, job: impl FnOnce() -> T + Send) -> T {
    if len < DETACH_MIN { job() } else { py.detach(job) }
}

/// Reads the name of a compression format.
pub fn format(name: &str) -> Result<Format, Failure> {
    match name {
        "lz4" => Ok(Format::Lz4),
        "zstd" => Ok(Format::Zstd),
        _ => {
            let text = format!("no codec {name:?}: there are \"lz4\" and \"zstd\"");
            Err(ConfigurationError::new_err(text).into())
        }
    }
}

/// Reads the name of a codec of frames.
pub fn codec(name: Option<&str>) -> Result<Codec, Failure> {
    name.map(format).transpose()
}

#[pyfunction]
#[pyo3(signature = (data, codec))]
fn seal<'py>(
    py: Python<'py>,
    data: &[u8],
    codec: Option<&str>,
) -> Result<Bound<'py, PyBytes>, Failure> {
    let codec = self::codec(codec)?;
    Ok(PyBytes::new(py, &work(py, data.len(), || frame::seal(data, codec))))
}

#[pyfunction]
#[pyo3(signature = (frame, max_len = CHUNK_MAX))]
fn unseal<'py>(
    py: Python<'py>,
    frame: &[u8],
    max_len: usize,
) -> Result<Bound<'py, PyBytes>, Failure> {
    let envelope = Envelope::parse(frame, max_len)?;
    work(py, frame.len(), || envelope.verify())?;
    let plain = PyBytes::new_with(py, envelope.len, |out| {
        let done = work(py, out.len(), || Opener::default().open(&envelope, out));
        done.map_err(|error| Failure::from(error).into())
    });
    Ok(plain?)
}

#[pyfunction]
fn compress<'py>(
    py: Python<'py>,
    data: &[u8],
    codec: &str,
) -> Result<Bound<'py, PyBytes>, Failure> {
    let format = format(codec)?;
    Ok(PyBytes::new(py, &work(py, data.len(), || formats::compress(data, format))?))
}

#[pyfunction]
#[pyo3(signature = (data, codec, max_len = CHUNK_MAX))]
fn decompress<'py>(
    py: Python<'py>,
    data: &[u8],
    codec: &str,
    max_len: usize,
) -> Result<Bound<'py, PyBytes>, Failure> {
    let format = format(codec)?;
    let plain = work(py, data.len(), || formats::decompress(data, format, max_len))?;
    Ok(PyBytes::new(py, &plain))
}

#[pyfunction]
fn hash_chunk<'py>(py: Python<'py>, level: u8, plain: &[u8]) -> Bound<'py, PyBytes> {
    PyBytes::new(py, &work(py, plain.len(), || hash::hash_chunk(level, plain)))
}

/// Eight bytes that change whenever a row's content does.
#[pyfunction]
fn etag<'py>(py: Python<'py>, state: &[u8], refs: &[u8], metadata: &[u8]) -> Bound<'py, PyBytes> {
    let length = state.len() + refs.len() + metadata.len();
    PyBytes::new(py, &work(py, length, || hash::etag(&[state, refs, metadata])))
}

/// A reference and the frame it refers to.
type Sealed<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>);

#[pyfunction]
#[pyo3(signature = (size, head, refs, tail, codec))]
fn seal_root<'py>(
    py: Python<'py>,
    size: u64,
    head: &[u8],
    refs: &[u8],
    tail: &[u8],
    codec: Option<&str>,
) -> Result<Sealed<'py>, Failure> {
    let codec = self::codec(codec)?;
    // Only whole references of levels that exist may be sealed.
    let _ = refs::parse(refs)?;
    let root = Root { size, head, refs, tail };
    let (it, frame) = work(py, head.len() + refs.len() + tail.len(), || root.seal(codec));
    Ok((PyBytes::new(py, &it.to_bytes()), PyBytes::new(py, &frame)))
}

#[pyfunction]
#[pyo3(signature = (data, codec))]
fn seal_leaf<'py>(
    py: Python<'py>,
    data: &[u8],
    codec: Option<&str>,
) -> Result<Sealed<'py>, Failure> {
    let codec = self::codec(codec)?;
    let (it, frame) = work(py, data.len(), || chunks::seal_leaf(data, codec));
    Ok((PyBytes::new(py, &it.to_bytes()), PyBytes::new(py, &frame)))
}

/// The parts of a root: size, head, refs, tail.
type Parts<'py> = (u64, Bound<'py, PyBytes>, Bound<'py, PyBytes>, Bound<'py, PyBytes>);

#[pyfunction]
fn open_root<'py>(py: Python<'py>, frame: &[u8]) -> Result<Parts<'py>, Failure> {
    let plain = work(py, frame.len(), || frame::unseal(frame, CHUNK_MAX))?;
    let root = Root::parse(&plain)?;
    let bytes = |part: &[u8]| PyBytes::new(py, part);
    Ok((root.size, bytes(root.head), bytes(root.refs), bytes(root.tail)))
}

#[pyfunction]
fn children<'py>(py: Python<'py>, level: u8, frame: &[u8]) -> Result<Bound<'py, PyBytes>, Failure> {
    let refs = work(py, frame.len(), || chunks::children(level, frame))?;
    Ok(PyBytes::new(py, &refs))
}

#[pyfunction]
fn assemble<'py>(
    py: Python<'py>,
    size: u64,
    head: &[u8],
    refs: &[u8],
    tail: &[u8],
    chunks: &Bound<'py, PyAny>,
) -> Result<Bound<'py, PyBytes>, Failure> {
    let root = Root { size, head, refs, tail };
    let plan = Plan::new(root, |hash| find(chunks, &PyBytes::new(py, hash)))?;
    let value = PyBytes::new_with(py, plan.size(), |out| {
        let done: Result<(), Error> = work(py, out.len(), || plan.fill(out));
        done.map_err(|error| Failure::from(error).into())
    });
    Ok(value?)
}

fn find(
    chunks: &Bound<'_, PyAny>,
    hash: &Bound<'_, PyBytes>,
) -> Result<Option<PyBackedBytes>, Failure> {
    let found = match chunks.cast_exact::<PyDict>() {
        Ok(dict) => dict.get_item(hash)?,
        Err(_) => match chunks.get_item(hash) {
            Ok(frame) => Some(frame),
            Err(error) if error.is_instance_of::<PyKeyError>(chunks.py()) => None,
            Err(error) => return Err(error.into()),
        },
    };
    let Some(frame) = found else { return Ok(None) };
    Ok(Some(frame.cast_into::<PyBytes>().map_err(PyErr::from)?.into()))
}

/// Adds the functions of this file to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(seal, module)?)?;
    module.add_function(wrap_pyfunction!(unseal, module)?)?;
    module.add_function(wrap_pyfunction!(compress, module)?)?;
    module.add_function(wrap_pyfunction!(decompress, module)?)?;
    module.add_function(wrap_pyfunction!(hash_chunk, module)?)?;
    module.add_function(wrap_pyfunction!(etag, module)?)?;
    module.add_function(wrap_pyfunction!(seal_root, module)?)?;
    module.add_function(wrap_pyfunction!(seal_leaf, module)?)?;
    module.add_function(wrap_pyfunction!(open_root, module)?)?;
    module.add_function(wrap_pyfunction!(children, module)?)?;
    module.add_function(wrap_pyfunction!(assemble, module)?)
}
