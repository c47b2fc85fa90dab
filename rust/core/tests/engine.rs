//! The engine: any order of finishing, failures, limits, many runs.
#![allow(missing_docs, clippy::expect_used, clippy::panic, reason = "tests")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use lgckpt_core::channel::{Kind, Plain, Reading, Reducer};
use lgckpt_core::engine::{Graph, GraphBuilder, Outcome, Run, Worker, invoke_all};
use lgckpt_core::{Error, InvalidUpdate};
use rayon::ThreadPoolBuilder;

type Text = Plain<String>;

fn concat() -> Kind<String, Reducer<String>> {
    let operator = |left: &mut String, right: String| {
        if right == "bad" {
            return Err(Error::Unwritable("bad"));
        }
        left.push_str(&right);
        Ok(())
    };
    Kind::BinaryOperatorAggregate(Arc::new(Reducer::new(Some(String::new()), operator)))
}

fn text(readings: &[Reading<'_, String>], at: usize) -> String {
    readings[at].value().cloned().unwrap_or_default()
}

/// Eight nodes that take different times, each in another order in each run.
fn racing() -> Arc<Graph<Text>> {
    let mut graph = GraphBuilder::new(Text::default());
    let go = graph.channel("go", Kind::EphemeralValue { guard: true }).expect("new");
    let log = graph.channel("log", concat()).expect("new");
    let noise = Arc::new(AtomicU64::new(1));
    for name in ["h", "c", "a", "g", "b", "e", "d", "f"] {
        let noise = Arc::clone(&noise);
        graph.node(name, &[go], &[go], move |readings| {
            let random = noise.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            std::thread::sleep(Duration::from_micros(random >> 53));
            Ok(vec![(log, format!("{name}{}", text(readings, 0)))])
        });
    }
    graph.compile().expect("a graph")
}

#[test]
fn writes_are_in_the_order_of_names_whoever_finishes_first() {
    let graph = racing();
    let pool = ThreadPoolBuilder::new().num_threads(8).build().expect("threads");
    for _ in 0..30 {
        let log = pool.install(|| {
            let mut worker = Worker::default();
            let mut run = Run::new(&graph).expect("new");
            run.input(&mut worker, vec![(0, "1".into())]).expect("input");
            assert_eq!(run.step(&mut worker), Ok(true));
            run.channels().read(1).value().cloned()
        });
        assert_eq!(log.as_deref(), Some("a1b1c1d1e1f1g1h1"));
    }
}

#[test]
fn the_first_failure_by_name_is_told_whoever_fails_first() {
    let mut graph = GraphBuilder::new(Text::default());
    let go = graph.channel("go", Kind::LastValue).expect("new");
    for (name, wait, why) in [("b", 0, "b failed"), ("a", 5, "a failed"), ("c", 0, "c failed")] {
        graph.node(name, &[go], &[], move |_| {
            std::thread::sleep(Duration::from_millis(wait));
            Err(Error::Unwritable(why))
        });
    }
    let graph = graph.compile().expect("a graph");
    let (mut run, mut worker) = (Run::new(&graph).expect("new"), Worker::default());
    run.input(&mut worker, vec![(go, String::new())]).expect("input");
    assert_eq!(run.step(&mut worker), Err(Error::Unwritable("a failed")));
}

/// One node that fails while it is told to, beside one that does not.
fn failing(broken: &Arc<AtomicBool>, panics: bool) -> Arc<Graph<Text>> {
    let mut graph = GraphBuilder::new(Text::default());
    let go = graph.channel("go", Kind::EphemeralValue { guard: true }).expect("new");
    let log = graph.channel("log", concat()).expect("new");
    let broken = Arc::clone(broken);
    graph.node("first", &[go], &[], move |_| Ok(vec![(log, "1".into())]));
    graph.node("second", &[go], &[], move |_| {
        assert!(!(panics && broken.load(Ordering::Relaxed)), "told to panic");
        if broken.load(Ordering::Relaxed) {
            return Err(Error::Unwritable("broken"));
        }
        Ok(vec![(log, "2".into())])
    });
    graph.compile().expect("a graph")
}

#[test]
fn a_failing_node_leaves_everything_whole() {
    for panics in [false, true] {
        let broken = Arc::new(AtomicBool::new(true));
        let graph = failing(&broken, panics);
        let (mut run, mut worker) = (Run::new(&graph).expect("new"), Worker::default());
        run.input(&mut worker, vec![(0, "go".into())]).expect("input");
        let before = run.checkpoint().expect("whole");
        let failed = catch_unwind(AssertUnwindSafe(|| run.step(&mut worker)));
        assert_eq!(failed.is_err(), panics);
        if let Ok(failed) = failed {
            assert_eq!(failed, Err(Error::Unwritable("broken")));
        }
        assert!(!run.is_torn());
        assert_eq!(run.checkpoint(), Ok(before));
        broken.store(false, Ordering::Relaxed);
        let mut log = Vec::new();
        let outcome = run.invoke(&mut worker, 10, |run| {
            log.push(run.channels().read(1).value().cloned());
            Ok(())
        });
        assert_eq!((outcome, log), (Ok(Outcome::Done), vec![Some("12".into())]));
    }
}

#[test]
fn a_barrier_that_fails_tears_the_run_and_not_its_last_snapshot() {
    let mut graph = GraphBuilder::new(Text::default());
    let go = graph.channel("go", Kind::EphemeralValue { guard: true }).expect("new");
    let log = graph.channel("log", concat()).expect("new");
    let first = AtomicBool::new(true);
    graph.node("node", &[go], &[log], move |readings| {
        assert_eq!(text(readings, 0), "", "what was half applied is gone");
        let second = if first.swap(false, Ordering::Relaxed) { "bad" } else { "good" };
        Ok(vec![(log, "1".into()), (log, second.into())])
    });
    let graph = graph.compile().expect("a graph");
    let (mut run, mut worker) = (Run::new(&graph).expect("new"), Worker::default());
    run.input(&mut worker, vec![(go, "go".into())]).expect("input");
    let last = run.checkpoint().expect("whole");
    let source = Box::new(Error::Unwritable("bad"));
    let error = Error::Channel { channel: "log".into(), source };
    assert_eq!(run.step(&mut worker), Err(error));
    assert!(run.is_torn());
    assert_eq!(run.step(&mut worker), Err(Error::Torn));
    assert_eq!(run.input(&mut worker, Vec::new()), Err(Error::Torn));
    assert_eq!(run.checkpoint(), Err(Error::Torn));
    let mut run = Run::restore(&graph, last).expect("its own");
    assert_eq!(run.invoke(&mut worker, 10, |_| Ok(())), Ok(Outcome::Done));
    assert_eq!(run.channels().read(log).value().map(String::as_str), Some("1good"));
}

#[test]
fn two_values_for_a_last_value_are_an_error_that_names_it() {
    let mut graph = GraphBuilder::new(Text::default());
    let go = graph.channel("go", Kind::LastValue).expect("new");
    let one = graph.channel("one", Kind::LastValue).expect("new");
    for name in ["a", "b"] {
        graph.node(name, &[go], &[], move |_| Ok(vec![(one, name.into())]));
    }
    let graph = graph.compile().expect("a graph");
    let (mut run, mut worker) = (Run::new(&graph).expect("new"), Worker::default());
    run.input(&mut worker, vec![(go, String::new())]).expect("input");
    let source = Box::new(Error::InvalidUpdate(InvalidUpdate::ManyValues));
    assert_eq!(run.step(&mut worker), Err(Error::Channel { channel: "one".into(), source }));
}

#[test]
fn writing_to_a_channel_that_is_not_there_fails_the_node() {
    let mut graph = GraphBuilder::new(Text::default());
    let go = graph.channel("go", Kind::LastValue).expect("new");
    graph.node("node", &[go], &[], |_| Ok(vec![(5, String::new())]));
    let graph = graph.compile().expect("a graph");
    let (mut run, mut worker) = (Run::new(&graph).expect("new"), Worker::default());
    let missing = Error::NoChannel { slot: 5, len: 1 };
    assert_eq!(run.input(&mut worker, vec![(5, String::new())]), Err(missing.clone()));
    run.input(&mut worker, vec![(go, String::new())]).expect("input");
    assert_eq!(run.step(&mut worker), Err(missing));
    assert!(!run.is_torn());
}

#[test]
fn graphs_that_cannot_be_are_refused() {
    let mut graph = GraphBuilder::new(Text::default());
    let go = graph.channel("go", Kind::LastValue).expect("new");
    assert_eq!(graph.channel("go", Kind::AnyValue), Err(Error::SameName("go".into())));
    graph.node("node", &[go], &[3], |_| Ok(Vec::new()));
    assert_eq!(graph.compile().err(), Some(Error::NoChannel { slot: 3, len: 1 }));
    let mut graph = GraphBuilder::new(Text::default());
    graph.node("node", &[], &[], |_| Ok(Vec::new()));
    graph.node("node", &[], &[], |_| Ok(Vec::new()));
    assert_eq!(graph.compile().err(), Some(Error::SameName("node".into())));
}

/// A node that triggers itself until the count is at its limit.
fn counting(until: u64) -> Arc<Graph<Plain<u64>>> {
    let mut graph = GraphBuilder::new(Plain::default());
    let count = graph.channel("count", Kind::LastValue).expect("new");
    let again = graph.channel("again", Kind::EphemeralValue { guard: true }).expect("new");
    graph.node("count", &[again], &[count], move |readings| {
        let count_now = readings[0].value().copied().unwrap_or_default() + 1;
        let mut writes = vec![(count, count_now)];
        if count_now < until {
            writes.push((again, 0));
        }
        Ok(writes)
    });
    graph.compile().expect("a graph")
}

#[test]
fn a_run_ends_when_nothing_is_left_or_at_its_limit() {
    let (graph, mut worker) = (counting(7), Worker::default());
    let mut run = Run::new(&graph).expect("new");
    assert_eq!(run.invoke(&mut worker, 5, |_| Ok(())), Ok(Outcome::Done), "no input yet");
    run.input(&mut worker, vec![(0, 0), (1, 0)]).expect("input");
    assert_eq!(run.invoke(&mut worker, 0, |_| Ok(())), Ok(Outcome::OutOfSteps));
    assert_eq!(run.invoke(&mut worker, 5, |_| Ok(())), Ok(Outcome::OutOfSteps));
    assert_eq!(run.channels().read(0).value(), Some(&5));
    assert_eq!(run.invoke(&mut worker, 2, |_| Ok(())), Ok(Outcome::Done), "the last it may take");
    assert_eq!((run.channels().read(0).value(), run.step_count()), (Some(&7), 8));
    let stopped = run.input(&mut worker, vec![(0, 0), (1, 0)]).and_then(|()| {
        run.invoke(&mut worker, 5, |_| Err(Error::Unwritable("no room for a snapshot")))
    });
    assert_eq!(stopped, Err(Error::Unwritable("no room for a snapshot")));
}

#[test]
fn many_runs_share_a_graph() {
    let graph = counting(100);
    let mut worker = Worker::default();
    let mut runs: Vec<_> = (0..500)
        .map(|start| {
            let mut run = Run::new(&graph).expect("new");
            run.input(&mut worker, vec![(0, start % 100), (1, 0)]).expect("input");
            run
        })
        .collect();
    let seen: Vec<AtomicU64> = runs.iter().map(|_| AtomicU64::new(0)).collect();
    let outcomes = invoke_all(&mut runs, 90, |at, run| {
        seen[at].fetch_add(1, Ordering::Relaxed);
        let expected = (at as u64 % 100) + run.step_count() - 1;
        assert_eq!(run.channels().read(0).value(), Some(&expected));
        if at == 13 { Err(Error::Unwritable("unlucky")) } else { Ok(()) }
    });
    for (at, outcome) in outcomes.into_iter().enumerate() {
        let left = 100 - at as u64 % 100;
        let expected = match at {
            13 => (Err(Error::Unwritable("unlucky")), 1),
            _ if left > 90 => (Ok(Outcome::OutOfSteps), 90),
            _ => (Ok(Outcome::Done), left),
        };
        assert_eq!((outcome, seen[at].load(Ordering::Relaxed)), expected, "{at}");
    }
}
