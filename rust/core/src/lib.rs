//! Frames, compression and content-addressed chunk trees for LangGraph checkpoints.
//!
//! This crate knows nothing of Python; `lgckpt-py` converts at the border.
#![forbid(unsafe_code)]
