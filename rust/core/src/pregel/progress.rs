//! How far a run has come: its channels, and what its nodes have seen of them.

use std::sync::Arc;

use super::apply::{Task, apply_writes};
use super::board::Board;
use super::checkpoint::Versions;
use super::topology::Topology;
use super::work::Workspace;
use crate::channel::{Channel, ChannelSet, Domain, Layout, Slots};
use crate::error::Fault;

/// The channels of a run with their versions, and which versions each node has seen.
#[derive(Debug)]
pub struct Progress<V, R, N> {
    pub(super) channels: ChannelSet<V, R, N>,
    /// The nodes that have an entry among the versions seen: those that ran.
    pub(super) ran: Slots,
    /// The versions seen by each node of each of its triggers, in the topology's order.
    pub(super) seen: Box<[Option<N>]>,
    pub(super) strays: Option<Box<Strays<N>>>,
}

/// What a checkpoint has of channels and nodes that the graph has not; the next has it again.
#[derive(Clone, Debug)]
pub(super) struct Strays<N> {
    pub versions: Versions<N>,
    pub seen: Vec<(Arc<str>, Versions<N>)>,
}

impl<V, R, N: Clone + PartialOrd> Progress<V, R, N> {
    /// A run that has not begun.
    pub fn new<D>(
        domain: &D,
        layout: &Arc<Layout<V, R>>,
        topology: &Topology,
    ) -> Result<Self, D::Error>
    where
        D: Domain<Value = V, Reducer = R>,
    {
        let channels = ChannelSet::new(domain, layout)?;
        Ok(Self::of(channels, topology))
    }

    /// These channels, of which no node has seen any.
    pub(super) fn of(channels: ChannelSet<V, R, N>, topology: &Topology) -> Self {
        Self {
            channels,
            ran: Slots::new(topology.nodes().len()),
            seen: vec![None; topology.edges()].into(),
            strays: None,
        }
    }

    /// The channels.
    #[must_use]
    pub fn channels(&self) -> &ChannelSet<V, R, N> {
        &self.channels
    }

    /// The channels, to be changed.
    pub fn channels_mut(&mut self) -> &mut ChannelSet<V, R, N> {
        &mut self.channels
    }

    /// Whether any channel has a version: until then nothing is triggered.
    #[must_use]
    pub fn is_versioned(&self) -> bool {
        let strays = self.strays.as_ref().is_some_and(|it| !it.versions.is_empty());
        strays || self.channels.versions().iter().any(Option::is_some)
    }

    /// Whether a channel triggers the node: it is available, and the node has not run yet or not
    /// seen its version.
    #[must_use]
    pub fn triggers(&self, topology: &Topology, node: usize) -> bool {
        let Some(it) = topology.nodes().get(node) else { return false };
        let ran = self.ran.contains(node);
        it.triggers.iter().zip(&self.seen[it.offset..]).any(|(&slot, seen)| {
            let fresh = !ran || self.channels.version(slot) > seen.as_ref();
            fresh && self.channels.channels()[slot].is_available()
        })
    }

    /// The highest version that there is.
    #[must_use]
    pub fn highest(&self) -> Option<&N> {
        let strays = self.strays.iter().flat_map(|it| &it.versions).map(|(_, version)| version);
        let all = self.channels.highest().into_iter().chain(strays);
        all.reduce(|high, it| if it > high { it } else { high })
    }

    /// Applies the writes of a step's tasks; see [`apply_writes`].
    ///
    /// `next` makes the version of what the step changes from the highest there is. Without one,
    /// as without LangGraph's `get_next_version`, no version changes and no channel counts as
    /// updated. A task whose node the topology does not have is input.
    pub fn apply<D, K: Ord>(
        &mut self,
        domain: &D,
        topology: &Topology,
        tasks: &mut [Task<'_, K, V>],
        work: &mut Workspace<V>,
        next: impl FnOnce(Option<&N>) -> Option<N>,
    ) -> Result<(), D::Error>
    where
        D: Domain<Value = V, Reducer = R>,
    {
        let mut board = Local { domain, topology, progress: self, next: Some(next), version: None };
        apply_writes(&mut board, &topology.wiring(), tasks, work)
    }

    /// The same run once more: what happens to one does not touch the other.
    #[must_use]
    pub fn copy(&self, domain: &impl Domain<Value = V, Reducer = R>) -> Self {
        Self {
            channels: self.channels.copy(domain),
            ran: self.ran.clone(),
            seen: self.seen.clone(),
            strays: self.strays.clone(),
        }
    }
}

/// A run as a board.
struct Local<'a, D: Domain, N, F> {
    domain: &'a D,
    topology: &'a Topology,
    progress: &'a mut Progress<D::Value, D::Reducer, N>,
    next: Option<F>,
    version: Option<N>,
}

impl<D, N, F> Local<'_, D, N, F>
where
    D: Domain,
    N: Clone + PartialOrd,
{
    fn named(&self, slot: usize, error: D::Error) -> D::Error {
        let name = self.progress.channels.layout().name(slot);
        error.in_channel(name.map_or("", |name| name))
    }
}

impl<D, N, F> Board for Local<'_, D, N, F>
where
    D: Domain,
    N: Clone + PartialOrd,
    F: FnOnce(Option<&N>) -> Option<N>,
{
    type Value = D::Value;
    type Error = D::Error;

    fn see(&mut self, node: usize, triggers: &[usize]) -> Result<(), D::Error> {
        let Some(it) = self.topology.nodes().get(node) else { return Ok(()) };
        self.progress.ran.insert(node);
        for slot in triggers {
            if let Some(at) = it.triggers.iter().position(|own| own == slot)
                && let Some(version) = self.progress.channels.version(*slot)
            {
                self.progress.seen[it.offset + at] = Some(version.clone());
            }
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<bool, D::Error> {
        self.version = self.next.take().and_then(|next| next(self.progress.highest()));
        Ok(self.version.is_some())
    }

    fn bump(&mut self, slot: usize) -> Result<(), D::Error> {
        if let Some(version) = &self.version {
            self.progress.channels.set_version(slot, version.clone());
        }
        Ok(())
    }

    fn is_available(&self, slot: usize) -> Result<bool, D::Error> {
        Ok(self.progress.channels.channels().get(slot).is_some_and(Channel::is_available))
    }

    fn update(&mut self, slot: usize, values: &mut Vec<D::Value>) -> Result<bool, D::Error> {
        let channel = self.progress.channels.channel_mut(slot)?;
        let updated = channel.update(self.domain, values.drain(..));
        updated.map_err(|error| self.named(slot, error))
    }

    fn consume(&mut self, slot: usize) -> Result<bool, D::Error> {
        Ok(self.progress.channels.channel_mut(slot)?.consume())
    }

    fn finish(&mut self, slot: usize) -> Result<bool, D::Error> {
        Ok(self.progress.channels.channel_mut(slot)?.finish())
    }
}
