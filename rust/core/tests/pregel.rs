//! The Pregel step against the model: random graphs, random writes, step after step.
#![allow(missing_docs, clippy::expect_used, reason = "tests")]

mod model;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use lgckpt_core::channel::Layout;
use lgckpt_core::pregel::{Checkpoint, Progress, Task, Topology, Workspace};
use model::channel::{Saved, Spec, got, spec};
use model::pregel as plain;
use model::value::{Adds, Python, Value, value};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

/// Channels, and nodes with the channels that trigger them.
#[derive(Clone, Debug)]
struct Graph {
    channels: Vec<(String, Spec)>,
    nodes: BTreeMap<String, Vec<String>>,
}

/// What happens at one barrier. Numbers are taken modulo what there is.
#[derive(Clone, Debug)]
struct Barrier {
    tasks: Vec<Ran>,
    versioned: bool,
    restored: bool,
}

#[derive(Clone, Debug)]
struct Ran {
    node: usize,
    /// Whether it is a task of the node, or input.
    triggered: bool,
    path: u8,
    writes: Vec<(usize, Value)>,
}

fn graph() -> impl Strategy<Value = Graph> {
    let channels = vec(spec(), 1..7);
    let nodes = vec(btree_set(0..7_usize, 0..4), 1..5);
    (channels, nodes).prop_map(|(specs, nodes)| {
        let name = |slot: usize| format!("c{}", 9 - slot);
        let count = specs.len();
        let channels = specs.into_iter().enumerate().map(|(slot, spec)| (name(slot), spec));
        let nodes = nodes.into_iter().enumerate().map(|(node, triggers)| {
            let triggers: BTreeSet<_> = triggers.into_iter().map(|it| name(it % count)).collect();
            (format!("n{node}"), triggers.into_iter().collect())
        });
        Graph { channels: channels.collect(), nodes: nodes.collect() }
    })
}

fn barrier() -> impl Strategy<Value = Barrier> {
    let ran = (0..5_usize, prop::bool::weighted(0.8), 0..4_u8, vec((0..7_usize, value()), 0..4))
        .prop_map(|(node, triggered, path, writes)| Ran { node, triggered, path, writes });
    (vec(ran, 0..4), prop::bool::weighted(0.9), prop::bool::weighted(0.2))
        .prop_map(|(tasks, versioned, restored)| Barrier { tasks, versioned, restored })
}

/// The core and the model with the same graph.
struct Both {
    graph: Graph,
    layout: Arc<Layout<Value, Adds>>,
    topology: Topology,
    ours: Progress<Value, Adds, u64>,
    work: Workspace<Value>,
    checkpoint: plain::Checkpoint,
    channels: plain::Channels,
    trigger_to_nodes: HashMap<String, Vec<String>>,
}

fn next(highest: Option<u64>) -> u64 {
    highest.unwrap_or(0) + 1
}

impl Both {
    fn new(graph: Graph) -> Self {
        let mut layout = Layout::default();
        for (name, spec) in &graph.channels {
            layout.add(name, spec.kind()).expect("different names");
        }
        let slots: Vec<(&str, Vec<usize>)> = graph
            .nodes
            .iter()
            .map(|(name, triggers)| {
                (&**name, triggers.iter().filter_map(|it| layout.slot(it)).collect())
            })
            .collect();
        // Given from last to first, as the order of nodes must not matter.
        let nodes = slots.iter().rev().map(|(name, slots)| (*name, slots.as_slice()));
        let topology = Topology::new(&layout, nodes).expect("different names");
        let layout = Arc::new(layout);
        let mut trigger_to_nodes: HashMap<String, Vec<String>> = HashMap::new();
        for (name, triggers) in &graph.nodes {
            for chan in triggers {
                trigger_to_nodes.entry(chan.clone()).or_default().push(name.clone());
            }
        }
        let channels = plain::channels_from_checkpoint(&graph.channels, &BTreeMap::new());
        let ours = Progress::new(&Python, &layout, &topology).expect("new");
        let (work, checkpoint) = (Workspace::default(), plain::Checkpoint::default());
        Self { graph, layout, topology, ours, work, checkpoint, channels, trigger_to_nodes }
    }

    /// The same tasks for the core and for the model.
    fn tasks(&self, ran: &[Ran]) -> (Vec<Task<'_, String, Value>>, Vec<plain::Task>) {
        let count = self.layout.len();
        let make = |it: &Ran| {
            let node = it.node % self.topology.nodes().len();
            let at = &self.topology.nodes()[node];
            let (name, triggers) = if it.triggered {
                (at.name.to_string(), self.graph.nodes[&*at.name].clone())
            } else {
                ("__input__".to_owned(), Vec::new())
            };
            let writes: Vec<_> =
                it.writes.iter().map(|(slot, value)| (slot % count, value.clone())).collect();
            let named = writes
                .iter()
                .map(|(slot, value)| (self.graph.channels[*slot].0.clone(), value.clone()))
                .collect();
            let path = format!("~__pregel_pull, {}", it.path);
            let ours = Task {
                path: path.clone(),
                node: if it.triggered { node } else { usize::MAX },
                triggers: if it.triggered { &at.triggers } else { &[] },
                triggered: !triggers.is_empty(),
                writes,
            };
            (ours, plain::Task { path, name, triggers, writes: named })
        };
        ran.iter().map(make).unzip()
    }

    fn names(&self, slots: impl IntoIterator<Item = usize>) -> BTreeSet<String> {
        slots.into_iter().filter_map(|it| self.layout.name(it)).map(ToString::to_string).collect()
    }

    fn step(&mut self, barrier: &Barrier) -> Result<bool, TestCaseError> {
        let mut ours = std::mem::replace(
            &mut self.ours,
            Progress::new(&Python, &self.layout, &self.topology).expect("new"),
        );
        let mut work = std::mem::take(&mut self.work);
        let (mut tasks, theirs) = self.tasks(&barrier.tasks);
        let applied = ours.apply(&Python, &self.topology, &mut tasks, &mut work, |highest| {
            barrier.versioned.then(|| next(highest.copied()))
        });
        (self.ours, self.work) = (ours, work);
        let expected = plain::apply_writes(
            &mut self.checkpoint,
            &mut self.channels,
            &theirs,
            barrier.versioned.then_some(next),
            &self.trigger_to_nodes,
        );
        // LangGraph makes an entry of what is seen by input, of which there is nothing.
        self.checkpoint.versions_seen.remove("__input__");
        prop_assert_eq!(applied.clone().err(), expected.clone().err());
        self.compare()?;
        let Ok(updated) = expected else { return Ok(false) };
        let ours = self.work.updated();
        prop_assert_eq!(self.names(ours.slots().iter().copied()), updated.clone());
        self.compare_plan(Some(&updated))?;
        Ok(true)
    }

    fn compare(&self) -> Result<(), TestCaseError> {
        for (name, theirs) in &self.channels {
            let ours = self.ours.channels().get(name).expect("the same names");
            prop_assert_eq!(got(ours.read()), theirs.get(), "{}", name);
            prop_assert_eq!(Saved::from(ours.checkpoint()), theirs.checkpoint(), "{}", name);
        }
        let ours = self.ours.checkpoint(&Python, &self.topology, None);
        prop_assert_eq!(plain_versions(&ours), self.checkpoint.clone());
        let values: BTreeMap<_, _> = ours
            .channel_values
            .into_iter()
            .map(|(name, state)| (name.to_string(), Saved::from(state)))
            .collect();
        prop_assert_eq!(values, plain::channel_values(&self.checkpoint, &self.channels));
        Ok(())
    }

    fn compare_plan(&self, updated: Option<&BTreeSet<String>>) -> Result<(), TestCaseError> {
        let slots: Vec<_> =
            updated.into_iter().flatten().filter_map(|it| self.layout.slot(it)).collect();
        let mut planned = vec![77];
        self.topology.plan(&self.ours, &slots, &mut planned);
        let planned: Vec<_> =
            planned.iter().map(|&it| self.topology.nodes()[it].name.to_string()).collect();
        let expected = plain::next_nodes(
            &self.checkpoint,
            &self.graph.nodes,
            &self.channels,
            &self.trigger_to_nodes,
            updated,
        );
        prop_assert_eq!(planned, expected);
        Ok(())
    }

    /// Both go on from a checkpoint; the core's has what this graph does not know as well.
    fn restore(&mut self) -> Result<(), TestCaseError> {
        let mut stored = self.ours.checkpoint(&Python, &self.topology, None);
        stored.channel_versions.push(("gone".into(), 40));
        stored.versions_seen.push(("lost".into(), vec![("gone".into(), 39)]));
        let versions = plain_versions(&stored);
        let ours = Progress::restore(&Python, &self.layout, &self.topology, stored);
        self.ours = ours.expect("its own");
        let values = plain::channel_values(&self.checkpoint, &self.channels);
        self.channels = plain::channels_from_checkpoint(&self.graph.channels, &values);
        self.checkpoint = versions;
        self.compare()?;
        self.compare_plan(None)
    }
}

fn plain_versions(checkpoint: &Checkpoint<Value, u64>) -> plain::Checkpoint {
    let named = |versions: &[(Arc<str>, u64)]| {
        versions.iter().map(|(name, version)| (name.to_string(), *version)).collect()
    };
    let seen = checkpoint.versions_seen.iter();
    plain::Checkpoint {
        channel_versions: named(&checkpoint.channel_versions),
        versions_seen: seen.map(|(node, versions)| (node.to_string(), named(versions))).collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn steps_are_langgraphs(graph in graph(), barriers in vec(barrier(), 1..8)) {
        let mut both = Both::new(graph);
        both.compare()?;
        both.compare_plan(None)?;
        for barrier in &barriers {
            if !both.step(barrier)? || barrier.restored {
                both.restore()?;
            }
        }
    }

    #[test]
    fn a_copy_goes_its_own_way(graph in graph(), barriers in vec(barrier(), 2..5)) {
        let mut both = Both::new(graph);
        for barrier in &barriers[1..] {
            both.step(barrier)?;
        }
        let copy = both.ours.copy(&Python);
        let before = copy.checkpoint(&Python, &both.topology, None);
        prop_assert_eq!(&both.ours.checkpoint(&Python, &both.topology, None), &before);
        both.step(&barriers[0])?;
        prop_assert_eq!(copy.checkpoint(&Python, &both.topology, None), before);
    }
}

#[test]
fn an_error_names_its_channel() {
    use lgckpt_core::channel::{Kind, Plain};
    use lgckpt_core::{Error, InvalidUpdate};

    let domain = Plain::<i32>::default();
    let mut layout = Layout::default();
    layout.add("count", Kind::LastValue).expect("new");
    let topology = Topology::new(&layout, []).expect("no nodes");
    let layout = Arc::new(layout);
    let mut run = Progress::<_, _, u64>::new(&domain, &layout, &topology).expect("new");
    let mut apply = |writes: Vec<(usize, i32)>| {
        let mut tasks = [Task { path: (), node: 0, triggers: &[], triggered: false, writes }];
        let mut work = Workspace::default();
        run.apply(&domain, &topology, &mut tasks, &mut work, |_| Some(1))
    };
    let source = Box::new(Error::InvalidUpdate(InvalidUpdate::ManyValues));
    let error = Error::Channel { channel: "count".into(), source };
    assert_eq!(apply(vec![(0, 1), (0, 2)]), Err(error.clone()));
    assert_eq!(
        error.to_string(),
        "At key 'count': Can receive only one value per step. Use an Annotated key to handle \
         multiple values."
    );
    assert_eq!(apply(vec![(0, 3), (1, 4)]), Err(Error::NoChannel { slot: 1, len: 1 }));
    assert_eq!(run.channels().version(0), None, "nothing was applied");
    assert!(!run.is_versioned());
}
