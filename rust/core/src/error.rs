//! The one error of this crate.

use crate::hash::Hash;

/// The result of everything here that reads bytes.
pub type Result<T> = std::result::Result<T, Error>;

/// What can be wrong with bytes that were read.
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
