//! `apply_writes`: what a step's tasks wrote, applied at its barrier.

use super::board::Board;
use super::work::Workspace;
use crate::channel::Slots;
use crate::error::Error;

/// What a task did.
#[derive(Debug)]
pub struct Task<'a, K, V> {
    /// Orders the tasks of a step: [`path_key`](super::path_key) of the task's path, or what sorts
    /// the same. Tasks of equal keys stay in the order they are given in.
    pub path: K,
    /// The node, as the [`Board`] knows it.
    pub node: usize,
    /// The channels that triggered it.
    pub triggers: &'a [usize],
    /// Whether anything triggered it, a channel or not: what a `Send` triggers has no channel. Input
    /// and the writes of no task have none, and then the others are not told of a new step.
    pub triggered: bool,
    /// What it wrote, in order. What LangGraph passes over (reserved keys, unknown channels) is not
    /// among these.
    pub writes: Vec<(usize, V)>,
}

/// How the channels of a board belong together. Slots are ascending.
#[derive(Clone, Copy, Debug)]
pub struct Wiring<'a> {
    /// How many channels there are.
    pub len: usize,
    /// Those that a step without updates can change; the others are not told of one.
    pub fading: &'a [usize],
    /// Those that the end of a run can change; the others are not told of it.
    pub finishing: &'a [usize],
    /// Those that trigger a node: the keys of `trigger_to_nodes`.
    pub triggering: &'a Slots,
}

/// Applies the writes of a step's tasks and sorts these; the workspace then has the channels that
/// were updated.
///
/// Follows `apply_writes` of LangGraph 1.2: versions seen, consume, updates in the order of the
/// first write to each channel, empty updates, finish. Nothing has changed if the error is
/// [`Error::NoChannel`]; after any other the board is left half-way, as it is in LangGraph.
pub fn apply_writes<B: Board, K: Ord>(
    board: &mut B,
    wiring: &Wiring<'_>,
    tasks: &mut [Task<'_, K, B::Value>],
    work: &mut Workspace<B::Value>,
) -> Result<(), B::Error> {
    check(wiring, tasks)?;
    work.reset(wiring.len);
    tasks.sort_by(|one, other| one.path.cmp(&other.path));
    let new_step = tasks.iter().any(|task| task.triggered);
    for task in &*tasks {
        board.see(task.node, task.triggers)?;
    }
    let versioned = board.begin()?;
    let mut step = Step { board, wiring, work, versioned };
    step.consume(tasks)?;
    step.update(tasks)?;
    if new_step {
        step.renew()?;
        step.finish()?;
    }
    Ok(())
}

/// Whether every channel that the tasks name is there.
fn check<K, V>(wiring: &Wiring<'_>, tasks: &[Task<'_, K, V>]) -> Result<(), Error> {
    for task in tasks {
        let mut named = task.triggers.iter().chain(task.writes.iter().map(|(slot, _)| slot));
        if let Some(&slot) = named.find(|&&slot| slot >= wiring.len) {
            return Err(Error::NoChannel { slot, len: wiring.len });
        }
    }
    Ok(())
}

struct Step<'a, B: Board> {
    board: &'a mut B,
    wiring: &'a Wiring<'a>,
    work: &'a mut Workspace<B::Value>,
    versioned: bool,
}

impl<B: Board> Step<'_, B> {
    /// Tells the channels that triggered tasks. They are not among the updated for that.
    fn consume<K>(&mut self, tasks: &[Task<'_, K, B::Value>]) -> Result<(), B::Error> {
        for &slot in tasks.iter().flat_map(|task| task.triggers) {
            if !self.work.consumed.contains(slot) {
                self.work.consumed.insert(slot);
                if self.board.consume(slot)? && self.versioned {
                    self.board.bump(slot)?;
                }
            }
        }
        Ok(())
    }

    fn update<K>(&mut self, tasks: &mut [Task<'_, K, B::Value>]) -> Result<(), B::Error> {
        for (slot, value) in tasks.iter_mut().flat_map(|task| task.writes.drain(..)) {
            self.work.write(slot, value);
        }
        for at in 0..self.work.written.len() {
            let slot = self.work.written[at];
            if self.board.update(slot, &mut self.work.writes[slot])? {
                self.changed(slot)?;
            }
        }
        Ok(())
    }

    /// Tells the channels that were not updated of a new step.
    fn renew(&mut self) -> Result<(), B::Error> {
        let mut none = Vec::new();
        for &slot in self.wiring.fading {
            if !self.work.updated.contains(slot)
                && self.board.is_available(slot)?
                && self.board.update(slot, &mut none)?
            {
                self.changed(slot)?;
            }
        }
        Ok(())
    }

    /// Tells the channels, unless something is left that triggers a node.
    fn finish(&mut self) -> Result<(), B::Error> {
        let triggering = self.wiring.triggering;
        if self.work.updated.slots().iter().any(|&slot| triggering.contains(slot)) {
            return Ok(());
        }
        for &slot in self.wiring.finishing {
            if self.board.finish(slot)? {
                self.changed(slot)?;
            }
        }
        Ok(())
    }

    /// Gives a changed channel the step's version. One that is empty cannot trigger tasks.
    fn changed(&mut self, slot: usize) -> Result<(), B::Error> {
        if self.versioned {
            self.board.bump(slot)?;
            if self.board.is_available(slot)? {
                self.work.updated.insert(slot);
            }
        }
        Ok(())
    }
}
