//! Objects of the standard library, exact types only.
use pyo3::ffi;
use pyo3::prelude::*;

use super::Encoder;
use super::object::code;
use crate::failure::{Done, fetched};
use crate::pause::resumed;

const DATETIME: &[u8] = b"\x94\xa8datetime\xa8datetime";
const DATE: &[u8] = b"\x93\xa8datetime\xa4date";
const TIMEDELTA: &[u8] = b"\x93\xa8datetime\xa9timedelta";
const UUID: &[u8] = b"\x93\xa4uuid\xa4UUID";
const DECIMAL: &[u8] = b"\x93\xa7decimal\xa7Decimal";
const SET: &[u8] = b"\x93\xa8builtins\xa3set";
const FROZENSET: &[u8] = b"\x93\xa8builtins\xa9frozenset";
const DEQUE: &[u8] = b"\x93\xabcollections\xa5deque";

impl Encoder<'_> {
    /// An object of a type known by its address; None for any other.
    ///
    /// # Safety
    /// `object` is alive, kept so by the caller, and the GIL is held (so for every method here).
    pub(super) unsafe fn builtin(
        &mut self,
        object: *mut ffi::PyObject,
        class: *mut ffi::PyTypeObject,
    ) -> Option<Done> {
        // SAFETY: the type says which layout the object has; `known` loaded the datetime API.
        unsafe {
            let api = &*ffi::PyDateTimeAPI();
            if class == api.DateTimeType {
                Some(self.datetime(object))
            } else if class == self.known.uuid.class() {
                Some(self.by_text(object, UUID, |o, k| ffi::PyObject_GetAttr(o, k.hex.ptr())))
            } else if class == &raw mut ffi::PySet_Type {
                Some(self.collection(object, SET))
            } else if class == &raw mut ffi::PyFrozenSet_Type {
                Some(self.collection(object, FROZENSET))
            } else if class == api.DateType {
                Some(self.date(object))
            } else if class == api.DeltaType {
                Some(self.timedelta(object))
            } else if class == self.known.decimal.class() {
                Some(self.by_text(object, DECIMAL, |o, _| ffi::PyObject_Str(o)))
            } else if class == self.known.deque.class() {
                Some(self.collection(object, DEQUE))
            } else {
                None
            }
        }
    }

    unsafe fn by_text(
        &mut self,
        object: *mut ffi::PyObject,
        prefix: &[u8],
        text: impl FnOnce(*mut ffi::PyObject, &crate::known::Known) -> *mut ffi::PyObject,
    ) -> Done {
        // SAFETY: `text` gives a new reference, or null with an exception set.
        unsafe {
            let text = resumed(|| text(object, self.known));
            let text = Bound::from_owned_ptr_or_err(self.py, text)?;
            let open = self.open(prefix)?;
            self.item(text.as_ptr())?;
            self.close_ext(open, code::SINGLE_ARG)
        }
    }

    unsafe fn collection(&mut self, object: *mut ffi::PyObject, prefix: &[u8]) -> Done {
        // SAFETY: the tuple is a new reference, and holds the items while they are written.
        unsafe {
            let items = Bound::from_owned_ptr_or_err(self.py, ffi::PySequence_Tuple(object))?;
            let open = self.open(prefix)?;
            self.tuple(items.as_ptr())?;
            self.close_ext(open, code::SINGLE_ARG)
        }
    }

    unsafe fn date(&mut self, date: *mut ffi::PyObject) -> Done {
        let open = self.open(DATE)?;
        self.out.write(&[0x93])?;
        // SAFETY: the caller's.
        let (year, month, day) = unsafe {
            (
                ffi::PyDateTime_GET_YEAR(date),
                ffi::PyDateTime_GET_MONTH(date),
                ffi::PyDateTime_GET_DAY(date),
            )
        };
        self.numbers([year, month, day])?;
        self.close_ext(open, code::POS_ARGS)
    }

    unsafe fn timedelta(&mut self, delta: *mut ffi::PyObject) -> Done {
        let open = self.open(TIMEDELTA)?;
        self.out.write(&[0x93])?;
        // SAFETY: the caller's.
        let (days, seconds, microseconds) = unsafe {
            (
                ffi::PyDateTime_DELTA_GET_DAYS(delta),
                ffi::PyDateTime_DELTA_GET_SECONDS(delta),
                ffi::PyDateTime_DELTA_GET_MICROSECONDS(delta),
            )
        };
        self.numbers([days, seconds, microseconds])?;
        self.close_ext(open, code::POS_ARGS)
    }

    unsafe fn datetime(&mut self, datetime: *mut ffi::PyObject) -> Done {
        // SAFETY: the caller's; the text is a new reference.
        unsafe {
            let zone = ffi::PyDateTime_DATE_GET_TZINFO(datetime);
            let open = self.open(DATETIME)?;
            if zone == ffi::Py_None() || zone == self.known.utc.ptr() {
                let mut text = iso(datetime);
                if zone != ffi::Py_None() {
                    text.push(b"+00:00");
                }
                self.string(text.bytes())?;
            } else {
                let isoformat = self.known.isoformat.ptr();
                let text = resumed(|| ffi::PyObject_CallMethodNoArgs(datetime, isoformat));
                if text.is_null() {
                    return Err(fetched(self.py));
                }
                let text = Bound::from_owned_ptr(self.py, text);
                self.item(text.as_ptr())?;
            }
            self.out.write(b"\xadfromisoformat")?;
            self.close_ext(open, code::METHOD)
        }
    }
}

/// A short text put together on the stack.
struct Iso {
    bytes: [u8; 32],
    length: usize,
}

impl Iso {
    fn push(&mut self, text: &[u8]) {
        self.bytes[self.length..self.length + text.len()].copy_from_slice(text);
        self.length += text.len();
    }

    #[expect(clippy::cast_sign_loss, reason = "a decimal digit")]
    fn number(&mut self, mut number: i32, width: usize) {
        for place in (0..width).rev() {
            self.bytes[self.length + place] = b'0' + (number % 10) as u8;
            number /= 10;
        }
        self.length += width;
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// `datetime.isoformat()` without the zone.
///
/// # Safety
/// `datetime` is a live datetime and the GIL is held.
unsafe fn iso(datetime: *mut ffi::PyObject) -> Iso {
    let mut text = Iso { bytes: [0; 32], length: 0 };
    // SAFETY: the caller's.
    unsafe {
        text.number(ffi::PyDateTime_GET_YEAR(datetime), 4);
        text.push(b"-");
        text.number(ffi::PyDateTime_GET_MONTH(datetime), 2);
        text.push(b"-");
        text.number(ffi::PyDateTime_GET_DAY(datetime), 2);
        text.push(b"T");
        text.number(ffi::PyDateTime_DATE_GET_HOUR(datetime), 2);
        text.push(b":");
        text.number(ffi::PyDateTime_DATE_GET_MINUTE(datetime), 2);
        text.push(b":");
        text.number(ffi::PyDateTime_DATE_GET_SECOND(datetime), 2);
        let microsecond = ffi::PyDateTime_DATE_GET_MICROSECOND(datetime);
        if microsecond != 0 {
            text.push(b".");
            text.number(microsecond, 6);
        }
    }
    text
}
