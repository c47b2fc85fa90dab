//! The kinds that hold one value: `LastValue`, `AnyValue` and `EphemeralValue`.

use pyo3::ffi;

use super::channel::Channel;
use super::class::Kind;
use super::rules::{Done, Owned, Rules, Stop, Values};

/// The last value received, at most one a step.
pub struct LastValue;

/// The last value of the step before.
pub struct AnyValue;

/// The value of the step before.
pub struct EphemeralValue;

/// A new reference to what the channel holds.
///
/// # Safety
/// As for [`Rules`] (so for every function here).
#[inline(always)]
pub unsafe fn get(channel: Channel) -> Done<Option<Owned>> {
    // SAFETY: the caller's.
    unsafe { Ok(channel.value()?.map(|value| ffi::Py_NewRef(value))) }
}

/// A new reference to what the channel holds, `MISSING` included.
#[inline(always)]
pub unsafe fn checkpoint(channel: Channel) -> Done<Owned> {
    // SAFETY: the caller's.
    unsafe { Ok(ffi::Py_NewRef(channel.state()?)) }
}

/// Holds the last of the values, or nothing where there is none; whether that changes anything.
#[inline(always)]
unsafe fn replace(channel: Channel, values: Values) -> Done<bool> {
    // SAFETY: the caller's.
    unsafe {
        let len = values.len();
        if len != 0 {
            channel.hold(values.get(len - 1));
            return Ok(true);
        }
        let had = channel.value()?.is_some();
        if had {
            channel.hold(channel.missing());
        }
        Ok(had)
    }
}

unsafe fn twin(channel: Channel, state: *mut ffi::PyObject) -> Done<Owned> {
    // SAFETY: the caller's.
    unsafe { Ok(channel.twin(ffi::Py_NewRef(state))?.into_owned()) }
}

impl Rules for LastValue {
    const KIND: Kind = Kind::LastValue;

    #[inline(always)]
    unsafe fn update(channel: Channel, values: Values) -> Done<bool> {
        // SAFETY: the caller's.
        unsafe {
            match values.len() {
                0 => Ok(false),
                1 => {
                    channel.hold(values.get(0));
                    Ok(true)
                }
                _ => Err(Stop::Unusual),
            }
        }
    }

    #[inline(always)]
    unsafe fn get(channel: Channel) -> Done<Option<Owned>> {
        // SAFETY: the caller's.
        unsafe { get(channel) }
    }

    #[inline(always)]
    unsafe fn is_available(channel: Channel) -> Done<bool> {
        // SAFETY: the caller's.
        unsafe { Ok(channel.value()?.is_some()) }
    }

    #[inline(always)]
    unsafe fn checkpoint(channel: Channel) -> Done<Owned> {
        // SAFETY: the caller's.
        unsafe { checkpoint(channel) }
    }

    unsafe fn from_checkpoint(channel: Channel, checkpoint: *mut ffi::PyObject) -> Done<Owned> {
        // SAFETY: the caller's. A checkpoint of nothing is MISSING, as is the state.
        unsafe { twin(channel, checkpoint) }
    }

    unsafe fn copy(channel: Channel) -> Done<Owned> {
        // SAFETY: the caller's.
        unsafe { twin(channel, channel.state()?) }
    }
}

impl Rules for AnyValue {
    const KIND: Kind = Kind::AnyValue;

    #[inline(always)]
    unsafe fn update(channel: Channel, values: Values) -> Done<bool> {
        // SAFETY: the caller's.
        unsafe { replace(channel, values) }
    }

    #[inline(always)]
    unsafe fn get(channel: Channel) -> Done<Option<Owned>> {
        // SAFETY: the caller's.
        unsafe { get(channel) }
    }

    #[inline(always)]
    unsafe fn is_available(channel: Channel) -> Done<bool> {
        // SAFETY: the caller's.
        unsafe { Ok(channel.value()?.is_some()) }
    }

    #[inline(always)]
    unsafe fn checkpoint(channel: Channel) -> Done<Owned> {
        // SAFETY: the caller's.
        unsafe { checkpoint(channel) }
    }

    unsafe fn from_checkpoint(channel: Channel, checkpoint: *mut ffi::PyObject) -> Done<Owned> {
        // SAFETY: the caller's.
        unsafe { twin(channel, checkpoint) }
    }

    unsafe fn copy(channel: Channel) -> Done<Owned> {
        // SAFETY: the caller's.
        unsafe { twin(channel, channel.state()?) }
    }
}

impl EphemeralValue {
    /// A channel with the same guard, which may be any object.
    unsafe fn twin(channel: Channel, state: *mut ffi::PyObject) -> Done<Owned> {
        // SAFETY: the caller's.
        unsafe {
            let guard = channel.flag()?;
            let twin = channel.twin(ffi::Py_NewRef(state))?;
            twin.set_flag(guard);
            Ok(twin.into_owned())
        }
    }
}

impl Rules for EphemeralValue {
    const KIND: Kind = Kind::EphemeralValue;

    #[inline(always)]
    unsafe fn update(channel: Channel, values: Values) -> Done<bool> {
        // SAFETY: the caller's.
        unsafe {
            if values.len() > 1 && channel.flag()? {
                return Err(Stop::Unusual);
            }
            replace(channel, values)
        }
    }

    #[inline(always)]
    unsafe fn get(channel: Channel) -> Done<Option<Owned>> {
        // SAFETY: the caller's.
        unsafe { get(channel) }
    }

    #[inline(always)]
    unsafe fn is_available(channel: Channel) -> Done<bool> {
        // SAFETY: the caller's.
        unsafe { Ok(channel.value()?.is_some()) }
    }

    #[inline(always)]
    unsafe fn checkpoint(channel: Channel) -> Done<Owned> {
        // SAFETY: the caller's.
        unsafe { checkpoint(channel) }
    }

    unsafe fn from_checkpoint(channel: Channel, checkpoint: *mut ffi::PyObject) -> Done<Owned> {
        // SAFETY: the caller's.
        unsafe { Self::twin(channel, checkpoint) }
    }

    unsafe fn copy(channel: Channel) -> Done<Owned> {
        // SAFETY: the caller's.
        unsafe { Self::twin(channel, channel.state()?) }
    }
}
