//! Python objects to msgpack: the bytes of LangGraph's `JsonPlusSerializer`.
//!
//! Exact built-in types are written here. Objects LangGraph packs as extensions are written natively where
//! `native` shows the result to be equal; every other one goes through `general`, which runs LangGraph's own
//! `_msgpack_default` over this encoder.
mod beside;
mod built;
mod builtin;
mod container;
mod dataclass;
mod entries;
mod general;
mod inline;
mod model;
mod object;
mod patching;
mod plan;
mod plans;
mod proof;
mod row;
mod scalar;
mod witness;
mod writer;

use pyo3::ffi;
use pyo3::prelude::*;

use crate::failure::{Done, Fail};
use crate::known::{Known, known};
use crate::stack;
pub use witness::{Listed, Witness};
use writer::Writer;

use general::{ObjectEncoder, PackedExt};

/// One call's state.
struct Encoder<'py> {
    py: Python<'py>,
    known: &'static Known,
    out: Writer<'py>,
    /// What turns an unknown object into a known one; null for none. Borrowed from the caller.
    default: *mut ffi::PyObject,
    /// Whether objects LangGraph knows may be written without asking `default`.
    native: bool,
    /// Containers open in the current message.
    depth: u32,
    /// Results of `default` inside one another, as ormsgpack counts them.
    defaults: u32,
    /// Objects open, each with a message of its own.
    objects: u32,
    /// Calls of Python code that decided how an object is written.
    calls: u64,
    stack_floor: usize,
}

impl<'py> Encoder<'py> {
    fn new(py: Python<'py>, default: *mut ffi::PyObject, native: bool) -> PyResult<Self> {
        Ok(Self {
            py,
            known: known(py)?,
            out: Writer::new(py).map_err(Fail::into_pyerr)?,
            default,
            native,
            depth: 0,
            defaults: 0,
            objects: stack::objects(),
            calls: 0,
            stack_floor: stack::floor(),
        })
    }

    fn run(
        value: &Bound<'py, PyAny>,
        default: *mut ffi::PyObject,
        native: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut encoder = Self::new(value.py(), default, native)?;
        // SAFETY: `value` is alive for the whole call and the GIL is held.
        unsafe { encoder.item(value.as_ptr()) }.map_err(Fail::into_pyerr)?;
        encoder.out.finish()
    }

    /// A value without others in it, and whose writing runs no code; None for any other.
    ///
    /// # Safety
    /// `value` is alive and the GIL is held (so for every method here).
    #[inline(always)]
    unsafe fn scalar(&mut self, value: *mut ffi::PyObject) -> Option<Done> {
        // SAFETY: the type says which layout the object has.
        unsafe {
            let class = ffi::Py_TYPE(value);
            if class == &raw mut ffi::PyUnicode_Type {
                Some(self.text(value))
            } else if class == &raw mut ffi::PyLong_Type {
                Some(self.int(value))
            } else if value == ffi::Py_None() {
                Some(self.out.write(&[0xc0]))
            } else if class == &raw mut ffi::PyFloat_Type {
                Some(self.float(value))
            } else if class == &raw mut ffi::PyBool_Type {
                Some(self.out.write(&[0xc2 | u8::from(value == ffi::Py_True())]))
            } else if class == &raw mut ffi::PyBytes_Type {
                let length = ffi::PyBytes_Size(value).cast_unsigned();
                let bytes = ffi::PyBytes_AsString(value).cast::<u8>();
                Some(self.binary(std::slice::from_raw_parts(bytes, length)))
            } else {
                None
            }
        }
    }

    /// Any other value; the caller holds a reference to it.
    unsafe fn compound(&mut self, value: *mut ffi::PyObject) -> Done {
        // SAFETY: the type says which layout the object has.
        unsafe {
            let class = ffi::Py_TYPE(value);
            if class == &raw mut ffi::PyDict_Type {
                self.dict(value)
            } else if class == &raw mut ffi::PyList_Type {
                self.list(value)
            } else if class == &raw mut ffi::PyTuple_Type {
                self.tuple(value)
            } else {
                self.uncommon(value, class)
            }
        }
    }

    /// The rest, in the order in which ormsgpack tries them.
    unsafe fn uncommon(
        &mut self,
        value: *mut ffi::PyObject,
        class: *mut ffi::PyTypeObject,
    ) -> Done {
        // SAFETY: the type or its flags say which layout the object has.
        unsafe {
            if ffi::Py_TYPE(class.cast()) == self.known.enum_meta.class() {
                return self.object(value, class);
            }
            let flags = (*class).tp_flags;
            if flags & ffi::Py_TPFLAGS_UNICODE_SUBCLASS != 0 {
                self.text(value)
            } else if flags & ffi::Py_TPFLAGS_LONG_SUBCLASS != 0 {
                self.int(value)
            } else if flags & ffi::Py_TPFLAGS_LIST_SUBCLASS != 0 {
                self.list(value)
            } else if flags & ffi::Py_TPFLAGS_DICT_SUBCLASS != 0 {
                self.dict(value)
            } else if class == &raw mut ffi::PyByteArray_Type {
                self.bytearray(value)
            } else if class == &raw mut ffi::PyMemoryView_Type {
                self.memoryview(value)
            } else {
                self.object(value, class)
            }
        }
    }
}

/// Packs a value as `ormsgpack.packb` does with the options of `JsonPlusSerializer`.
///
/// `default` is called with each object msgpack has no type for, and returns one that it has.
#[pyfunction]
#[pyo3(signature = (obj, default = None))]
fn encode<'py>(
    obj: &Bound<'py, PyAny>,
    default: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let default = default.filter(|hook| !hook.is_none());
    Encoder::run(obj, default.map_or(std::ptr::null_mut(), Bound::as_ptr), false)
}

/// Registers the encoder.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(encode, module)?)?;
    module.add_class::<PackedExt>()?;
    module.add_class::<ObjectEncoder>()
}
