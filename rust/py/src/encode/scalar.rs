//! Values that hold no others: strings, numbers, bytes.
use pyo3::ffi;
use pyo3::prelude::*;

use super::Encoder;
use crate::failure::{Done, encode_error, fetched};
use crate::text::utf8;

#[cfg(Py_3_12)]
#[repr(C)]
struct SmallInt {
    base: ffi::PyObject,
    tag: usize,
    digit: u32,
}

/// The value of an int of at most one 30-bit digit.
///
/// # Safety
/// `int` is a live int and the GIL is held.
#[cfg(all(Py_3_12, target_pointer_width = "64"))]
#[inline(always)]
unsafe fn small(int: *mut ffi::PyObject) -> Option<i64> {
    let int = int.cast::<SmallInt>();
    // SAFETY: a compact int keeps its sign in the tag's two low bits and its one digit after it.
    unsafe {
        let tag = (*int).tag;
        (tag < 2 << 3).then(|| (1 - (tag & 3).cast_signed() as i64) * i64::from((*int).digit))
    }
}

#[cfg(not(Py_3_12))]
#[repr(C)]
struct SmallInt {
    base: ffi::PyVarObject,
    digit: u32,
}

/// The value of an int of at most one 30-bit digit.
///
/// # Safety
/// `int` is a live int and the GIL is held.
#[cfg(all(not(Py_3_12), target_pointer_width = "64"))]
#[inline(always)]
unsafe fn small(int: *mut ffi::PyObject) -> Option<i64> {
    let int = int.cast::<SmallInt>();
    // SAFETY: the sign and the number of digits are in ob_size; zero has none.
    unsafe {
        match (*int).base.ob_size {
            0 => Some(0),
            1 => Some(i64::from((*int).digit)),
            -1 => Some(-i64::from((*int).digit)),
            _ => None,
        }
    }
}

#[cfg(not(target_pointer_width = "64"))]
unsafe fn small(_int: *mut ffi::PyObject) -> Option<i64> {
    None
}

impl Encoder<'_> {
    /// An int, exact or of a subclass.
    ///
    /// # Safety
    /// `int` is a live int and the GIL is held (so for every method here).
    #[inline(always)]
    pub(super) unsafe fn int(&mut self, int: *mut ffi::PyObject) -> Done {
        // SAFETY: the caller's.
        match unsafe { small(int) } {
            Some(value) => self.signed(value),
            // SAFETY: the caller's.
            None => unsafe { self.wide_int(int) },
        }
    }

    #[inline(never)]
    unsafe fn wide_int(&mut self, int: *mut ffi::PyObject) -> Done {
        let mut overflow = 0;
        // SAFETY: the caller's.
        unsafe {
            let value = ffi::PyLong_AsLongLongAndOverflow(int, &raw mut overflow);
            if overflow == 0 {
                if value == -1 && !ffi::PyErr_Occurred().is_null() {
                    return Err(fetched(self.py));
                }
                return self.signed(value);
            }
            if overflow > 0 {
                let value = ffi::PyLong_AsUnsignedLongLong(int);
                if value != u64::MAX || ffi::PyErr_Occurred().is_null() {
                    return self.out.marked(0xcf, value.to_be_bytes());
                }
                ffi::PyErr_Clear();
            }
        }
        Err(encode_error("Integer exceeds 64-bit range"))
    }

    #[inline(always)]
    fn signed(&mut self, value: i64) -> Done {
        if (-32..128).contains(&value) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "in range"
            )]
            return self.out.write(&[value as u8]);
        }
        self.longer(value)
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "each arm is in range"
    )]
    fn longer(&mut self, value: i64) -> Done {
        match value {
            0..=0xff => self.out.marked(0xcc, [value as u8]),
            0x100..=0xffff => self.out.marked(0xcd, (value as u16).to_be_bytes()),
            0x1_0000..=0xffff_ffff => self.out.marked(0xce, (value as u32).to_be_bytes()),
            0x1_0000_0000.. => self.out.marked(0xcf, value.to_be_bytes()),
            -0x80..=-1 => self.out.marked(0xd0, [value as u8]),
            -0x8000..=-0x81 => self.out.marked(0xd1, (value as i16).to_be_bytes()),
            -0x8000_0000..=-0x8001 => self.out.marked(0xd2, (value as i32).to_be_bytes()),
            _ => self.out.marked(0xd3, value.to_be_bytes()),
        }
    }

    /// A float, exact.
    #[inline(always)]
    pub(super) unsafe fn float(&mut self, float: *mut ffi::PyObject) -> Done {
        // SAFETY: the caller's.
        let value = unsafe { ffi::PyFloat_AS_DOUBLE(float) };
        self.out.marked(0xcb, value.to_be_bytes())
    }

    /// A string; surrogates become `?`.
    #[inline(always)]
    pub(super) unsafe fn text(&mut self, string: *mut ffi::PyObject) -> Done {
        // SAFETY: the caller's.
        match unsafe { utf8(string) } {
            Some(bytes) => self.string(bytes),
            // SAFETY: the caller's.
            None => unsafe { self.replaced(string) },
        }
    }

    #[cold]
    unsafe fn replaced(&mut self, string: *mut ffi::PyObject) -> Done {
        // SAFETY: the caller's; the new object is released with `encoded`.
        let encoded = unsafe {
            let bytes =
                ffi::PyUnicode_AsEncodedString(string, c"utf-8".as_ptr(), c"replace".as_ptr());
            Bound::from_owned_ptr_or_err(self.py, bytes)?
        };
        let bytes = encoded.cast::<pyo3::types::PyBytes>().map_err(PyErr::from)?;
        self.string(bytes.as_bytes())
    }

    /// UTF-8 bytes as a msgpack string.
    #[inline(always)]
    pub(super) fn string(&mut self, bytes: &[u8]) -> Done {
        let length = bytes.len();
        self.out.reserve(5 + length)?;
        // SAFETY: room for the longest header and the bytes.
        unsafe {
            if length < 32 {
                #[expect(clippy::cast_possible_truncation, reason = "under 32")]
                self.out.put(0xa0 | length as u8);
            } else {
                self.length(length, Some(0xd9), 0xda, 0xdb)?;
            }
            self.out.put_all(bytes);
        }
        Ok(())
    }

    /// Bytes as a msgpack bin.
    pub(super) fn binary(&mut self, bytes: &[u8]) -> Done {
        self.out.reserve(5 + bytes.len())?;
        // SAFETY: room for the longest header and the bytes.
        unsafe {
            self.length(bytes.len(), Some(0xc4), 0xc5, 0xc6)?;
            self.out.put_all(bytes);
        }
        Ok(())
    }

    /// A length with the marker for its width, into 5 bytes of room already made.
    #[expect(clippy::cast_possible_truncation, reason = "each width is checked")]
    pub(super) unsafe fn length(
        &mut self,
        length: usize,
        one: Option<u8>,
        two: u8,
        four: u8,
    ) -> Done {
        // SAFETY: the caller made room.
        unsafe {
            match (one, length) {
                (Some(one), 0..=0xff) => {
                    self.out.put(one);
                    self.out.put(length as u8);
                }
                (_, 0..=0xffff) => {
                    self.out.put(two);
                    self.out.put_all(&(length as u16).to_be_bytes());
                }
                (_, 0x1_0000..=0xffff_ffff) => {
                    self.out.put(four);
                    self.out.put_all(&(length as u32).to_be_bytes());
                }
                _ => return Err(encode_error("write error: longer than msgpack allows")),
            }
        }
        Ok(())
    }

    /// A bytearray, copied under the GIL.
    pub(super) unsafe fn bytearray(&mut self, array: *mut ffi::PyObject) -> Done {
        // SAFETY: nothing runs between taking the address and the copy.
        let bytes = unsafe {
            let length = ffi::PyByteArray_Size(array).cast_unsigned();
            std::slice::from_raw_parts(ffi::PyByteArray_AsString(array).cast::<u8>(), length)
        };
        self.binary(bytes)
    }

    /// A memoryview over C-contiguous memory.
    pub(super) unsafe fn memoryview(&mut self, view: *mut ffi::PyObject) -> Done {
        let mut buffer = std::mem::MaybeUninit::<ffi::Py_buffer>::zeroed();
        // SAFETY: the buffer is released on every path, after its bytes were copied.
        unsafe {
            if ffi::PyObject_GetBuffer(view, buffer.as_mut_ptr(), ffi::PyBUF_CONTIG_RO) != 0 {
                ffi::PyErr_Clear();
                return Err(encode_error("Failed to get buffer from memoryview"));
            }
            let mut buffer = buffer.assume_init();
            let length = buffer.len.cast_unsigned();
            let bytes = if length == 0 {
                &[]
            } else {
                std::slice::from_raw_parts(buffer.buf.cast::<u8>(), length)
            };
            let written = self.binary(bytes);
            ffi::PyBuffer_Release(&raw mut buffer);
            written
        }
    }
}

impl Encoder<'_> {
    /// Ints of the machine, one after another.
    pub(super) fn numbers<const N: usize>(&mut self, numbers: [i32; N]) -> Done {
        numbers.into_iter().try_for_each(|number| self.signed(i64::from(number)))
    }
}
