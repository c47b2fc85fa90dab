//! What is remembered of a row whose values are all small: its versions, and the values as they
//! stand in it.

use lgckpt_core::state;
use pyo3::exceptions::PyValueError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use super::built::Stored;
use super::entries::Entries;
use crate::text::utf8;

pub const MSGPACK: &str = "msgpack";
pub const NULL: &str = "null";
const BYTES: &str = "bytes";

/// The values of a row, each with its channel, and the versions of its channels.
#[pyclass(frozen, module = "lgckpt._core")]
pub struct InlineState {
    versions: Py<PyDict>,
    entries: Entries,
    elements: Elements,
    /// The row's state, for one that is told by it, and the row's etag.
    stored: Option<(Stored, [u8; 8])>,
}

/// Values as they stand in a row's state, one after another.
#[derive(Default)]
pub struct Elements {
    all: Vec<Element>,
    packed: Vec<u8>,
    /// Whether they have the order of the versions, any without one behind the others.
    in_order: bool,
}

struct Element {
    channel: Py<PyString>,
    tag: &'static str,
    /// Where it ends among the bytes.
    end: usize,
    /// How many of these, at its end, are the value itself.
    len: usize,
}

/// One value: its channel, its tag, its bytes.
type Part<'py> = (Bound<'py, PyString>, &'static str, Bound<'py, PyBytes>);

#[pymethods]
impl InlineState {
    #[getter]
    pub fn versions<'py>(&self, py: Python<'py>) -> Bound<'py, PyDict> {
        self.versions.bind(py).clone()
    }

    #[getter]
    fn nbytes(&self) -> usize {
        self.elements.packed.len() + self.elements.all.len() * 64 + self.entries.nbytes()
    }

    /// The values in order.
    fn values<'py>(&self, py: Python<'py>) -> Vec<Part<'py>> {
        let part = |it: &Element| {
            let value = &self.elements.packed[it.end - it.len..it.end];
            (it.channel.bind(py).clone(), it.tag, PyBytes::new(py, value))
        };
        self.elements.all.iter().map(part).collect()
    }
}

impl InlineState {
    pub fn new(
        versions: Bound<'_, PyDict>,
        entries: Entries,
        elements: Elements,
        stored: Option<(Stored, [u8; 8])>,
    ) -> Self {
        Self { versions: versions.unbind(), entries, elements, stored }
    }

    /// What is remembered of a row made elsewhere.
    pub fn of(
        versions: Bound<'_, PyDict>,
        values: Vec<(Bound<'_, PyString>, String, Bound<'_, PyBytes>)>,
    ) -> PyResult<Self> {
        let mut elements = Elements::default();
        for (channel, tag, data) in values {
            if !elements.push(channel, known_tag(&tag)?, data.as_bytes()) {
                return Err(PyValueError::new_err("a channel's name is no text"));
            }
        }
        Ok(Self::new(versions, Entries::default(), elements, None))
    }

    pub fn entries(&self) -> &Entries {
        &self.entries
    }

    /// The state that another one can be told by, and the etag of its row.
    pub fn base(&self) -> Option<&(Stored, [u8; 8])> {
        self.stored.as_ref().filter(|(state, _)| state.has_room())
    }

    pub fn elements(&self) -> &Elements {
        &self.elements
    }
}

impl Elements {
    pub fn with_room_of(parent: Option<&Self>, count: usize) -> Self {
        let bytes = parent.map_or(0, |it| it.packed.len());
        Self {
            all: Vec::with_capacity(count),
            packed: Vec::with_capacity(bytes + 512),
            in_order: true,
        }
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// The bytes of all.
    pub fn packed(&self) -> &[u8] {
        &self.packed
    }

    /// Adds a value; false for one that no row can hold.
    pub fn push(&mut self, channel: Bound<'_, PyString>, tag: &'static str, data: &[u8]) -> bool {
        // SAFETY: `channel` is held while its bytes are borrowed, and the GIL is held.
        let Some(name) = (unsafe { utf8(channel.as_ptr()) }) else { return false };
        // SAFETY: CPython gives valid UTF-8.
        let name = unsafe { str::from_utf8_unchecked(name) };
        let value = state::Value { channel: name, tag, data };
        if state::element(&mut self.packed, value).is_err() {
            return false;
        }
        let (end, len) = (self.packed.len(), data.len());
        self.all.push(Element { channel: channel.unbind(), tag, end, len });
        true
    }

    /// Takes over elements of a parent's that stand side by side.
    pub fn take(&mut self, py: Python<'_>, parent: &Self, run: std::ops::Range<usize>) {
        let before = |index: usize| index.checked_sub(1).map_or(0, |it| parent.all[it].end);
        let (from, to) = (before(run.start), before(run.end));
        let start = self.packed.len();
        self.packed.extend_from_slice(&parent.packed[from..to]);
        self.all.extend(parent.all[run].iter().map(|it| Element {
            channel: it.channel.clone_ref(py),
            tag: it.tag,
            end: it.end - from + start,
            len: it.len,
        }));
    }

    /// Has the last element be found by another object of the same text.
    pub fn rename_last(&mut self, channel: &Bound<'_, PyString>) {
        if let Some(last) = self.all.last_mut() {
            last.channel = channel.clone().unbind();
        }
    }

    pub fn in_order(&self) -> bool {
        self.in_order
    }

    /// Whether there is an element here, and it is the channel's: this very object.
    pub fn is_of(&self, index: usize, channel: *mut ffi::PyObject) -> bool {
        self.all.get(index).is_some_and(|it| it.channel.as_ptr() == channel)
    }

    /// A value as it stands in the row, with its channel and its tag.
    pub fn bytes_of(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |it| self.all[it].end);
        &self.packed[start..self.all[index].end]
    }

    /// How long a value is.
    pub fn len_of(&self, index: usize) -> usize {
        self.all[index].len
    }

    /// Where a channel's value is, sought from a place on, where that of the next one stands by
    /// habit: rows have the order of their versions, and those keep theirs.
    pub fn find(
        &self,
        py: Python<'_>,
        channel: &Bound<'_, PyString>,
        from: usize,
    ) -> PyResult<Option<usize>> {
        let (before, after) = self.all.split_at(from.min(self.all.len()));
        let around = || (from..).zip(after).chain((0..).zip(before));
        if let Some((index, _)) = around().find(|(_, it)| it.channel.is(channel)) {
            return Ok(Some(index));
        }
        for (index, element) in around() {
            if element.channel.bind(py).as_any().eq(channel)? {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }
}

fn known_tag(tag: &str) -> PyResult<&'static str> {
    [MSGPACK, NULL, BYTES]
        .into_iter()
        .find(|&it| it == tag)
        .ok_or_else(|| PyValueError::new_err(format!("no row is made of values tagged {tag:?}")))
}
