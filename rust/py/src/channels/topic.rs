//! `Topic`: all values received, of one step or of all.

use pyo3::ffi;

use super::channel::Channel;
use super::class::Kind;
use super::held::{Held, done, truth};
use super::plain::is_plain;
use super::rules::{Done, Owned, Rules, Stop, Values};

/// See the file.
pub struct Topic;

/// The channel's list, if it is plainly one.
unsafe fn list(channel: Channel) -> Done<*mut ffi::PyObject> {
    // SAFETY: the caller's.
    unsafe {
        let list = channel.state()?;
        if ffi::PyList_CheckExact(list) != 0 { Ok(list) } else { Err(Stop::Unusual) }
    }
}

/// Whether an update is a list of updates; of a subclass, LangGraph asks how it iterates.
unsafe fn is_list(value: *mut ffi::PyObject) -> Done<bool> {
    // SAFETY: the caller's. isinstance looks at `__class__` too.
    unsafe {
        if ffi::PyList_CheckExact(value) != 0 {
            return Ok(true);
        }
        if is_plain(value) {
            return Ok(false);
        }
        let list = (&raw mut ffi::PyList_Type).cast();
        if truth(ffi::PyObject_IsInstance(value, list))? { Err(Stop::Unusual) } else { Ok(false) }
    }
}

/// A new list of the updates, and of the items of those that are lists.
unsafe fn flatten(values: Values) -> Done<Held> {
    // SAFETY: the caller's.
    unsafe {
        let flat = Held::given(ffi::PyList_New(0))?;
        let mut index = 0;
        while index < values.len() {
            let value = Held::borrowed(values.get(index));
            if is_list(value.ptr())? {
                let end = ffi::PyList_GET_SIZE(flat.ptr());
                done(ffi::PyList_SetSlice(flat.ptr(), end, end, value.ptr()))?;
            } else {
                done(ffi::PyList_Append(flat.ptr(), value.ptr()))?;
            }
            index += 1;
        }
        Ok(flat)
    }
}

impl Topic {
    unsafe fn twin(channel: Channel, state: Owned) -> Done<Owned> {
        // SAFETY: the caller's.
        unsafe {
            let state = Held::given(state)?;
            let accumulate = channel.flag()?;
            let twin = channel.twin(state.into_owned())?;
            twin.set_flag(accumulate);
            Ok(twin.into_owned())
        }
    }
}

impl Rules for Topic {
    const KIND: Kind = Kind::Topic;

    #[inline(always)]
    unsafe fn update(channel: Channel, values: Values) -> Done<bool> {
        // SAFETY: the caller's.
        unsafe {
            let accumulate = channel.flag()?;
            let had = ffi::PyList_GET_SIZE(list(channel)?) > 0;
            if accumulate && values.len() == 0 {
                return Ok(false);
            }
            let flat = flatten(values)?;
            let any = ffi::PyList_GET_SIZE(flat.ptr()) > 0;
            if !accumulate {
                channel.take(flat.into_owned());
                return Ok(had || any);
            }
            // To flatten may have run code that put something else here.
            let list = Held::borrowed(list(channel)?);
            let end = ffi::PyList_GET_SIZE(list.ptr());
            done(ffi::PyList_SetSlice(list.ptr(), end, end, flat.ptr()))?;
            Ok(any)
        }
    }

    #[inline(always)]
    unsafe fn get(channel: Channel) -> Done<Option<Owned>> {
        // SAFETY: the caller's.
        unsafe {
            let list = list(channel)?;
            let len = ffi::PyList_GET_SIZE(list);
            if len == 0 {
                return Ok(None);
            }
            Ok(Some(Held::given(ffi::PyList_GetSlice(list, 0, len))?.into_owned()))
        }
    }

    #[inline(always)]
    unsafe fn is_available(channel: Channel) -> Done<bool> {
        // SAFETY: the caller's.
        unsafe { Ok(ffi::PyList_GET_SIZE(list(channel)?) > 0) }
    }

    #[inline(always)]
    unsafe fn checkpoint(channel: Channel) -> Done<Owned> {
        // SAFETY: the caller's.
        unsafe { Ok(ffi::Py_NewRef(channel.state()?)) }
    }

    unsafe fn from_checkpoint(channel: Channel, checkpoint: *mut ffi::PyObject) -> Done<Owned> {
        // SAFETY: the caller's. A tuple is what older releases stored.
        unsafe {
            if checkpoint == channel.missing() {
                Self::twin(channel, ffi::PyList_New(0))
            } else if ffi::PyList_CheckExact(checkpoint) != 0 {
                Self::twin(channel, ffi::Py_NewRef(checkpoint))
            } else {
                Err(Stop::Unusual)
            }
        }
    }

    unsafe fn copy(channel: Channel) -> Done<Owned> {
        // SAFETY: the caller's.
        unsafe {
            let list = list(channel)?;
            Self::twin(channel, ffi::PyList_GetSlice(list, 0, ffi::PyList_GET_SIZE(list)))
        }
    }
}
