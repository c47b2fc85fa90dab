//! The step on a board that is not the core's own: what it is asked for, and in which order.
#![allow(missing_docs, clippy::expect_used, reason = "tests")]

use lgckpt_core::Error;
use lgckpt_core::channel::Slots;
use lgckpt_core::pregel::{Board, Task, Wiring, Workspace, apply_writes};

/// Channels that hold a number each, or nothing, and a log of all that they are told.
#[derive(Default)]
struct Logged {
    channels: Vec<Option<i32>>,
    versioned: bool,
    log: Vec<String>,
}

impl Board for Logged {
    type Value = i32;
    type Error = Error;

    fn see(&mut self, node: usize, triggers: &[usize]) -> Result<(), Error> {
        self.log.push(format!("see {node} {triggers:?}"));
        Ok(())
    }

    fn begin(&mut self) -> Result<bool, Error> {
        self.log.push("begin".into());
        Ok(self.versioned)
    }

    fn bump(&mut self, slot: usize) -> Result<(), Error> {
        self.log.push(format!("bump {slot}"));
        Ok(())
    }

    fn is_available(&self, slot: usize) -> Result<bool, Error> {
        Ok(self.channels[slot].is_some())
    }

    fn update(&mut self, slot: usize, values: &mut Vec<i32>) -> Result<bool, Error> {
        self.log.push(format!("update {slot} {values:?}"));
        if values.contains(&13) {
            return Err(Error::Unwritable("thirteen"));
        }
        self.channels[slot] = values.drain(..).next_back();
        Ok(true)
    }

    fn consume(&mut self, slot: usize) -> Result<bool, Error> {
        self.log.push(format!("consume {slot}"));
        Ok(slot == 0)
    }

    fn finish(&mut self, slot: usize) -> Result<bool, Error> {
        self.log.push(format!("finish {slot}"));
        self.channels[slot] = Some(0);
        Ok(true)
    }
}

fn task<'a>(
    path: &'a str,
    node: usize,
    triggers: &'a [usize],
    writes: &[(usize, i32)],
) -> Task<'a, &'a str, i32> {
    Task { path, node, triggers, triggered: !triggers.is_empty(), writes: writes.to_vec() }
}

fn applied(
    board: &mut Logged,
    tasks: &mut [Task<'_, &str, i32>],
    work: &mut Workspace<i32>,
) -> Result<Vec<usize>, Error> {
    let mut triggering = Slots::new(5);
    triggering.insert(1);
    let wiring = Wiring { len: 5, fading: &[2, 3], finishing: &[4], triggering: &triggering };
    apply_writes(board, &wiring, tasks, work)?;
    Ok(work.updated().slots().to_vec())
}

fn board(channels: [Option<i32>; 5]) -> Logged {
    Logged { channels: channels.into(), versioned: true, log: Vec::new() }
}

#[test]
fn each_part_comes_in_its_turn() {
    let mut board = board([None, None, Some(1), None, None]);
    let mut tasks =
        [task("b", 7, &[1, 0], &[(0, 3), (3, 4)]), task("a", 8, &[0], &[(3, 1), (0, 2)])];
    let updated = applied(&mut board, &mut tasks, &mut Workspace::default());
    // Nothing is left that triggers a node, so it comes to `finish`; what faded is empty.
    let expected = [
        "see 8 [0]",
        "see 7 [1, 0]",
        "begin",
        "consume 0",
        "bump 0",
        "consume 1",
        "update 3 [1, 4]",
        "bump 3",
        "update 0 [2, 3]",
        "bump 0",
        "update 2 []",
        "bump 2",
        "finish 4",
        "bump 4",
    ];
    assert_eq!(board.log, expected);
    assert_eq!(updated, Ok(vec![3, 0, 4]));
    assert!(tasks.iter().all(|task| task.writes.is_empty()), "the values are the board's now");
}

#[test]
fn while_a_node_is_triggered_nothing_finishes() {
    let mut board = board([None; 5]);
    let updated =
        applied(&mut board, &mut [task("a", 0, &[0], &[(1, 1)])], &mut Workspace::default());
    assert_eq!(updated, Ok(vec![1]));
    assert!(!board.log.iter().any(|it| it.starts_with("finish")));
}

#[test]
fn input_starts_no_step() {
    let mut board = board([None, None, Some(1), Some(1), None]);
    let updated =
        applied(&mut board, &mut [task("", 0, &[], &[(0, 1)])], &mut Workspace::default());
    assert_eq!(
        (board.log.join(", "), updated),
        ("see 0 [], begin, update 0 [1], bump 0".into(), Ok(vec![0]))
    );
}

#[test]
fn what_a_send_triggers_starts_a_step_without_a_channel() {
    let mut board = board([None, None, Some(1), None, None]);
    let mut sent = task("", 0, &[], &[]);
    sent.triggered = true;
    assert_eq!(applied(&mut board, &mut [sent], &mut Workspace::default()), Ok(vec![4]));
    assert!(board.log.contains(&"update 2 []".into()));
}

#[test]
fn without_versions_nothing_counts_as_updated() {
    let mut board = Logged { versioned: false, ..board([None, None, Some(1), None, None]) };
    let mut tasks = [task("a", 0, &[0], &[(2, 5)])];
    assert_eq!(applied(&mut board, &mut tasks, &mut Workspace::default()), Ok(Vec::new()));
    assert!(!board.log.iter().any(|it| it.starts_with("bump")));
    assert!(board.log.ends_with(&["update 2 [5]".into(), "update 2 []".into(), "finish 4".into()]));
}

#[test]
fn a_failed_step_leaves_nothing_to_the_next() {
    let mut work = Workspace::default();
    let failed =
        applied(&mut board([None; 5]), &mut [task("a", 0, &[0], &[(3, 13), (1, 2)])], &mut work);
    assert_eq!(failed, Err(Error::Unwritable("thirteen")));
    let mut next = board([None; 5]);
    assert_eq!(applied(&mut next, &mut [task("a", 0, &[], &[(1, 3)])], &mut work), Ok(vec![1]));
    assert!(next.log.contains(&"update 1 [3]".into()));
}

#[test]
fn a_channel_that_is_not_there_is_found_before_anything_is_changed() {
    for mut tasks in [[task("a", 0, &[0], &[(0, 1), (5, 1)])], [task("a", 0, &[0, 9], &[])]] {
        let mut board = board([None; 5]);
        let refused = applied(&mut board, &mut tasks, &mut Workspace::default());
        assert!(matches!(refused, Err(Error::NoChannel { slot: 5 | 9, len: 5 })));
        assert!(board.log.is_empty());
    }
}
