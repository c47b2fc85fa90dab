//! The methods as Python calls them.

use std::ffi::CStr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;

use super::after_finish::LastValueAfterFinish;
use super::barrier::{NamedBarrierValue, NamedBarrierValueAfterFinish};
use super::binary_operator::BinaryOperatorAggregate;
use super::channel::Channel;
use super::class::{self, Class, Kind, Method};
use super::held::{Held, truth};
use super::rules::{Done, Owned, Rules, Stop, Values};
use super::topic::Topic;
use super::value::{AnyValue, EphemeralValue, LastValue};

type Fast = ffi::PyCFunctionFastWithKeywords;
type NoArgs = ffi::PyCFunction;

/// Calls LangGraph's own method with the arguments as they came.
///
/// # Safety
/// As the interpreter calls a method with `METH_FASTCALL | METH_KEYWORDS`.
#[cold]
unsafe fn inherited(
    class: &Class,
    method: Method,
    channel: *mut ffi::PyObject,
    arguments: &[*mut ffi::PyObject],
    positional: isize,
    names: *mut ffi::PyObject,
) -> Owned {
    let mut all = Vec::with_capacity(arguments.len() + 1);
    all.push(channel);
    all.extend_from_slice(arguments);
    // SAFETY: the caller's.
    unsafe {
        let function = class.inherited(method);
        ffi::PyObject_Vectorcall(function, all.as_ptr(), positional.cast_unsigned() + 1, names)
    }
}

/// Updates a channel with these values by LangGraph's own method.
///
/// # Safety
/// As for [`Rules`].
#[cold]
pub unsafe fn inherited_update(channel: Channel, values: &[*mut ffi::PyObject]) -> Done<bool> {
    // SAFETY: the caller's; a new tuple takes the references.
    unsafe {
        let tuple = Held::given(ffi::PyTuple_New(values.len().cast_signed()))?;
        for (index, &value) in (0..).zip(values) {
            ffi::PyTuple_SET_ITEM(tuple.ptr(), index, ffi::Py_NewRef(value));
        }
        let none = std::ptr::null_mut();
        let arguments = [tuple.ptr()];
        let updated = inherited(channel.class, Method::Update, channel.object, &arguments, 1, none);
        truth(ffi::PyObject_IsTrue(Held::given(updated)?.ptr()))
    }
}

/// The channel, if it is exactly of our class: a subclass may have put others over the slots.
#[inline(always)]
unsafe fn exact(object: *mut ffi::PyObject, class: &'static Class) -> Option<Channel> {
    // SAFETY: the caller's.
    unsafe {
        (ffi::Py_TYPE(object) == class.ours.class.class()).then(|| Channel::new(object, class))
    }
}

#[cold]
unsafe fn unadopted() -> Owned {
    // SAFETY: the GIL is held, and the text ends with a zero.
    unsafe {
        ffi::PyErr_SetString(ffi::PyExc_SystemError, c"not a channel class".as_ptr());
    }
    std::ptr::null_mut()
}

#[inline(always)]
unsafe fn boolean(value: bool) -> Owned {
    // SAFETY: the GIL is held.
    unsafe { ffi::Py_NewRef(if value { ffi::Py_True() } else { ffi::Py_False() }) }
}

/// A method with one argument.
macro_rules! one_argument {
    ($name:ident, $method:ident, |$channel:ident, $argument:ident| $rule:expr) => {
        unsafe extern "C" fn $name<R: Rules>(
            object: *mut ffi::PyObject,
            arguments: *const *mut ffi::PyObject,
            positional: ffi::Py_ssize_t,
            names: *mut ffi::PyObject,
        ) -> Owned {
            // SAFETY: the interpreter's promises for a method of this signature, on an instance of
            // the class it was made for.
            unsafe {
                let Some(class) = class::of(R::KIND) else { return unadopted() };
                if positional == 1
                    && names.is_null()
                    && let Some($channel) = exact(object, class)
                {
                    let $argument = *arguments;
                    match $rule {
                        Ok(owned) => return owned,
                        Err(Stop::Raised) => return std::ptr::null_mut(),
                        Err(Stop::Unusual) => {}
                    }
                }
                let named = if names.is_null() { 0 } else { ffi::PyTuple_GET_SIZE(names) };
                let count = (positional + named).cast_unsigned();
                let arguments = match count {
                    0 => &[],
                    _ => std::slice::from_raw_parts(arguments, count),
                };
                inherited(class, Method::$method, object, arguments, positional, names)
            }
        }
    };
}

/// A method without arguments.
macro_rules! no_argument {
    ($name:ident, $method:ident, |$channel:ident| $rule:expr) => {
        unsafe extern "C" fn $name<R: Rules>(
            object: *mut ffi::PyObject,
            _: *mut ffi::PyObject,
        ) -> Owned {
            // SAFETY: as for a method with an argument.
            unsafe {
                let Some(class) = class::of(R::KIND) else { return unadopted() };
                if let Some($channel) = exact(object, class) {
                    match $rule {
                        Ok(owned) => return owned,
                        Err(Stop::Raised) => return std::ptr::null_mut(),
                        Err(Stop::Unusual) => {}
                    }
                }
                inherited(class, Method::$method, object, &[], 0, std::ptr::null_mut())
            }
        }
    };
}

one_argument!(update, Update, |channel, argument| match Values::of(argument) {
    Ok(values) => R::update(channel, values).map(|updated| boolean(updated)),
    Err(stop) => Err(stop),
});
one_argument!(from_checkpoint, FromCheckpoint, |channel, argument| R::from_checkpoint(
    channel, argument
));
no_argument!(get, Get, |channel| R::get(channel)
    .map(|value| value.unwrap_or_else(|| empty(channel))));
no_argument!(is_available, IsAvailable, |channel| R::is_available(channel)
    .map(|available| boolean(available)));
no_argument!(checkpoint, Checkpoint, |channel| R::checkpoint(channel));
no_argument!(copy, Copy, |channel| R::copy(channel));
no_argument!(consume, Consume, |channel| R::consume(channel).map(|updated| boolean(updated)));
no_argument!(finish, Finish, |channel| R::finish(channel).map(|updated| boolean(updated)));

#[cold]
unsafe fn empty(channel: Channel) -> Owned {
    // SAFETY: the GIL is held.
    unsafe { ffi::PyErr_SetNone(channel.class.host.empty_channel_error.ptr()) };
    std::ptr::null_mut()
}

/// Puts the methods of a kind into our class.
pub fn attach(kind: Kind, ours: &Bound<'_, PyType>) -> PyResult<()> {
    match kind {
        Kind::LastValue => attach_rules::<LastValue>(ours),
        Kind::LastValueAfterFinish => attach_rules::<LastValueAfterFinish>(ours),
        Kind::AnyValue => attach_rules::<AnyValue>(ours),
        Kind::EphemeralValue => attach_rules::<EphemeralValue>(ours),
        Kind::Topic => attach_rules::<Topic>(ours),
        Kind::BinaryOperatorAggregate => attach_rules::<BinaryOperatorAggregate>(ours),
        Kind::NamedBarrierValue => attach_rules::<NamedBarrierValue>(ours),
        Kind::NamedBarrierValueAfterFinish => attach_rules::<NamedBarrierValueAfterFinish>(ours),
    }
}

fn attach_rules<R: Rules>(ours: &Bound<'_, PyType>) -> PyResult<()> {
    one(ours, c"update", UPDATE, update::<R>)?;
    one(ours, c"from_checkpoint", FROM_CHECKPOINT, from_checkpoint::<R>)?;
    none(ours, c"get", GET, get::<R>)?;
    none(ours, c"is_available", IS_AVAILABLE, is_available::<R>)?;
    none(ours, c"checkpoint", CHECKPOINT, checkpoint::<R>)?;
    none(ours, c"copy", COPY, copy::<R>)?;
    none(ours, c"consume", CONSUME, consume::<R>)?;
    none(ours, c"finish", FINISH, finish::<R>)
}

const UPDATE: &CStr =
    c"update($self, values)\n--\n\nTake the updates of a step; whether they change anything.";
const FROM_CHECKPOINT: &CStr =
    c"from_checkpoint($self, checkpoint)\n--\n\nA new channel like this one, as a checkpoint has it.";
const GET: &CStr = c"get($self)\n--\n\nThe value; raises EmptyChannelError if there is none.";
const IS_AVAILABLE: &CStr = c"is_available($self)\n--\n\nWhether there is anything to be read.";
const CHECKPOINT: &CStr = c"checkpoint($self)\n--\n\nThe channel's part of a checkpoint.";
const COPY: &CStr = c"copy($self)\n--\n\nA copy of the channel.";
const CONSUME: &CStr =
    c"consume($self)\n--\n\nTake note that a task it triggered ran; whether that changes anything.";
const FINISH: &CStr =
    c"finish($self)\n--\n\nTake note that the run is finishing; whether that changes anything.";

fn one(
    ours: &Bound<'_, PyType>,
    name: &'static CStr,
    doc: &'static CStr,
    body: Fast,
) -> PyResult<()> {
    let meth = ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: body };
    put(ours, name, doc, meth, ffi::METH_FASTCALL | ffi::METH_KEYWORDS)
}

fn none(
    ours: &Bound<'_, PyType>,
    name: &'static CStr,
    doc: &'static CStr,
    body: NoArgs,
) -> PyResult<()> {
    put(ours, name, doc, ffi::PyMethodDefPointer { PyCFunction: body }, ffi::METH_NOARGS)
}

/// A real method descriptor, which the interpreter calls as fast as one of a built-in type.
fn put(
    ours: &Bound<'_, PyType>,
    name: &'static CStr,
    doc: &'static CStr,
    body: ffi::PyMethodDefPointer,
    flags: std::ffi::c_int,
) -> PyResult<()> {
    let method = ffi::PyMethodDef {
        ml_name: name.as_ptr(),
        ml_meth: body,
        ml_flags: flags,
        ml_doc: doc.as_ptr(),
    };
    // SAFETY: the definition lives for ever, as a descriptor wants it.
    let descriptor = unsafe {
        let descriptor = ffi::PyDescr_NewMethod(ours.as_type_ptr(), Box::leak(Box::new(method)));
        Bound::from_owned_ptr_or_err(ours.py(), descriptor)?
    };
    ours.setattr(name.to_string_lossy().as_ref(), descriptor)
}
