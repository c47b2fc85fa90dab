//! Pydantic models: their `__dict__` through the core schema, without `model_dump`.
//!
//! `model_dump()` copies values whose types are those of the schema as they are, so where every value has
//! exactly such a type the copies need not be made. Any doubt is `Unproven`.
use pyo3::ffi;
use pyo3::prelude::*;

use super::Encoder;
use super::object::code;
use crate::failure::{Done, Fail};
use crate::schema::{Fields, Node};

/// How instances of one model are written.
pub struct ModelPlan {
    pub prefix: Box<[u8]>,
    pub fields: Fields,
}

const METHOD_NAME: &[u8] = b"\xb3model_validate_json";

impl<'py> Encoder<'py> {
    /// An instance of the model the plan was made for.
    ///
    /// # Safety
    /// `object` is alive, kept so by the caller, and the GIL is held (so for every method here).
    pub(super) unsafe fn model(&mut self, object: *mut ffi::PyObject, plan: &ModelPlan) -> Done {
        let open = self.open(&plan.prefix)?;
        // SAFETY: the caller's.
        unsafe { self.fields(object, &plan.fields)? };
        self.out.write(METHOD_NAME)?;
        self.close_ext(open, code::PYDANTIC_V2)
    }

    unsafe fn fields(&mut self, object: *mut ffi::PyObject, fields: &Fields) -> Done {
        // SAFETY: the caller's; the dict is a new reference.
        unsafe {
            let dict = ffi::PyObject_GenericGetDict(object, std::ptr::null_mut());
            if dict.is_null() {
                ffi::PyErr_Clear();
                return Err(Fail::Unproven);
            }
            let dict = Bound::from_owned_ptr(self.py, dict);
            Self::require(ffi::PyDict_CheckExact(dict.as_ptr()) != 0)?;
            Self::require(ffi::PyDict_Size(dict.as_ptr()).cast_unsigned() == fields.len())?;
            let extra = if fields.extra { self.extra(object)? } else { None };
            let extras = extra.as_ref().map_or(0, |e| ffi::PyDict_Size(e.as_ptr()).cast_unsigned());
            self.open_map(fields.len() + extras)?;
            self.known_keys(dict.as_ptr(), fields, false)?;
            if let Some(extra) = extra {
                self.unknown_keys(extra.as_ptr(), fields)?;
            }
            self.close();
        }
        Ok(())
    }

    /// The values outside the schema; None if there are none.
    unsafe fn extra(&self, object: *mut ffi::PyObject) -> Done<Option<Bound<'py, PyAny>>> {
        // SAFETY: the caller's.
        unsafe {
            let extra = ffi::PyObject_GenericGetAttr(object, self.known.pydantic_extra.ptr());
            if extra.is_null() {
                ffi::PyErr_Clear();
                return Err(Fail::Unproven);
            }
            let extra = Bound::from_owned_ptr(self.py, extra);
            if extra.is_none() {
                return Ok(None);
            }
            Self::require(ffi::PyDict_CheckExact(extra.as_ptr()) != 0)?;
            Ok((ffi::PyDict_Size(extra.as_ptr()) != 0).then_some(extra))
        }
    }

    /// The pairs of a dict whose keys the schema names, in the dict's own order.
    unsafe fn known_keys(
        &mut self,
        dict: *mut ffi::PyObject,
        fields: &Fields,
        extra: bool,
    ) -> Done {
        let (mut position, mut count, mut next) = (0, 0, 0);
        let (mut key, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: as for any dict; values are held while they are written.
        unsafe {
            let length = ffi::PyDict_Size(dict);
            while count < length
                && ffi::PyDict_Next(dict, &raw mut position, &raw mut key, &raw mut value) != 0
            {
                if let Some(field) = fields.find(key, &mut next) {
                    self.out.write(&field.packed)?;
                    self.proven_item(&field.node, value)?;
                } else {
                    Self::require(extra)?;
                    self.plain_key(key)?;
                    self.proven_item(&Node::Any, value)?;
                }
                count += 1;
            }
            Self::require(count == length && ffi::PyDict_Size(dict) == length)
        }
    }

    /// The pairs of a dict none of whose keys the schema names.
    unsafe fn unknown_keys(&mut self, dict: *mut ffi::PyObject, fields: &Fields) -> Done {
        let (mut position, mut next) = (0, 0);
        let (mut key, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: as for any dict; values are held while they are written.
        unsafe {
            let length = ffi::PyDict_Size(dict);
            while ffi::PyDict_Next(dict, &raw mut position, &raw mut key, &raw mut value) != 0 {
                Self::require(fields.find(key, &mut next).is_none())?;
                self.plain_key(key)?;
                self.proven_item(&Node::Any, value)?;
            }
            Self::require(ffi::PyDict_Size(dict) == length)
        }
    }

    /// A key that is exactly a str.
    unsafe fn plain_key(&mut self, key: *mut ffi::PyObject) -> Done {
        // SAFETY: the caller's.
        unsafe {
            Self::require(ffi::Py_TYPE(key) == &raw mut ffi::PyUnicode_Type)?;
            self.key_text(key)
        }
    }

    #[inline(always)]
    unsafe fn proven_item(&mut self, node: &Node, value: *mut ffi::PyObject) -> Done {
        // SAFETY: the value is held while it is written.
        unsafe {
            ffi::Py_INCREF(value);
            let done = self.proven(node, value);
            ffi::Py_DECREF(value);
            done
        }
    }

    /// A value that the schema's serializer copies as it is, or `Unproven`.
    unsafe fn proven(&mut self, node: &Node, value: *mut ffi::PyObject) -> Done {
        // SAFETY: the caller's; the type says which layout the object has.
        unsafe {
            let class = ffi::Py_TYPE(value);
            match node {
                Node::Any => self.inferred(value),
                Node::Leaf(classes) => {
                    Self::require(classes.contains(class))?;
                    self.item(value)
                }
                Node::Literal(texts) => {
                    Self::require(texts.contains(value))?;
                    self.text(value)
                }
                Node::Nullable(inner) => {
                    if value == ffi::Py_None() {
                        return self.out.write(&[0xc0]);
                    }
                    self.proven(inner, value)
                }
                Node::List(items) => self.proven_list(items, value),
                Node::Dict(keys, values) => self.proven_dict(keys, values, value),
                Node::Union(choices) => self.proven_union(choices, value),
                Node::TypedDict(fields) => {
                    Self::require(class == &raw mut ffi::PyDict_Type)?;
                    self.open_map(ffi::PyDict_Size(value).cast_unsigned())?;
                    self.known_keys(value, fields, fields.extra)?;
                    self.close();
                    Ok(())
                }
                Node::Model(model) => {
                    Self::require(class.cast() == model.class.as_ptr())?;
                    self.fields(value, &model.fields)
                }
            }
        }
    }

    unsafe fn proven_list(&mut self, items: &Node, list: *mut ffi::PyObject) -> Done {
        // SAFETY: as for any list.
        unsafe {
            Self::require(ffi::Py_TYPE(list) == &raw mut ffi::PyList_Type)?;
            let length = ffi::PyList_GET_SIZE(list);
            self.open_array(length.cast_unsigned())?;
            for index in 0..length {
                Self::require(index < ffi::PyList_GET_SIZE(list))?;
                self.proven_item(items, ffi::PyList_GET_ITEM(list, index))?;
            }
        }
        self.close();
        Ok(())
    }

    unsafe fn proven_dict(&mut self, keys: &Node, values: &Node, dict: *mut ffi::PyObject) -> Done {
        let (mut position, mut count) = (0, 0);
        let (mut key, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: as for any dict; a key that passes is a scalar, and writing it runs no code.
        unsafe {
            Self::require(ffi::Py_TYPE(dict) == &raw mut ffi::PyDict_Type)?;
            let length = ffi::PyDict_Size(dict);
            self.open_map(length.cast_unsigned())?;
            while count < length
                && ffi::PyDict_Next(dict, &raw mut position, &raw mut key, &raw mut value) != 0
            {
                if ffi::Py_TYPE(key) == &raw mut ffi::PyUnicode_Type && keys.takes_text() {
                    self.key_text(key)?;
                } else {
                    Self::require(matches!(keys, Node::Any))?;
                    self.scalar(key).unwrap_or(Err(Fail::Unproven))?;
                }
                self.proven_item(values, value)?;
                count += 1;
            }
            Self::require(count == length && ffi::PyDict_Size(dict) == length)?;
        }
        self.close();
        Ok(())
    }

    unsafe fn proven_union(&mut self, choices: &[Node], value: *mut ffi::PyObject) -> Done {
        let (mark, depth) = (self.out.len(), self.depth);
        for choice in choices {
            // SAFETY: the caller's.
            match unsafe { self.proven(choice, value) } {
                Err(Fail::Unproven) => {
                    self.out.truncate(mark);
                    self.depth = depth;
                }
                done => return done,
            }
        }
        Err(Fail::Unproven)
    }

    /// A value of type `Any`: pydantic infers what it is, and copies exact built-in types.
    unsafe fn inferred(&mut self, value: *mut ffi::PyObject) -> Done {
        // SAFETY: the caller's; the type says which layout the object has.
        unsafe {
            if let Some(done) = self.scalar(value) {
                return done;
            }
            let class = ffi::Py_TYPE(value);
            if class == &raw mut ffi::PyDict_Type {
                self.proven_dict(&Node::Any, &Node::Any, value)
            } else if class == &raw mut ffi::PyList_Type {
                self.proven_list(&Node::Any, value)
            } else if class == &raw mut ffi::PyTuple_Type {
                self.inferred_tuple(value)
            } else {
                let api = &*ffi::PyDateTimeAPI();
                Self::require(
                    class == api.DateTimeType
                        || class == self.known.uuid.class()
                        || class == api.DateType
                        || class == api.TimeType
                        || class == api.DeltaType
                        || class == self.known.decimal.class(),
                )?;
                self.object(value, class)
            }
        }
    }

    unsafe fn inferred_tuple(&mut self, tuple: *mut ffi::PyObject) -> Done {
        // SAFETY: a tuple does not change.
        unsafe {
            let length = ffi::PyTuple_GET_SIZE(tuple);
            self.open_array(length.cast_unsigned())?;
            for index in 0..length {
                self.proven_item(&Node::Any, ffi::PyTuple_GET_ITEM(tuple, index))?;
            }
        }
        self.close();
        Ok(())
    }
}
