//! Objects from `(module, name, payload, ...)`: built directly where that gives the same object.
use std::sync::Arc;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use super::Decoder;
use super::classes::{self, Found, Making, Named};
use super::ext::Objects;
use super::validate::passes;
use crate::failure::{Done, Fail, caused_by};
use crate::pause::resumed;
use crate::schema::Fields;
use crate::stack;

/// LangGraph's extension codes.
mod code {
    pub const SINGLE_ARG: u8 = 0;
    pub const POS_ARGS: u8 = 1;
    pub const KW_ARGS: u8 = 2;
    pub const METHOD: u8 = 3;
    pub const PYDANTIC_V2: u8 = 5;
}

/// `langgraph.types.Send`, whose arguments LangGraph takes apart.
const SEND: &[u8] = b"\xaflanggraph.types\xa4Send";

/// What an object is made from.
enum Payload<'py> {
    /// Any value.
    Value(Bound<'py, PyAny>),
    /// The values of a dataclass, in the order of its fields.
    Values(Vec<Bound<'py, PyAny>>),
    /// The values of a model, under the names of all its fields in their order; and whether they pass.
    Fields(Bound<'py, PyAny>, bool),
}

impl<'py> Decoder<'_, 'py> {
    /// The object that the current message describes.
    pub(super) fn described(
        &mut self,
        objects: &Objects<'_, 'py>,
        code: u8,
    ) -> Done<Bound<'py, PyAny>> {
        let Some((named, count)) = self.named()? else {
            let parts = self.message()?;
            return self.rebuilt(objects, code, parts);
        };
        let found = self.found(objects, code, &named)?;
        let payload = match &found {
            Some(found) => self.payload(&found.making)?,
            None => Payload::Value(self.item()?),
        };
        let mut rest = Vec::new();
        for _ in 3..count {
            rest.push(self.item()?);
        }
        if self.at != self.data.len() {
            return Err(self.trailing());
        }
        if let Some(found) = &found
            && let Some(object) = self.made(objects, code, &named, found, &payload, &rest)?
        {
            return Ok(object);
        }
        let parts = self.parts(&named, found.as_deref(), payload, rest)?;
        self.rebuilt(objects, code, parts)
    }

    /// The module and the name at the start of the message, and how many values it has; None, and nothing
    /// read, if it starts with anything else.
    fn named(&mut self) -> Done<Option<(Arc<Named>, usize)>> {
        let Some(&first @ 0x93..=0x9f) = self.data.first() else {
            return Ok(None);
        };
        let Some(end) = text_end(self.data, 1).and_then(|end| text_end(self.data, end)) else {
            return Ok(None);
        };
        let count = usize::from(first & 0xf);
        self.at = 1;
        self.enter(count)?;
        let prefix = &self.data[1..end];
        let named = if let Some(named) = classes::met(prefix) {
            self.at = end;
            self.owed -= 2;
            named
        } else {
            let (module, name) = (self.item()?, self.item()?);
            classes::meet(prefix, &module, &name)?
        };
        Ok(Some((named, count)))
    }

    /// The class, if it may be used natively.
    fn found(
        &self,
        objects: &Objects<'_, 'py>,
        code: u8,
        named: &Named,
    ) -> Done<Option<Arc<Found>>> {
        let Some(found) = named.find(self.py, self.known)? else {
            return Ok(None);
        };
        let fits = match found.making {
            Making::General => false,
            // Its method is on LangGraph's list of methods, which is not that of classes.
            Making::Datetime => return Ok((code == code::METHOD).then_some(found)),
            Making::Date => code == code::POS_ARGS,
            Making::Set | Making::Frozenset => code == code::SINGLE_ARG,
            Making::Call => code <= code::KW_ARGS && !named.is(SEND),
            Making::Dataclass(_) => code == code::KW_ARGS,
            Making::Model(_) => code == code::PYDANTIC_V2,
        };
        let allowed = fits && objects.silently_allows(named.key.bind(self.py).as_any())?;
        Ok(allowed.then_some(found))
    }

    fn payload(&mut self, making: &Making) -> Done<Payload<'py>> {
        let length = match self.data.get(self.at) {
            Some(&marker @ 0x80..=0x8f) => usize::from(marker & 0xf),
            Some(0xde) => self.data[self.at + 1..]
                .first_chunk::<2>()
                .map_or(0, |length| u16::from_be_bytes(*length).into()),
            _ => return Ok(Payload::Value(self.item()?)),
        };
        match making {
            Making::Dataclass(fields) if fields.len() == length => self.values(fields),
            Making::Model(making) if making.fields.len() == length => self.fields(&making.fields),
            _ => Ok(Payload::Value(self.item()?)),
        }
    }

    /// Past the header of a map that was looked at already.
    fn open_map(&mut self, length: usize) -> Done {
        self.owed -= 1;
        self.at += if length < 16 { 1 } else { 3 };
        self.enter(2 * length)
    }

    /// Whether the next key is `packed`; if so it is read.
    #[inline(always)]
    fn key_is(&mut self, packed: &[u8]) -> bool {
        let is = self.data[self.at..].starts_with(packed);
        if is {
            self.at += packed.len();
            self.owed -= 1;
        }
        is
    }

    fn values(&mut self, fields: &[(Py<PyString>, Box<[u8]>)]) -> Done<Payload<'py>> {
        self.open_map(fields.len())?;
        let mut values = Vec::with_capacity(fields.len());
        for (_, packed) in fields {
            if !self.key_is(packed) {
                let dict = PyDict::new(self.py);
                for ((name, _), value) in fields.iter().zip(values) {
                    dict.set_item(name, value)?;
                }
                return self.remaining_pairs(dict.into_any(), fields.len());
            }
            values.push(self.item()?);
        }
        self.leave();
        Ok(Payload::Values(values))
    }

    fn fields(&mut self, fields: &Fields) -> Done<Payload<'py>> {
        self.open_map(fields.len())?;
        // SAFETY: a copy is a new dict of ours.
        let dict = unsafe {
            Bound::from_owned_ptr_or_err(self.py, ffi::PyDict_Copy(fields.template.as_ptr()))?
        };
        let mut pass = true;
        for (index, field) in fields.iter().enumerate() {
            if !self.key_is(&field.packed) {
                let partial = PyDict::new(self.py);
                for field in fields.iter().take(index) {
                    partial.set_item(&field.name, dict.get_item(&field.name)?)?;
                }
                return self.remaining_pairs(partial.into_any(), fields.len());
            }
            let value = self.item()?;
            // SAFETY: the value is alive.
            pass = pass && unsafe { passes(&field.node, value.as_ptr()) };
            // SAFETY: the dict takes references of its own.
            if unsafe { ffi::PyDict_SetItem(dict.as_ptr(), field.name.as_ptr(), value.as_ptr()) }
                != 0
            {
                return Err(crate::failure::fetched(self.py));
            }
        }
        self.leave();
        Ok(Payload::Fields(dict, pass))
    }

    /// The rest of a map whose keys are not those that were expected. Keys may repeat, so the number of
    /// pairs read is told by what the container is still owed.
    #[cold]
    fn remaining_pairs(&mut self, dict: Bound<'py, PyAny>, length: usize) -> Done<Payload<'py>> {
        let read = dict.len()?;
        for _ in read..length {
            self.pair(&dict)?;
        }
        self.leave();
        Ok(Payload::Value(dict))
    }

    /// The object, if it can be made natively from what was read.
    fn made(
        &mut self,
        objects: &Objects<'_, 'py>,
        code: u8,
        named: &Named,
        found: &Found,
        payload: &Payload<'py>,
        rest: &[Bound<'py, PyAny>],
    ) -> Done<Option<Bound<'py, PyAny>>> {
        match (&found.making, payload) {
            (Making::Dataclass(fields), Payload::Values(values)) => {
                self.dataclass(found, fields, values).map(Some)
            }
            (Making::Model(making), Payload::Fields(dict, true)) => {
                // SAFETY: the class's plan says that its instances are made this way.
                unsafe { self.model(found.class.as_ptr(), making, dict) }
            }
            (Making::Datetime, Payload::Value(text)) => self.datetime(found, text, rest),
            (Making::Date, Payload::Value(args)) => Ok(self.date(args)),
            (Making::Set, Payload::Value(items)) => self.set(items, ffi::PySet_New),
            (Making::Frozenset, Payload::Value(items)) => self.set(items, ffi::PyFrozenSet_New),
            (Making::Call, Payload::Value(payload)) => {
                self.called(objects, code, named, found, payload).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// `cls(arg)`, `cls(*args)` or `cls(**kwargs)`; LangGraph's fallback if that fails.
    fn called(
        &self,
        objects: &Objects<'_, 'py>,
        code: u8,
        named: &Named,
        found: &Found,
        payload: &Bound<'py, PyAny>,
    ) -> Done<Bound<'py, PyAny>> {
        let class = found.class.bind(self.py);
        let result = stack::with_objects(self.objects, || match code {
            code::SINGLE_ARG => class.call1((payload,)),
            code::POS_ARGS => class.call1(payload.cast::<PyList>()?.to_tuple()),
            _ => class.call((), Some(payload.cast::<PyDict>()?)),
        });
        result.or_else(|error| {
            if !error.is_instance_of::<pyo3::exceptions::PyException>(self.py) {
                return Err(error.into());
            }
            let parts = PyList::new(
                self.py,
                [named.module.bind(self.py).as_any(), named.name.bind(self.py).as_any(), payload],
            )?;
            Ok(resumed(|| objects.fallback.call1((parts, error.into_value(self.py))))?)
        })
    }

    /// `[module, name, payload, ...]` as LangGraph's hook takes it.
    #[cold]
    fn parts(
        &self,
        named: &Named,
        found: Option<&Found>,
        payload: Payload<'py>,
        rest: Vec<Bound<'py, PyAny>>,
    ) -> Done<Bound<'py, PyAny>> {
        let py = self.py;
        let payload = match (payload, found.map(|found| &found.making)) {
            (Payload::Values(values), Some(Making::Dataclass(fields))) => {
                let dict = PyDict::new(py);
                for ((name, _), value) in fields.iter().zip(values) {
                    dict.set_item(name, value)?;
                }
                dict.into_any()
            }
            (Payload::Value(value) | Payload::Fields(value, _), _) => value,
            (Payload::Values(values), _) => PyList::new(py, values)?.into_any(),
        };
        let parts =
            PyList::new(py, [named.module.bind(py).as_any(), named.name.bind(py).as_any()])?;
        parts.append(payload)?;
        for value in rest {
            parts.append(value)?;
        }
        Ok(parts.into_any())
    }

    /// Keeps `error` for what must not be caught, and drops any other.
    pub(super) fn unless_caught(&self, error: PyErr) -> Done {
        match caused_by(self.py, Box::new(error), || Fail::Unproven) {
            Fail::Unproven => Ok(()),
            raised @ Fail::Raised(_) => Err(raised),
        }
    }
}

/// Where the string at `start` ends, if there is a short one.
fn text_end(data: &[u8], start: usize) -> Option<usize> {
    let (header, length) = match *data.get(start)? {
        marker @ 0xa0..=0xbf => (1, usize::from(marker & 0x1f)),
        0xd9 => (2, usize::from(*data.get(start + 1)?)),
        _ => return None,
    };
    let end = start + header + length;
    (end <= data.len()).then_some(end)
}
