//! Extensions: given to a hook, or turned into objects by LangGraph's rules.
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PySet};

use super::{Decoder, Rules, classes};
use crate::failure::{Done, Fail, caused_by, decode_error};
use crate::known::known;
use crate::pause::resumed;
use crate::stack;

/// LangGraph's extension codes that have no native path.
const NUMPY_ARRAY: u8 = 6;
const METHOD: u8 = 3;
const DELTA_SNAPSHOT: u8 = 7;

/// The rules by which extensions become objects, for one call.
pub(super) struct Objects<'a, 'py> {
    /// LangGraph's own hook, over values already unpacked: `rebuild(code, [module, name, payload, ...])`.
    pub rebuild: &'a Bound<'py, PyAny>,
    /// `_reconstruction_fallback(tup, exc)`.
    pub fallback: &'a Bound<'py, PyAny>,
    /// `_DeltaSnapshot`.
    pub delta_snapshot: &'a Bound<'py, PyAny>,
    /// Keys `(module, name)` always allowed.
    pub safe: Bound<'py, PyAny>,
    /// Whether objects may be made without asking `rebuild`.
    pub native: bool,
    /// Whether any other key is allowed, once its warning was given and while nobody listens.
    pub permissive: bool,
    /// Keys allowed by name.
    pub allowed: Option<&'a Bound<'py, PySet>>,
    /// Keys the permissive warning was given for.
    pub warned: Bound<'py, PyAny>,
    /// Those who listen to serde events.
    pub listeners: Bound<'py, PyAny>,
}

/// Unpacks values, objects that LangGraph knows included.
#[pyclass(frozen, module = "lgckpt._core")]
pub struct ObjectDecoder {
    rebuild: Py<PyAny>,
    fallback: Py<PyAny>,
    delta_snapshot: Py<PyAny>,
    native: bool,
    permissive: bool,
    allowed: Option<Py<PySet>>,
}

#[pymethods]
impl ObjectDecoder {
    #[new]
    #[pyo3(signature = (rebuild, fallback, delta_snapshot, *, native, permissive, allowed))]
    fn new(
        py: Python<'_>,
        rebuild: Py<PyAny>,
        fallback: Py<PyAny>,
        delta_snapshot: Py<PyAny>,
        native: bool,
        permissive: bool,
        allowed: Option<Py<PySet>>,
    ) -> PyResult<Self> {
        // See `ObjectEncoder`.
        known(py)?;
        classes::planner(py)?;
        Ok(Self { rebuild, fallback, delta_snapshot, native, permissive, allowed })
    }

    /// The value of one message. `safe`, `warned` and `listeners` are LangGraph's, as they are now.
    fn decode<'py>(
        &self,
        data: &Bound<'py, PyAny>,
        safe: Bound<'py, PyAny>,
        warned: Bound<'py, PyAny>,
        listeners: Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let objects = self.objects(data.py(), safe, warned, listeners);
        super::run(data, &Rules::Objects(&objects))
    }

    /// A checkpoint row whose values are all small: the checkpoint and the metadata; None for others.
    fn row<'py>(
        &self,
        py: Python<'py>,
        state: &[u8],
        metadata: &[u8],
        safe: Bound<'py, PyAny>,
        warned: Bound<'py, PyAny>,
        listeners: Bound<'py, PyAny>,
    ) -> PyResult<Option<super::row::Row<'py>>> {
        let objects = self.objects(py, safe, warned, listeners);
        super::row::read(py, state, metadata, &Rules::Objects(&objects))
    }
}

impl ObjectDecoder {
    fn objects<'a, 'py>(
        &'a self,
        py: Python<'py>,
        safe: Bound<'py, PyAny>,
        warned: Bound<'py, PyAny>,
        listeners: Bound<'py, PyAny>,
    ) -> Objects<'a, 'py> {
        Objects {
            rebuild: self.rebuild.bind(py),
            fallback: self.fallback.bind(py),
            delta_snapshot: self.delta_snapshot.bind(py),
            safe,
            native: self.native,
            permissive: self.permissive,
            allowed: self.allowed.as_ref().map(|set| set.bind(py)),
            warned,
            listeners,
        }
    }
}

impl<'py> Objects<'_, 'py> {
    /// Whether a key is allowed, with nothing to be said about it. LangGraph's hook decides the rest.
    pub(super) fn silently_allows(&self, key: &Bound<'py, PyAny>) -> PyResult<bool> {
        if contains(&self.safe, key)? {
            return Ok(true);
        }
        if let Some(allowed) = self.allowed {
            return contains(allowed.as_any(), key);
        }
        let unheard = self.listeners.cast_exact::<PyList>().is_ok_and(PyListMethods::is_empty);
        Ok(self.permissive && unheard && contains(&self.warned, key)?)
    }
}

fn contains<'py>(set: &Bound<'py, PyAny>, key: &Bound<'py, PyAny>) -> PyResult<bool> {
    // SAFETY: both are alive; anything but a set is an error of Python's.
    match unsafe { ffi::PySet_Contains(set.as_ptr(), key.as_ptr()) } {
        -1 => Err(PyErr::fetch(set.py())),
        found => Ok(found == 1),
    }
}

impl<'a, 'py> Decoder<'a, 'py> {
    /// An extension of `length` bytes.
    #[inline(never)]
    pub(super) fn ext(&mut self, length: usize) -> Done<Bound<'py, PyAny>> {
        if self.depth >= 1023 {
            return Err(decode_error("Recursion limit reached"));
        }
        let code = self.byte()?;
        let data = self.take(length)?;
        match self.rules {
            Rules::None => Err(decode_error("ext_hook missing")),
            Rules::Hook(hook) => self.hooked(hook, code.cast_signed(), data),
            Rules::Objects(objects) => self.object_of(objects, code, data),
        }
    }

    fn hooked(&self, hook: &Bound<'py, PyAny>, code: i8, data: &[u8]) -> Done<Bound<'py, PyAny>> {
        let bytes = PyBytes::new(self.py, data);
        stack::with_objects(self.objects, || hook.call1((code, bytes)))
            .map_err(|error| self.hook_failed(error))
    }

    #[cold]
    pub(super) fn hook_failed(&self, error: PyErr) -> Fail {
        caused_by(self.py, Box::new(error), || decode_error("ext_hook failed"))
    }

    /// The object an extension stands for.
    fn object_of(
        &mut self,
        objects: &'a Objects<'a, 'py>,
        code: u8,
        data: &'a [u8],
    ) -> Done<Bound<'py, PyAny>> {
        if code > DELTA_SNAPSHOT {
            let code = code.cast_signed();
            return Err(decode_error(&format!(
                "unknown extension code {code}: written by a newer LangGraph?"
            )));
        }
        if self.objects >= stack::MAX_OBJECTS || stack::here() < self.stack_floor {
            return Err(decode_error("too many objects inside one another"));
        }
        let outer = (self.data, self.at, self.owed, self.depth);
        (self.data, self.at, self.owed, self.depth) = (data, 0, 0, 0);
        self.objects += 1;
        let object = match (objects.native, code) {
            (true, DELTA_SNAPSHOT) => self
                .message()
                .and_then(|value| Ok(resumed(|| objects.delta_snapshot.call1((value,)))?)),
            (true, _) => self.described(objects, code),
            (false, _) => self.message().and_then(|parts| self.rebuilt(objects, code, parts)),
        };
        self.objects -= 1;
        (self.data, self.at, self.owed, self.depth) = outer;
        object
    }

    /// An object in LangGraph's own way, from `[module, name, payload, ...]`.
    #[inline(never)]
    pub(super) fn rebuilt(
        &self,
        objects: &Objects<'_, 'py>,
        code: u8,
        parts: Bound<'py, PyAny>,
    ) -> Done<Bound<'py, PyAny>> {
        let count = parts.cast_exact::<PyList>().map_or(0, PyListMethods::len);
        let needed = 3 + usize::from(code == METHOD || code == NUMPY_ARRAY);
        if count < needed && code != DELTA_SNAPSHOT {
            return Err(decode_error("an extension that does not describe an object"));
        }
        let object = stack::with_objects(self.objects, || objects.rebuild.call1((code, parts)))
            .map_err(|error| self.hook_failed(error))?;
        if code == NUMPY_ARRAY && object.is_none() {
            return Err(decode_error(
                "a numpy array that cannot be rebuilt: numpy is missing or the data is damaged",
            ));
        }
        Ok(object)
    }
}
