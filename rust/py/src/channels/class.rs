//! The kinds of channels, and where their instances keep what they hold.

use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::ffi;

use super::host::Host;
use super::watched::Watched;

/// LangGraph's classes that are met natively.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    LastValue,
    LastValueAfterFinish,
    AnyValue,
    EphemeralValue,
    Topic,
    BinaryOperatorAggregate,
    NamedBarrierValue,
    NamedBarrierValueAfterFinish,
}

/// How many kinds there are.
pub const KINDS: usize = 8;

/// The names of the slots of a kind, beside `typ` and `key`.
pub struct Names {
    /// What the channel holds.
    pub state: &'static str,
    /// A bool: an option, or part of the state.
    pub flag: Option<&'static str>,
    /// What else its constructor takes.
    pub extra: Option<&'static str>,
}

impl Kind {
    pub const ALL: [Self; KINDS] = [
        Self::LastValue,
        Self::LastValueAfterFinish,
        Self::AnyValue,
        Self::EphemeralValue,
        Self::Topic,
        Self::BinaryOperatorAggregate,
        Self::NamedBarrierValue,
        Self::NamedBarrierValueAfterFinish,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::LastValue => "LastValue",
            Self::LastValueAfterFinish => "LastValueAfterFinish",
            Self::AnyValue => "AnyValue",
            Self::EphemeralValue => "EphemeralValue",
            Self::Topic => "Topic",
            Self::BinaryOperatorAggregate => "BinaryOperatorAggregate",
            Self::NamedBarrierValue => "NamedBarrierValue",
            Self::NamedBarrierValueAfterFinish => "NamedBarrierValueAfterFinish",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    pub fn slots(self) -> Names {
        let (state, flag, extra) = match self {
            Self::LastValue | Self::AnyValue => ("value", None, None),
            Self::LastValueAfterFinish => ("value", Some("finished"), None),
            Self::EphemeralValue => ("value", Some("guard"), None),
            Self::Topic => ("values", Some("accumulate"), None),
            Self::BinaryOperatorAggregate => ("value", None, Some("operator")),
            Self::NamedBarrierValue => ("seen", None, Some("names")),
            Self::NamedBarrierValueAfterFinish => ("seen", Some("finished"), Some("names")),
        };
        Names { state, flag, extra }
    }
}

/// The methods with a native form, in the order of [`METHODS`].
#[derive(Clone, Copy)]
pub enum Method {
    Update,
    Get,
    IsAvailable,
    Checkpoint,
    FromCheckpoint,
    Copy,
    Consume,
    Finish,
}

/// The names of the methods.
pub const METHODS: [&str; 8] =
    ["update", "get", "is_available", "checkpoint", "from_checkpoint", "copy", "consume", "finish"];

/// A class of LangGraph and ours of the same kind; they have one layout.
pub struct Class {
    pub kind: Kind,
    pub host: &'static Host,
    pub theirs: Watched,
    pub ours: Watched,
    /// Where in an instance the slots are; `flag` and `extra` mean nothing for a kind without.
    pub typ: isize,
    pub key: isize,
    pub state: isize,
    pub flag: isize,
    pub extra: isize,
}

static CLASSES: [AtomicPtr<Class>; KINDS] = [const { AtomicPtr::new(std::ptr::null_mut()) }; KINDS];

/// Keeps a class for the life of the process.
pub fn keep(class: Class) {
    CLASSES[class.kind as usize].store(Box::leak(Box::new(class)), Ordering::Release);
}

/// The class of a kind, once there is one.
#[inline(always)]
pub fn of(kind: Kind) -> Option<&'static Class> {
    // SAFETY: null, or a box that was leaked.
    unsafe { CLASSES[kind as usize].load(Ordering::Acquire).as_ref() }
}

impl Class {
    /// LangGraph's own method.
    #[inline(always)]
    pub fn inherited(&self, method: Method) -> *mut ffi::PyObject {
        self.theirs.methods[method as usize].ptr()
    }
}
