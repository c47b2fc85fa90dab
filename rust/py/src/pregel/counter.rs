//! The version after another one, as LangGraph's savers make them: a counter that sorts as text, a
//! dot, and a random part that tells forks apart.

use std::fmt::Write;

use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyFloat, PyFloatMethods, PyInt, PyString};

use crate::known::Immortal;

/// Digits of the counter, and the fewest characters of the random part.
const COUNTER: usize = 32;
const RANDOM: usize = 16;

/// Digits of a counter that is read natively.
const DIGITS: usize = 17;

/// How many functions are known at most: those of a few savers.
const FUNCTIONS: usize = 8;

static KNOWN: [PyOnceLock<Immortal>; FUNCTIONS] = [const { PyOnceLock::new() }; FUNCTIONS];

/// Has a function known that gives what `next_version` gives, whichever object it is a method of.
#[pyfunction]
pub fn count_versions(py: Python<'_>, function: &Bound<'_, PyAny>) -> PyResult<()> {
    for known in &KNOWN {
        let kept = known.get_or_init(py, || Immortal::new(function.clone()));
        if kept.ptr() == function.as_ptr() {
            return Ok(());
        }
    }
    Err(PyValueError::new_err("too many functions that count versions"))
}

/// Whether a bound method is one of a function that is known.
pub fn is_known(method: &Bound<'_, PyAny>) -> bool {
    static METHOD: PyOnceLock<Immortal> = PyOnceLock::new();
    let py = method.py();
    let load = || Ok::<_, PyErr>(Immortal::new(py.import("types")?.getattr("MethodType")?));
    let Ok(class) = METHOD.get_or_try_init(py, load) else { return false };
    if KNOWN[0].get(py).is_none() || method.get_type().as_ptr() != class.ptr() {
        return false;
    }
    method.getattr(intern!(py, "__func__")).is_ok_and(|function| {
        let mut known = KNOWN.iter().map_while(|it| it.get(py));
        known.any(|it| it.ptr() == function.as_ptr())
    })
}

/// The version after `current`; None for one that takes Python to read.
#[pyfunction]
pub fn next_version<'py>(
    py: Python<'py>,
    current: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyString>>> {
    let Some(counter) = counter(current) else { return Ok(None) };
    let mut version = String::with_capacity(COUNTER + RANDOM + 8);
    let _ = write!(version, "{:0COUNTER$}.", counter + 1);
    random(py)?.append_to(&mut version)?;
    Ok(Some(PyString::new(py, &version)))
}

/// The counter of a version: 0 before the first one.
fn counter(version: &Bound<'_, PyAny>) -> Option<u64> {
    if version.is_none() {
        return Some(0);
    }
    if let Ok(version) = version.cast_exact::<PyString>() {
        let digits = version.to_str().ok()?.split('.').next()?.as_bytes();
        // With leading zeros there are more digits than the number has.
        let (zeros, rest) = digits.split_at_checked(digits.len().saturating_sub(DIGITS))?;
        let plain = !rest.is_empty() && rest.iter().all(u8::is_ascii_digit);
        if !plain || zeros.iter().any(|&digit| digit != b'0') {
            return None;
        }
        return Some(rest.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')));
    }
    let number: u64 = version.cast_exact::<PyInt>().ok()?.extract().ok()?;
    (number < 10_u64.pow(17)).then_some(number)
}

/// What `random.random()` gives: the same numbers that a seeded program would see.
struct Random<'py>(Bound<'py, PyAny>);

fn random(py: Python<'_>) -> PyResult<Random<'_>> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = MODULE.get_or_try_init(py, || Ok::<_, PyErr>(py.import("random")?.unbind()))?;
    Ok(Random(module.bind(py).call_method0(intern!(py, "random"))?))
}

impl Random<'_> {
    /// As `format(number, "016")` writes it.
    fn append_to(&self, version: &mut String) -> PyResult<()> {
        let py = self.0.py();
        match self.0.cast_exact::<PyFloat>().map(PyFloatMethods::value) {
            // Both write the fewest digits that read back as the number; Python writes an exponent
            // below this.
            Ok(number) if (1e-4..1.0).contains(&number) => {
                let _ = write!(version, "{number:0>RANDOM$}");
            }
            _ => {
                let written = self.0.call_method1(intern!(py, "__format__"), ("016",))?;
                version.push_str(written.cast_into::<PyString>()?.to_str()?);
            }
        }
        Ok(())
    }
}
