//! What the rules of a kind are, and how one ends early.

use pyo3::ffi;

use super::channel::Channel;
use super::class::Kind;

/// Why a native rule gave no result.
#[derive(Debug)]
pub enum Stop {
    /// It is LangGraph's own method's to say what happens; nothing has changed that it would not
    /// find the same.
    Unusual,
    /// A Python exception is set.
    Raised,
}

/// The outcome of a rule.
pub type Done<T> = Result<T, Stop>;

/// A new reference.
pub type Owned = *mut ffi::PyObject;

/// A list or a tuple of updates.
#[derive(Clone, Copy)]
pub struct Values(*mut ffi::PyObject);

impl Values {
    /// The updates, if they are in a plain list or tuple.
    ///
    /// # Safety
    /// `values` is alive for as long as this is used, and the GIL is held (so for every rule here).
    #[inline(always)]
    pub unsafe fn of(values: *mut ffi::PyObject) -> Done<Self> {
        // SAFETY: the caller's.
        unsafe {
            if ffi::PyList_CheckExact(values) != 0 || ffi::PyTuple_CheckExact(values) != 0 {
                Ok(Self(values))
            } else {
                Err(Stop::Unusual)
            }
        }
    }

    /// How many there are now: a list may change while an operator runs.
    #[inline(always)]
    pub unsafe fn len(self) -> isize {
        // SAFETY: both start with the same variable-size header.
        unsafe { ffi::Py_SIZE(self.0) }
    }

    /// One of them, borrowed.
    ///
    /// # Safety
    /// `index` is below [`Self::len`].
    #[inline(always)]
    pub unsafe fn get(self, index: isize) -> *mut ffi::PyObject {
        // SAFETY: the caller's.
        unsafe {
            if ffi::PyList_CheckExact(self.0) != 0 {
                ffi::PyList_GET_ITEM(self.0, index)
            } else {
                ffi::PyTuple_GET_ITEM(self.0, index)
            }
        }
    }

    /// All of them, as a new object that nothing else changes.
    pub unsafe fn slice(self) -> Owned {
        // SAFETY: the caller's.
        unsafe {
            if ffi::PyList_CheckExact(self.0) != 0 {
                ffi::PyList_GetSlice(self.0, 0, self.len())
            } else {
                ffi::Py_NewRef(self.0)
            }
        }
    }
}

/// The rules of a kind of channel, as the methods of LangGraph's class of that name.
///
/// # Safety
/// All of them: the channel is an instance with its class's layout, alive, and the GIL is held.
pub trait Rules {
    const KIND: Kind;

    unsafe fn update(channel: Channel, values: Values) -> Done<bool>;

    /// What there is to be read; None where LangGraph raises `EmptyChannelError`.
    unsafe fn get(channel: Channel) -> Done<Option<Owned>>;

    unsafe fn is_available(channel: Channel) -> Done<bool>;

    unsafe fn checkpoint(channel: Channel) -> Done<Owned>;

    unsafe fn from_checkpoint(channel: Channel, checkpoint: *mut ffi::PyObject) -> Done<Owned>;

    unsafe fn copy(channel: Channel) -> Done<Owned>;

    unsafe fn consume(channel: Channel) -> Done<bool> {
        let _ = channel;
        Ok(false)
    }

    unsafe fn finish(channel: Channel) -> Done<bool> {
        let _ = channel;
        Ok(false)
    }
}
