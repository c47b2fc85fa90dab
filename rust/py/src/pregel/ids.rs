//! Ids of checkpoints, as LangGraph's `uuid6` makes them: a time, a step, and a random part.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// From the first day of the Gregorian calendar to the Unix epoch, in units of 100 ns.
const EPOCH: i64 = 0x01b2_1dd2_1381_4000;

/// Where a step's bits end.
const CLOCK_SEQ: i64 = 0x3fff;

/// The text of `uuid6(clock_seq=step)`, a function of this module, whose clock goes on and whose
/// random numbers are used; None for a clock or a step that takes Python to read.
#[pyfunction]
pub fn uuid6<'py>(
    py: Python<'py>,
    module: &Bound<'py, PyModule>,
    step: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyString>>> {
    let Ok(step) = step.extract::<i64>() else { return Ok(None) };
    let last = module.getattr(intern!(py, "_last_v6_timestamp"))?;
    let now = module.getattr(intern!(py, "time"))?.call_method0(intern!(py, "time_ns"))?;
    let Ok(now) = now.extract::<i64>() else { return Ok(None) };
    let mut time = now.div_euclid(100) + EPOCH;
    if !last.is_none() {
        let Ok(last) = last.extract::<i64>() else { return Ok(None) };
        time = time.max(last.saturating_add(1));
    }
    let Ok(time) = u64::try_from(time) else { return Ok(None) };
    if time >> 60 != 0 {
        return Ok(None);
    }
    module.setattr(intern!(py, "_last_v6_timestamp"), time)?;
    let random = module.getattr(intern!(py, "random"))?;
    let node: u64 = random.call_method1(intern!(py, "getrandbits"), (48,))?.extract()?;
    let text = format!(
        "{:08x}-{:04x}-6{:03x}-{:04x}-{:012x}",
        time >> 28,
        time >> 12 & 0xffff,
        time & 0xfff,
        0x8000 | step & CLOCK_SEQ,
        node & 0xffff_ffff_ffff,
    );
    Ok(Some(PyString::new(py, &text)))
}
