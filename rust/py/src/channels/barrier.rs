//! `NamedBarrierValue` and `NamedBarrierValueAfterFinish`: wait until every name has come.

use pyo3::ffi;

use super::after_finish::{pack, pair};
use super::channel::Channel;
use super::class::Kind;
use super::held::{Held, done, truth};
use super::methods::inherited_update;
use super::rules::{Done, Owned, Rules, Stop, Values};

/// Waits for its names.
pub struct NamedBarrierValue;

/// Waits for its names and for `finish`.
pub struct NamedBarrierValueAfterFinish;

/// What was seen, if it is plainly a set, and held: to compare its items may run any code.
unsafe fn seen(channel: Channel) -> Done<Held> {
    // SAFETY: the caller's.
    unsafe { set(channel.state()?) }
}

/// What is waited for, if it is plainly a set.
unsafe fn names(channel: Channel) -> Done<Held> {
    // SAFETY: the caller's.
    unsafe {
        let names = channel.extra()?;
        if ffi::PyAnySet_CheckExact(names) != 0 {
            Ok(Held::borrowed(names))
        } else {
            Err(Stop::Unusual)
        }
    }
}

/// Whether all have come.
unsafe fn is_complete(channel: Channel) -> Done<bool> {
    // SAFETY: the caller's.
    unsafe {
        let (seen, names) = (seen(channel)?, names(channel)?);
        if ffi::PySet_Size(seen.ptr()) != ffi::PySet_Size(names.ptr()) {
            return Ok(false);
        }
        truth(ffi::PyObject_RichCompareBool(seen.ptr(), names.ptr(), ffi::Py_EQ))
    }
}

/// Adds a name to those seen; whether it is new.
unsafe fn see(channel: Channel, value: *mut ffi::PyObject) -> Done<bool> {
    // SAFETY: the caller's.
    unsafe {
        if !truth(ffi::PySequence_Contains(names(channel)?.ptr(), value))? {
            return Err(Stop::Unusual);
        }
        // What is no str may be a set, which can be looked for as a frozenset and not be added; and
        // to look for it may have put another set in place.
        if ffi::PyUnicode_CheckExact(value) == 0
            && truth(ffi::PySequence_Contains(seen(channel)?.ptr(), value))?
        {
            return Ok(false);
        }
        let seen = seen(channel)?;
        let before = ffi::PySet_Size(seen.ptr());
        done(ffi::PySet_Add(seen.ptr(), value))?;
        Ok(ffi::PySet_Size(seen.ptr()) != before)
    }
}

#[inline(always)]
unsafe fn update(channel: Channel, values: Values) -> Done<bool> {
    // SAFETY: the caller's.
    unsafe {
        let (mut updated, mut index) = (false, 0);
        while index < values.len() {
            let value = Held::borrowed(values.get(index));
            updated |= match see(channel, value.ptr()) {
                // LangGraph's own words for a value that is none of the names.
                Err(Stop::Unusual) => inherited_update(channel, &[value.ptr()])?,
                done => done?,
            };
            index += 1;
        }
        Ok(updated)
    }
}

/// A new set, of the items of another if there is one.
unsafe fn new_set(items: *mut ffi::PyObject) -> Done<Held> {
    // SAFETY: the caller's.
    unsafe { Held::given(ffi::PySet_New(items)) }
}

/// Has seen nothing from now on.
unsafe fn forget(channel: Channel) -> Done<()> {
    // SAFETY: the caller's.
    unsafe {
        let seen = channel.state()?;
        // Nobody could tell a set that only the channel knows from a new one.
        if ffi::Py_REFCNT(seen) == 1 && ffi::Py_TYPE(seen) == &raw mut ffi::PySet_Type {
            return done(ffi::PySet_Clear(seen));
        }
        channel.take(new_set(std::ptr::null_mut())?.into_owned());
        Ok(())
    }
}

unsafe fn none(ready: bool) -> Option<Owned> {
    // SAFETY: the caller's.
    ready.then(|| unsafe { ffi::Py_NewRef(ffi::Py_None()) })
}

/// A channel that waits for the same names and has seen these.
unsafe fn twin(channel: Channel, seen: Held) -> Done<Channel> {
    // SAFETY: the caller's.
    unsafe {
        let names = channel.extra()?;
        let twin = channel.twin(seen.into_owned())?;
        twin.set_extra(names);
        Ok(twin)
    }
}

/// Something that is plainly a set.
unsafe fn set(object: *mut ffi::PyObject) -> Done<Held> {
    // SAFETY: the caller's.
    unsafe {
        if ffi::Py_TYPE(object) == &raw mut ffi::PySet_Type {
            Ok(Held::borrowed(object))
        } else {
            Err(Stop::Unusual)
        }
    }
}

impl Rules for NamedBarrierValue {
    const KIND: Kind = Kind::NamedBarrierValue;

    #[inline(always)]
    unsafe fn update(channel: Channel, values: Values) -> Done<bool> {
        // SAFETY: the caller's.
        unsafe { update(channel, values) }
    }

    unsafe fn get(channel: Channel) -> Done<Option<Owned>> {
        // SAFETY: the caller's.
        unsafe { Ok(none(is_complete(channel)?)) }
    }

    unsafe fn is_available(channel: Channel) -> Done<bool> {
        // SAFETY: the caller's.
        unsafe { is_complete(channel) }
    }

    unsafe fn checkpoint(channel: Channel) -> Done<Owned> {
        // SAFETY: the caller's.
        unsafe { Ok(ffi::Py_NewRef(channel.state()?)) }
    }

    unsafe fn from_checkpoint(channel: Channel, checkpoint: *mut ffi::PyObject) -> Done<Owned> {
        // SAFETY: the caller's.
        unsafe {
            let seen = if checkpoint == channel.missing() {
                new_set(std::ptr::null_mut())?
            } else {
                set(checkpoint)?
            };
            Ok(twin(channel, seen)?.into_owned())
        }
    }

    unsafe fn copy(channel: Channel) -> Done<Owned> {
        // SAFETY: the caller's.
        unsafe { Ok(twin(channel, new_set(seen(channel)?.ptr())?)?.into_owned()) }
    }

    unsafe fn consume(channel: Channel) -> Done<bool> {
        // SAFETY: the caller's.
        unsafe {
            let complete = is_complete(channel)?;
            if complete {
                forget(channel)?;
            }
            Ok(complete)
        }
    }
}

impl NamedBarrierValueAfterFinish {
    unsafe fn twin(channel: Channel, seen: Held, finished: bool) -> Done<Owned> {
        // SAFETY: the caller's.
        unsafe {
            let twin = twin(channel, seen)?;
            twin.set_flag(finished);
            Ok(twin.into_owned())
        }
    }
}

impl Rules for NamedBarrierValueAfterFinish {
    const KIND: Kind = Kind::NamedBarrierValueAfterFinish;

    #[inline(always)]
    unsafe fn update(channel: Channel, values: Values) -> Done<bool> {
        // SAFETY: the caller's.
        unsafe { update(channel, values) }
    }

    unsafe fn get(channel: Channel) -> Done<Option<Owned>> {
        // SAFETY: the caller's.
        unsafe { Ok(none(channel.flag()? && is_complete(channel)?)) }
    }

    unsafe fn is_available(channel: Channel) -> Done<bool> {
        // SAFETY: the caller's.
        unsafe { Ok(channel.flag()? && is_complete(channel)?) }
    }

    unsafe fn checkpoint(channel: Channel) -> Done<Owned> {
        // SAFETY: the caller's.
        unsafe { pack(channel) }
    }

    unsafe fn from_checkpoint(channel: Channel, checkpoint: *mut ffi::PyObject) -> Done<Owned> {
        // SAFETY: the caller's.
        unsafe {
            if checkpoint == channel.missing() {
                return Self::twin(channel, new_set(std::ptr::null_mut())?, false);
            }
            let (names, finished) = pair(checkpoint)?;
            Self::twin(channel, set(names)?, finished)
        }
    }

    unsafe fn copy(channel: Channel) -> Done<Owned> {
        // SAFETY: the caller's.
        unsafe { Self::twin(channel, new_set(seen(channel)?.ptr())?, channel.flag()?) }
    }

    unsafe fn consume(channel: Channel) -> Done<bool> {
        // SAFETY: the caller's.
        unsafe {
            let complete = channel.flag()? && is_complete(channel)?;
            if complete {
                channel.set_flag(false);
                forget(channel)?;
            }
            Ok(complete)
        }
    }

    unsafe fn finish(channel: Channel) -> Done<bool> {
        // SAFETY: the caller's.
        unsafe {
            let finishes = !channel.flag()? && is_complete(channel)?;
            if finishes {
                channel.set_flag(true);
            }
            Ok(finishes)
        }
    }
}
