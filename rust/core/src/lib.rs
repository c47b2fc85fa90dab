//! Frames, compression and content-addressed chunk trees for LangGraph checkpoints; channels, and the
//! Pregel step on them.
//!
//! This crate knows nothing of Python; `lgckpt-py` converts at the border.
#![forbid(unsafe_code)]

pub mod assemble;
pub mod channel;
pub mod chunk;
pub mod compress;
pub mod engine;
pub mod error;
pub mod frame;
mod gear;
pub mod hash;
pub mod known;
mod loan;
mod lz4;
pub mod msgpack;
pub mod params;
pub mod patch;
pub mod pregel;
mod put;
pub mod refs;
pub mod seal;
pub mod snapshot;
pub mod sound;
pub mod state;
pub mod tree;
pub mod unsent;
pub mod varint;
mod zstandard;

pub use error::{Error, Fault, InvalidUpdate, Result};
