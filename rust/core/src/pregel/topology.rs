//! Which nodes a graph has, and which channels trigger them.

use std::sync::Arc;

use super::apply::Wiring;
use super::progress::Progress;
use crate::channel::{Kind, Layout, Slots};
use crate::error::Error;

/// A node, as the planning of a step knows it.
#[derive(Debug)]
pub struct Node {
    /// Its name.
    pub name: Arc<str>,
    /// The channels that trigger it, each once.
    pub triggers: Box<[usize]>,
    /// Where the versions it has seen of these begin.
    pub(super) offset: usize,
}

/// The nodes of a graph in the order of their names, by which they are numbered.
#[derive(Debug)]
pub struct Topology {
    nodes: Vec<Node>,
    /// For each channel the nodes that it triggers: LangGraph's `trigger_to_nodes`.
    by_channel: Vec<Vec<usize>>,
    triggering: Slots,
    fading: Vec<usize>,
    finishing: Vec<usize>,
    /// How many triggers all nodes have together.
    edges: usize,
}

impl Topology {
    /// The nodes named, each with the channels that trigger it, of those of the layout.
    pub fn new<'a, V, R>(
        layout: &Layout<V, R>,
        nodes: impl IntoIterator<Item = (&'a str, &'a [usize])>,
    ) -> Result<Self, Error> {
        let mut sorted: Vec<_> = nodes.into_iter().collect();
        sorted.sort_by_key(|&(name, _)| name);
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(Error::SameName(pair[0].0.into()));
        }
        let mut topology = Self {
            nodes: Vec::with_capacity(sorted.len()),
            by_channel: vec![Vec::new(); layout.len()],
            triggering: Slots::new(layout.len()),
            fading: slots(layout, Kind::fades),
            finishing: slots(layout, Kind::finishes),
            edges: 0,
        };
        for (name, triggers) in sorted {
            topology.add(name, triggers)?;
        }
        Ok(topology)
    }

    fn add(&mut self, name: &str, triggers: &[usize]) -> Result<(), Error> {
        let len = self.by_channel.len();
        let node = self.nodes.len();
        let mut own = Vec::with_capacity(triggers.len());
        for &slot in triggers {
            let nodes = self.by_channel.get_mut(slot).ok_or(Error::NoChannel { slot, len })?;
            if nodes.last() != Some(&node) {
                nodes.push(node);
                self.triggering.insert(slot);
                own.push(slot);
            }
        }
        let offset = self.edges;
        self.edges += own.len();
        self.nodes.push(Node { name: name.into(), triggers: own.into(), offset });
        Ok(())
    }

    /// The nodes, in the order of their names.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The number of the node named.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<usize> {
        self.nodes.binary_search_by_key(&name, |node| &*node.name).ok()
    }

    /// How the channels belong together.
    #[must_use]
    pub fn wiring(&self) -> Wiring<'_> {
        Wiring {
            len: self.by_channel.len(),
            fading: &self.fading,
            finishing: &self.finishing,
            triggering: &self.triggering,
        }
    }

    pub(super) fn edges(&self) -> usize {
        self.edges
    }

    /// Leaves in `triggered` the nodes to run next, in order, after a step that updated these
    /// channels.
    ///
    /// Where the last step updated none, or is not known, every node is looked at, as in LangGraph's
    /// `prepare_next_tasks`.
    pub fn plan<V, R, N: Clone + PartialOrd>(
        &self,
        progress: &Progress<V, R, N>,
        updated: &[usize],
        triggered: &mut Vec<usize>,
    ) {
        triggered.clear();
        if !progress.is_versioned() {
            return;
        }
        if updated.is_empty() || self.edges == 0 {
            triggered.extend(0..self.nodes.len());
        } else {
            let nodes = updated.iter().filter_map(|&slot| self.by_channel.get(slot));
            triggered.extend(nodes.flatten());
            triggered.sort_unstable();
            triggered.dedup();
        }
        triggered.retain(|&node| progress.triggers(self, node));
    }
}

/// The channels whose kind is such.
fn slots<V, R>(layout: &Layout<V, R>, is: fn(&Kind<V, R>) -> bool) -> Vec<usize> {
    let kinds = layout.iter().enumerate();
    kinds.filter(|(_, (_, kind))| is(kind)).map(|(slot, _)| slot).collect()
}
