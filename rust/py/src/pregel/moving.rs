//! The channels of a mapping that the end of a step or of a run can change.

use std::cell::Cell;
use std::num::NonZeroU64;

use pyo3::ffi;

use crate::channels::any::Classes;

/// A channel's name and the channel, alive for as long as the mapping is as it was.
pub type Entry = (*mut ffi::PyObject, *mut ffi::PyObject);

/// Those of the mapping that was looked at last.
struct Memo {
    stamp: NonZeroU64,
    classes: u32,
    moving: Vec<Entry>,
}

thread_local! {
    static LAST: Cell<Option<Memo>> = const { Cell::new(None) };
}

/// Calls back for each of them in the order of the mapping, until one call fails.
///
/// A run has one mapping for all its steps, so those found last are kept, and the mapping is not
/// walked again while it is unchanged.
///
/// # Safety
/// `channels` is a plain dict, alive, the GIL is held, and no call runs Python code.
pub unsafe fn each<E>(
    channels: *mut ffi::PyObject,
    classes: &Classes,
    mut call: impl FnMut(Entry) -> Result<(), E>,
) -> Result<(), E> {
    // SAFETY: the caller's.
    let (stamp, moving) = unsafe {
        let stamp = stamp(channels);
        let kept =
            LAST.take().filter(|memo| Some(memo.stamp) == stamp && memo.classes == classes.mask());
        (stamp, kept.map_or_else(|| find(channels, classes), |memo| memo.moving))
    };
    let done = moving.iter().try_for_each(|&entry| call(entry));
    if let Some(stamp) = stamp {
        LAST.set(Some(Memo { stamp, classes: classes.mask(), moving }));
    }
    done
}

unsafe fn find(channels: *mut ffi::PyObject, classes: &Classes) -> Vec<Entry> {
    let (mut at, mut name, mut object) = (0, std::ptr::null_mut(), std::ptr::null_mut());
    let (mut moving, mut unmoved) = (Vec::new(), std::ptr::null_mut());
    // SAFETY: the caller's.
    unsafe {
        while ffi::PyDict_Next(channels, &raw mut at, &raw mut name, &raw mut object) != 0 {
            if ffi::Py_TYPE(object) == unmoved {
                continue;
            }
            let channel = classes.channel(object);
            if channel.fades() || channel.finishes() {
                moving.push((name, object));
            } else {
                unmoved = ffi::Py_TYPE(object);
            }
        }
    }
    moving
}

/// What no other state of this or of any dict has had (PEP 509), where dicts still say so.
#[cfg(not(Py_3_12))]
unsafe fn stamp(dict: *mut ffi::PyObject) -> Option<NonZeroU64> {
    // SAFETY: the caller's.
    NonZeroU64::new(unsafe { (*dict.cast::<ffi::PyDictObject>()).ma_version_tag })
}

#[cfg(Py_3_12)]
unsafe fn stamp(_: *mut ffi::PyObject) -> Option<NonZeroU64> {
    None
}
