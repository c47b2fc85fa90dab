//! The chunk tree of a value, and sets of chunks that are known to be stored.

use lgckpt_core::hash::Hash;
use lgckpt_core::{known, refs, tree, unsent};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use crate::error::Failure;
use crate::pack::work;

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
struct Tree {
    data: Py<PyBytes>,
    tree: tree::Tree,
}

#[pymethods]
impl Tree {
    #[new]
    #[pyo3(signature = (data, structured, earlier = None))]
    fn new(data: Bound<'_, PyBytes>, structured: bool, earlier: Option<&Bound<'_, Self>>) -> Self {
        let (py, bytes) = (data.py(), data.as_bytes());
        let earlier = earlier.map(Bound::get).map(|it| (&it.tree, it.data.as_bytes(py)));
        let tree = work(py, bytes.len(), || match earlier {
            Some((tree, plain)) => tree::Tree::after(bytes, structured, tree, plain),
            None => tree::Tree::new(bytes, structured),
        });
        Self { tree, data: data.unbind() }
    }

    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        self.data.bind(py).clone()
    }

    #[getter]
    fn nbytes(&self, py: Python<'_>) -> usize {
        self.data.as_bytes(py).len() + self.tree.nbytes()
    }

    #[getter]
    fn size(&self) -> usize {
        self.tree.size()
    }

    #[getter]
    fn head<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.data.as_bytes(py)[self.tree.head()])
    }

    #[getter]
    fn tail<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.data.as_bytes(py)[self.tree.tail()])
    }

    #[getter]
    fn refs<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.tree.refs())
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
        let data = self.data.as_bytes(py);
        let unsent::Unsent { chunks, claims } =
            work(py, data.len(), || self.tree.unsent(data, &known, codec));
        let bytes = |part: &[u8]| PyBytes::new(py, part);
        let chunks = chunks.iter().map(|(hash, frame)| (bytes(hash), bytes(frame)));
        let claims = claims.iter().map(|hash| bytes(hash));
        Ok((PyList::new(py, chunks.collect::<Vec<_>>())?, PyList::new(py, claims)?))
    }

    fn known(&self, py: Python<'_>) -> Known {
        Known(work(py, self.tree.size(), || self.tree.known()))
    }
}

/// Adds the classes of this file to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Known>()?;
    module.add_class::<Tree>()
}
