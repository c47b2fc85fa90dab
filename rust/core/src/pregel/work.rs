//! The memory a step works in, used again by the next.

use crate::channel::Slots;

/// The channels that a step updated and that can trigger tasks, in the order of the updates.
#[derive(Debug, Default)]
pub struct Updated {
    order: Vec<usize>,
    set: Slots,
}

impl Updated {
    /// The channels, each once.
    #[must_use]
    pub fn slots(&self) -> &[usize] {
        &self.order
    }

    /// Whether a channel is among them.
    #[must_use]
    pub fn contains(&self, slot: usize) -> bool {
        self.set.contains(slot)
    }

    pub(super) fn insert(&mut self, slot: usize) {
        if self.set.insert(slot) {
            self.order.push(slot);
        }
    }

    fn clear(&mut self) {
        for slot in self.order.drain(..) {
            self.set.remove(slot);
        }
    }
}

/// What [`apply_writes`](super::apply_writes) works in, and where it leaves its result. One serves
/// any number of steps, of runs of any graph.
#[derive(Debug)]
pub struct Workspace<V> {
    /// Writes by channel.
    pub(super) writes: Vec<Vec<V>>,
    /// The channels that have writes, in the order of the first to each.
    pub(super) written: Vec<usize>,
    /// The channels that were told that a task ran.
    pub(super) consumed: Updated,
    pub(super) updated: Updated,
}

impl<V> Default for Workspace<V> {
    fn default() -> Self {
        Self {
            writes: Vec::new(),
            written: Vec::new(),
            consumed: Updated::default(),
            updated: Updated::default(),
        }
    }
}

impl<V> Workspace<V> {
    /// The channels that the last step updated and that can trigger tasks.
    #[must_use]
    pub fn updated(&self) -> &Updated {
        &self.updated
    }

    /// Makes room for so many channels, and forgets the step before, finished or not.
    pub(super) fn reset(&mut self, channels: usize) {
        for slot in self.written.drain(..) {
            self.writes[slot].clear();
        }
        self.updated.clear();
        self.consumed.clear();
        if self.writes.len() < channels {
            self.writes.resize_with(channels, Vec::new);
            self.updated.set = Slots::new(channels);
            self.consumed.set = Slots::new(channels);
        }
    }

    pub(super) fn write(&mut self, slot: usize, value: V) {
        let values = &mut self.writes[slot];
        if values.is_empty() {
            self.written.push(slot);
        }
        values.push(value);
    }
}
