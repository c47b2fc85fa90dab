//! Channels of any class: those of known classes by their native rules, others by their methods.

use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;

use super::after_finish::LastValueAfterFinish;
use super::barrier::{NamedBarrierValue, NamedBarrierValueAfterFinish};
use super::binary_operator::BinaryOperatorAggregate;
use super::channel::Channel;
use super::class::{self, Class, KINDS, Kind};
use super::held::{Held, truth};
use super::rules::{Done, Owned, Rules, Stop, Values};
use super::topic::Topic;
use super::value::{AnyValue, EphemeralValue, LastValue};

/// The classes that are met natively at this moment.
pub struct Classes {
    known: [(*mut ffi::PyTypeObject, Option<&'static Class>); 2 * KINDS],
    len: usize,
    mask: u32,
}

impl Classes {
    /// Those whose methods nobody replaced.
    pub fn now(py: Python<'_>) -> PyResult<Self> {
        let mut classes =
            Self { known: [(std::ptr::null_mut(), None); 2 * KINDS], len: 0, mask: 0 };
        for class in Kind::ALL.into_iter().filter_map(class::of) {
            for watched in [&class.theirs, &class.ours] {
                classes.mask <<= 1;
                if watched.is_intact(py)?
                    && let Some(place) = classes.known.get_mut(classes.len)
                {
                    *place = (watched.class.class(), Some(class));
                    classes.len += 1;
                    classes.mask |= 1;
                }
            }
        }
        Ok(classes)
    }

    /// Which classes these are, of all that there are.
    pub fn mask(&self) -> u32 {
        self.mask
    }

    /// A channel, which is used for as long as these classes stay as they are.
    ///
    /// # Safety
    /// `object` is alive for as long as the result is used, and the GIL is held (so for all here).
    #[inline(always)]
    pub unsafe fn channel(&self, object: *mut ffi::PyObject) -> AnyChannel {
        // SAFETY: the caller's.
        let of = unsafe { ffi::Py_TYPE(object) };
        let known = self.known.iter().take(self.len).find(|(class, _)| *class == of);
        AnyChannel { object, class: known.and_then(|&(_, class)| class) }
    }
}

/// A channel of any class, borrowed.
#[derive(Clone, Copy)]
pub struct AnyChannel {
    object: *mut ffi::PyObject,
    class: Option<&'static Class>,
}

/// The rules of a kind.
macro_rules! by_kind {
    ($kind:expr, $rules:ident => $call:expr) => {
        match $kind {
            Kind::LastValue => {
                type $rules = LastValue;
                $call
            }
            Kind::LastValueAfterFinish => {
                type $rules = LastValueAfterFinish;
                $call
            }
            Kind::AnyValue => {
                type $rules = AnyValue;
                $call
            }
            Kind::EphemeralValue => {
                type $rules = EphemeralValue;
                $call
            }
            Kind::Topic => {
                type $rules = Topic;
                $call
            }
            Kind::BinaryOperatorAggregate => {
                type $rules = BinaryOperatorAggregate;
                $call
            }
            Kind::NamedBarrierValue => {
                type $rules = NamedBarrierValue;
                $call
            }
            Kind::NamedBarrierValueAfterFinish => {
                type $rules = NamedBarrierValueAfterFinish;
                $call
            }
        }
    };
}

impl AnyChannel {
    /// The kind, of a known class.
    #[inline(always)]
    pub fn kind(self) -> Option<Kind> {
        self.class.map(|class| class.kind)
    }

    /// The borrowed object.
    #[inline(always)]
    pub fn ptr(self) -> *mut ffi::PyObject {
        self.object
    }

    /// Whether it plainly holds nothing that the end of a step or of a run could change.
    #[inline(always)]
    pub unsafe fn is_idle(self) -> bool {
        // SAFETY: the caller's. Nothing here runs Python code.
        unsafe {
            let Ok((kind, channel)) = self.known() else { return false };
            match kind {
                Kind::LastValue | Kind::BinaryOperatorAggregate | Kind::NamedBarrierValue => true,
                Kind::AnyValue | Kind::EphemeralValue | Kind::LastValueAfterFinish => {
                    matches!(channel.value(), Ok(None))
                }
                Kind::Topic => matches!(Topic::is_available(channel), Ok(false)),
                Kind::NamedBarrierValueAfterFinish => false,
            }
        }
    }

    /// Whether a step without updates can change it.
    #[inline(always)]
    pub fn fades(self) -> bool {
        matches!(self.kind(), None | Some(Kind::AnyValue | Kind::EphemeralValue | Kind::Topic))
    }

    /// Whether the end of a run can change it.
    #[inline(always)]
    pub fn finishes(self) -> bool {
        matches!(
            self.kind(),
            None | Some(Kind::LastValueAfterFinish | Kind::NamedBarrierValueAfterFinish)
        )
    }

    #[inline(always)]
    unsafe fn known(self) -> Done<(Kind, Channel)> {
        match self.class {
            // SAFETY: the caller's; the class is that of the object.
            Some(class) => Ok((class.kind, unsafe { Channel::new(self.object, class) })),
            None => Err(Stop::Unusual),
        }
    }

    /// Updates it with a list or a tuple.
    #[inline(always)]
    pub unsafe fn update(self, py: Python<'_>, values: *mut ffi::PyObject) -> Done<bool> {
        // SAFETY: the caller's.
        unsafe {
            let native = match self.known() {
                Ok((kind, channel)) => {
                    let values = Values::of(values)?;
                    by_kind!(kind, R => R::update(channel, values))
                }
                Err(stop) => Err(stop),
            };
            or_method(native, || self.ask(intern!(py, "update").as_ptr(), Some(values)))
        }
    }

    #[inline(always)]
    pub unsafe fn is_available(self, py: Python<'_>) -> Done<bool> {
        // SAFETY: the caller's.
        unsafe {
            let native = match self.known() {
                Ok((kind, channel)) => by_kind!(kind, R => R::is_available(channel)),
                Err(stop) => Err(stop),
            };
            or_method(native, || self.ask(intern!(py, "is_available").as_ptr(), None))
        }
    }

    #[inline(always)]
    pub unsafe fn consume(self, py: Python<'_>) -> Done<bool> {
        // SAFETY: the caller's.
        unsafe {
            let native = match self.known() {
                Ok((kind, channel)) => by_kind!(kind, R => R::consume(channel)),
                Err(stop) => Err(stop),
            };
            or_method(native, || self.ask(intern!(py, "consume").as_ptr(), None))
        }
    }

    #[inline(always)]
    pub unsafe fn finish(self, py: Python<'_>) -> Done<bool> {
        // SAFETY: the caller's.
        unsafe {
            let native = match self.known() {
                Ok((kind, channel)) => by_kind!(kind, R => R::finish(channel)),
                Err(stop) => Err(stop),
            };
            or_method(native, || self.ask(intern!(py, "finish").as_ptr(), None))
        }
    }

    /// Its part of a checkpoint, where that takes no Python code to say.
    #[inline(always)]
    pub unsafe fn plain_checkpoint(self) -> Done<Held> {
        // SAFETY: the caller's.
        unsafe {
            let (kind, channel) = self.known()?;
            Held::given(by_kind!(kind, R => R::checkpoint(channel))?)
        }
    }

    /// Its part of a checkpoint.
    #[inline(always)]
    pub unsafe fn checkpoint(self, py: Python<'_>) -> Done<Held> {
        // SAFETY: the caller's.
        unsafe {
            let native = match self.known() {
                Ok((kind, channel)) => by_kind!(kind, R => R::checkpoint(channel)),
                Err(stop) => Err(stop),
            };
            let method = intern!(py, "checkpoint").as_ptr();
            Held::given(or_method(native, || Ok(self.call(method, None)))?)
        }
    }

    /// A new channel like it, as a checkpoint has it.
    #[inline(always)]
    pub unsafe fn restored(self, py: Python<'_>, checkpoint: *mut ffi::PyObject) -> Done<Held> {
        // SAFETY: the caller's.
        unsafe {
            let native = match self.known() {
                Ok((kind, channel)) => by_kind!(kind, R => R::from_checkpoint(channel, checkpoint)),
                Err(stop) => Err(stop),
            };
            let method = intern!(py, "from_checkpoint").as_ptr();
            Held::given(or_method(native, || Ok(self.call(method, Some(checkpoint))))?)
        }
    }

    #[cold]
    unsafe fn call(
        self,
        method: *mut ffi::PyObject,
        argument: Option<*mut ffi::PyObject>,
    ) -> Owned {
        let arguments = [self.object, argument.unwrap_or_default()];
        let count = 1 + usize::from(argument.is_some());
        // SAFETY: the caller's.
        unsafe {
            let none = std::ptr::null_mut();
            ffi::PyObject_VectorcallMethod(method, arguments.as_ptr(), count, none)
        }
    }

    #[cold]
    unsafe fn ask(
        self,
        method: *mut ffi::PyObject,
        argument: Option<*mut ffi::PyObject>,
    ) -> Done<bool> {
        // SAFETY: the caller's.
        unsafe {
            let answer = Held::given(self.call(method, argument))?;
            truth(ffi::PyObject_IsTrue(answer.ptr()))
        }
    }
}

#[inline(always)]
fn or_method<T>(native: Done<T>, method: impl FnOnce() -> Done<T>) -> Done<T> {
    match native {
        Err(Stop::Unusual) => method(),
        done => done,
    }
}
