//! What a run of a five-channel graph holds in memory, of 10,000 that share the graph.

use std::sync::Arc;

use lgckpt_core::Error;
use lgckpt_core::channel::{Kind, Plain};
use lgckpt_core::engine::{Graph, GraphBuilder, Run, Worker};
use peak_alloc::PeakAlloc;

type Bytes = Box<[u8]>;
type Domain = Plain<Bytes>;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const RUNS: usize = 10_000;

/// Five channels and three nodes, one after another.
fn graph(size: usize) -> Result<Arc<Graph<Domain>>, Error> {
    let mut graph = GraphBuilder::new(Domain::default());
    let names = ["question", "plan", "notes", "draft", "answer"];
    for name in names {
        graph.channel(name, Kind::LastValue)?;
    }
    let value = vec![7; size];
    for (at, writes) in [(0, vec![1, 2]), (1, vec![3]), (3, vec![4])] {
        let value = value.clone();
        graph.node(&format!("after {}", names[at]), &[at], &[at], move |_| {
            Ok(writes.iter().map(|&slot| (slot, value.clone().into())).collect())
        });
    }
    graph.compile()
}

fn measure(size: usize) -> Result<(), Error> {
    let graph = graph(size)?;
    let mut worker = Worker::default();
    let mut runs = Vec::with_capacity(RUNS);
    let before = ALLOCATOR.current_usage();
    for _ in 0..RUNS {
        let mut run = Run::new(&graph)?;
        run.input(&mut worker, vec![(0, vec![7; size].into())])?;
        run.invoke(&mut worker, 10, |_| Ok(()))?;
        runs.push(run);
    }
    // The vector's own room was there before.
    let held = (ALLOCATOR.current_usage() - before) / RUNS + size_of::<Run<Domain>>();
    println!("{held} bytes a run, of them {} in its five values", 5 * size);
    Ok(())
}

fn main() -> Result<(), Error> {
    [0, 32, 256].into_iter().try_for_each(measure)
}
