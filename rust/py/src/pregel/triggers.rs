//! Whether a node is to run: LangGraph's `_triggers`.

use pyo3::intern;
use pyo3::prelude::*;

use super::checkpoint::raised;
use crate::channels::any::Classes;

/// Whether a channel that triggers the node is available, with a version it has not seen.
#[pyfunction]
pub fn triggers(
    channels: &Bound<'_, PyAny>,
    versions: &Bound<'_, PyAny>,
    seen: Option<&Bound<'_, PyAny>>,
    null_version: &Bound<'_, PyAny>,
    proc: &Bound<'_, PyAny>,
) -> PyResult<bool> {
    let py = channels.py();
    let classes = Classes::now(py)?;
    for name in proc.getattr(intern!(py, "triggers"))?.try_iter()? {
        let name = name?;
        let channel = channels.get_item(&name)?;
        // SAFETY: the GIL is held, and the channel is.
        let available = unsafe { classes.channel(channel.as_ptr()).is_available(py) };
        if !raised(py, available)? {
            continue;
        }
        let Some(seen) = seen else { return Ok(true) };
        let of = (&name, null_version);
        let version = versions.call_method1(intern!(py, "get"), of)?;
        if version.gt(seen.call_method1(intern!(py, "get"), of)?)? {
            return Ok(true);
        }
    }
    Ok(false)
}
