//! Objects: each becomes an extension that holds a message of its own, `(module, name, payload, ...)`.
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::Encoder;
use super::general::ext_header;
use super::plans::{self, Plan};
use crate::failure::{Done, Fail, encode_error};
use crate::pause::resumed;
use crate::stack;

/// Header room left before an extension's length is known; most are 256 bytes to 64 KiB long.
const ROOM: usize = 4;

/// LangGraph's extension codes.
pub mod code {
    pub const SINGLE_ARG: u8 = 0;
    pub const POS_ARGS: u8 = 1;
    pub const KW_ARGS: u8 = 2;
    pub const METHOD: u8 = 3;
    pub const PYDANTIC_V2: u8 = 5;
}

/// An extension being written.
#[derive(Clone, Copy)]
pub(super) struct Open {
    at: usize,
    depth: u32,
}

impl Encoder<'_> {
    /// An object msgpack has no type for.
    ///
    /// # Safety
    /// `object` is alive, kept so by the caller, and the GIL is held (so for every method here).
    #[inline(never)]
    pub(super) unsafe fn object(
        &mut self,
        object: *mut ffi::PyObject,
        class: *mut ffi::PyTypeObject,
    ) -> Done {
        if class == self.known.ext.class() || class == self.known.fragment.class() {
            // SAFETY: the caller's.
            let value = unsafe { Bound::from_borrowed_ptr(self.py, object) };
            let packed = self.ormsgpack(&value)?;
            let bytes = packed.cast::<PyBytes>().map_err(PyErr::from)?;
            return self.out.write(bytes.as_bytes());
        }
        self.enter_object(object)?;
        // SAFETY: the caller's.
        let done = unsafe { self.native_or_general(object, class) };
        self.objects -= 1;
        done
    }

    fn enter_object(&mut self, object: *mut ffi::PyObject) -> Done {
        if self.objects >= stack::MAX_OBJECTS || stack::here() < self.stack_floor {
            let limit = encode_error("too many objects inside one another");
            return Err(self.unserializable(object, limit));
        }
        self.objects += 1;
        Ok(())
    }

    unsafe fn native_or_general(
        &mut self,
        object: *mut ffi::PyObject,
        class: *mut ffi::PyTypeObject,
    ) -> Done {
        if self.native {
            let (mark, depth) = (self.out.len(), self.depth);
            // SAFETY: the caller's.
            match unsafe { self.native(object, class) } {
                Err(Fail::Unproven) => {
                    self.out.truncate(mark);
                    self.depth = depth;
                }
                Err(failure) => return Err(self.unserializable(object, failure)),
                Ok(()) => return Ok(()),
            }
        }
        // SAFETY: the caller's.
        unsafe { self.general(object) }
    }

    unsafe fn native(&mut self, object: *mut ffi::PyObject, class: *mut ffi::PyTypeObject) -> Done {
        // SAFETY: the caller's; the plan holds the class it was made for.
        unsafe {
            if let Some(done) = self.builtin(object, class) {
                return done;
            }
            let (plan, made) = plans::of(self.py, class)?;
            self.calls += u64::from(made);
            match &*plan {
                Plan::General => Err(Fail::Unproven),
                Plan::Enum(prefix) => self.member(object, prefix),
                Plan::Dataclass(plan) => self.dataclass(object, plan),
                Plan::Model(plan) => self.model(object, plan),
            }
        }
    }

    /// An enum member: its class is called with its value.
    unsafe fn member(&mut self, member: *mut ffi::PyObject, prefix: &[u8]) -> Done {
        // SAFETY: the caller's.
        unsafe {
            self.unhooked(member)?;
            let open = self.open(prefix)?;
            let value = self.attribute(member, self.known.value.ptr())?;
            let value = value.into_ptr();
            let done = self.item(value);
            ffi::Py_DECREF(value);
            done?;
            self.close_ext(open, code::SINGLE_ARG)
        }
    }

    /// Requires that no attribute of the instance makes LangGraph take it for another kind.
    pub(super) unsafe fn unhooked(&self, object: *mut ffi::PyObject) -> Done {
        // SAFETY: the caller's. An instance without a dict has only what its class has, which the plan checked.
        unsafe {
            if (*ffi::Py_TYPE(object)).tp_dictoffset == 0 && !has_managed_dict(ffi::Py_TYPE(object))
            {
                return Ok(());
            }
            for hook in &self.known.hooks {
                Self::require(resumed(|| ffi::PyObject_HasAttr(object, hook.ptr())) == 0)?;
            }
        }
        Ok(())
    }

    /// Starts an extension whose message begins with `prefix`: array header, module and name.
    #[inline(always)]
    pub(super) fn open(&mut self, prefix: &[u8]) -> Done<Open> {
        let open = Open { at: self.out.len(), depth: self.depth };
        self.out.reserve(ROOM + prefix.len())?;
        // SAFETY: there is room.
        unsafe {
            self.out.put_all(&[0; ROOM]);
            self.out.put_all(prefix);
        }
        self.depth = 1;
        Ok(open)
    }

    /// Ends an extension: now its length is known.
    #[inline(always)]
    pub(super) fn close_ext(&mut self, open: Open, code: u8) -> Done {
        let length = self.out.len() - open.at - ROOM;
        let (header, size) = ext_header(code, length)
            .ok_or_else(|| encode_error("write error: longer than msgpack allows"))?;
        self.depth = open.depth;
        self.out.replace_header(open.at, ROOM, &header[..size])
    }
}

#[cfg(Py_3_12)]
fn has_managed_dict(class: *mut ffi::PyTypeObject) -> bool {
    const MANAGED_DICT: std::ffi::c_ulong = 1 << 4;
    // SAFETY: the caller's class is alive.
    unsafe { (*class).tp_flags & MANAGED_DICT != 0 }
}

#[cfg(not(Py_3_12))]
fn has_managed_dict(_class: *mut ffi::PyTypeObject) -> bool {
    // Before 3.12 a dict of the instance always shows in tp_dictoffset.
    false
}
