//! The Pregel step on channels, with the rules of LangGraph 1.2 (`langgraph/pregel/_algo.py` and
//! `_checkpoint.py`).
//!
//! [`apply_writes`] is written once, for any [`Board`]: what holds channels and versions. [`Progress`]
//! is that of a run in this crate; a border that mixes channels of other kinds in has its own.
//! Channels and nodes are numbers here; a [`Layout`](crate::channel::Layout) and a [`Topology`] have
//! the names.

mod apply;
mod board;
mod checkpoint;
mod path;
mod progress;
mod topology;
mod work;

pub use apply::{Task, Wiring, apply_writes};
pub use board::Board;
pub use checkpoint::{Checkpoint, Versions};
pub use path::{Part, path_key};
pub use progress::Progress;
pub use topology::{Node, Topology};
pub use work::{Updated, Workspace};
