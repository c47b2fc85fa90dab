//! Sealing and compressing whole values.
#![allow(missing_docs, reason = "criterion's macro generates an undocumented function")]

mod common;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lgckpt_core::compress::{Format, compress, decompress};
use lgckpt_core::frame::{seal, unseal};

fn frames(criterion: &mut Criterion) {
    for (size, data) in [("message", common::prose(600, 3)), ("chat", common::chat(1_000))] {
        let mut group = criterion.benchmark_group(format!("frame {size}"));
        group.throughput(Throughput::Bytes(data.len() as u64));
        for (name, codec) in
            [("plain", None), ("lz4", Some(Format::Lz4)), ("zstd", Some(Format::Zstd))]
        {
            let frame = seal(&data, codec);
            group.bench_function(format!("seal {name}"), |it| {
                it.iter(|| seal(black_box(&data), codec));
            });
            group.bench_function(format!("unseal {name}"), |it| {
                it.iter(|| unseal(black_box(&frame), data.len()));
            });
        }
        group.finish();
    }
}

fn formats(criterion: &mut Criterion) {
    let data = common::chat(1_000);
    let mut group = criterion.benchmark_group("standard format");
    group.throughput(Throughput::Bytes(data.len() as u64));
    for (name, format) in [("lz4", Format::Lz4), ("zstd", Format::Zstd)] {
        let packed = compress(&data, format).unwrap_or_default();
        group.bench_function(format!("compress {name}"), |it| {
            it.iter(|| compress(black_box(&data), format));
        });
        group.bench_function(format!("decompress {name}"), |it| {
            it.iter(|| decompress(black_box(&packed), format, data.len()));
        });
    }
    group.finish();
}

criterion_group!(benches, frames, formats);
criterion_main!(benches);
