//! A run's checkpoint straight to what is stored, or to JSON to be read by people.
//!
//! The bytes are those that lgckpt's savers make of LangGraph's `Checkpoint` with the same content
//! and small values: a reader cannot tell which wrote them. Values encode themselves, by [`Encode`].

mod encode;
mod escape;
mod json;
mod packed;
mod row;
mod transcode;

use std::sync::Arc;

use smallvec::SmallVec;

use crate::pregel::{Progress, Topology};

pub use encode::Encode;
pub use json::json;
pub use packed::Packed;
pub use row::{Row, RowWriter};
pub use transcode::transcode;

/// The version of LangGraph's checkpoint format.
const VERSION: u8 = 4;

/// What a snapshot is taken of.
#[derive(Debug)]
pub struct Source<'a, V, R, N> {
    /// The checkpoint's id.
    pub id: &'a str,
    /// When it was made, in ISO 8601.
    pub ts: &'a str,
    /// The run's channels and versions.
    pub progress: &'a Progress<V, R, N>,
    /// The nodes.
    pub topology: &'a Topology,
    /// The channels that the last step updated.
    pub updated: &'a [usize],
}

impl<'a, V, R, N: Clone + PartialOrd> Source<'a, V, R, N> {
    /// The channels that were updated, by name, sorted.
    fn updated(&self) -> SmallVec<[&'a Arc<str>; 8]> {
        let layout = self.progress.channels().layout();
        let mut names: SmallVec<_> =
            self.updated.iter().filter_map(|&slot| layout.name(slot)).collect();
        names.sort_unstable();
        names
    }
}
