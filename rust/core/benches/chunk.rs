//! Splitting, hashing, diffing and putting together again.
#![allow(missing_docs, reason = "criterion's macro generates an undocumented function")]

mod common;

use std::collections::HashMap;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lgckpt_core::assemble::assemble;
use lgckpt_core::chunk::split;
use lgckpt_core::compress::Format;
use lgckpt_core::hash::hash_all;
use lgckpt_core::seal::Root;
use lgckpt_core::tree::Tree;

fn trees(criterion: &mut Criterion) {
    let chat = common::chat(1_000);
    let prose = common::prose(chat.len(), 1);
    let mut group = criterion.benchmark_group("tree");
    group.throughput(Throughput::Bytes(chat.len() as u64));
    group.bench_function("split chat", |it| it.iter(|| split(black_box(&chat), true)));
    group.bench_function("split prose", |it| it.iter(|| split(black_box(&prose), false)));
    group.bench_function("hash chat", |it| {
        let ends = split(&chat, true).ends;
        it.iter(|| hash_all(0, ends.windows(2).map(|ends| &chat[ends[0]..ends[1]])));
    });
    group.bench_function("new chat", |it| it.iter(|| Tree::new(black_box(&chat), true)));
    group.bench_function("new prose", |it| it.iter(|| Tree::new(black_box(&prose), false)));
    group.finish();
}

fn puts(criterion: &mut Criterion) {
    let chat = common::chat(1_000);
    let tree = Tree::new(&chat, true);
    let before = Tree::new(&common::chat(999), true).known();
    criterion.bench_function("known", |it| it.iter(|| tree.known()));
    criterion.bench_function("unsent after one message", |it| {
        it.iter(|| tree.unsent(&chat, &[&before], Some(Format::Lz4)));
    });
}

fn gets(criterion: &mut Criterion) {
    let chat = common::chat(1_000);
    let tree = Tree::new(&chat, true);
    let refs = tree.refs();
    let root = Root {
        size: chat.len() as u64,
        head: &chat[tree.head()],
        refs: &refs,
        tail: &chat[tree.tail()],
    };
    let mut group = criterion.benchmark_group("assemble chat");
    group.throughput(Throughput::Bytes(chat.len() as u64));
    for (name, codec) in [("plain", None), ("lz4", Some(Format::Lz4)), ("zstd", Some(Format::Zstd))]
    {
        let chunks: HashMap<_, _> = tree.unsent(&chat, &[], codec).chunks.into_iter().collect();
        group.bench_function(name, |it| it.iter(|| assemble(root, |hash| chunks.get(hash))));
    }
    group.finish();
}

criterion_group!(benches, trees, puts, gets);
criterion_main!(benches);
