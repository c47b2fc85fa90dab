//! Strings: UTF-8 into the compact form `CPython` keeps them in.
use pyo3::ffi;
use pyo3::prelude::*;

use super::Decoder;
use crate::failure::{Done, decode_error};

impl<'py> Decoder<'_, 'py> {
    /// A string of `length` bytes.
    #[inline(always)]
    pub(super) fn text(&mut self, length: usize) -> Done<Bound<'py, PyAny>> {
        let bytes = self.take(length)?;
        self.string(bytes)
    }

    /// A new string.
    #[inline(always)]
    pub(super) fn string(&self, bytes: &[u8]) -> Done<Bound<'py, PyAny>> {
        if !bytes.is_ascii() {
            return self.wide_string(bytes);
        }
        // SAFETY: a new compact ASCII string keeps its bytes after its header; the empty one is shared,
        // and is not written to.
        unsafe {
            let string = ffi::PyUnicode_New(bytes.len().cast_signed(), 127);
            let string = Bound::from_owned_ptr_or_err(self.py, string)?;
            let start = string.as_ptr().cast::<ffi::PyASCIIObject>().add(1).cast::<u8>();
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), start, bytes.len());
            Ok(string)
        }
    }

    #[inline(never)]
    fn wide_string(&self, bytes: &[u8]) -> Done<Bound<'py, PyAny>> {
        let text =
            simdutf8::basic::from_utf8(bytes).map_err(|_| decode_error("invalid UTF-8 string"))?;
        let (length, highest) = measured(bytes);
        // SAFETY: the width is the narrowest that holds the highest character, as CPython requires, and
        // as many units are written as there are characters.
        unsafe {
            match highest {
                0xf0.. => self.filled::<u32>(text, length, 0x10_ffff),
                0xc4.. => self.filled::<u16>(text, length, 0xffff),
                _ => self.filled::<u8>(text, length, 0xff),
            }
        }
    }

    /// A string of `length` units of a width.
    unsafe fn filled<T: Unit>(
        &self,
        text: &str,
        length: usize,
        highest: u32,
    ) -> Done<Bound<'py, PyAny>> {
        // SAFETY: a new string that is not ASCII keeps its units after its longer header.
        unsafe {
            let string = ffi::PyUnicode_New(length.cast_signed(), highest);
            let string = Bound::from_owned_ptr_or_err(self.py, string)?;
            let start = string.as_ptr().cast::<ffi::PyCompactUnicodeObject>().add(1);
            if (text.len() - length) * 4 < text.len() {
                fill_runs::<T>(start.cast(), text);
            } else {
                fill::<T>(start.cast(), text);
            }
            Ok(string)
        }
    }
}

/// One character as `CPython` keeps it.
trait Unit: Copy + From<u8> {
    fn narrowed(character: u32) -> Self;
}

impl Unit for u8 {
    #[expect(clippy::cast_possible_truncation, reason = "the width holds the highest character")]
    fn narrowed(character: u32) -> Self {
        character as Self
    }
}

impl Unit for u16 {
    #[expect(clippy::cast_possible_truncation, reason = "the width holds the highest character")]
    fn narrowed(character: u32) -> Self {
        character as Self
    }
}

impl Unit for u32 {
    fn narrowed(character: u32) -> Self {
        character
    }
}

/// How many characters valid UTF-8 has, and its highest byte.
fn measured(bytes: &[u8]) -> (usize, u8) {
    const LANE: usize = 240;
    let (mut count, mut highest) = (0, 0);
    for lane in bytes.chunks(LANE) {
        // Of a byte each, so that the compiler counts many at once; they do not overflow.
        let mut starts = 0_u8;
        for &byte in lane {
            starts += u8::from(byte.cast_signed() >= -64);
            highest = highest.max(byte);
        }
        count += usize::from(starts);
    }
    (count, highest)
}

/// Writes characters.
unsafe fn fill<T: Unit>(mut out: *mut T, text: &str) {
    for character in text.chars() {
        // SAFETY: the caller made room for one unit a character.
        unsafe {
            out.write(T::narrowed(character.into()));
            out = out.add(1);
        }
    }
}

/// Writes characters that are mostly ASCII: eight at a time where they all are.
unsafe fn fill_runs<T: Unit>(mut out: *mut T, text: &str) {
    const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
    let mut rest = text;
    loop {
        while let Some(eight) = rest.as_bytes().first_chunk::<8>()
            && u64::from_ne_bytes(*eight) & HIGH_BITS == 0
        {
            // SAFETY: the caller made room for one unit a character.
            unsafe {
                for (place, byte) in eight.iter().enumerate() {
                    out.add(place).write(T::from(*byte));
                }
                out = out.add(8);
            }
            rest = &rest[8..];
        }
        let mut characters = rest.chars();
        for _ in 0..8 {
            let Some(character) = characters.next() else {
                return;
            };
            // SAFETY: as above.
            unsafe {
                out.write(T::narrowed(character.into()));
                out = out.add(1);
            }
        }
        rest = characters.as_str();
    }
}
