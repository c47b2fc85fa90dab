//! What a superstep costs beside its nodes, and many runs of one graph side by side.
#![allow(missing_docs, reason = "criterion's macro generates an undocumented function")]

use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use lgckpt_core::Error;
use lgckpt_core::channel::{Kind, Plain};
use lgckpt_core::engine::{Graph, GraphBuilder, Run, Worker, invoke_all};

type Numbers = Plain<u64>;

/// Supersteps of each of the many runs.
const STEPS: u64 = 10;

/// Nodes that trigger each other, all of them, for ever: each writes its own count.
fn ring(nodes: usize) -> Result<Arc<Graph<Numbers>>, Error> {
    let mut graph = GraphBuilder::new(Numbers::default());
    let again = graph.channel("again", Kind::EphemeralValue { guard: false })?;
    for node in 0..nodes {
        let count = graph.channel(&format!("count {node}"), Kind::LastValue)?;
        graph.node(&format!("node {node}"), &[again], &[count], move |reads| {
            let before = reads[0].value().copied().unwrap_or_default();
            Ok(vec![(count, before + 1), (again, 0)])
        });
    }
    graph.compile()
}

/// A run that has had its input.
fn begun(graph: &Arc<Graph<Numbers>>, worker: &mut Worker<u64>) -> Result<Run<Numbers>, Error> {
    let mut run = Run::new(graph)?;
    run.input(worker, vec![(0, 0)])?;
    Ok(run)
}

fn supersteps(criterion: &mut Criterion) {
    for (nodes, inline) in [(1, false), (8, true), (8, false)] {
        let mut worker = if inline { Worker::inline() } else { Worker::default() };
        let Ok(mut run) = ring(nodes).and_then(|graph| begun(&graph, &mut worker)) else { return };
        let place = if inline || nodes == 1 { "on this thread" } else { "in the pool" };
        criterion.bench_function(&format!("superstep, nodes: {nodes}, {place}"), |it| {
            it.iter(|| run.step(&mut worker));
        });
    }
}

fn many(criterion: &mut Criterion) {
    let Ok(graph) = ring(1) else { return };
    let mut worker = Worker::default();
    let mut group = criterion.benchmark_group("ten supersteps of each run");
    for count in [1_u64, 100, 10_000] {
        group.throughput(Throughput::Elements(count * STEPS));
        group.bench_function(format!("runs: {count}"), |it| {
            let setup = || (0..count).map(|_| begun(&graph, &mut worker)).collect();
            it.iter_batched_ref(
                setup,
                |runs: &mut Result<Vec<_>, _>| {
                    runs.as_mut().map(|runs| invoke_all(runs, STEPS, |_, _| Ok(()))).is_ok()
                },
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
    criterion.bench_function("a new run with its input", |it| {
        it.iter_with_large_drop(|| begun(&graph, &mut worker));
    });
}

criterion_group!(benches, supersteps, many);
criterion_main!(benches);
