//! The types and names met natively, looked up once and kept for the life of the process.
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyString;

/// A strong reference that is never given up, so that its address stays good.
#[derive(Clone, Copy)]
pub struct Immortal(*mut ffi::PyObject);

// SAFETY: the reference is never released, and it is used only by code that holds the GIL.
unsafe impl Send for Immortal {}
// SAFETY: as above.
unsafe impl Sync for Immortal {}

impl Immortal {
    /// Gives up nothing from now on.
    pub fn new(object: Bound<'_, PyAny>) -> Self {
        Self(object.into_ptr())
    }

    fn name(py: Python<'_>, text: &str) -> Self {
        Self::new(PyString::intern(py, text).into_any())
    }

    /// The object.
    #[inline(always)]
    pub fn ptr(self) -> *mut ffi::PyObject {
        self.0
    }

    /// The object as a class.
    #[inline(always)]
    pub fn class(self) -> *mut ffi::PyTypeObject {
        self.0.cast()
    }
}

/// What the codec needs of Python.
pub struct Known {
    pub ext: Immortal,
    pub fragment: Immortal,
    pub packb: Immortal,
    pub options: Immortal,
    pub enum_meta: Immortal,
    pub uuid: Immortal,
    pub decimal: Immortal,
    pub deque: Immortal,
    pub utc: Immortal,
    pub empty_tuple: Immortal,
    pub hex: Immortal,
    pub value: Immortal,
    pub isoformat: Immortal,
    pub pydantic_extra: Immortal,
    /// The descriptors of a model's slots: `__pydantic_extra__`, `_private__` and `_fields_set__`.
    pub model_slots: [Immortal; 3],
    /// `pydantic.BaseModel`, and where its instances have `__pydantic_extra__`, if in a slot.
    pub model: Immortal,
    pub model_extra: Option<Slot>,
    pub new: Immortal,
    /// Attributes that make LangGraph treat an object as another kind, whatever its class.
    pub hooks: [Immortal; 5],
}

/// The one table of known things.
pub fn known(py: Python<'_>) -> PyResult<&'static Known> {
    static KNOWN: PyOnceLock<Known> = PyOnceLock::new();
    KNOWN.get_or_try_init(py, || load(py))
}

fn load(py: Python<'_>) -> PyResult<Known> {
    // SAFETY: the GIL is held; the macro's function only fills the static that the datetime C API reads.
    unsafe { ffi::PyDateTime_IMPORT() };
    if let Some(error) = PyErr::take(py) {
        return Err(error);
    }
    let ormsgpack = py.import(intern!(py, "ormsgpack"))?;
    let of = |module: &str, name: &str| -> PyResult<Immortal> {
        Ok(Immortal::new(py.import(module)?.getattr(name)?))
    };
    let base = py.import("pydantic")?.getattr("BaseModel")?;
    let model = base.getattr("__dict__")?;
    let slot = |name: &str| -> PyResult<Immortal> { Ok(Immortal::new(model.get_item(name)?)) };
    Ok(Known {
        ext: Immortal::new(ormsgpack.getattr("Ext")?),
        // Older releases have none; then no object is of that class.
        fragment: Immortal::new(
            ormsgpack.getattr("Fragment").or_else(|_| ormsgpack.getattr("Ext"))?,
        ),
        packb: Immortal::new(ormsgpack.getattr("packb")?),
        options: of("langgraph.checkpoint.serde.jsonplus", "_option")?,
        enum_meta: of("enum", "EnumMeta")?,
        uuid: of("uuid", "UUID")?,
        decimal: of("decimal", "Decimal")?,
        deque: of("collections", "deque")?,
        utc: Immortal::new(py.import("datetime")?.getattr("timezone")?.getattr("utc")?),
        empty_tuple: Immortal::new(pyo3::types::PyTuple::empty(py).into_any()),
        hex: Immortal::name(py, "hex"),
        value: Immortal::name(py, "value"),
        isoformat: Immortal::name(py, "isoformat"),
        pydantic_extra: Immortal::name(py, "__pydantic_extra__"),
        model_slots: [
            slot("__pydantic_extra__")?,
            slot("__pydantic_private__")?,
            slot("__pydantic_fields_set__")?,
        ],
        model: Immortal::new(base),
        // SAFETY: the GIL is held.
        model_extra: unsafe { Slot::of(slot("__pydantic_extra__")?) },
        new: Immortal::name(py, "__new__"),
        hooks: ["model_dump", "get_secret_value", "dict", "_asdict", "node"]
            .map(|name| Immortal::name(py, name)),
    })
}

/// Where the instances of a class keep one of their values.
#[derive(Clone, Copy)]
pub struct Slot {
    offset: isize,
}

impl Slot {
    /// The slot of a member descriptor; None for any other object.
    ///
    /// # Safety
    /// The GIL is held.
    unsafe fn of(descriptor: Immortal) -> Option<Self> {
        let descriptor = descriptor.ptr();
        // SAFETY: the type says that it is a member descriptor, and these point to their definition.
        unsafe {
            if ffi::Py_TYPE(descriptor) != &raw mut ffi::PyMemberDescr_Type {
                return None;
            }
            let member = (*descriptor.cast::<ffi::PyMemberDescrObject>()).d_member;
            let member = &*member.cast::<ffi::PyMemberDef>();
            (member.type_code == ffi::Py_T_OBJECT_EX).then_some(Self { offset: member.offset })
        }
    }

    /// The value, borrowed; null if there is none.
    ///
    /// # Safety
    /// `object` is a live instance of the class whose slot it is, and the GIL is held.
    #[inline(always)]
    pub unsafe fn read(self, object: *mut ffi::PyObject) -> *mut ffi::PyObject {
        // SAFETY: the caller's; a slot is aligned as a pointer.
        unsafe { object.byte_offset(self.offset).cast::<*mut ffi::PyObject>().read() }
    }
}

impl Known {
    /// Where instances of a model's class keep `__pydantic_extra__`; None for any other class, and
    /// for a model that has its own.
    ///
    /// # Safety
    /// `class` is a live class and the GIL is held.
    pub unsafe fn extra_slot(&self, class: *mut ffi::PyTypeObject) -> Option<Slot> {
        // SAFETY: the caller's. A model's metaclass runs Python code only for attributes that are not
        // found, and the base has this one.
        unsafe {
            if ffi::Py_TYPE(class.cast()) != ffi::Py_TYPE(self.model.ptr())
                || ffi::PyType_IsSubtype(class, self.model.class()) == 0
            {
                return None;
            }
            let found = ffi::PyObject_GetAttr(class.cast(), self.pydantic_extra.ptr());
            if found.is_null() {
                ffi::PyErr_Clear();
                return None;
            }
            let is_original = found == self.model_slots[0].ptr();
            ffi::Py_DECREF(found);
            if is_original { self.model_extra } else { None }
        }
    }
}

/// The version `CPython` gives a class, changed by any change to it or to its bases; 0 if it has none.
///
/// # Safety
/// `class` is a live class and the GIL is held.
#[inline(always)]
pub unsafe fn version(class: *mut ffi::PyTypeObject) -> u32 {
    // SAFETY: the caller's.
    unsafe {
        // Later releases set the version itself to 0.
        #[cfg(not(Py_3_13))]
        if (*class).tp_flags & ffi::Py_TPFLAGS_VALID_VERSION_TAG == 0 {
            return 0;
        }
        (*class).tp_version_tag
    }
}

/// The class's `__name__` object: setting the name does not change the version.
///
/// # Safety
/// `class` is a live class and the GIL is held.
#[inline(always)]
pub unsafe fn name_object(class: *mut ffi::PyTypeObject) -> *mut ffi::PyObject {
    // SAFETY: a heap type is a PyHeapTypeObject.
    unsafe {
        if (*class).tp_flags & ffi::Py_TPFLAGS_HEAPTYPE == 0 {
            return std::ptr::null_mut();
        }
        (*class.cast::<ffi::PyHeapTypeObject>()).ht_name
    }
}

/// What a plan for a class was made from; any change to the class shows as a different stamp.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    pub version: u32,
    /// The address of the name object.
    pub name: usize,
}

impl Stamp {
    /// The class as it is now; None if `CPython` gives it no version, and changes cannot be seen.
    ///
    /// # Safety
    /// `class` is a live class and the GIL is held.
    #[inline(always)]
    pub unsafe fn of(class: *mut ffi::PyTypeObject) -> Option<Self> {
        // SAFETY: the caller's.
        unsafe {
            let version = version(class);
            (version != 0).then(|| Self { version, name: name_object(class) as usize })
        }
    }
}

/// The stamp of a class, giving it a version first if it has none.
///
/// # Safety
/// `class` is a live class and the GIL is held.
pub unsafe fn stamp_of(known: &Known, class: *mut ffi::PyTypeObject) -> Option<Stamp> {
    // SAFETY: the caller's. Looking up `__new__` makes CPython walk the bases and cache by version.
    unsafe {
        Stamp::of(class).or_else(|| {
            ffi::PyObject_HasAttr(class.cast(), known.new.ptr());
            Stamp::of(class)
        })
    }
}
