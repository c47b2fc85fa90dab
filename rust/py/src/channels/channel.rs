//! An instance of a channel class: its slots, read and written in place.

use pyo3::ffi;

use super::class::Class;
use super::rules::{Done, Owned, Stop};

/// A channel of a known class, borrowed.
#[derive(Clone, Copy)]
pub struct Channel {
    pub object: *mut ffi::PyObject,
    pub class: &'static Class,
}

impl Channel {
    /// # Safety
    /// `object` is an instance of exactly one of the two classes, alive for as long as this is used,
    /// and the GIL is held (so for every method here).
    #[inline(always)]
    pub unsafe fn new(object: *mut ffi::PyObject, class: &'static Class) -> Self {
        Self { object, class }
    }

    #[inline(always)]
    unsafe fn place(self, offset: isize) -> *mut *mut ffi::PyObject {
        // SAFETY: the offset is that of a slot of the instance's class.
        unsafe { self.object.byte_offset(offset).cast() }
    }

    /// What a slot holds, borrowed; LangGraph says what happens to one whose attribute was deleted.
    #[inline(always)]
    unsafe fn load(self, offset: isize) -> Done<*mut ffi::PyObject> {
        // SAFETY: the caller's.
        let object = unsafe { *self.place(offset) };
        if object.is_null() { Err(Stop::Unusual) } else { Ok(object) }
    }

    /// Puts a new reference into a slot.
    #[inline(always)]
    unsafe fn store(self, offset: isize, object: Owned) {
        // SAFETY: the caller's. The old value goes last: its finalizer may look at the channel.
        unsafe {
            let old = self.place(offset).replace(object);
            ffi::Py_XDECREF(old);
        }
    }

    /// What the channel holds, `MISSING` included.
    #[inline(always)]
    pub unsafe fn state(self) -> Done<*mut ffi::PyObject> {
        // SAFETY: the caller's.
        unsafe { self.load(self.class.state) }
    }

    /// What the channel holds, if that is not `MISSING`.
    #[inline(always)]
    pub unsafe fn value(self) -> Done<Option<*mut ffi::PyObject>> {
        // SAFETY: the caller's.
        let state = unsafe { self.state()? };
        Ok((state != self.missing()).then_some(state))
    }

    #[inline(always)]
    pub unsafe fn typ(self) -> Done<*mut ffi::PyObject> {
        // SAFETY: the caller's.
        unsafe { self.load(self.class.typ) }
    }

    #[inline(always)]
    pub unsafe fn extra(self) -> Done<*mut ffi::PyObject> {
        // SAFETY: the caller's.
        unsafe { self.load(self.class.extra) }
    }

    /// The flag, if it is a bool.
    #[inline(always)]
    pub unsafe fn flag(self) -> Done<bool> {
        // SAFETY: the caller's.
        unsafe {
            let flag = self.load(self.class.flag)?;
            if flag == ffi::Py_True() {
                Ok(true)
            } else if flag == ffi::Py_False() {
                Ok(false)
            } else {
                Err(Stop::Unusual)
            }
        }
    }

    #[inline(always)]
    pub fn missing(self) -> *mut ffi::PyObject {
        self.class.host.missing.ptr()
    }

    /// Holds another reference to this from now on.
    #[inline(always)]
    pub unsafe fn hold(self, object: *mut ffi::PyObject) {
        // SAFETY: the caller's.
        unsafe { self.store(self.class.state, ffi::Py_NewRef(object)) }
    }

    /// Holds this new reference from now on.
    #[inline(always)]
    pub unsafe fn take(self, object: Owned) {
        // SAFETY: the caller's.
        unsafe { self.store(self.class.state, object) }
    }

    #[inline(always)]
    pub unsafe fn set_flag(self, flag: bool) {
        // SAFETY: the caller's.
        unsafe {
            let flag = if flag { ffi::Py_True() } else { ffi::Py_False() };
            self.store(self.class.flag, ffi::Py_NewRef(flag));
        }
    }

    /// A new instance of the same class with the same `typ` and `key`, that holds this new
    /// reference, which is given up if there can be none.
    pub unsafe fn twin(self, state: Owned) -> Done<Self> {
        // SAFETY: the caller's. The classes are Python classes, whose `__new__` is object's: it does
        // no more than to allocate. Slots of a new instance are null.
        unsafe {
            let (Ok(typ), Ok(key)) = (self.load(self.class.typ), self.load(self.class.key)) else {
                return Self::without(state, Stop::Unusual);
            };
            let class = ffi::Py_TYPE(self.object);
            let Some(alloc) = (*class).tp_alloc else {
                return Self::without(state, Stop::Unusual);
            };
            let object = alloc(class, 0);
            if object.is_null() {
                return Self::without(state, Stop::Raised);
            }
            let twin = Self { object, class: self.class };
            twin.store(self.class.typ, ffi::Py_NewRef(typ));
            twin.store(self.class.key, ffi::Py_NewRef(key));
            twin.take(state);
            Ok(twin)
        }
    }

    #[cold]
    unsafe fn without(state: Owned, stop: Stop) -> Done<Self> {
        // SAFETY: the caller's.
        unsafe { ffi::Py_DECREF(state) };
        Err(stop)
    }

    /// Gives a twin what its constructor takes.
    pub unsafe fn set_extra(self, extra: *mut ffi::PyObject) {
        // SAFETY: the caller's.
        unsafe { self.store(self.class.extra, ffi::Py_NewRef(extra)) }
    }

    /// The twin as a new reference.
    pub fn into_owned(self) -> Owned {
        self.object
    }
}
