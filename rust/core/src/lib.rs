//! Frames, compression and content-addressed chunk trees for LangGraph checkpoints.
//!
//! This crate knows nothing of Python; `lgckpt-py` converts at the border.
#![forbid(unsafe_code)]

pub mod assemble;
pub mod chunk;
pub mod compress;
pub mod error;
pub mod frame;
mod gear;
pub mod hash;
pub mod known;
mod loan;
mod lz4;
pub mod msgpack;
pub mod params;
pub mod refs;
pub mod seal;
pub mod state;
pub mod tree;
pub mod unsent;
pub mod varint;
mod zstandard;

pub use error::{Error, Result};
