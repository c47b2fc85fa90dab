//! `LastValueAfterFinish`: the last value received, to be read once the run finishes.

use pyo3::ffi;

use super::channel::Channel;
use super::class::Kind;
use super::rules::{Done, Owned, Rules, Stop, Values};

/// See the file.
pub struct LastValueAfterFinish;

/// The items of a tuple of a state and a bool.
///
/// # Safety
/// `checkpoint` is alive and the GIL is held.
pub unsafe fn pair(checkpoint: *mut ffi::PyObject) -> Done<(*mut ffi::PyObject, bool)> {
    // SAFETY: the caller's, and the size is checked.
    unsafe {
        if ffi::PyTuple_CheckExact(checkpoint) == 0 || ffi::Py_SIZE(checkpoint) != 2 {
            return Err(Stop::Unusual);
        }
        let finished = ffi::PyTuple_GET_ITEM(checkpoint, 1);
        if finished != ffi::Py_True() && finished != ffi::Py_False() {
            return Err(Stop::Unusual);
        }
        Ok((ffi::PyTuple_GET_ITEM(checkpoint, 0), finished == ffi::Py_True()))
    }
}

/// A new tuple of a state and a bool.
///
/// # Safety
/// As for [`Rules`].
pub unsafe fn pack(channel: Channel) -> Done<Owned> {
    // SAFETY: the caller's; a new tuple takes the references.
    unsafe {
        let (state, finished) = (channel.state()?, channel.flag()?);
        let tuple = ffi::PyTuple_New(2);
        if tuple.is_null() {
            return Err(Stop::Raised);
        }
        let finished = if finished { ffi::Py_True() } else { ffi::Py_False() };
        ffi::PyTuple_SET_ITEM(tuple, 0, ffi::Py_NewRef(state));
        ffi::PyTuple_SET_ITEM(tuple, 1, ffi::Py_NewRef(finished));
        Ok(tuple)
    }
}

impl LastValueAfterFinish {
    unsafe fn twin(channel: Channel, state: *mut ffi::PyObject, finished: bool) -> Done<Owned> {
        // SAFETY: the caller's.
        unsafe {
            let twin = channel.twin(ffi::Py_NewRef(state))?;
            twin.set_flag(finished);
            Ok(twin.into_owned())
        }
    }
}

impl Rules for LastValueAfterFinish {
    const KIND: Kind = Kind::LastValueAfterFinish;

    #[inline(always)]
    unsafe fn update(channel: Channel, values: Values) -> Done<bool> {
        // SAFETY: the caller's. The value comes first: to give up the flag, which may be any object
        // here, may change the values.
        unsafe {
            let len = values.len();
            if len == 0 {
                return Ok(false);
            }
            channel.hold(values.get(len - 1));
            channel.set_flag(false);
            Ok(true)
        }
    }

    #[inline(always)]
    unsafe fn get(channel: Channel) -> Done<Option<Owned>> {
        // SAFETY: the caller's.
        unsafe {
            match channel.value()? {
                Some(value) if channel.flag()? => Ok(Some(ffi::Py_NewRef(value))),
                _ => Ok(None),
            }
        }
    }

    #[inline(always)]
    unsafe fn is_available(channel: Channel) -> Done<bool> {
        // SAFETY: the caller's.
        unsafe { Ok(channel.value()?.is_some() && channel.flag()?) }
    }

    unsafe fn checkpoint(channel: Channel) -> Done<Owned> {
        // SAFETY: the caller's.
        unsafe {
            match channel.value()? {
                Some(_) => pack(channel),
                None => Ok(ffi::Py_NewRef(channel.missing())),
            }
        }
    }

    unsafe fn from_checkpoint(channel: Channel, checkpoint: *mut ffi::PyObject) -> Done<Owned> {
        // SAFETY: the caller's.
        unsafe {
            if checkpoint == channel.missing() {
                return Self::twin(channel, checkpoint, false);
            }
            let (value, finished) = pair(checkpoint)?;
            Self::twin(channel, value, finished)
        }
    }

    unsafe fn copy(channel: Channel) -> Done<Owned> {
        // SAFETY: the caller's.
        unsafe {
            match channel.value()? {
                Some(value) => Self::twin(channel, value, channel.flag()?),
                None => Self::twin(channel, channel.missing(), false),
            }
        }
    }

    #[inline(always)]
    unsafe fn consume(channel: Channel) -> Done<bool> {
        // SAFETY: the caller's.
        unsafe {
            let finished = channel.flag()?;
            if finished {
                channel.set_flag(false);
                channel.hold(channel.missing());
            }
            Ok(finished)
        }
    }

    #[inline(always)]
    unsafe fn finish(channel: Channel) -> Done<bool> {
        // SAFETY: the caller's.
        unsafe {
            let finishes = !channel.flag()? && channel.value()?.is_some();
            if finishes {
                channel.set_flag(true);
            }
            Ok(finishes)
        }
    }
}
