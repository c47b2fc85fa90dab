//! A row's state that is not written out: told by what differs from its parent's.
//!
//! For rows that stay in this process. A wide state of which a step changes little takes a small
//! part of the time and the room so; it is written out when it is read.

use std::sync::OnceLock;

use lgckpt_core::error::Error;
use lgckpt_core::frame::{self, Codec};
use lgckpt_core::hash;
use lgckpt_core::patch::{Patch, patched};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::Failure;

/// How many channels a state has at least that is told so.
pub const LEAST: usize = 32;

/// How many states are told by one another at most.
const MOST: usize = 64;

/// Longest state, in bytes, that is written out.
const LONGEST: usize = u32::MAX as usize;

/// A row's state as it is kept.
pub enum Stored {
    Whole(Py<PyBytes>),
    Built(Py<BuiltState>),
}

/// A state told by another one and a patch.
#[pyclass(frozen, module = "lgckpt._core")]
pub struct BuiltState {
    before: Stored,
    patch: Patch,
    around: Around,
    codec: Codec,
    depth: usize,
    etag: OnceLock<[u8; 8]>,
}

/// What a state's checkpoint has beside versions.
pub struct Around {
    /// Up to its first version.
    pub opening: Vec<u8>,
    /// After the last, in a frame: what each node has seen of wide states is long, and alike.
    pub closing: Vec<u8>,
}

impl Stored {
    pub fn clone_ref(&self, py: Python<'_>) -> Self {
        match self {
            Self::Whole(state) => Self::Whole(state.clone_ref(py)),
            Self::Built(state) => Self::Built(state.clone_ref(py)),
        }
    }

    pub fn object<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        match self {
            Self::Whole(state) => state.bind(py).clone().into_any(),
            Self::Built(state) => state.bind(py).clone().into_any(),
        }
    }

    /// Whether another state can be told by this one.
    pub fn has_room(&self) -> bool {
        self.depth() < MOST
    }

    fn depth(&self) -> usize {
        match self {
            Self::Whole(_) => 0,
            Self::Built(state) => state.get().depth,
        }
    }
}

impl BuiltState {
    pub fn new(before: Stored, patch: Patch, around: Around, codec: Codec) -> Self {
        let depth = before.depth() + 1;
        Self { before, patch, around, codec, depth, etag: OnceLock::new() }
    }

    /// An etag of the row, for whoever stores it: nobody has written it out yet.
    pub fn tag(&self, before: [u8; 8], metadata: &[u8]) -> [u8; 8] {
        let versions = self.patch.versions.iter().map(|(_, pair)| pair.as_slice());
        let mut parts = vec![before.as_slice(), &self.around.opening, &self.around.closing];
        parts.extend(versions.chain(self.patch.values.iter().filter_map(|piece| piece.own())));
        parts.push(metadata);
        hash::etag(&parts)
    }

    /// The whole state below, and the patches upon it, the first of them first.
    fn lineage(&self) -> (&Py<PyBytes>, Vec<&Patch>) {
        let mut patches = Vec::with_capacity(self.depth);
        let mut state = self;
        loop {
            patches.push(&state.patch);
            match &state.before {
                Stored::Built(before) => state = before.get(),
                Stored::Whole(whole) => {
                    patches.reverse();
                    return (whole, patches);
                }
            }
        }
    }
}

#[pymethods]
impl BuiltState {
    /// The memory it holds, in bytes, about.
    fn __len__(&self) -> usize {
        let Around { opening, closing } = &self.around;
        size_of::<Self>() + opening.len() + closing.len() + self.patch.nbytes()
    }

    /// The etag that the row has for those who read it; None before anybody did.
    #[getter]
    fn etag<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.etag.get().map(|etag| PyBytes::new(py, etag))
    }

    /// The frame of the state, and the etag of its row with this metadata.
    fn sealed<'py>(
        &self,
        py: Python<'py>,
        metadata: &[u8],
    ) -> Result<(Bound<'py, PyBytes>, Bound<'py, PyBytes>), Failure> {
        let (whole, patches) = self.lineage();
        let whole = whole.as_bytes(py);
        let state = py.detach(|| {
            let plain = frame::unseal(whole, LONGEST)?;
            let closing = frame::unseal(&self.around.closing, LONGEST)?;
            let state = patched(&plain, patches.into_iter(), &self.around.opening, &closing);
            let state = state.ok_or(Error::Frame("what it is told by does not fit"))?;
            Ok::<_, Error>(frame::seal(&state, self.codec))
        })?;
        let etag = self.etag.get_or_init(|| hash::etag(&[&state, metadata]));
        Ok((PyBytes::new(py, &state), PyBytes::new(py, etag)))
    }
}
