//! What one value's encoding was made from, so that the same bytes need not be made again.
//!
//! A proof lists, in the order of a walk, the leaves of a value by their addresses and the shape of
//! what holds them. A leaf is an object that nothing can change, and the proof holds it, so that no
//! other object can come to have its address: a value in which the same leaves stand in the same
//! shape has the same bytes. Containers and models are followed anew at each look and not held.
//!
//! Of a model the encoder reads its `__dict__` and `__pydantic_extra__`, through a plan for its
//! class; so these two are followed, and the class's stamp, which guards the plan, is compared.
//! Whatever else a value may hold, there is no proof of it.
use std::slice::Iter;
use std::sync::Arc;

use pyo3::ffi;

use crate::known::{Known, Slot, Stamp};

/// Containers inside one another that are followed; deeper ones are not proved.
const MAX_DEPTH: u32 = 64;

/// The low bits of a word, which are free in an address: 0 is a leaf.
const TAG: usize = 7;
/// A length above one of these tags starts a container.
const LIST: usize = 1;
const TUPLE: usize = 2;
const DICT: usize = 3;
/// The address of a class; the version (tagged) and the name object (a leaf) of its stamp follow,
/// then the values of `__dict__` and `__pydantic_extra__`.
const MODEL: usize = 4;
const VERSION: usize = 5;

/// See the file.
///
/// It is made, looked at and dropped only by code that holds the GIL: it lives in an `Encoder` or in
/// a Python object. Those that share it hold the leaves together.
#[derive(Clone, Debug)]
pub struct Proof(Arc<[usize]>);

impl Proof {
    /// Whether encoding `object` now gives the bytes it gave when the proof was made.
    ///
    /// # Safety
    /// `object` is alive, the GIL is held, and no Python code can run, which the collector would.
    #[inline(always)]
    pub unsafe fn holds(&self, known: &Known, object: *mut ffi::PyObject) -> bool {
        // SAFETY: the caller's.
        unsafe { same(&mut self.0.iter(), known, object) }
    }

    /// The memory it takes besides what the leaves take, bytes.
    pub fn nbytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.0)
    }
}

impl Drop for Proof {
    fn drop(&mut self) {
        // The last one that shares it; no other can come or go at the same time.
        if Arc::strong_count(&self.0) == 1 {
            release(&self.0);
        }
    }
}

/// Gives up the leaves among the words.
fn release(words: &[usize]) {
    for &word in words.iter().filter(|&word| word & TAG == 0) {
        // SAFETY: a word without a tag is a reference of ours, and the GIL is held. To release a leaf
        // runs no Python code.
        unsafe { ffi::Py_DECREF(word as *mut ffi::PyObject) };
    }
}

/// Makes proofs, one after another.
pub struct Prover<'a> {
    known: &'a Known,
    words: Vec<usize>,
    /// The class met last whose instances have pydantic's own slot, as it was then.
    class: Option<(*mut ffi::PyTypeObject, Stamp, Slot)>,
}

impl Drop for Prover<'_> {
    fn drop(&mut self) {
        release(&self.words);
    }
}

impl<'a> Prover<'a> {
    pub fn new(known: &'a Known) -> Self {
        Self { known, words: Vec::new(), class: None }
    }

    /// The proof of a value that was just encoded without a call of any Python code; None if it holds
    /// anything that cannot be proved unchanged.
    ///
    /// # Safety
    /// `object` is alive, the GIL is held, and no Python code can run, which the collector would (so
    /// for every method here).
    pub unsafe fn proof(&mut self, object: *mut ffi::PyObject) -> Option<Proof> {
        // SAFETY: the caller's.
        let proved = unsafe { self.value(object, MAX_DEPTH) };
        if !proved {
            release(&self.words);
        }
        let proof = proved.then(|| Proof(Arc::from(&*self.words)));
        self.words.clear();
        proof
    }

    unsafe fn hold(&mut self, leaf: *mut ffi::PyObject) {
        // SAFETY: the caller's.
        unsafe { ffi::Py_INCREF(leaf) };
        self.words.push(leaf as usize);
    }

    fn open(&mut self, length: ffi::Py_ssize_t, tag: usize) {
        self.words.push(length.cast_unsigned() << 3 | tag);
    }

    /// Adds a value; false if it cannot be proved.
    unsafe fn value(&mut self, object: *mut ffi::PyObject, depth: u32) -> bool {
        // SAFETY: the type says which layout the object has, and nothing runs that could change it.
        unsafe {
            let class = ffi::Py_TYPE(object);
            if is_leaf(self.known, object) {
                self.hold(object);
                return true;
            }
            let Some(depth) = depth.checked_sub(1) else { return false };
            if class == &raw mut ffi::PyDict_Type {
                self.dict(object, depth)
            } else if class == &raw mut ffi::PyList_Type {
                let length = ffi::PyList_GET_SIZE(object);
                self.open(length, LIST);
                (0..length).all(|index| self.value(ffi::PyList_GET_ITEM(object, index), depth))
            } else if class == &raw mut ffi::PyTuple_Type {
                let length = ffi::PyTuple_GET_SIZE(object);
                self.open(length, TUPLE);
                (0..length).all(|index| self.value(ffi::PyTuple_GET_ITEM(object, index), depth))
            } else {
                self.model(object, depth)
            }
        }
    }

    unsafe fn dict(&mut self, dict: *mut ffi::PyObject, depth: u32) -> bool {
        let mut position = 0;
        let (mut key, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: nothing runs that could change the dict.
        unsafe {
            self.open(ffi::PyDict_Size(dict), DICT);
            while ffi::PyDict_Next(dict, &raw mut position, &raw mut key, &raw mut value) != 0 {
                if !is_scalar(key) {
                    return false;
                }
                self.hold(key);
                if !self.value(value, depth) {
                    return false;
                }
            }
        }
        true
    }

    unsafe fn model(&mut self, model: *mut ffi::PyObject, depth: u32) -> bool {
        // SAFETY: the class has pydantic's own slot, so the model is laid out as any.
        unsafe {
            let class = ffi::Py_TYPE(model);
            let Some((stamp, slot)) = self.described(class) else { return false };
            let name = stamp.name as *mut ffi::PyObject;
            if name.is_null() || !is_scalar(name) {
                return false;
            }
            let Some(version) = version_word(stamp) else { return false };
            self.words.push(class as usize | MODEL);
            self.words.push(version);
            self.hold(name);
            let Some(dict) = Dict::of(model) else { return false };
            let extra = slot.read(model);
            ffi::Py_TYPE(dict.0) == &raw mut ffi::PyDict_Type
                && self.dict(dict.0, depth)
                && !extra.is_null()
                && self.value(extra, depth)
        }
    }

    /// The stamp of a model's class and where its instances have `__pydantic_extra__`.
    unsafe fn described(&mut self, class: *mut ffi::PyTypeObject) -> Option<(Stamp, Slot)> {
        // SAFETY: the caller's.
        unsafe {
            if let Some((last, stamp, slot)) = self.class
                && last == class
                && Stamp::of(class) == Some(stamp)
            {
                return Some((stamp, slot));
            }
            let slot = self.known.extra_slot(class)?;
            let stamp = Stamp::of(class)?;
            self.class = Some((class, stamp, slot));
            Some((stamp, slot))
        }
    }
}

/// Whether an object is of a type that never changes, and encoded without a look at anything else.
///
/// The others of the standard library are not: a UUID's attributes can be set after all, and how a
/// Decimal is written depends on its context.
///
/// # Safety
/// `object` is alive and the GIL is held.
#[inline(always)]
pub(super) unsafe fn is_leaf(known: &Known, object: *mut ffi::PyObject) -> bool {
    // SAFETY: the object is alive; `known` loaded the datetime API.
    unsafe {
        if is_scalar(object) {
            return true;
        }
        let class = ffi::Py_TYPE(object);
        let api = &*ffi::PyDateTimeAPI();
        if class == api.DateTimeType {
            let zone = ffi::PyDateTime_DATE_GET_TZINFO(object);
            return zone == ffi::Py_None() || zone == known.utc.ptr();
        }
        class == api.DateType || class == api.DeltaType
    }
}

/// Whether an object is of a type that msgpack has.
#[inline(always)]
unsafe fn is_scalar(object: *mut ffi::PyObject) -> bool {
    // SAFETY: the object is alive.
    unsafe {
        let class = ffi::Py_TYPE(object);
        class == &raw mut ffi::PyUnicode_Type
            || class == &raw mut ffi::PyLong_Type
            || object == ffi::Py_None()
            || class == &raw mut ffi::PyFloat_Type
            || class == &raw mut ffi::PyBool_Type
            || class == &raw mut ffi::PyBytes_Type
    }
}

/// Whether `object` is what the next words say; they are used up if it is.
#[inline(always)]
unsafe fn same(words: &mut Iter<'_, usize>, known: &Known, object: *mut ffi::PyObject) -> bool {
    let Some(&word) = words.next() else { return false };
    // SAFETY: the caller's.
    word == object as usize
        || word & TAG != 0 && unsafe { same_compound(word, words, known, object) }
}

unsafe fn same_compound(
    word: usize,
    words: &mut Iter<'_, usize>,
    known: &Known,
    object: *mut ffi::PyObject,
) -> bool {
    let length = (word >> 3).cast_signed();
    // SAFETY: the type says which layout the object has, and nothing runs that could change it.
    unsafe {
        let class = ffi::Py_TYPE(object);
        match word & TAG {
            DICT => class == &raw mut ffi::PyDict_Type && same_dict(length, words, known, object),
            LIST => {
                class == &raw mut ffi::PyList_Type
                    && ffi::PyList_GET_SIZE(object) == length
                    && (0..length)
                        .all(|index| same(words, known, ffi::PyList_GET_ITEM(object, index)))
            }
            TUPLE => {
                class == &raw mut ffi::PyTuple_Type
                    && ffi::PyTuple_GET_SIZE(object) == length
                    && (0..length)
                        .all(|index| same(words, known, ffi::PyTuple_GET_ITEM(object, index)))
            }
            MODEL => word == class as usize | MODEL && same_model(words, known, object),
            _ => false,
        }
    }
}

unsafe fn same_dict(
    length: ffi::Py_ssize_t,
    words: &mut Iter<'_, usize>,
    known: &Known,
    dict: *mut ffi::PyObject,
) -> bool {
    let mut position = 0;
    let (mut key, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: nothing runs that could change the dict.
    unsafe {
        (*dict.cast::<ffi::PyDictObject>()).ma_used == length
            && (0..length).all(|_| {
                ffi::PyDict_Next(dict, &raw mut position, &raw mut key, &raw mut value) != 0
                    && words.next() == Some(&(key as usize))
                    && same(words, known, value)
            })
    }
}

unsafe fn same_model(
    words: &mut Iter<'_, usize>,
    known: &Known,
    model: *mut ffi::PyObject,
) -> bool {
    // SAFETY: the class is as it was when its instances were found to have the slot.
    unsafe {
        let Some(stamp) = Stamp::of(ffi::Py_TYPE(model)) else { return false };
        let Some(slot) = known.model_extra else { return false };
        let Some(version) = version_word(stamp) else { return false };
        if words.next() != Some(&version) || words.next() != Some(&stamp.name) {
            return false;
        }
        let Some(dict) = Dict::of(model) else { return false };
        let extra = slot.read(model);
        same(words, known, dict.0) && !extra.is_null() && same(words, known, extra)
    }
}

/// The version of a stamp, tagged; None where it does not fit.
#[inline(always)]
fn version_word(stamp: Stamp) -> Option<usize> {
    usize::try_from(u64::from(stamp.version) << 3).ok().map(|word| word | VERSION)
}

/// An instance's `__dict__`, as the encoder reads it.
struct Dict(*mut ffi::PyObject);

impl Dict {
    #[inline(always)]
    unsafe fn of(object: *mut ffi::PyObject) -> Option<Self> {
        // SAFETY: the caller's; the result is a new reference.
        let dict = unsafe { ffi::PyObject_GenericGetDict(object, std::ptr::null_mut()) };
        if dict.is_null() {
            // SAFETY: the GIL is held.
            unsafe { ffi::PyErr_Clear() };
            return None;
        }
        Some(Self(dict))
    }
}

impl Drop for Dict {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: our reference, beside the instance's own, and the GIL is held.
        unsafe { ffi::Py_DECREF(self.0) };
    }
}
