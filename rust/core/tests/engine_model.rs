//! Whole runs of the engine against LangGraph's loop on the model: random graphs, step by step.
#![allow(missing_docs, clippy::expect_used, reason = "tests")]

mod model;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::num::NonZeroU64;
use std::sync::Arc;

use lgckpt_core::engine::{Graph, GraphBuilder, Run, Worker};
use lgckpt_core::pregel::Checkpoint;
use model::channel::{Got, Saved, Spec, got, spec};
use model::pregel as plain;
use model::value::{Python, Value, value};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

/// What a node of a random graph does: writes its values, after the sum of the integers it reads.
#[derive(Clone, Debug)]
struct Script {
    triggers: BTreeSet<usize>,
    reads: Vec<usize>,
    writes: Vec<(usize, Value)>,
    sum_to: Option<usize>,
}

impl Script {
    fn play(&self, reads: impl Iterator<Item = Option<Got>>) -> Vec<(usize, Value)> {
        let integers = reads.map(|got| match got {
            Some(Got::Value(Value::Int(number))) => number,
            Some(_) => 1,
            None => 0,
        });
        let sum = integers.fold(0, |sum, it| (sum + it) % 1_000);
        let summed = self.sum_to.map(|slot| (slot, Value::Int(sum)));
        summed.into_iter().chain(self.writes.iter().cloned()).collect()
    }
}

fn script() -> impl Strategy<Value = Script> {
    let writes = vec((0..6_usize, value()), 0..3);
    (btree_set(0..6_usize, 1..3), vec(0..6_usize, 0..3), writes, prop::option::of(0..6_usize))
        .prop_map(|(triggers, reads, writes, sum_to)| Script { triggers, reads, writes, sum_to })
}

/// Six channels, so that every script fits.
fn specs() -> impl Strategy<Value = Vec<(String, Spec)>> {
    vec(spec(), 6).prop_map(|specs| {
        specs.into_iter().enumerate().map(|(at, spec)| (format!("c{at}"), spec)).collect()
    })
}

fn compiled(specs: &[(String, Spec)], scripts: &[Script]) -> Arc<Graph<Python>> {
    let mut graph = GraphBuilder::new(Python);
    for (name, spec) in specs {
        graph.channel(name, spec.kind()).expect("new");
    }
    for (at, script) in scripts.iter().enumerate() {
        let own = script.clone();
        let triggers: Vec<_> = script.triggers.iter().copied().collect();
        graph.node(&format!("n{at}"), &triggers, &script.reads, move |readings| {
            Ok(own.play(readings.iter().map(|&it| got(it))))
        });
    }
    graph.compile().expect("a graph")
}

type Stored = (plain::Checkpoint, BTreeMap<String, Saved>);

/// The loop of LangGraph on the model: its checkpoints, and whether it failed.
fn loop_of_langgraph(
    specs: &[(String, Spec)],
    scripts: &[Script],
    input: &[(usize, Value)],
    limit: usize,
) -> (Vec<Stored>, bool) {
    let name = |slot: usize| specs[slot].0.clone();
    let triggers_of = |it: &Script| it.triggers.iter().map(|&slot| name(slot)).collect();
    let nodes: BTreeMap<String, Vec<String>> =
        scripts.iter().enumerate().map(|(at, it)| (format!("n{at}"), triggers_of(it))).collect();
    let mut trigger_to_nodes: HashMap<String, Vec<String>> = HashMap::new();
    for (node, triggers) in &nodes {
        for chan in triggers {
            trigger_to_nodes.entry(chan.clone()).or_default().push(node.clone());
        }
    }
    let named = |writes: Vec<(usize, Value)>| {
        writes.into_iter().map(|(slot, value)| (name(slot), value)).collect()
    };
    let mut channels = plain::channels_from_checkpoint(specs, &BTreeMap::new());
    let mut checkpoint = plain::Checkpoint::default();
    let mut tasks = vec![plain::Task {
        path: "~".into(),
        name: "__input__".into(),
        triggers: Vec::new(),
        writes: named(input.to_vec()),
    }];
    let mut checkpoints = Vec::new();
    for _ in 0..=limit {
        let next = Some((|highest: Option<u64>| highest.unwrap_or(0) + 1) as fn(_) -> _);
        let applied =
            plain::apply_writes(&mut checkpoint, &mut channels, &tasks, next, &trigger_to_nodes);
        checkpoint.versions_seen.remove("__input__");
        let Ok(updated) = applied else { return (checkpoints, true) };
        checkpoints.push((checkpoint.clone(), plain::channel_values(&checkpoint, &channels)));
        let planned =
            plain::next_nodes(&checkpoint, &nodes, &channels, &trigger_to_nodes, Some(&updated));
        if planned.is_empty() {
            break;
        }
        let make = |node: String| {
            let script = &scripts[node[1..].parse::<usize>().expect("its number")];
            let reads = script.reads.iter().map(|&slot| channels[slot].1.get());
            let writes = named(script.play(reads));
            let triggers = nodes[&node].clone();
            plain::Task { path: format!("~__pregel_pull, {node}"), name: node, triggers, writes }
        };
        tasks = planned.into_iter().map(make).collect();
    }
    (checkpoints, false)
}

fn as_model(checkpoint: Checkpoint<Value, NonZeroU64>) -> Stored {
    let versions = |it: Vec<(Arc<str>, NonZeroU64)>| {
        it.into_iter().map(|(name, version)| (name.to_string(), version.get())).collect()
    };
    let seen = checkpoint.versions_seen.into_iter();
    let values = checkpoint.channel_values.into_iter();
    (
        plain::Checkpoint {
            channel_versions: versions(checkpoint.channel_versions),
            versions_seen: seen.map(|(name, it)| (name.to_string(), versions(it))).collect(),
        },
        values.map(|(name, state)| (name.to_string(), state.into())).collect(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_run_is_langgraphs(
        specs in specs(), scripts in vec(script(), 1..5),
        input in vec((0..6_usize, value()), 0..4), restores: bool,
    ) {
        const LIMIT: usize = 8;
        let (expected, failed) = loop_of_langgraph(&specs, &scripts, &input, LIMIT);
        let graph = compiled(&specs, &scripts);
        let mut worker = Worker::default();
        let mut run = Run::new(&graph).expect("new");
        let mut checkpoints = Vec::new();
        let mut error = run.input(&mut worker, input).err();
        while error.is_none() && checkpoints.len() <= LIMIT {
            let checkpoint = run.checkpoint().expect("whole");
            checkpoints.push(as_model(checkpoint.clone()));
            if restores {
                run = Run::restore(&graph, checkpoint).expect("its own");
            }
            match run.step(&mut worker) {
                Ok(true) => {}
                Ok(false) => break,
                Err(raised) => error = Some(raised),
            }
        }
        checkpoints.truncate(LIMIT + 1);
        prop_assert_eq!(&checkpoints, &expected);
        if checkpoints.len() <= LIMIT {
            prop_assert_eq!(error.is_some(), failed);
        }
    }
}
