//! A compiled graph: what all its runs have in common.

use std::fmt::{self, Debug};
use std::sync::Arc;

use smallvec::SmallVec;

use super::run::Version;
use crate::channel::{Domain, Kind, Layout, Reading};
use crate::error::Error;
use crate::pregel::{Progress, Topology};

/// What a node writes: channels by number, and values, in order.
pub type Writes<V> = Vec<(usize, V)>;

/// What a node does with what it reads of its channels, in their order.
pub type Action<V, E> = dyn Fn(&[Reading<'_, V>]) -> Result<Writes<V>, E> + Send + Sync;

/// Channels and nodes, wired.
pub struct Graph<D: Domain> {
    pub(super) domain: D,
    pub(super) layout: Arc<Layout<D::Value, D::Reducer>>,
    pub(super) topology: Topology,
    /// In the order of the topology.
    nodes: Box<[Node<D>]>,
}

struct Node<D: Domain> {
    name: Box<str>,
    triggers: Box<[usize]>,
    reads: Box<[usize]>,
    action: Box<Action<D::Value, D::Error>>,
}

impl<D: Domain> Graph<D> {
    /// The channels.
    #[must_use]
    pub fn layout(&self) -> &Arc<Layout<D::Value, D::Reducer>> {
        &self.layout
    }

    /// The nodes.
    #[must_use]
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// What is done with values.
    #[must_use]
    pub fn domain(&self) -> &D {
        &self.domain
    }

    /// Runs one node on the channels of a run. To write to a channel that is not there is an error.
    pub(super) fn call(
        &self,
        progress: &Progress<D::Value, D::Reducer, Version>,
        node: usize,
    ) -> Result<Writes<D::Value>, D::Error> {
        let node = &self.nodes[node];
        let channels = progress.channels();
        let reads = node.reads.iter().map(|&slot| channels.read(slot));
        let writes = (node.action)(&reads.collect::<SmallVec<[_; 8]>>())?;
        self.check(&writes)?;
        Ok(writes)
    }

    /// Whether every channel written to is there.
    pub(super) fn check(&self, writes: &Writes<D::Value>) -> Result<(), Error> {
        let len = self.layout.len();
        match writes.iter().find(|&&(slot, _)| slot >= len) {
            Some(&(slot, _)) => Err(Error::NoChannel { slot, len }),
            None => Ok(()),
        }
    }
}

impl<D: Domain> Debug for Graph<D> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Graph").field("topology", &self.topology).finish_non_exhaustive()
    }
}

/// Puts a graph together.
pub struct GraphBuilder<D: Domain> {
    domain: D,
    layout: Layout<D::Value, D::Reducer>,
    nodes: Vec<Node<D>>,
}

impl<D: Domain> GraphBuilder<D> {
    /// A graph of nothing.
    #[must_use]
    pub fn new(domain: D) -> Self {
        Self { domain, layout: Layout::default(), nodes: Vec::new() }
    }

    /// Adds a channel; its number.
    pub fn channel(
        &mut self,
        name: &str,
        kind: Kind<D::Value, D::Reducer>,
    ) -> Result<usize, Error> {
        self.layout.add(name, kind)
    }

    /// Adds a node that runs after any of `triggers` was updated, on what `reads` then hold.
    pub fn node(
        &mut self,
        name: &str,
        triggers: &[usize],
        reads: &[usize],
        action: impl Fn(&[Reading<'_, D::Value>]) -> Result<Writes<D::Value>, D::Error>
        + Send
        + Sync
        + 'static,
    ) {
        self.nodes.push(Node {
            name: name.into(),
            triggers: triggers.into(),
            reads: reads.into(),
            action: Box::new(action),
        });
    }

    /// Checks names and channels, and puts the nodes in order.
    pub fn compile(mut self) -> Result<Arc<Graph<D>>, Error> {
        let len = self.layout.len();
        let mut reads = self.nodes.iter().flat_map(|node| &node.reads);
        if let Some(&slot) = reads.find(|&&slot| slot >= len) {
            return Err(Error::NoChannel { slot, len });
        }
        self.nodes.sort_by(|one, other| one.name.cmp(&other.name));
        let wired = self.nodes.iter().map(|node| (&*node.name, &*node.triggers));
        let topology = Topology::new(&self.layout, wired)?;
        Ok(Arc::new(Graph {
            domain: self.domain,
            layout: Arc::new(self.layout),
            topology,
            nodes: self.nodes.into(),
        }))
    }
}

impl<D: Domain> Debug for GraphBuilder<D> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.nodes.iter().map(|node| &node.name).collect::<Vec<_>>();
        formatter.debug_struct("GraphBuilder").field("nodes", &names).finish_non_exhaustive()
    }
}
