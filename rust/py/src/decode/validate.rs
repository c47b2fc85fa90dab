//! Models built without validation, where every value is already what validation would make of it.
use pyo3::ffi;
use pyo3::prelude::*;

use super::Decoder;
use super::classes::{ModelMaking, ToolCalls};
use crate::failure::{Done, decode_error, fetched};
use crate::schema::{Fields, Node};
use crate::text::utf8;

impl<'py> Decoder<'_, 'py> {
    /// A model from a dict with all its fields in order and values that pass; None if its validator
    /// might change one.
    ///
    /// # Safety
    /// `class` is the class that `making` was made for (so for every method here).
    pub(super) unsafe fn model(
        &self,
        class: *mut ffi::PyObject,
        making: &ModelMaking,
        dict: &Bound<'py, PyAny>,
    ) -> Done<Option<Bound<'py, PyAny>>> {
        // SAFETY: `dict` is ours alone, and holds its values.
        unsafe {
            if let Some(places) = &making.tool_calls
                && !normal_tool_calls(&making.fields, places, dict.as_ptr())
            {
                return Ok(None);
            }
            self.instance(class, &making.fields, dict.as_ptr()).map(Some)
        }
    }

    /// A new instance with `dict` as its `__dict__`; values that pass as models become such.
    unsafe fn instance(
        &self,
        class: *mut ffi::PyObject,
        fields: &Fields,
        dict: *mut ffi::PyObject,
    ) -> Done<Bound<'py, PyAny>> {
        let py = self.py;
        // SAFETY: the plan says that the class is made by `object.__new__` and keeps its state in its
        // dict and these three slots.
        unsafe {
            for field in fields.iter().filter(|field| field.holds_models) {
                let value = ffi::PyDict_GetItemWithError(dict, field.name.as_ptr());
                if let Some(model) = self.converted(&field.node, value)? {
                    set_item(py, dict, field.name.as_ptr(), model.as_ptr())?;
                }
            }
            let object = self.empty_instance(class)?;
            let fields_set =
                Bound::from_owned_ptr_or_err(py, ffi::PySet_New(fields.names.as_ptr()))?;
            let extra = if fields.extra {
                Bound::from_owned_ptr_or_err(py, ffi::PyDict_New())?
            } else {
                py.None().into_bound(py)
            };
            if ffi::PyObject_GenericSetDict(object.as_ptr(), dict, std::ptr::null_mut()) != 0 {
                return Err(fetched(py));
            }
            let values = [extra.as_ptr(), ffi::Py_None(), fields_set.as_ptr()];
            for (slot, value) in self.known.model_slots.iter().zip(values) {
                set_slot(py, slot.ptr(), object.as_ptr(), value)?;
            }
            Ok(object)
        }
    }

    /// `object.__new__(class)`.
    pub(super) unsafe fn empty_instance(
        &self,
        class: *mut ffi::PyObject,
    ) -> Done<Bound<'py, PyAny>> {
        // SAFETY: the plan says that the class has the `__new__` of object.
        unsafe {
            let class = class.cast::<ffi::PyTypeObject>();
            let new = ffi::PyBaseObject_Type.tp_new;
            let Some(new) = new else {
                return Err(decode_error("object has no __new__"));
            };
            let object = new(class, self.known.empty_tuple.ptr(), std::ptr::null_mut());
            Ok(Bound::from_owned_ptr_or_err(self.py, object)?)
        }
    }

    /// What a value that passed becomes; None if it stays, though what it holds may be converted.
    unsafe fn converted(
        &self,
        node: &Node,
        value: *mut ffi::PyObject,
    ) -> Done<Option<Bound<'py, PyAny>>> {
        // SAFETY: `in_order` saw that each value has the type its node says.
        unsafe {
            match node {
                Node::Model(model) => {
                    return self.instance(model.class.as_ptr(), &model.fields, value).map(Some);
                }
                Node::Nullable(inner) if value != ffi::Py_None() => {
                    return self.converted(inner, value);
                }
                Node::List(items) if items.holds_models() => self.convert_items(items, value)?,
                Node::Dict(_, values) if values.holds_models() => {
                    self.convert_pairs(value, |_| Some(&**values))?;
                }
                Node::TypedDict(fields) => {
                    self.convert_pairs(value, |key| Some(&fields.find(key, &mut 0)?.node))?;
                }
                _ => {}
            }
            Ok(None)
        }
    }

    unsafe fn convert_items(&self, items: &Node, list: *mut ffi::PyObject) -> Done {
        // SAFETY: the list is of our making.
        unsafe {
            for index in 0..ffi::PyList_GET_SIZE(list) {
                if let Some(model) = self.converted(items, ffi::PyList_GET_ITEM(list, index))? {
                    ffi::PyList_SetItem(list, index, model.into_ptr());
                }
            }
        }
        Ok(())
    }

    unsafe fn convert_pairs<'n>(
        &self,
        dict: *mut ffi::PyObject,
        node: impl Fn(*mut ffi::PyObject) -> Option<&'n Node>,
    ) -> Done {
        let mut position = 0;
        let (mut key, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: the dict is of our making; giving a key it has another value moves nothing.
        unsafe {
            while ffi::PyDict_Next(dict, &raw mut position, &raw mut key, &raw mut value) != 0 {
                if let Some(node) = node(key)
                    && let Some(model) = self.converted(node, value)?
                {
                    set_item(self.py, dict, key, model.as_ptr())?;
                }
            }
        }
        Ok(())
    }

    /// An instance of a dataclass, with its fields set as its own `__init__` sets them.
    pub(super) fn dataclass(
        &self,
        found: &super::classes::Found,
        fields: &[(Py<pyo3::types::PyString>, Box<[u8]>)],
        values: &[Bound<'py, PyAny>],
    ) -> Done<Bound<'py, PyAny>> {
        // SAFETY: the plan says that the class is made by `object.__new__`.
        unsafe {
            let object = self.empty_instance(found.class.as_ptr())?;
            for ((name, _), value) in fields.iter().zip(values) {
                set_attribute(self.py, object.as_ptr(), name.as_ptr(), value.as_ptr())?;
            }
            Ok(object)
        }
    }
}

/// `object.__setattr__(object, name, value)`.
#[inline(always)]
unsafe fn set_attribute(
    py: Python<'_>,
    object: *mut ffi::PyObject,
    name: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
) -> Done {
    // SAFETY: the caller's; the object takes a reference of its own.
    if unsafe { ffi::PyObject_GenericSetAttr(object, name, value) } != 0 {
        return Err(fetched(py));
    }
    Ok(())
}

/// Sets a slot through its descriptor.
#[inline(always)]
unsafe fn set_slot(
    py: Python<'_>,
    slot: *mut ffi::PyObject,
    object: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
) -> Done {
    // SAFETY: the caller's; the descriptor checks that the object has the slot.
    unsafe {
        match (*ffi::Py_TYPE(slot)).tp_descr_set {
            Some(set) if set(slot, object, value) == 0 => Ok(()),
            Some(_) => Err(fetched(py)),
            None => Err(decode_error("a model without slots")),
        }
    }
}

unsafe fn set_item(
    py: Python<'_>,
    dict: *mut ffi::PyObject,
    key: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
) -> Done {
    // SAFETY: the caller's; the dict takes references of its own.
    if unsafe { ffi::PyDict_SetItem(dict, key, value) } != 0 {
        return Err(fetched(py));
    }
    Ok(())
}

/// Whether a dict has exactly the fields, in their order, with values that validation would keep.
unsafe fn in_order(fields: &Fields, dict: *mut ffi::PyObject) -> bool {
    let (mut position, mut next) = (0, 0);
    let (mut key, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: nothing here runs code that could change the dict.
    unsafe {
        while ffi::PyDict_Next(dict, &raw mut position, &raw mut key, &raw mut value) != 0 {
            let Some(field) = fields.get(next) else {
                return false;
            };
            if !field.is(key) || !passes(&field.node, value) {
                return false;
            }
            next += 1;
        }
    }
    next == fields.len()
}

/// Whether validation in lax mode gives back a value equal in type and content.
pub(super) unsafe fn passes(node: &Node, value: *mut ffi::PyObject) -> bool {
    // SAFETY: the type says which layout the object has.
    unsafe {
        let class = ffi::Py_TYPE(value);
        match node {
            Node::Any => true,
            Node::Leaf(classes) => classes.contains(class),
            Node::Literal(texts) => texts.contains(value),
            Node::Nullable(inner) => value == ffi::Py_None() || passes(inner, value),
            Node::List(items) => {
                class == &raw mut ffi::PyList_Type
                    && (matches!(**items, Node::Any)
                        || (0..ffi::PyList_GET_SIZE(value))
                            .all(|index| passes(items, ffi::PyList_GET_ITEM(value, index))))
            }
            Node::Dict(keys, values) => {
                class == &raw mut ffi::PyDict_Type && pairs_pass(keys, values, value)
            }
            Node::Union(choices) => choices.iter().any(|choice| passes(choice, value)),
            Node::TypedDict(fields) => {
                class == &raw mut ffi::PyDict_Type && typed_dict_passes(fields, value)
            }
            Node::Model(model) => {
                class == &raw mut ffi::PyDict_Type && in_order(&model.fields, value)
            }
        }
    }
}

unsafe fn pairs_pass(keys: &Node, values: &Node, dict: *mut ffi::PyObject) -> bool {
    if matches!((keys, values), (Node::Any, Node::Any)) {
        return true;
    }
    let mut position = 0;
    let (mut key, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: nothing here runs code that could change the dict.
    unsafe {
        while ffi::PyDict_Next(dict, &raw mut position, &raw mut key, &raw mut value) != 0 {
            if !passes(keys, key) || !passes(values, value) {
                return false;
            }
        }
    }
    true
}

/// Whether a dict has the required keys in the order of the schema, and others only after them: validation
/// puts them into that order.
unsafe fn typed_dict_passes(fields: &Fields, dict: *mut ffi::PyObject) -> bool {
    let (mut position, mut next) = (0, 0);
    let (mut key, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: nothing here runs code that could change the dict.
    unsafe {
        while ffi::PyDict_Next(dict, &raw mut position, &raw mut key, &raw mut value) != 0 {
            let mut place = next;
            if let Some(field) = fields.find(key, &mut place) {
                let skipped =
                    place <= next || fields.iter().take(place - 1).skip(next).any(|f| f.required);
                if skipped || !passes(&field.node, value) {
                    return false;
                }
                next = place;
            } else {
                let text = ffi::Py_TYPE(key) == &raw mut ffi::PyUnicode_Type;
                let early = fields.iter().skip(next).any(|f| f.required);
                if !fields.extra || !text || early {
                    return false;
                }
                next = fields.len();
            }
        }
    }
    !fields.iter().skip(next).any(|field| field.required)
}

/// Whether `AIMessage`'s validator leaves the values alone: it makes each tool call anew from `name`,
/// `args` and `id`, and reads provider calls out of `additional_kwargs` when there are none.
unsafe fn normal_tool_calls(fields: &Fields, places: &ToolCalls, dict: *mut ffi::PyObject) -> bool {
    // SAFETY: `in_order` saw that all fields are there, and what types they have.
    unsafe {
        let value = |place: usize| {
            fields.get(place).map_or(std::ptr::null_mut(), |field| {
                ffi::PyDict_GetItemWithError(dict, field.name.as_ptr())
            })
        };
        let calls = value(places.valid);
        let invalid = value(places.invalid);
        let kwargs = value(places.kwargs);
        if calls.is_null()
            || invalid.is_null()
            || kwargs.is_null()
            || ffi::PyList_GET_SIZE(invalid) != 0
        {
            return false;
        }
        let count = ffi::PyList_GET_SIZE(calls);
        if count == 0 {
            return ffi::PyDict_Size(kwargs) == 0
                || ffi::PyDict_GetItemString(kwargs, c"tool_calls".as_ptr()).is_null();
        }
        (0..count).all(|index| is_normal_call(ffi::PyList_GET_ITEM(calls, index)))
    }
}

/// Whether a tool call has exactly the four keys, in order.
unsafe fn is_normal_call(call: *mut ffi::PyObject) -> bool {
    const KEYS: [&[u8]; 4] = [b"name", b"args", b"id", b"type"];
    let mut position = 0;
    let (mut key, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: nothing here runs code that could change the dict.
    unsafe {
        if ffi::PyDict_Size(call) != KEYS.len().cast_signed() {
            return false;
        }
        for name in KEYS {
            ffi::PyDict_Next(call, &raw mut position, &raw mut key, &raw mut value);
            if ffi::Py_TYPE(key) != &raw mut ffi::PyUnicode_Type || utf8(key) != Some(name) {
                return false;
            }
        }
    }
    true
}
