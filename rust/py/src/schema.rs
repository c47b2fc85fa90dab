//! The parts of a pydantic core schema that need no interpretation, as `lgckpt._serde.plans` reads
//! them out.
use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::exceptions::PyValueError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PySet, PyString, PyTuple, PyType};

use crate::text::utf8;

/// What a value may be, and stay as it is through validation and serialization.
pub enum Node {
    /// Anything; in a dump, exact built-in types are copied.
    Any,
    /// An instance of exactly one of these classes.
    Leaf(Classes),
    /// One of these texts.
    Literal(Texts),
    Nullable(Box<Node>),
    List(Box<Node>),
    Dict(Box<Node>, Box<Node>),
    Union(Box<[Node]>),
    TypedDict(Fields),
    Model(Box<Model>),
}

/// A model inside another.
pub struct Model {
    pub class: Py<PyType>,
    pub fields: Fields,
}

/// Exact classes, by address.
pub struct Classes(Box<[Py<PyType>]>);

impl Classes {
    /// Whether `class` is one of them.
    #[inline(always)]
    pub fn contains(&self, class: *mut ffi::PyTypeObject) -> bool {
        self.0.iter().any(|one| one.as_ptr() == class.cast())
    }
}

/// Literal texts.
pub struct Texts(Box<[Box<[u8]>]>);

impl Texts {
    /// Whether `value` is exactly a str and one of them.
    ///
    /// # Safety
    /// `value` is alive and the GIL is held.
    pub unsafe fn contains(&self, value: *mut ffi::PyObject) -> bool {
        // SAFETY: the caller's.
        unsafe {
            ffi::Py_TYPE(value) == &raw mut ffi::PyUnicode_Type
                && utf8(value).is_some_and(|text| self.0.iter().any(|one| **one == *text))
        }
    }
}

/// One named value of a model or a typed dict.
pub struct Field {
    pub name: Py<PyString>,
    /// The name as msgpack.
    pub packed: Box<[u8]>,
    pub required: bool,
    pub node: Node,
    /// Whether a value that passes may hold dicts that become models.
    pub holds_models: bool,
    /// The key object met last: the same one comes again and again. Only compared, never followed.
    seen: AtomicUsize,
}

/// The named values of a model or a typed dict, in the order of the schema.
pub struct Fields {
    all: Box<[Field]>,
    /// Whether keys outside the schema are kept.
    pub extra: bool,
    /// A dict with all names, to be copied; its keys are laid out already.
    pub template: Py<PyDict>,
    /// A set of all names, to be copied.
    pub names: Py<PySet>,
}

impl Fields {
    /// How many there are.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// One after another.
    pub fn iter(&self) -> std::slice::Iter<'_, Field> {
        self.all.iter()
    }

    /// The field at a place.
    #[inline(always)]
    pub fn get(&self, index: usize) -> Option<&Field> {
        self.all.get(index)
    }

    /// The field a key names; `next` is where it is expected, and moves past it.
    ///
    /// # Safety
    /// `key` is alive and the GIL is held.
    #[inline(always)]
    pub unsafe fn find(&self, key: *mut ffi::PyObject, next: &mut usize) -> Option<&Field> {
        if let Some(field) = self.all.get(*next)
            && (key == field.name.as_ptr() || key as usize == field.seen.load(Ordering::Relaxed))
        {
            // A remembered address may have been used again, so the text decides; it is short.
            // SAFETY: the caller's.
            if key == field.name.as_ptr() || unsafe { field.is(key) } {
                *next += 1;
                return Some(field);
            }
        }
        // SAFETY: the caller's.
        unsafe { self.search(key, next) }
    }

    #[inline(never)]
    unsafe fn search(&self, key: *mut ffi::PyObject, next: &mut usize) -> Option<&Field> {
        let expected = (*next).min(self.all.len());
        let order = (expected..self.all.len()).chain(0..expected);
        for index in order {
            let field = &self.all[index];
            // SAFETY: the caller's.
            if unsafe { field.is(key) } {
                field.seen.store(key as usize, Ordering::Relaxed);
                *next = index + 1;
                return Some(field);
            }
        }
        None
    }

    /// Reads `([(name, packed, required, node)], extra)`.
    pub fn read(spec: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (items, extra): (Bound<'_, PyAny>, bool) = spec.extract()?;
        let template = PyDict::new(spec.py());
        let mut fields = Vec::new();
        for item in items.try_iter()? {
            let (name, packed, required, node): (
                Bound<'_, PyString>,
                Vec<u8>,
                bool,
                Bound<'_, PyAny>,
            ) = item?.extract()?;
            template.set_item(&name, spec.py().None())?;
            let node = Node::read(&node)?;
            fields.push(Field {
                name: name.unbind(),
                packed: packed.into(),
                required,
                holds_models: node.holds_models(),
                node,
                seen: AtomicUsize::new(0),
            });
        }
        let names = PySet::new(spec.py(), template.keys())?;
        Ok(Self { all: fields.into(), extra, template: template.unbind(), names: names.unbind() })
    }
}

impl Field {
    /// Whether `key` is exactly a str with this name.
    ///
    /// # Safety
    /// `key` is alive and the GIL is held.
    #[inline(always)]
    pub unsafe fn is(&self, key: *mut ffi::PyObject) -> bool {
        // SAFETY: the caller's.
        unsafe {
            key == self.name.as_ptr()
                || ffi::Py_TYPE(key) == &raw mut ffi::PyUnicode_Type
                    && utf8(key).is_some_and(|text| Some(text) == utf8(self.name.as_ptr()))
        }
    }
}

impl Node {
    /// Whether a key that is exactly a str passes.
    #[inline(always)]
    pub fn takes_text(&self) -> bool {
        match self {
            Self::Any => true,
            Self::Leaf(classes) => classes.contains(&raw mut ffi::PyUnicode_Type),
            _ => false,
        }
    }

    /// Whether a value that passes may hold dicts that become models.
    pub fn holds_models(&self) -> bool {
        match self {
            Self::Model(_) => true,
            Self::Nullable(inner) | Self::List(inner) | Self::Dict(_, inner) => {
                inner.holds_models()
            }
            Self::TypedDict(fields) => fields.iter().any(|field| field.holds_models),
            Self::Any | Self::Leaf(_) | Self::Literal(_) | Self::Union(_) => false,
        }
    }

    fn read(spec: &Bound<'_, PyAny>) -> PyResult<Self> {
        let spec = spec.cast::<PyTuple>()?;
        let kind = spec.get_item(0)?;
        let inner = |index: usize| -> PyResult<Box<Self>> {
            Ok(Box::new(Self::read(&spec.get_item(index)?)?))
        };
        Ok(match kind.cast::<PyString>()?.to_str()? {
            "any" => Self::Any,
            "leaf" => Self::Leaf(Classes(spec.get_item(1)?.extract::<Vec<Py<PyType>>>()?.into())),
            "literal" => {
                let texts: Vec<String> = spec.get_item(1)?.extract()?;
                Self::Literal(Texts(
                    texts.into_iter().map(|text| text.into_bytes().into()).collect(),
                ))
            }
            "nullable" => Self::Nullable(inner(1)?),
            "list" => Self::List(inner(1)?),
            "dict" => Self::Dict(inner(1)?, inner(2)?),
            "union" => {
                let choices = spec.get_item(1)?.try_iter()?.map(|choice| Self::read(&choice?));
                Self::Union(choices.collect::<PyResult<_>>()?)
            }
            "typed-dict" => Self::TypedDict(Fields::read(&spec.get_item(1)?)?),
            "model" => {
                let class = spec.get_item(1)?.cast_into::<PyType>()?.unbind();
                Self::Model(Box::new(Model { class, fields: Fields::read(&spec.get_item(2)?)? }))
            }
            other => return Err(PyValueError::new_err(format!("unknown kind of schema: {other}"))),
        })
    }
}

/// Names and their msgpack, one after another.
pub type Names = Box<[(Py<PyString>, Box<[u8]>)]>;

/// Reads `[(name, packed)]`.
pub fn names(spec: &Bound<'_, PyAny>) -> PyResult<Names> {
    let pairs: Vec<(Py<PyString>, Vec<u8>)> = spec.extract()?;
    Ok(pairs.into_iter().map(|(name, packed)| (name, packed.into())).collect())
}
