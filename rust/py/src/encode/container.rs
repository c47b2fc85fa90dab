//! Lists, tuples, dicts and their keys.
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::Encoder;
use crate::failure::{Done, Fail, caused_by, encode_error, fetched};
use crate::pause::resumed;
use crate::stack;
use crate::text::utf8;

/// Containers inside one another in one message; ormsgpack's own limit.
const MAX_DEPTH: u32 = 255;

/// A container is being changed by another thread, or by code the encoder called.
const CHANGED: &str = "changed size during encoding";

impl<'py> Encoder<'py> {
    /// One level down.
    #[inline(always)]
    fn enter(&mut self) -> Done {
        if self.depth == MAX_DEPTH {
            return Err(encode_error("Recursion limit reached"));
        }
        if stack::here() < self.stack_floor {
            return Err(encode_error("Recursion limit reached: out of stack"));
        }
        self.depth += 1;
        Ok(())
    }

    #[inline(always)]
    fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Opens an array of `length` items.
    #[inline(always)]
    pub(super) fn open_array(&mut self, length: usize) -> Done {
        self.enter()?;
        self.header(length, 0x90, 0xdc, 0xdd)
    }

    /// Opens a map of `length` pairs.
    #[inline(always)]
    pub(super) fn open_map(&mut self, length: usize) -> Done {
        self.enter()?;
        self.header(length, 0x80, 0xde, 0xdf)
    }

    /// Closes what `open_array` or `open_map` opened.
    #[inline(always)]
    pub(super) fn close(&mut self) {
        self.leave();
    }

    #[inline(always)]
    fn header(&mut self, length: usize, fixed: u8, two: u8, four: u8) -> Done {
        self.out.reserve(5)?;
        // SAFETY: room for the longest header.
        unsafe {
            if length < 16 {
                #[expect(clippy::cast_possible_truncation, reason = "under 16")]
                self.out.put(fixed | length as u8);
                return Ok(());
            }
            self.length(length, None, two, four)
        }
    }

    /// A list, exact or of a subclass.
    ///
    /// # Safety
    /// `list` is a live list that the caller keeps alive, and the GIL is held (so for every method here).
    pub(super) unsafe fn list(&mut self, list: *mut ffi::PyObject) -> Done {
        // SAFETY: the size is read again before every item, since a callback may change the list.
        unsafe {
            let length = ffi::PyList_GET_SIZE(list);
            self.open_array(length.cast_unsigned())?;
            for index in 0..length {
                if index >= ffi::PyList_GET_SIZE(list) {
                    return Err(encode_error(&format!("list {CHANGED}")));
                }
                self.item(ffi::PyList_GET_ITEM(list, index))?;
            }
        }
        self.close();
        Ok(())
    }

    /// A tuple.
    pub(super) unsafe fn tuple(&mut self, tuple: *mut ffi::PyObject) -> Done {
        // SAFETY: a tuple does not change.
        unsafe {
            let length = ffi::PyTuple_GET_SIZE(tuple);
            self.open_array(length.cast_unsigned())?;
            for index in 0..length {
                self.item(ffi::PyTuple_GET_ITEM(tuple, index))?;
            }
        }
        self.close();
        Ok(())
    }

    /// A dict, exact or of a subclass, in the order of its storage.
    pub(super) unsafe fn dict(&mut self, dict: *mut ffi::PyObject) -> Done {
        let (mut position, mut count) = (0, 0);
        let (mut key, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: PyDict_Next checks its bounds on every call; the key and the value are held while
        // code that could drop them may run.
        unsafe {
            let length = ffi::PyDict_Size(dict);
            self.open_map(length.cast_unsigned())?;
            while count < length
                && ffi::PyDict_Next(dict, &raw mut position, &raw mut key, &raw mut value) != 0
            {
                if ffi::Py_TYPE(key) == &raw mut ffi::PyUnicode_Type {
                    self.key_text(key)?;
                    self.item(value)?;
                } else {
                    let value = Bound::from_borrowed_ptr(self.py, value);
                    let key = Bound::from_borrowed_ptr(self.py, key);
                    self.key(key.as_ptr())?;
                    self.item(value.as_ptr())?;
                }
                count += 1;
            }
            if count != length || ffi::PyDict_Size(dict) != length {
                return Err(encode_error(&format!("dict {CHANGED}")));
            }
        }
        self.close();
        Ok(())
    }

    /// An item that its container holds: it is kept alive only where code may run.
    #[inline(always)]
    pub(super) unsafe fn item(&mut self, item: *mut ffi::PyObject) -> Done {
        // SAFETY: the caller's; writing a scalar runs no code.
        unsafe {
            if let Some(done) = self.scalar(item) {
                return done;
            }
            ffi::Py_INCREF(item);
            let done = self.compound(item);
            ffi::Py_DECREF(item);
            done
        }
    }

    /// A key that is exactly a str: ormsgpack does not replace surrogates here.
    #[inline(always)]
    pub(super) unsafe fn key_text(&mut self, key: *mut ffi::PyObject) -> Done {
        // SAFETY: the caller's.
        match unsafe { utf8(key) } {
            Some(bytes) => self.string(bytes),
            None => Err(encode_error("string contains surrogates")),
        }
    }

    /// A key of any other type, or an element of a tuple that is a key.
    #[inline(never)]
    unsafe fn key(&mut self, key: *mut ffi::PyObject) -> Done {
        // SAFETY: the caller's; the flags say which layout the object has.
        unsafe {
            if let Some(done) = self.scalar(key) {
                return done;
            }
            let class = ffi::Py_TYPE(key);
            if class == &raw mut ffi::PyTuple_Type {
                return self.key_tuple(key);
            }
            if ffi::Py_TYPE(class.cast()) == self.known.enum_meta.class() {
                let value = self.attribute(key, self.known.value.ptr())?;
                return self.key(value.as_ptr());
            }
            let flags = (*class).tp_flags;
            if flags & ffi::Py_TPFLAGS_UNICODE_SUBCLASS != 0 {
                return self.text(key);
            }
            if flags & ffi::Py_TPFLAGS_LONG_SUBCLASS != 0 {
                return self.int(key);
            }
            self.odd_key(key)
        }
    }

    unsafe fn key_tuple(&mut self, tuple: *mut ffi::PyObject) -> Done {
        // SAFETY: a tuple does not change.
        unsafe {
            let length = ffi::PyTuple_GET_SIZE(tuple);
            self.open_array(length.cast_unsigned())?;
            for index in 0..length {
                self.key(ffi::PyTuple_GET_ITEM(tuple, index))?;
            }
        }
        self.close();
        Ok(())
    }

    /// A datetime, date, time, UUID or memoryview, or an error: as ormsgpack packs it in `{key: None}`.
    #[cold]
    unsafe fn odd_key(&mut self, key: *mut ffi::PyObject) -> Done {
        let dict = PyDict::new(self.py);
        // SAFETY: the caller's.
        dict.set_item(unsafe { Bound::from_borrowed_ptr(self.py, key) }, self.py.None())?;
        let packed = self.ormsgpack(dict.as_any())?;
        let bytes = packed.cast::<PyBytes>().map_err(PyErr::from)?.as_bytes();
        self.out.write(&bytes[1..bytes.len() - 1])
    }

    /// What `ormsgpack.packb` makes of a value none of our types handles.
    #[cold]
    pub(super) fn ormsgpack(&self, value: &Bound<'py, PyAny>) -> Done<Bound<'py, PyAny>> {
        let py = self.py;
        // SAFETY: immortal objects.
        let (packb, options) = unsafe {
            (
                Bound::from_borrowed_ptr(py, self.known.packb.ptr()),
                Bound::from_borrowed_ptr(py, self.known.options.ptr()),
            )
        };
        resumed(|| packb.call1((value, py.None(), options))).map_err(|error| {
            let message = error.value(py).to_string();
            caused_by(py, Box::new(error), || encode_error(&message))
        })
    }

    /// `getattr(object, name)`.
    pub(super) unsafe fn attribute(
        &self,
        object: *mut ffi::PyObject,
        name: *mut ffi::PyObject,
    ) -> Done<Bound<'py, PyAny>> {
        // SAFETY: the caller's; the result is a new reference.
        unsafe {
            let value = resumed(|| ffi::PyObject_GetAttr(object, name));
            if value.is_null() {
                return Err(fetched(self.py));
            }
            Ok(Bound::from_owned_ptr(self.py, value))
        }
    }

    /// Stops a path that cannot show that it is equal to the general one.
    #[inline(always)]
    pub(super) fn require(condition: bool) -> Done {
        if condition { Ok(()) } else { Err(Fail::Unproven) }
    }
}
