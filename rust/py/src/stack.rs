//! Bounds on recursion: by the levels of one message, by nested objects, and by the stack there is.
use std::cell::Cell;

use crate::pause::resumed;

/// Objects (models, sets, dataclasses, ...) inside one another, in one call; each is a message of its own.
pub const MAX_OBJECTS: u32 = 1024;
const RESERVE: usize = 192 * 1024;
const UNKNOWN_STACK: usize = 256 * 1024;

thread_local! {
    static OBJECTS: Cell<u32> = const { Cell::new(0) };
}

/// The address below which this thread's stack must not grow.
pub fn floor() -> usize {
    let remaining = stacker::remaining_stack().unwrap_or(RESERVE + UNKNOWN_STACK);
    here().saturating_sub(remaining - RESERVE.min(remaining / 2))
}

/// About where the stack is now.
#[inline(always)]
pub fn here() -> usize {
    let marker = 0_u8;
    std::hint::black_box(&raw const marker) as usize
}

/// Objects open on this thread in the calls around this one.
pub fn objects() -> u32 {
    OBJECTS.get()
}

/// Notes `count` open objects while `call` runs Python code, which may come back here.
pub fn with_objects<T>(count: u32, call: impl FnOnce() -> T) -> T {
    let before = OBJECTS.replace(count);
    let result = resumed(call);
    OBJECTS.set(before);
    result
}
