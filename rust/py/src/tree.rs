//! The chunk tree of a value, and sets of chunks that are known to be stored.

use lgckpt_core::hash::Hash;
use lgckpt_core::{known, refs, tree, unsent};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use crate::encode::{Listed, Witness};
use crate::error::Failure;
use crate::pack::work;
use crate::value::{Value, View};

/// The keys of chunks that are thought to be stored.
#[pyclass(frozen, module = "lgckpt._core")]
struct Known(known::Known);

#[pymethods]
impl Known {
    #[new]
    #[pyo3(signature = (refs = b"".as_slice()))]
    fn new(refs: &[u8]) -> Result<Self, Failure> {
        Ok(Self(refs::parse(refs)?.map(|it| it.hash).collect()))
    }

    fn __contains__(&self, hash: &[u8]) -> bool {
        Hash::try_from(hash).is_ok_and(|hash| self.0.contains(&hash))
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    #[getter]
    fn nbytes(&self) -> usize {
        self.0.nbytes()
    }
}

/// What has to be sent, as keys and frames, and the keys it relies on.
type Unsent<'py> = (Bound<'py, PyList>, Bound<'py, PyList>);

/// A value split into chunks and hashed.
#[pyclass(frozen, module = "lgckpt._core")]
pub struct Tree {
    data: Value,
    chunks: tree::Tree,
    /// What is known of the elements of a list, if it was packed after an earlier one.
    witness: Option<Witness>,
}

impl Tree {
    /// The tree of a list that was packed after the one with the tree `earlier`.
    pub fn witnessed(list: Listed<'_>, earlier: &Bound<'_, Self>) -> Self {
        let Listed { written, kept, witness } = list;
        if kept == 0 {
            return Self { witness: Some(witness), ..Self::new(written, true, Some(earlier)) };
        }
        let (py, before) = (written.py(), earlier.get());
        let (head, rest) = written.as_bytes().split_at(witness.start());
        let data = before.data.grow(py, kept, head, rest);
        let (leaves, left) = witness.goes_on_after(before.chunks.leaf_ends(), kept);
        let view = data.view(py);
        let chunks = work(py, rest.len(), || {
            view.with(|bytes| tree::Tree::grown(bytes, &before.chunks, leaves, left))
        });
        Self { data, chunks, witness: Some(witness) }
    }

    /// The value's bytes, but for its head.
    pub fn view<'a>(&'a self, py: Python<'a>) -> View<'a> {
        self.data.view(py)
    }

    /// How long the value is, bytes.
    pub fn len(&self, py: Python<'_>) -> usize {
        self.data.len(py)
    }

    /// What is known of its elements.
    pub fn witness(&self) -> Option<&Witness> {
        self.witness.as_ref()
    }
}

#[pymethods]
impl Tree {
    #[new]
    #[pyo3(signature = (data, structured, earlier = None))]
    fn new(data: Bound<'_, PyBytes>, structured: bool, earlier: Option<&Bound<'_, Self>>) -> Self {
        let (py, bytes) = (data.py(), data.as_bytes());
        let earlier = earlier.map(Bound::get).map(|it| (&it.chunks, it.data.view(py)));
        let tree = work(py, bytes.len(), || match earlier {
            Some((tree, plain)) => {
                plain.with(|plain| tree::Tree::after(bytes, structured, tree, plain))
            }
            None => tree::Tree::new(bytes, structured),
        });
        Self { chunks: tree, data: Value::Whole(data.unbind()), witness: None }
    }

    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.data.bytes(py)
    }

    #[getter]
    fn nbytes(&self, py: Python<'_>) -> usize {
        let witness = self.witness.as_ref().map_or(0, Witness::nbytes);
        self.data.nbytes(py) + self.chunks.nbytes() + witness
    }

    #[getter]
    fn proved(&self) -> usize {
        self.witness.as_ref().map_or(0, Witness::proved)
    }

    #[getter]
    fn size(&self) -> usize {
        self.chunks.size()
    }

    #[getter]
    fn head<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        self.data.head(py, self.chunks.head().len())
    }

    #[getter]
    fn tail<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        self.data.view(py).with(|bytes| PyBytes::new(py, &bytes[self.chunks.tail()]))
    }

    #[getter]
    fn refs<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.chunks.refs())
    }

    #[pyo3(signature = (known, codec))]
    fn unsent<'py>(
        &self,
        py: Python<'py>,
        known: &Bound<'py, PyAny>,
        codec: Option<&str>,
    ) -> Result<Unsent<'py>, Failure> {
        let codec = crate::pack::codec(codec)?;
        let known: Vec<Bound<'py, Known>> = known.extract()?;
        let known: Vec<&known::Known> = known.iter().map(|it| &it.get().0).collect();
        let data = self.data.view(py);
        let unsent::Unsent { chunks, claims } = work(py, self.chunks.size(), || {
            data.with(|data| self.chunks.unsent(data, &known, codec))
        });
        let bytes = |part: &[u8]| PyBytes::new(py, part);
        let chunks = chunks.iter().map(|(hash, frame)| (bytes(hash), bytes(frame)));
        let claims = claims.iter().map(|hash| bytes(hash));
        Ok((PyList::new(py, chunks.collect::<Vec<_>>())?, PyList::new(py, claims)?))
    }

    fn known(&self, py: Python<'_>) -> Known {
        Known(work(py, self.chunks.size(), || self.chunks.known()))
    }
}

/// Adds the classes of this file to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Known>()?;
    module.add_class::<Tree>()
}
