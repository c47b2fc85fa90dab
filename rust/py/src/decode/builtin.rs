//! Objects made without a call of their class.
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};

use super::Decoder;
use super::classes::Found;
use crate::failure::Done;
use crate::pause::resumed;
use crate::text::utf8;

impl<'py> Decoder<'_, 'py> {
    /// `set(items)` or `frozenset(items)`; None if they cannot be in one.
    pub(super) fn set(
        &self,
        items: &Bound<'py, PyAny>,
        make: unsafe extern "C" fn(*mut ffi::PyObject) -> *mut ffi::PyObject,
    ) -> Done<Option<Bound<'py, PyAny>>> {
        if items.cast_exact::<PyList>().is_err() {
            return Ok(None);
        }
        // SAFETY: gives a new reference, or null with an exception set.
        match unsafe { Bound::from_owned_ptr_or_err(self.py, make(items.as_ptr())) } {
            Ok(set) => Ok(Some(set)),
            Err(error) => self.unless_caught(error).map(|()| None),
        }
    }

    /// `date(year, month, day)`; None if there is no such day.
    pub(super) fn date(&self, args: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
        let args = args.cast_exact::<PyList>().ok()?;
        let (year, month, day): (i32, i32, i32) = args.to_tuple().extract().ok()?;
        // SAFETY: the API is loaded; CPython checks the ranges.
        unsafe {
            let api = &*ffi::PyDateTimeAPI();
            let date = (api.Date_FromDate)(year, month, day, api.DateType);
            if date.is_null() {
                ffi::PyErr_Clear();
            }
            Bound::from_owned_ptr_or_opt(self.py, date)
        }
    }

    /// `datetime.fromisoformat(text)`; None if it is not a call of that method, or fails.
    pub(super) fn datetime(
        &self,
        found: &Found,
        text: &Bound<'py, PyAny>,
        rest: &[Bound<'py, PyAny>],
    ) -> Done<Option<Bound<'py, PyAny>>> {
        let ([method], Ok(text)) = (rest, text.cast_exact::<PyString>()) else {
            return Ok(None);
        };
        // SAFETY: both are alive; a str is checked for before its bytes are looked at.
        let (method, bytes) = unsafe {
            let Ok(method) = method.cast_exact::<PyString>() else {
                return Ok(None);
            };
            (utf8(method.as_ptr()), utf8(text.as_ptr()))
        };
        if method != Some(b"fromisoformat") {
            return Ok(None);
        }
        if let Some(datetime) = bytes.and_then(|bytes| self.plain_datetime(bytes)) {
            return Ok(Some(datetime));
        }
        let class = found.class.bind(self.py);
        match resumed(|| class.call_method1("fromisoformat", (text,))) {
            Ok(datetime) => Ok(Some(datetime)),
            Err(error) => self.unless_caught(error).map(|()| None),
        }
    }

    /// A datetime as `isoformat` writes it, without a zone or in UTC.
    fn plain_datetime(&self, text: &[u8]) -> Option<Bound<'py, PyAny>> {
        let (text, utc) = match text.strip_suffix(b"+00:00") {
            Some(text) => (text, true),
            None => (text, false),
        };
        let (date, time) = (text.get(..10)?, text.get(10..)?);
        let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *date.first_chunk::<10>()? else {
            return None;
        };
        let [b'T', h1, h2, b':', n1, n2, b':', s1, s2] = *time.first_chunk::<9>()? else {
            return None;
        };
        let microsecond = match &time[9..] {
            [] => 0,
            [b'.', digits @ ..] if digits.len() == 6 => number(digits)?,
            _ => return None,
        };
        let year = number(&[y1, y2, y3, y4])?;
        let (month, day) = (number(&[m1, m2])?, number(&[d1, d2])?);
        let (hour, minute, second) = (number(&[h1, h2])?, number(&[n1, n2])?, number(&[s1, s2])?);
        // SAFETY: the API is loaded; CPython checks the ranges.
        unsafe {
            let api = &*ffi::PyDateTimeAPI();
            let zone = if utc { self.known.utc.ptr() } else { ffi::Py_None() };
            let datetime = (api.DateTime_FromDateAndTime)(
                year,
                month,
                day,
                hour,
                minute,
                second,
                microsecond,
                zone,
                api.DateTimeType,
            );
            if datetime.is_null() {
                ffi::PyErr_Clear();
            }
            Bound::from_owned_ptr_or_opt(self.py, datetime)
        }
    }
}

fn number(digits: &[u8]) -> Option<i32> {
    digits.iter().try_fold(0, |number, digit| {
        digit.is_ascii_digit().then(|| number * 10 + i32::from(digit - b'0'))
    })
}
