//! Dataclasses: the fields by their cached names.
use pyo3::ffi;

use super::Encoder;
use super::object::code;
use crate::failure::{Done, fetched};
use crate::pause::resumed;
use crate::schema::Names;

/// How instances of one dataclass are written.
pub struct DataclassPlan {
    pub prefix: Box<[u8]>,
    pub fields: Names,
}

impl Encoder<'_> {
    /// An instance of the dataclass the plan was made for.
    ///
    /// # Safety
    /// `object` is alive, kept so by the caller, and the GIL is held.
    pub(super) unsafe fn dataclass(
        &mut self,
        object: *mut ffi::PyObject,
        plan: &DataclassPlan,
    ) -> Done {
        // SAFETY: the caller's; each value is held while it is written.
        unsafe {
            self.unhooked(object)?;
            let open = self.open(&plan.prefix)?;
            self.open_map(plan.fields.len())?;
            for (name, packed) in &plan.fields {
                self.out.write(packed)?;
                let value = resumed(|| ffi::PyObject_GetAttr(object, name.as_ptr()));
                if value.is_null() {
                    return Err(fetched(self.py));
                }
                let done = match self.scalar(value) {
                    Some(done) => done,
                    None => self.compound(value),
                };
                ffi::Py_DECREF(value);
                done?;
            }
            self.close_ext(open, code::KW_ARGS)
        }
    }
}
