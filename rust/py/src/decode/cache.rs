//! Direct-mapped tables from bytes to what they were turned into last.
use std::cell::UnsafeCell;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::failure::Done;

const KEYS: usize = 2048;
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// A fast hash of a few bytes. Collisions cost time, never correctness.
#[inline(always)]
pub fn hash(bytes: &[u8]) -> u64 {
    let mut state = (bytes.len() as u64).wrapping_mul(FACTOR);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        state = (state.rotate_left(23) ^ u64::from_le_bytes(*word)).wrapping_mul(FACTOR);
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    state = (state.rotate_left(23) ^ u64::from_le_bytes(last)).wrapping_mul(FACTOR);
    state ^ (state >> 29)
}

/// The longest key that is kept.
pub const MAX_KEY: usize = 64;

/// The longest key that is compared as a number.
const SHORT: usize = 16;

/// What a key is found by: its bytes as one number, or their hash if they are too many, and its length.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Id {
    bytes: u128,
    length: usize,
}

impl Id {
    /// Of the `length` bytes at the start of `data`, which has that many.
    #[inline(always)]
    pub fn new(data: &[u8], length: usize) -> Self {
        if length > SHORT {
            return Self { bytes: hash(&data[..length]).into(), length };
        }
        let bytes = if let Some(chunk) = data.first_chunk::<16>() {
            let all = u128::from_le_bytes(*chunk);
            if length == 0 { 0 } else { all << (128 - 8 * length) }
        } else {
            let mut chunk = [0; 16];
            chunk[16 - length..].copy_from_slice(&data[..length]);
            u128::from_le_bytes(chunk)
        };
        Self { bytes, length }
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the halves, and an index")]
    fn place(self) -> usize {
        let (low, high) = (self.bytes as u64, (self.bytes >> 64) as u64);
        let mixed = (low ^ high.rotate_left(29) ^ self.length as u64).wrapping_mul(FACTOR);
        (mixed >> 48) as usize % KEYS
    }
}

struct Slot {
    id: Id,
    /// A compact ASCII str, or null.
    key: *mut ffi::PyObject,
}

/// Short ASCII keys, with the hash Python needs computed already.
pub struct KeyCache {
    slots: UnsafeCell<Box<[Slot]>>,
}

// SAFETY: reached only through `key_cache`, which asks for the GIL, and no call in `get` releases it while
// a slot is borrowed.
unsafe impl Send for KeyCache {}
// SAFETY: as above.
unsafe impl Sync for KeyCache {}

/// The one cache of keys.
pub fn key_cache(py: Python<'_>) -> &'static KeyCache {
    static CACHE: PyOnceLock<KeyCache> = PyOnceLock::new();
    CACHE.get_or_init(py, || {
        let none = Id { bytes: 0, length: usize::MAX };
        let slots = (0..KEYS).map(|_| Slot { id: none, key: std::ptr::null_mut() });
        KeyCache { slots: UnsafeCell::new(slots.collect()) }
    })
}

impl KeyCache {
    /// The key with these bytes, by `make` if it is not there.
    #[inline(always)]
    pub fn get<'py>(
        &self,
        id: Id,
        bytes: &[u8],
        make: impl FnOnce() -> Done<Bound<'py, PyAny>>,
    ) -> Done<Bound<'py, PyAny>> {
        // SAFETY: the GIL is held, and nothing here gives it up before the slot is left.
        unsafe {
            let slot = &(&*self.slots.get())[id.place()];
            if slot.id == id && (id.length <= SHORT || ascii(slot.key) == bytes) {
                return Ok(Bound::from_borrowed_ptr(Python::assume_attached(), slot.key));
            }
        }
        let key = make()?;
        if bytes.is_ascii() {
            self.keep(id, &key);
        }
        Ok(key)
    }

    #[cold]
    fn keep(&self, id: Id, key: &Bound<'_, PyAny>) {
        // SAFETY: the GIL is held; the old key is released after its slot was given the new one.
        unsafe {
            ffi::PyObject_Hash(key.as_ptr());
            let new = Slot { id, key: key.clone().into_ptr() };
            let old = std::mem::replace(&mut (&mut *self.slots.get())[id.place()], new);
            ffi::Py_XDECREF(old.key);
        }
    }
}

/// The bytes of a compact ASCII string.
unsafe fn ascii<'a>(key: *mut ffi::PyObject) -> &'a [u8] {
    let key = key.cast::<ffi::PyASCIIObject>();
    // SAFETY: the cache holds compact ASCII strings only.
    unsafe { std::slice::from_raw_parts(key.add(1).cast(), (*key).length.cast_unsigned()) }
}
