//! One run of a graph, step by step.

use std::fmt::{self, Debug};
use std::num::NonZeroU64;
use std::sync::Arc;

use rayon::prelude::*;
use smallvec::{SmallVec, smallvec};

use super::graph::{Graph, Writes};
use crate::channel::{ChannelSet, Domain};
use crate::error::Error;
use crate::pregel::{Checkpoint, Progress, Task, Workspace};

/// The version of a channel: LangGraph's default, counted from one.
pub type Version = NonZeroU64;

/// How a run ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// Nothing is left to run.
    Done,
    /// Something is, and the steps allowed are used up.
    OutOfSteps,
}

/// The memory that steps work in: one serves any number of runs, one after another.
#[derive(Debug)]
pub struct Worker<V> {
    planned: Vec<usize>,
    work: Workspace<V>,
}

impl<V> Default for Worker<V> {
    fn default() -> Self {
        Self { planned: Vec::new(), work: Workspace::default() }
    }
}

/// The channels and versions of one run of a graph.
pub struct Run<D: Domain> {
    graph: Arc<Graph<D>>,
    state: State<D>,
}

struct State<D: Domain> {
    progress: Progress<D::Value, D::Reducer, Version>,
    updated: Vec<usize>,
    step: u64,
    torn: bool,
}

/// A step's tasks, in the order of their nodes' names. Input comes before them.
type Tasks<'a, V> = SmallVec<[Task<'a, usize, V>; 2]>;

impl<D: Domain> Run<D> {
    /// A run that has not begun.
    pub fn new(graph: &Arc<Graph<D>>) -> Result<Self, D::Error> {
        let progress = Progress::new(&graph.domain, &graph.layout, &graph.topology)?;
        let state = State { progress, updated: Vec::new(), step: 0, torn: false };
        Ok(Self { graph: Arc::clone(graph), state })
    }

    /// A run as a checkpoint has it.
    pub fn restore(
        graph: &Arc<Graph<D>>,
        mut checkpoint: Checkpoint<D::Value, Version>,
    ) -> Result<Self, D::Error> {
        let updated = checkpoint.updated_channels.take().unwrap_or_default();
        let updated = updated.iter().filter_map(|name| graph.layout.slot(name)).collect();
        let Graph { domain, layout, topology, .. } = &**graph;
        let progress = Progress::restore(domain, layout, topology, checkpoint)?;
        let state = State { progress, updated, step: 0, torn: false };
        Ok(Self { graph: Arc::clone(graph), state })
    }

    /// What this is a run of.
    #[must_use]
    pub fn graph(&self) -> &Arc<Graph<D>> {
        &self.graph
    }

    /// Its channels.
    #[must_use]
    pub fn channels(&self) -> &ChannelSet<D::Value, D::Reducer, Version> {
        self.state.progress.channels()
    }

    /// Its channels, and what its nodes have seen of them.
    #[must_use]
    pub fn progress(&self) -> &Progress<D::Value, D::Reducer, Version> {
        &self.state.progress
    }

    /// The channels that its last step updated.
    #[must_use]
    pub fn updated(&self) -> &[usize] {
        &self.state.updated
    }

    /// How many barriers it has passed, input among them.
    #[must_use]
    pub fn step_count(&self) -> u64 {
        self.state.step
    }

    /// Whether its last barrier failed half-way: it can only be restored then.
    #[must_use]
    pub fn is_torn(&self) -> bool {
        self.state.torn
    }

    /// A checkpoint of it as it is now.
    pub fn checkpoint(&self) -> Result<Checkpoint<D::Value, Version>, Error> {
        self.state.whole()?;
        let Graph { domain, topology, .. } = &*self.graph;
        Ok(self.state.progress.checkpoint(domain, topology, Some(&self.state.updated)))
    }

    /// Writes input. Tasks that were still to run are passed over, as by LangGraph.
    pub fn input(
        &mut self,
        worker: &mut Worker<D::Value>,
        writes: Writes<D::Value>,
    ) -> Result<(), D::Error> {
        let Self { graph, state } = self;
        state.whole()?;
        graph.check(&writes)?;
        graph.topology.plan(&state.progress, &[], &mut worker.planned);
        let input = Task { path: 0, node: usize::MAX, triggers: &[], triggered: false, writes };
        let mut tasks: Tasks<'_, D::Value> = smallvec![input];
        tasks.extend(worker.planned.iter().map(|&node| graph.task(node, Vec::new())));
        state.barrier(graph, &mut worker.work, &mut tasks)
    }
}

impl<D: Domain> State<D> {
    fn whole(&self) -> Result<(), Error> {
        if self.torn { Err(Error::Torn) } else { Ok(()) }
    }

    /// Applies what tasks wrote; torn if that fails.
    fn barrier(
        &mut self,
        graph: &Graph<D>,
        work: &mut Workspace<D::Value>,
        tasks: &mut [Task<'_, usize, D::Value>],
    ) -> Result<(), D::Error> {
        self.torn = true;
        let Graph { domain, topology, .. } = graph;
        self.progress.apply(domain, topology, tasks, work, |highest| Some(next(highest)))?;
        self.torn = false;
        self.step += 1;
        self.updated.clear();
        self.updated.extend_from_slice(work.updated().slots());
        Ok(())
    }
}

impl<D> Run<D>
where
    D: Domain<Value: Send + Sync, Reducer: Send + Sync, Error: Send> + Sync,
{
    /// Runs what is to run next, if anything is, and applies what it wrote; whether there was any.
    ///
    /// One task runs on this thread, several in the rayon pool that this thread belongs to. All of
    /// them come to their end. The error is that of the first node, by name, that has one; nothing
    /// has changed then, and the step can be tried again.
    pub fn step(&mut self, worker: &mut Worker<D::Value>) -> Result<bool, D::Error> {
        let Self { graph, state } = self;
        state.whole()?;
        graph.topology.plan(&state.progress, &state.updated, &mut worker.planned);
        if worker.planned.is_empty() {
            return Ok(false);
        }
        let mut tasks = graph.run(&state.progress, &worker.planned)?;
        state.barrier(graph, &mut worker.work, &mut tasks)?;
        Ok(true)
    }

    /// Steps until nothing is left to run, or `limit` steps are done; `snapshot` sees the run after
    /// each, and ends it by an error.
    pub fn invoke(
        &mut self,
        worker: &mut Worker<D::Value>,
        limit: u64,
        mut snapshot: impl FnMut(&Self) -> Result<(), D::Error>,
    ) -> Result<Outcome, D::Error> {
        for _ in 0..limit {
            if !self.step(worker)? {
                return Ok(Outcome::Done);
            }
            snapshot(self)?;
        }
        let Self { graph, state } = self;
        graph.topology.plan(&state.progress, &state.updated, &mut worker.planned);
        Ok(if worker.planned.is_empty() { Outcome::Done } else { Outcome::OutOfSteps })
    }
}

impl<D: Domain> Graph<D> {
    fn task(&self, node: usize, writes: Writes<D::Value>) -> Task<'_, usize, D::Value> {
        let triggers = &*self.topology.nodes()[node].triggers;
        Task { path: node + 1, node, triggers, triggered: true, writes }
    }
}

impl<D> Graph<D>
where
    D: Domain<Value: Send + Sync, Reducer: Send + Sync, Error: Send> + Sync,
{
    fn run(
        &self,
        progress: &Progress<D::Value, D::Reducer, Version>,
        planned: &[usize],
    ) -> Result<Tasks<'_, D::Value>, D::Error> {
        if let &[node] = planned {
            return Ok(smallvec![self.task(node, self.call(progress, node)?)]);
        }
        let calls = planned.par_iter().map(|&node| self.call(progress, node));
        let mut tasks = Tasks::new();
        for (&node, writes) in planned.iter().zip(calls.collect::<Vec<_>>()) {
            tasks.push(self.task(node, writes?));
        }
        Ok(tasks)
    }
}

fn next(highest: Option<&Version>) -> Version {
    highest.map_or(Version::MIN, |version| version.saturating_add(1))
}

impl<D: Domain> Debug for Run<D> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut run = formatter.debug_struct("Run");
        run.field("step", &self.state.step).field("torn", &self.state.torn).finish_non_exhaustive()
    }
}
