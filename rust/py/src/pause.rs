//! Python's cyclic collector, paused.
//!
//! While a long value is built: that makes many objects and no garbage, and every collection meanwhile
//! walks all of them, and older ones too, for nothing. Half the time of reading 10,000 chat messages
//! went there. And while it must not run finalizers. Python code that is called meanwhile runs with
//! the collector as it was.

use std::cell::Cell;

use pyo3::{Python, ffi};

/// Bytes of msgpack from which on a pause is worth its while.
const LONG: usize = 16 * 1024;

thread_local! {
    static PAUSED: Cell<bool> = const { Cell::new(false) };
}

/// A pause that lasts until it is dropped. The GIL is held all the while, but in `resumed`.
pub struct Pause(bool);

impl Pause {
    /// Pauses the collector where it would run finalizers between two steps of native code: since
    /// Python 3.12 it runs between steps of Python code only.
    pub fn within(_py: Python<'_>) -> Self {
        Self(cfg!(not(Py_3_12)) && pause())
    }

    /// Pauses the collector if it is on and `len` bytes are to be read.
    pub fn over(_py: Python<'_>, len: usize) -> Self {
        Self(len >= LONG && pause())
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        if self.0 {
            resume();
        }
    }
}

/// Runs Python code within a pause, or outside of any.
pub fn resumed<T>(call: impl FnOnce() -> T) -> T {
    if !PAUSED.get() {
        return call();
    }
    resume();
    let result = call();
    pause();
    result
}

fn pause() -> bool {
    // SAFETY: the GIL is held: a `Python` token was there, and `resumed` gave it back.
    let paused = !PAUSED.get() && unsafe { ffi::PyGC_Disable() } == 1;
    if paused {
        PAUSED.set(true);
    }
    paused
}

fn resume() {
    if PAUSED.replace(false) {
        // SAFETY: as above.
        unsafe { ffi::PyGC_Enable() };
    }
}
