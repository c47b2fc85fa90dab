//! LangGraph's rules once more, as plainly as its Python has them: what the core is compared with.
#![allow(dead_code, reason = "each test uses its part")]
#![allow(clippy::expect_used, clippy::panic, reason = "tests")]

pub mod channel;
pub mod pregel;
pub mod value;
