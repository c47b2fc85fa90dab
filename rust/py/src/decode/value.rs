//! One value after another.
use pyo3::ffi;
use pyo3::prelude::*;

use super::Decoder;
use crate::failure::{Done, Fail, decode_error};
use crate::stack;

/// Values inside one another in one message; ormsgpack's own limit.
const MAX_DEPTH: u32 = 1023;

impl<'a, 'py> Decoder<'a, 'py> {
    /// A whole message: one value and nothing after it.
    pub(super) fn message(&mut self) -> Done<Bound<'py, PyAny>> {
        let value = self.value()?;
        if self.at != self.data.len() {
            return Err(self.trailing());
        }
        Ok(value)
    }

    #[cold]
    pub(super) fn trailing(&self) -> Fail {
        let extra = self.data.len() - self.at;
        decode_error(&format!("{extra} bytes after the end of the value"))
    }

    /// The next byte.
    #[inline(always)]
    pub(super) fn byte(&mut self) -> Done<u8> {
        match self.data.get(self.at) {
            Some(&byte) => {
                self.at += 1;
                Ok(byte)
            }
            None => Err(ended()),
        }
    }

    /// The next `length` bytes.
    #[inline(always)]
    pub(super) fn take(&mut self, length: usize) -> Done<&'a [u8]> {
        match self.data[self.at..].get(..length) {
            Some(bytes) => {
                self.at += length;
                Ok(bytes)
            }
            None => Err(ended()),
        }
    }

    #[inline(always)]
    fn array<const N: usize>(&mut self) -> Done<[u8; N]> {
        match self.data[self.at..].first_chunk::<N>() {
            Some(bytes) => {
                self.at += N;
                Ok(*bytes)
            }
            None => Err(ended()),
        }
    }

    /// A one-byte length.
    #[inline(always)]
    pub(super) fn u8(&mut self) -> Done<usize> {
        Ok(self.byte()?.into())
    }

    /// A two-byte length.
    #[inline(always)]
    pub(super) fn u16(&mut self) -> Done<usize> {
        Ok(u16::from_be_bytes(self.array()?).into())
    }

    /// A four-byte length.
    #[inline(always)]
    pub(super) fn u32(&mut self) -> Done<usize> {
        Ok(u32::from_be_bytes(self.array()?) as usize)
    }

    /// The next value.
    pub(super) fn value(&mut self) -> Done<Bound<'py, PyAny>> {
        let marker = self.byte()?;
        match marker {
            0xa0..=0xbf => self.text(usize::from(marker & 0x1f)),
            0xd9 => self.u8().and_then(|length| self.text(length)),
            0xda => self.u16().and_then(|length| self.text(length)),
            0xdb => self.u32().and_then(|length| self.text(length)),
            0x80..=0x8f => self.map(usize::from(marker & 0xf)),
            0xde => self.u16().and_then(|length| self.map(length)),
            0xdf => self.u32().and_then(|length| self.map(length)),
            0x90..=0x9f => self.list(usize::from(marker & 0xf)),
            0xdc => self.u16().and_then(|length| self.list(length)),
            0xdd => self.u32().and_then(|length| self.list(length)),
            0xc7..=0xc9 | 0xd4..=0xd8 => {
                let length = self.ext_length(marker)?;
                self.ext(length)
            }
            _ => self.scalar(marker),
        }
    }

    /// A number, a constant or bytes.
    #[inline(always)]
    pub(super) fn scalar(&mut self, marker: u8) -> Done<Bound<'py, PyAny>> {
        let py = self.py;
        // SAFETY: the GIL is held; each function gives a new reference or null with an exception set.
        let object = unsafe {
            match marker {
                0x00..=0x7f => ffi::PyLong_FromLong(marker.into()),
                0xe0..=0xff => ffi::PyLong_FromLong(marker.cast_signed().into()),
                0xc0 => return Ok(py.None().into_bound(py)),
                0xc2 | 0xc3 => ffi::PyBool_FromLong((marker & 1).into()),
                0xca => ffi::PyFloat_FromDouble(f32::from_be_bytes(self.array()?).into()),
                0xcb => ffi::PyFloat_FromDouble(f64::from_be_bytes(self.array()?)),
                0xcc => ffi::PyLong_FromLong(self.byte()?.into()),
                0xcd => ffi::PyLong_FromLong(u16::from_be_bytes(self.array()?).into()),
                0xce => ffi::PyLong_FromLongLong(u32::from_be_bytes(self.array()?).into()),
                0xcf => ffi::PyLong_FromUnsignedLongLong(u64::from_be_bytes(self.array()?)),
                0xd0 => ffi::PyLong_FromLong(self.byte()?.cast_signed().into()),
                0xd1 => ffi::PyLong_FromLong(i16::from_be_bytes(self.array()?).into()),
                0xd2 => ffi::PyLong_FromLong(i32::from_be_bytes(self.array()?).into()),
                0xd3 => ffi::PyLong_FromLongLong(i64::from_be_bytes(self.array()?)),
                0xc4 => return self.u8().and_then(|length| self.binary(length)),
                0xc5 => return self.u16().and_then(|length| self.binary(length)),
                0xc6 => return self.u32().and_then(|length| self.binary(length)),
                _ => return Err(decode_error(&format!("invalid type 0x{marker:02x}"))),
            }
        };
        // SAFETY: as above.
        Ok(unsafe { Bound::from_owned_ptr_or_err(py, object)? })
    }

    fn binary(&mut self, length: usize) -> Done<Bound<'py, PyAny>> {
        let bytes = self.take(length)?;
        // SAFETY: copies the bytes into a new object.
        Ok(unsafe {
            let object =
                ffi::PyBytes_FromStringAndSize(bytes.as_ptr().cast(), bytes.len().cast_signed());
            Bound::from_owned_ptr_or_err(self.py, object)?
        })
    }

    /// One level down, into a container of `count` values, each at least a byte long.
    #[inline(always)]
    pub(super) fn enter(&mut self, count: usize) -> Done {
        if self.depth >= MAX_DEPTH - u32::from(count != 0) {
            return Err(decode_error("Recursion limit reached"));
        }
        if stack::here() < self.stack_floor {
            return Err(decode_error("Recursion limit reached: out of stack"));
        }
        if count > (self.data.len() - self.at).saturating_sub(self.owed) {
            return Err(ended());
        }
        self.depth += 1;
        self.owed += count;
        Ok(())
    }

    #[inline(always)]
    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// The next value of an open container.
    #[inline(always)]
    pub(super) fn item(&mut self) -> Done<Bound<'py, PyAny>> {
        self.owed -= 1;
        self.value()
    }

    fn list(&mut self, length: usize) -> Done<Bound<'py, PyAny>> {
        self.enter(length)?;
        // SAFETY: the list is new; each slot is filled once, and CPython allows for empty ones meanwhile.
        unsafe {
            let list = ffi::PyList_New(length.cast_signed());
            let list = Bound::from_owned_ptr_or_err(self.py, list)?;
            for index in 0..length {
                let item = self.item()?;
                ffi::PyList_SET_ITEM(list.as_ptr(), index.cast_signed(), item.into_ptr());
            }
            self.leave();
            Ok(list)
        }
    }

    /// A dict of `length` pairs.
    pub(super) fn map(&mut self, length: usize) -> Done<Bound<'py, PyAny>> {
        self.enter(length.saturating_mul(2))?;
        // SAFETY: the dict is new.
        let dict = unsafe { Bound::from_owned_ptr_or_err(self.py, ffi::PyDict_New())? };
        for _ in 0..length {
            self.pair(&dict)?;
        }
        self.leave();
        Ok(dict)
    }

    /// The next pair of an open map, into `dict`.
    #[inline(always)]
    pub(super) fn pair(&mut self, dict: &Bound<'py, PyAny>) -> Done {
        self.owed -= 1;
        let key = self.key()?;
        let value = self.item()?;
        // SAFETY: the dict takes references of its own.
        let status = unsafe { ffi::PyDict_SetItem(dict.as_ptr(), key.as_ptr(), value.as_ptr()) };
        if status != 0 {
            return Err(crate::failure::fetched(self.py));
        }
        Ok(())
    }

    /// The length of an extension, by its marker.
    pub(super) fn ext_length(&mut self, marker: u8) -> Done<usize> {
        match marker {
            0xc7 => self.u8(),
            0xc8 => self.u16(),
            0xc9 => self.u32(),
            _ => Ok(1 << (marker - 0xd4)),
        }
    }
}

#[cold]
fn ended() -> Fail {
    decode_error("unexpected end of file")
}
