//! Updates and reads of single channels, with values of 256 bytes that the channel owns.
#![allow(missing_docs, reason = "criterion's macro generates an undocumented function")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use lgckpt_core::Error;
use lgckpt_core::channel::{
    BinaryOperatorAggregate, Channel, Kind, LastValue, Plain, Reading, Reducer, Topic,
};

type Bytes = Box<[u8]>;

/// Values made before the clock starts, and dropped by the channel while it runs.
const BATCH: usize = 512;

fn values() -> Vec<Bytes> {
    (0..BATCH).map(|at| vec![at.to_le_bytes()[0]; 256].into()).collect()
}

/// Times `update` alone, one call a value.
fn timed<C>(
    iterations: u64,
    mut channel: impl FnMut() -> C,
    mut update: impl FnMut(&mut C, Bytes),
) -> Duration {
    let mut spent = Duration::ZERO;
    let mut left = usize::try_from(iterations).unwrap_or(usize::MAX);
    while left > 0 {
        let values = values();
        let count = left.min(BATCH);
        let mut target = black_box(channel());
        let start = Instant::now();
        for value in values.into_iter().take(count) {
            update(&mut target, black_box(value));
        }
        black_box(&target);
        spent += start.elapsed();
        left -= count;
    }
    spent
}

fn last_value(criterion: &mut Criterion) {
    criterion.bench_function("LastValue update, values made before", |it| {
        it.iter_custom(|iterations| {
            timed(
                iterations,
                || LastValue::new(None),
                |channel, value| {
                    let _ = black_box(channel.update::<Error>([value].into_iter()));
                },
            )
        });
    });
    // As a node would: a value made, written, and the one before it dropped. The difference of the
    // two is the channel's.
    let mut channel = LastValue::new(None);
    criterion.bench_function("LastValue update, a value made for it", |it| {
        it.iter(|| channel.update::<Error>([black_box(made())].into_iter()));
    });
    let mut place = made();
    criterion.bench_function("a value made for a plain variable", |it| {
        it.iter(|| *black_box(&mut place) = black_box(made()));
    });
    let mut channel = LastValue::new(None);
    criterion.bench_function("LastValue update, the value inline", |it| {
        let value = [7_u8; 256];
        it.iter(|| channel.update::<Error>([*black_box(&value)].into_iter()));
    });
    let channel = LastValue::new(Some(made()));
    criterion.bench_function("LastValue get", |it| it.iter(|| black_box(&channel).get().ok()));
}

fn made() -> Bytes {
    Bytes::from([7; 256])
}

fn any_kind(criterion: &mut Criterion) {
    let domain = Plain::<Bytes>::default();
    let new = || Kind::LastValue.channel(&domain).unwrap_or_else(|_| unreachable!());
    criterion.bench_function("Channel update, values made before", |it| {
        it.iter_custom(|iterations| {
            timed(iterations, new, |channel, value| {
                let _ = black_box(channel.update(&domain, [value].into_iter()));
            })
        });
    });
    let mut channel: Channel<Bytes, _> = new();
    let _ = channel.update(&domain, [made()].into_iter());
    criterion.bench_function("Channel get", |it| {
        it.iter(|| black_box(&channel).get().ok().and_then(Reading::value));
    });
}

fn topic(criterion: &mut Criterion) {
    let domain = Plain::<Bytes>::default();
    for (name, accumulate) in [("Topic update", false), ("Topic update, accumulating", true)] {
        criterion.bench_function(name, |it| {
            it.iter_custom(|iterations| {
                timed(
                    iterations,
                    || Topic::new(accumulate, Vec::new()),
                    |channel, value| {
                        let _ = black_box(channel.update(&domain, [value].into_iter()));
                    },
                )
            });
        });
    }
}

fn binary_operator(criterion: &mut Criterion) {
    // Longest wins: the reducer owns both, and drops one.
    let domain = Plain::<Bytes>::default();
    let reducer =
        Arc::new(Reducer::new(Some(Bytes::default()), |left: &mut Bytes, right: Bytes| {
            if right.len() >= left.len() {
                *left = right;
            }
            Ok::<_, Error>(())
        }));
    criterion.bench_function("BinaryOperatorAggregate update, keep", |it| {
        it.iter_custom(|iterations| {
            let new = || BinaryOperatorAggregate::new(Arc::clone(&reducer), Some(Bytes::default()));
            timed(iterations, new, |channel, value| {
                let _ = black_box(channel.update(&domain, [value].into_iter()));
            })
        });
    });
    let domain = Plain::<Vec<u8>>::default();
    let reducer = Arc::new(Reducer::new(None, |left: &mut Vec<u8>, right: Vec<u8>| {
        left.extend_from_slice(&right);
        Ok::<_, Error>(())
    }));
    criterion.bench_function("BinaryOperatorAggregate update, append", |it| {
        it.iter_custom(|iterations| {
            let new = || BinaryOperatorAggregate::new(Arc::clone(&reducer), Some(Vec::new()));
            timed(iterations, new, |channel, value| {
                let _ = black_box(channel.update(&domain, [value.into_vec()].into_iter()));
            })
        });
    });
}

criterion_group!(benches, last_value, any_kind, topic, binary_operator);
criterion_main!(benches);
