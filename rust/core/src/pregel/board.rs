//! What a step is applied to.

use crate::error::Fault;

/// Channels with their versions, and which versions each node has seen.
///
/// All of it by number: the caller knows which channel a `slot` is, and which node a `node`.
pub trait Board {
    /// What channels hold.
    type Value;
    /// What the channels' own rules and operations fail with.
    type Error: Fault;

    /// Takes note that the node has seen the present versions of these channels.
    fn see(&mut self, node: usize, triggers: &[usize]) -> Result<(), Self::Error>;

    /// Chooses the version of all that the step will change; whether it is to have one.
    fn begin(&mut self) -> Result<bool, Self::Error>;

    /// Gives the version chosen to a channel.
    fn bump(&mut self, slot: usize) -> Result<(), Self::Error>;

    /// Whether there is anything to be read in a channel.
    fn is_available(&self, slot: usize) -> Result<bool, Self::Error>;

    /// Updates a channel with these values, maybe none, and empties the vector; whether that
    /// changes anything.
    fn update(&mut self, slot: usize, values: &mut Vec<Self::Value>) -> Result<bool, Self::Error>;

    /// Tells a channel that a task it triggered ran; whether that changes anything.
    fn consume(&mut self, slot: usize) -> Result<bool, Self::Error>;

    /// Tells a channel that the run is about to finish; whether that changes anything.
    fn finish(&mut self, slot: usize) -> Result<bool, Self::Error>;
}
