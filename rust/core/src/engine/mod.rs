//! A bulk-synchronous engine: nodes that run side by side, and a barrier after each step.
//!
//! The rules are those of [`crate::pregel`], so that a run is LangGraph's step by step: plan, run
//! every task of the step, apply all writes in the order of the nodes' names whatever the order in
//! which tasks finish, snapshot. A [`Graph`] is compiled once and shared; a [`Run`] holds its
//! channels and versions alone, and any number of them go on side by side.
//!
//! Nodes read lists of channels, as those of a `StateGraph` do. There are no `Send`s.

mod graph;
mod pool;
mod run;

pub use graph::{Action, Graph, GraphBuilder, Writes};
pub use pool::invoke_all;
pub use run::{Outcome, Run, Version, Worker};
