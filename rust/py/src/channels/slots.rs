//! Finds the slots of a class.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;

use super::class::{Class, Kind};
use super::host::host;
use super::methods;
use super::watched::Watched;

/// Both classes as they are now, ours with its native methods, and the layout they have.
///
/// None if they are not what the native methods were made for; then ours is left as it is.
pub fn class(
    kind: Kind,
    theirs: &Bound<'_, PyType>,
    ours: &Bound<'_, PyType>,
) -> PyResult<Option<Class>> {
    let names = kind.slots();
    let at = |name: Option<&str>| name.map_or(Ok(Some(0)), |name| offset(ours, theirs, name));
    let (Some(typ), Some(key), Some(state), Some(flag), Some(extra)) = (
        at(Some("typ"))?,
        at(Some("key"))?,
        at(Some(names.state))?,
        at(names.flag)?,
        at(names.extra)?,
    ) else {
        return Ok(None);
    };
    methods::attach(kind, ours)?;
    Ok(Some(Class {
        kind,
        host: host(ours.py())?,
        theirs: Watched::new(theirs)?,
        ours: Watched::new(ours)?,
        typ,
        key,
        state,
        flag,
        extra,
    }))
}

/// Where the slot is, if it is one, and one for both classes.
fn offset(
    ours: &Bound<'_, PyType>,
    theirs: &Bound<'_, PyType>,
    name: &str,
) -> PyResult<Option<isize>> {
    let descriptor = theirs.getattr(name)?;
    if !ours.getattr(name)?.is(&descriptor) {
        return Ok(None);
    }
    let descriptor = descriptor.as_ptr();
    // SAFETY: the type says that it is a member descriptor, and these point to their definition.
    unsafe {
        if ffi::Py_TYPE(descriptor) != &raw mut ffi::PyMemberDescr_Type {
            return Ok(None);
        }
        let member = (*descriptor.cast::<ffi::PyMemberDescrObject>()).d_member;
        let member = &*member.cast::<ffi::PyMemberDef>();
        Ok((member.type_code == ffi::Py_T_OBJECT_EX).then_some(member.offset))
    }
}
