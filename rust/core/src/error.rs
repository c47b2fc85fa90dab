//! The one error of this crate.

use crate::hash::Hash;

/// The result of everything here that reads bytes, and of a channel that is read.
pub type Result<T> = std::result::Result<T, Error>;

/// What can be wrong with bytes that were read, or with what a channel is asked to do.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// A stored frame, or the structure of what it holds, is damaged.
    #[error("damaged frame: {0}")]
    Frame(&'static str),
    /// A frame of a release newer than this one.
    #[error(
        "stored in format version {0}, which a newer release of lgckpt wrote; this one reads version 1"
    )]
    Unsupported(u8),
    /// A frame names a length above what the caller allows.
    #[error("claims {claimed} bytes where at most {allowed} are allowed")]
    TooLarge {
        /// The length in the frame.
        claimed: u64,
        /// What the caller, or the size of the payload, allows.
        allowed: u64,
    },
    /// A chunk that a tree refers to is not among those given.
    #[error("chunk {} of level {level} is missing", hex(.hash))]
    Missing {
        /// The level of the chunk.
        level: u8,
        /// Its key.
        hash: Hash,
    },
    /// A chunk of a tree is there, and its own frame is damaged.
    #[error("chunk {} of level {level}: {source}", hex(.hash))]
    Chunk {
        /// The level of the chunk.
        level: u8,
        /// Its key.
        hash: Hash,
        /// What is wrong with it.
        source: Box<Error>,
    },
    /// Bytes are not one whole frame of the standard compression format named.
    #[error("not a whole {codec} frame: {reason}")]
    Compressed {
        /// The format.
        codec: &'static str,
        /// What is wrong.
        reason: &'static str,
    },
    /// A channel that holds nothing was read.
    #[error("the channel is empty")]
    EmptyChannel,
    /// A channel was given updates that its kind does not take.
    #[error("{0}")]
    InvalidUpdate(InvalidUpdate),
    /// A channel was to be restored from what another kind of channel leaves in a checkpoint.
    #[error("a checkpoint holds {found} for a channel that keeps {wanted}")]
    OtherState {
        /// What the channel's kind keeps.
        wanted: &'static str,
        /// What the checkpoint holds.
        found: &'static str,
    },
    /// Something is wrong with the channel named.
    #[error("At key '{channel}': {source}")]
    Channel {
        /// Its name.
        channel: Box<str>,
        /// What is wrong with it.
        source: Box<Error>,
    },
    /// A task wrote to, or is triggered by, a channel that is not in the set.
    #[error("there is no channel {slot} in a set of {len}")]
    NoChannel {
        /// The index that was used.
        slot: usize,
        /// How many channels there are.
        len: usize,
    },
    /// Two channels or two nodes of a graph have one name.
    #[error("there are two of the name {0:?}")]
    SameName(Box<str>),
    /// A run whose last barrier failed half-way has to be restored first.
    #[error("the last step failed while its writes were applied: restore the run first")]
    Torn,
    /// What is to be stored or shown has no such form.
    #[error("{0}")]
    Unwritable(&'static str),
}

/// The updates that a channel's kind does not take, in LangGraph's words.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidUpdate {
    /// More than one for a `LastValue`.
    #[error("Can receive only one value per step. Use an Annotated key to handle multiple values.")]
    ManyValues,
    /// More than one for an `EphemeralValue` with its guard on.
    #[error(
        "EphemeralValue(guard=True) can receive only one value per step. Use guard=False if you \
         want to store any one of multiple values."
    )]
    ManyGuarded,
    /// More than one `Overwrite` for a `BinaryOperatorAggregate`.
    #[error("Can receive only one Overwrite value per super-step.")]
    ManyOverwrites,
    /// A value that a barrier does not wait for.
    #[error("the value is none of those that the channel waits for")]
    NotNamed,
}

/// An error that a caller's own operations on values fail with; the core's travels in it.
pub trait Fault: From<Error> {
    /// Says in which channel it was met.
    #[must_use]
    fn in_channel(self, name: &str) -> Self {
        let _ = name;
        self
    }
}

impl Fault for Error {
    fn in_channel(self, name: &str) -> Self {
        match self {
            Self::Channel { .. } => self,
            other => Self::Channel { channel: name.into(), source: Box::new(other) },
        }
    }
}

impl From<InvalidUpdate> for Error {
    fn from(reason: InvalidUpdate) -> Self {
        Self::InvalidUpdate(reason)
    }
}

impl Error {
    /// Names the chunk in which this error was met.
    #[must_use]
    pub fn in_chunk(self, level: u8, hash: &Hash) -> Self {
        match self {
            Self::Missing { .. } | Self::Chunk { .. } => self,
            other => Self::Chunk { level, hash: *hash, source: Box::new(other) },
        }
    }

    /// The version that a newer release wrote, however deep the frame lies.
    #[must_use]
    pub fn unsupported_version(&self) -> Option<u8> {
        match self {
            Self::Unsupported(version) => Some(*version),
            Self::Chunk { source, .. } => source.unsupported_version(),
            _ => None,
        }
    }
}

fn hex(hash: &Hash) -> String {
    use std::fmt::Write;
    hash.iter().fold(String::with_capacity(2 * hash.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
