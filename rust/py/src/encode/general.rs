//! The general path: a Python callable says what an object is packed as.
use std::ffi::CStr;

use pyo3::PyTypeInfo;
use pyo3::exceptions::PyValueError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

use super::inline::InlineState;
use super::row::{How, Row, Rules};
use super::{Encoder, plans};
use crate::error::Failure;
use crate::failure::{Done, Fail, caused_by, encode_error};
use crate::known::known;
use crate::stack;
use crate::tree::Tree;

/// Results of `default` inside one another; ormsgpack's own limit.
const MAX_DEFAULTS: u32 = 255;

/// An extension already packed; stands in for `ormsgpack.Ext`, whose content cannot be read.
#[pyclass(frozen, module = "lgckpt._core")]
pub struct PackedExt {
    code: u8,
    data: Py<PyBytes>,
}

#[pymethods]
impl PackedExt {
    #[new]
    #[pyo3(signature = (code, data, /))]
    fn new(code: u8, data: Py<PyBytes>) -> PyResult<Self> {
        if code > 127 {
            return Err(PyValueError::new_err("Extension type out of range"));
        }
        Ok(Self { code, data })
    }
}

/// Packs values, objects that LangGraph knows included.
#[pyclass(frozen, module = "lgckpt._core")]
pub struct ObjectEncoder {
    default: Py<PyAny>,
    native: bool,
}

#[pymethods]
impl ObjectEncoder {
    #[new]
    #[pyo3(signature = (default, *, native))]
    fn new(py: Python<'_>, default: Py<PyAny>, native: bool) -> PyResult<Self> {
        // Looked up now: to do so at the first use runs Python code, and a process that another thread
        // forks meanwhile would wait for its end for ever.
        known(py)?;
        plans::planner(py)?;
        Ok(Self { default, native })
    }

    /// The msgpack of one value.
    fn encode<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        Encoder::run(value, self.default.as_ptr(), self.native)
    }

    /// The tree of a list, in one call, where the channel's last value had the tree `earlier`: what
    /// is proved unchanged is not packed again. None for a value that this is not for.
    #[pyo3(signature = (value, earlier, least = 0))]
    fn tree(
        &self,
        value: &Bound<'_, PyAny>,
        earlier: &Bound<'_, Tree>,
        least: usize,
    ) -> PyResult<Option<Tree>> {
        let encoder = Encoder::new(value.py(), self.default.as_ptr(), self.native)?;
        let Ok(list) = value.cast_exact::<PyList>() else { return Ok(None) };
        let listed = encoder.witnessed(list, earlier, least)?;
        Ok(listed.map(|list| Tree::witnessed(list, earlier)))
    }

    /// A whole checkpoint row at once, if all its values are small; None if that cannot be shown.
    #[pyo3(signature = (checkpoint, metadata, new_versions, parent, rules))]
    fn row<'py>(
        &self,
        checkpoint: &Bound<'py, PyAny>,
        metadata: &Bound<'py, PyAny>,
        new_versions: &Bound<'py, PyAny>,
        parent: Option<&Bound<'py, InlineState>>,
        rules: Rules,
    ) -> Result<Option<Row<'py>>, Failure> {
        let how = How::of(rules)?;
        let encoder = Encoder::new(checkpoint.py(), self.default.as_ptr(), self.native)?;
        let row = encoder.row(checkpoint, metadata, new_versions, parent, how);
        row.map_err(|fail| fail.into_pyerr().into())
    }

    /// What `row` would give to remember of a row made elsewhere.
    #[staticmethod]
    fn inline(
        versions: Bound<'_, PyDict>,
        values: Vec<(Bound<'_, PyString>, String, Bound<'_, PyBytes>)>,
    ) -> PyResult<InlineState> {
        InlineState::of(versions, values)
    }
}

impl Encoder<'_> {
    /// An object, by what `default` gives for it.
    ///
    /// # Safety
    /// `object` is alive, kept so by the caller, and the GIL is held (so for every method here).
    pub(super) unsafe fn general(&mut self, object: *mut ffi::PyObject) -> Done {
        if self.default.is_null() {
            return Err(not_serializable(object));
        }
        if self.defaults == MAX_DEFAULTS {
            return Err(encode_error("Recursion limit for default hook reached"));
        }
        self.calls += 1;
        // SAFETY: the caller of the encoder holds `default`; the result is a new reference.
        let result = stack::with_objects(self.objects, || unsafe {
            Bound::from_owned_ptr_or_err(self.py, ffi::PyObject_CallOneArg(self.default, object))
        })
        .map_err(|error| self.unserializable(object, error.into()))?;
        self.defaults += 1;
        // SAFETY: `result` is held here.
        let done = unsafe { self.outcome(result.as_ptr()) };
        self.defaults -= 1;
        done
    }

    unsafe fn outcome(&mut self, result: *mut ffi::PyObject) -> Done {
        // SAFETY: the type says that it is a PackedExt.
        unsafe {
            if ffi::Py_TYPE(result) == PackedExt::type_object_raw(self.py) {
                let ext = Bound::from_borrowed_ptr(self.py, result);
                let ext = ext.cast_unchecked::<PackedExt>().get();
                return self.extension(ext.code, ext.data.as_bytes(self.py));
            }
            self.item(result)
        }
    }

    /// A packed extension.
    pub(super) fn extension(&mut self, code: u8, data: &[u8]) -> Done {
        let (header, size) = ext_header(code, data.len())
            .ok_or_else(|| encode_error("write error: longer than msgpack allows"))?;
        self.out.write(&header[..size])?;
        self.out.write(data)
    }

    /// The failure to pack one object, with the reason as its cause.
    #[cold]
    pub(super) fn unserializable(&self, object: *mut ffi::PyObject, failure: Fail) -> Fail {
        match failure {
            Fail::Raised(error) => caused_by(self.py, error, || not_serializable(object)),
            Fail::Unproven => not_serializable(object),
        }
    }
}

#[cold]
fn not_serializable(object: *mut ffi::PyObject) -> Fail {
    // SAFETY: `object` is alive; a class's name is a C string that lives with it.
    let name = unsafe { CStr::from_ptr((*ffi::Py_TYPE(object)).tp_name) };
    encode_error(&format!("Type is not msgpack serializable: {}", name.to_string_lossy()))
}

/// The header of an extension: its bytes and how many they are; None if msgpack has no room for it.
#[expect(clippy::cast_possible_truncation, reason = "each width is checked")]
pub(super) fn ext_header(code: u8, length: usize) -> Option<([u8; 6], usize)> {
    let fixed = |marker: u8| Some(([marker, code, 0, 0, 0, 0], 2));
    match length {
        1 => fixed(0xd4),
        2 => fixed(0xd5),
        4 => fixed(0xd6),
        8 => fixed(0xd7),
        16 => fixed(0xd8),
        0..=0xff => Some(([0xc7, length as u8, code, 0, 0, 0], 3)),
        0x100..=0xffff => {
            let [a, b] = (length as u16).to_be_bytes();
            Some(([0xc8, a, b, code, 0, 0], 4))
        }
        0x1_0000..=0xffff_ffff => {
            let [a, b, c, d] = (length as u32).to_be_bytes();
            Some(([0xc9, a, b, c, d, code], 6))
        }
        _ => None,
    }
}
