//! Channels by name and by number, of those that a step touches.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use pyo3::ffi;

use crate::channels::any::AnyChannel;
use crate::channels::held::Held;
use crate::text::utf8;

/// A plain str, borrowed from whoever holds it.
#[derive(Clone, Copy)]
struct Name(*mut ffi::PyObject);

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        // SAFETY: both are plain strs, alive for as long as the table.
        self.0 == other.0 || unsafe { utf8(self.0) == utf8(other.0) && utf8(self.0).is_some() }
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // SAFETY: as above; a str keeps its hash.
        state.write_isize(unsafe { ffi::PyObject_Hash(self.0) });
    }
}

/// Python's own hash of a str is good as it is.
#[derive(Default)]
struct Pass(u64);

impl Hasher for Pass {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_isize(&mut self, hash: isize) {
        self.0 = (hash.cast_unsigned() as u64).rotate_left(7);
    }
}

/// A channel that is touched, and its name.
pub struct Slot {
    pub name: Held,
    /// Keeps the channel: code of the user's may take it from the mapping.
    _channel: Held,
    pub channel: AnyChannel,
}

/// Up to so many names are found quicker by looking at them all.
const FEW: usize = 32;

/// See the file.
#[derive(Default)]
pub struct Slots {
    pub all: Vec<Slot>,
    /// The hash of each name.
    hashes: Vec<isize>,
    /// The numbers, once there are more than a few.
    numbers: HashMap<Name, usize, BuildHasherDefault<Pass>>,
}

impl Slots {
    /// The number of a channel, if it has one.
    ///
    /// # Safety
    /// `name` is a plain str, alive, and the GIL is held (so for every method here).
    #[inline(always)]
    pub unsafe fn number(&self, name: *mut ffi::PyObject) -> Option<usize> {
        if self.all.len() > FEW {
            return self.numbers.get(&Name(name)).copied();
        }
        // SAFETY: the caller's; a plain str always has a hash.
        let hash = unsafe { ffi::PyObject_Hash(name) };
        let same = |slot: &Slot| Name(slot.name.ptr()) == Name(name);
        (0..)
            .zip(self.hashes.iter().zip(&self.all))
            .find_map(|(number, (&other, slot))| (other == hash && same(slot)).then_some(number))
    }

    /// Gives a channel that has none a number.
    pub unsafe fn add(&mut self, name: *mut ffi::PyObject, channel: AnyChannel) -> usize {
        let number = self.all.len();
        if number == 0 {
            self.all.reserve(FEW);
            self.hashes.reserve(FEW);
        }
        // SAFETY: the caller's, and the channel is alive.
        unsafe {
            self.all.push(Slot {
                name: Held::borrowed(name),
                _channel: Held::borrowed(channel.ptr()),
                channel,
            });
            self.hashes.push(ffi::PyObject_Hash(name));
        }
        if number == FEW {
            let names = self.all.iter().map(|slot| Name(slot.name.ptr()));
            self.numbers = names.zip(0..).collect();
        } else if number > FEW {
            self.numbers.insert(Name(name), number);
        }
        number
    }
}
