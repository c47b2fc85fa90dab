//! Channels of every kind against the model, in random sequences of operations.
#![allow(missing_docs, reason = "tests")]

mod model;

use lgckpt_core::Error;
use lgckpt_core::channel::{Channel, State};
use model::channel::{Model, Saved, got, spec};
use model::value::{Adds, Python, Value, value};
use proptest::collection::vec;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Update(Vec<Value>),
    Consume,
    Finish,
    Copy,
    Restore,
    /// From a checkpoint in which a barrier has seen a value it does not wait for.
    Stray,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => vec(value(), 0..4).prop_map(Step::Update),
        2 => Just(Step::Consume),
        2 => Just(Step::Finish),
        1 => Just(Step::Copy),
        1 => Just(Step::Restore),
        1 => Just(Step::Stray),
    ]
}

fn with_stray(saved: Saved) -> Saved {
    let stray = Value::Int(99);
    match saved {
        Saved::Set(mut seen) => {
            seen.insert(stray);
            Saved::Set(seen)
        }
        Saved::SetPair(mut seen, finished) => {
            seen.insert(stray);
            Saved::SetPair(seen, finished)
        }
        other => other,
    }
}

fn compare(ours: &Channel<Value, Adds>, theirs: &Model) -> Result<(), TestCaseError> {
    prop_assert_eq!(Saved::from(ours.checkpoint()), theirs.checkpoint());
    prop_assert_eq!(ours.is_available(), theirs.is_available());
    prop_assert_eq!(got(ours.read()), theirs.get());
    match ours.get() {
        Ok(reading) => prop_assert_eq!(got(reading), theirs.get()),
        Err(error) => {
            prop_assert_eq!(error, Error::EmptyChannel);
            prop_assert!(theirs.get().is_none());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_kind_follows_its_rules(spec in spec(), steps in vec(step(), 1..12)) {
        let kind = spec.kind();
        let mut ours = kind.channel(&Python).expect("new");
        let mut theirs = Model::new(&spec);
        compare(&ours, &theirs)?;
        for step in steps {
            match step {
                Step::Update(values) => {
                    let changed = ours.update(&Python, values.clone().into_iter());
                    prop_assert_eq!(changed, theirs.update(&values));
                }
                Step::Consume => prop_assert_eq!(ours.consume(), theirs.consume()),
                Step::Finish => prop_assert_eq!(ours.finish(), theirs.finish()),
                Step::Copy => {
                    let copy = ours.copy(&Python);
                    let _ = ours.update(&Python, [Value::Int(3)].into_iter());
                    ours = copy;
                }
                Step::Restore | Step::Stray => {
                    let mut saved = theirs.checkpoint();
                    if matches!(step, Step::Stray) {
                        saved = with_stray(saved);
                    }
                    ours = kind.restore(&Python, State::from(saved.clone())).expect("its own");
                    theirs = Model::from_checkpoint(&spec, saved);
                }
            }
            compare(&ours, &theirs)?;
        }
    }

    #[test]
    fn kinds_that_neither_fade_nor_finish_do_not(
        spec in spec(), steps in vec(vec(value(), 0..3), 0..6),
    ) {
        let kind = spec.kind();
        let mut channel = kind.channel(&Python).expect("new");
        for values in steps {
            let _ = channel.update(&Python, values.into_iter());
            let before = Saved::from(channel.checkpoint());
            if !kind.finishes() {
                prop_assert!(!channel.finish());
            }
            if !kind.fades() {
                prop_assert_eq!(channel.update(&Python, [].into_iter()), Ok(false));
                prop_assert_eq!(Saved::from(channel.checkpoint()), before);
            }
        }
    }
}
