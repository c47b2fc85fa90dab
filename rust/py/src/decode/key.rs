//! Keys of maps: short strings come from a cache, tuples may hold others.
use pyo3::ffi;
use pyo3::prelude::*;

use super::Decoder;
use super::cache::{Id, MAX_KEY, key_cache};
use crate::failure::Done;

impl<'py> Decoder<'_, 'py> {
    /// The next key.
    #[inline(always)]
    pub(super) fn key(&mut self) -> Done<Bound<'py, PyAny>> {
        let marker = self.byte()?;
        if marker & 0xe0 == 0xa0 {
            return self.text_key(usize::from(marker & 0x1f));
        }
        self.other_key(marker)
    }

    #[inline(never)]
    fn other_key(&mut self, marker: u8) -> Done<Bound<'py, PyAny>> {
        match marker {
            0xd9 => self.u8().and_then(|length| self.text_key(length)),
            0xda => self.u16().and_then(|length| self.text_key(length)),
            0xdb => self.u32().and_then(|length| self.text_key(length)),
            0x90..=0x9f => self.tuple_key(usize::from(marker & 0xf)),
            0xdc => self.u16().and_then(|length| self.tuple_key(length)),
            0xdd => self.u32().and_then(|length| self.tuple_key(length)),
            _ => self.scalar(marker),
        }
    }

    /// A string that is a key.
    #[inline(always)]
    fn text_key(&mut self, length: usize) -> Done<Bound<'py, PyAny>> {
        let rest = &self.data[self.at..];
        let bytes = self.take(length)?;
        if length > MAX_KEY {
            return self.string(bytes);
        }
        key_cache(self.py).get(Id::new(rest, length), bytes, || self.string(bytes))
    }

    fn tuple_key(&mut self, length: usize) -> Done<Bound<'py, PyAny>> {
        self.enter(length)?;
        let mut items = Vec::new();
        for _ in 0..length {
            self.owed -= 1;
            items.push(self.key()?);
        }
        self.leave();
        let tuple = pyo3::types::PyTuple::new(self.py, items)?.into_any();
        // SAFETY: only asks for the hash, which a dict needs.
        if unsafe { ffi::PyObject_Hash(tuple.as_ptr()) } == -1 {
            return Err(crate::failure::fetched(self.py));
        }
        Ok(tuple)
    }
}
