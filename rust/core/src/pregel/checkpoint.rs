//! What a run leaves behind at a barrier, and how it goes on from there.

use std::collections::HashMap;
use std::sync::Arc;

use super::progress::{Progress, Strays};
use super::topology::Topology;
use crate::channel::{ChannelSet, Domain, Layout, State};

/// The versions of channels, by name.
pub type Versions<N> = Vec<(Arc<str>, N)>;

/// The parts of LangGraph's `Checkpoint` that the step knows of; its id and time are the caller's.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint<V, N> {
    /// What each channel holds, of those that have a version and hold anything.
    pub channel_values: Vec<(Arc<str>, State<V>)>,
    /// The version of each channel that has one.
    pub channel_versions: Versions<N>,
    /// The versions each node has seen when it last ran.
    pub versions_seen: Vec<(Arc<str>, Versions<N>)>,
    /// The channels that the last step updated, by name, if that is known.
    pub updated_channels: Option<Vec<Arc<str>>>,
}

impl<V, N> Default for Checkpoint<V, N> {
    fn default() -> Self {
        Self {
            channel_values: Vec::new(),
            channel_versions: Vec::new(),
            versions_seen: Vec::new(),
            updated_channels: None,
        }
    }
}

impl<V, R, N: Clone + PartialOrd> Progress<V, R, N> {
    /// A checkpoint, after a step that updated these channels: LangGraph's `create_checkpoint`.
    #[must_use]
    pub fn checkpoint(
        &self,
        domain: &impl Domain<Value = V, Reducer = R>,
        topology: &Topology,
        updated: Option<&[usize]>,
    ) -> Checkpoint<V, N> {
        let layout = self.channels.layout();
        let mut checkpoint = Checkpoint {
            versions_seen: self.versions_seen(topology),
            updated_channels: updated.map(|slots| names(layout, slots)),
            ..Checkpoint::default()
        };
        let channels = self.channels.channels().iter().zip(self.channels.versions());
        for ((name, _), (channel, version)) in layout.iter().zip(channels) {
            let Some(version) = version else { continue };
            checkpoint.channel_versions.push((Arc::clone(name), version.clone()));
            match channel.checkpoint().to_state(domain) {
                State::Missing => {}
                state => checkpoint.channel_values.push((Arc::clone(name), state)),
            }
        }
        if let Some(strays) = &self.strays {
            checkpoint.channel_versions.extend(strays.versions.iter().cloned());
        }
        checkpoint
    }

    fn versions_seen(&self, topology: &Topology) -> Vec<(Arc<str>, Versions<N>)> {
        let mut rows: Vec<_> = self.ran.iter().map(|node| self.row(topology, node)).collect();
        for (node, versions) in self.strays.iter().flat_map(|it| &it.seen) {
            match rows.iter_mut().find(|(name, _)| name == node) {
                Some((_, row)) => row.extend(versions.iter().cloned()),
                None => rows.push((Arc::clone(node), versions.clone())),
            }
        }
        rows
    }

    fn row(&self, topology: &Topology, node: usize) -> (Arc<str>, Versions<N>) {
        let node = &topology.nodes()[node];
        let seen = node.triggers.iter().zip(&self.seen[node.offset..]);
        let named = seen.filter_map(|(&slot, version)| {
            Some((Arc::clone(self.channels.layout().name(slot)?), version.clone()?))
        });
        (Arc::clone(&node.name), named.collect())
    }

    /// A run as a checkpoint has it: LangGraph's `channels_from_checkpoint`.
    ///
    /// Values of channels that the layout does not have are left out; versions of such, and what
    /// other nodes have seen, are kept for the next checkpoint.
    pub fn restore<D>(
        domain: &D,
        layout: &Arc<Layout<V, R>>,
        topology: &Topology,
        checkpoint: Checkpoint<V, N>,
    ) -> Result<Self, D::Error>
    where
        D: Domain<Value = V, Reducer = R>,
    {
        let mut values: HashMap<_, _> = checkpoint.channel_values.into_iter().collect();
        let mut strays = Strays { versions: Vec::new(), seen: Vec::new() };
        let mut versions = HashMap::new();
        for (name, version) in checkpoint.channel_versions {
            if layout.slot(&name).is_some() {
                versions.insert(name, version);
            } else {
                strays.versions.push((name, version));
            }
        }
        let channels = ChannelSet::restore(domain, layout, |name| {
            (values.remove(name).unwrap_or(State::Missing), versions.remove(name))
        })?;
        let mut progress = Self::of(channels, topology);
        for (node, seen) in checkpoint.versions_seen {
            progress.restore_seen(topology, node, seen, &mut strays);
        }
        if !strays.versions.is_empty() || !strays.seen.is_empty() {
            progress.strays = Some(Box::new(strays));
        }
        Ok(progress)
    }

    fn restore_seen(
        &mut self,
        topology: &Topology,
        name: Arc<str>,
        seen: Versions<N>,
        strays: &mut Strays<N>,
    ) {
        let Some(at) = topology.node(&name) else {
            strays.seen.push((name, seen));
            return;
        };
        self.ran.insert(at);
        let node = &topology.nodes()[at];
        let mut others = Vec::new();
        for (channel, version) in seen {
            let slot = self.channels.layout().slot(&channel);
            match node.triggers.iter().position(|&own| Some(own) == slot) {
                Some(place) => self.seen[node.offset + place] = Some(version),
                None => others.push((channel, version)),
            }
        }
        if !others.is_empty() {
            strays.seen.push((name, others));
        }
    }
}

/// The names of channels, sorted.
fn names<V, R>(layout: &Layout<V, R>, slots: &[usize]) -> Vec<Arc<str>> {
    let mut names: Vec<_> = slots.iter().filter_map(|&slot| layout.name(slot)).cloned().collect();
    names.sort_unstable();
    names
}
