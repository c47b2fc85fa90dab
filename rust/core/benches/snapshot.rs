//! A checkpoint of five channels, each with 256 bytes of msgpack, to a row and to JSON.
#![allow(missing_docs, reason = "criterion's macro generates an undocumented function")]

mod common;

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use lgckpt_core::channel::{Kind, Plain};
use lgckpt_core::compress::Format;
use lgckpt_core::engine::{Graph, GraphBuilder, Run, Worker};
use lgckpt_core::snapshot::{Packed, RowWriter, json};
use lgckpt_core::{Error, frame, hash};

type Domain = Plain<Packed>;

const ID: &str = "1f1e6a52-7a47-6654-8002-2f9066c6bb42";
const TS: &str = "2026-11-22T18:47:23.427785+00:00";
/// `{"source": "loop", "step": 3, "parents": {}}`
const METADATA: &[u8] = b"\x83\xa6source\xa4loop\xa4step\x03\xa7parents\x80";

/// A string of words, 256 bytes in all.
fn value(seed: u32) -> Result<Packed, Error> {
    let text = common::prose(254, seed);
    Packed::new([&[0xd9, 254], text.as_slice()].concat())
}

/// Four channels of an agent's state and the one that starts it, written by two nodes.
fn graph() -> Result<Arc<Graph<Domain>>, Error> {
    let mut graph = GraphBuilder::new(Domain::default());
    let start = graph.channel("question", Kind::LastValue)?;
    let plan = graph.channel("plan", Kind::LastValue)?;
    let rest = ["notes", "draft", "answer"].map(|name| graph.channel(name, Kind::LastValue));
    let values = [value(1)?, value(2)?, value(3)?, value(4)?];
    let [first, others @ ..] = values;
    graph.node("planner", &[start], &[start], move |_| Ok(vec![(plan, first.clone())]));
    let rest = rest.into_iter().collect::<Result<Vec<_>, _>>()?;
    graph.node("writer", &[plan], &[start, plan], move |_| {
        Ok(rest.iter().copied().zip(others.iter().cloned()).collect())
    });
    graph.compile()
}

fn run() -> Result<Run<Domain>, Error> {
    let (mut run, mut worker) = (Run::new(&graph()?)?, Worker::default());
    run.input(&mut worker, vec![(0, value(5)?)])?;
    run.invoke(&mut worker, 10, |_| Ok(()))?;
    Ok(run)
}

fn snapshots(criterion: &mut Criterion) {
    let Ok(run) = run() else { return };
    let Ok(source) = run.source(ID, TS) else { return };
    let mut writer = RowWriter::default();
    for (name, codec) in [("row", None), ("row, lz4", Some(Format::Lz4))] {
        criterion.bench_function(name, |it| {
            it.iter(|| writer.write(black_box(&source), METADATA, codec));
        });
    }
    let mut out = Vec::new();
    criterion.bench_function("JSON", |it| {
        it.iter(|| {
            out.clear();
            json(&mut out, black_box(&source)).map(|()| out.len())
        });
    });
    criterion.bench_function("checkpoint of shared values", |it| it.iter(|| run.checkpoint()));
}

/// Where the time of a row goes.
fn parts(criterion: &mut Criterion) {
    let Some(row) = run()
        .ok()
        .and_then(|run| RowWriter::default().write(&run.source(ID, TS).ok()?, METADATA, None).ok())
    else {
        return;
    };
    criterion.bench_function("row: etag alone", |it| {
        it.iter(|| hash::etag(&[black_box(&row.state), &row.metadata]));
    });
    criterion.bench_function("row: seal alone", |it| {
        it.iter(|| frame::seal(black_box(&row.state), None));
    });
}

criterion_group!(benches, snapshots, parts);
criterion_main!(benches);
