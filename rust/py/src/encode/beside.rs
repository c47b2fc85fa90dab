//! The plan of a row whose checkpoint has its parent's channels, in the same order: both are gone
//! through side by side, and where they are the same objects nothing else is asked.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::inline::{Elements, InlineState};
use super::plan::{Changed, Plan, Step};
use super::row::Given;
use crate::walk::Walk;

/// None where it takes more to see what `super::plan::plan` would give.
pub fn plan<'py>(
    given: &Given<'_, 'py>,
    parent: &InlineState,
    settle_min: usize,
) -> PyResult<Option<Plan<'py>>> {
    let py = given.checkpoint.py();
    let before = parent.versions(py);
    let elements = parent.elements();
    if before.len() != given.versions.len() || !elements.in_order() {
        return Ok(None);
    }
    let mut beside = Beside {
        given,
        elements,
        next: 0,
        values: Walk::of(&given.values),
        seen: 0,
        plan: Plan { steps: Vec::new(), carries: false, changed: None },
    };
    let mut changed = Vec::with_capacity(given.fresh.len());
    let (mut walk, mut had) = (Walk::of(&given.versions), Walk::of(&before));
    for at in 0..before.len() {
        let Some((channel, version)) = walk.here() else { return Ok(None) };
        let Some(earlier) = had.pass(channel) else { return Ok(None) };
        walk.go_on();
        // SAFETY: only what classes they are of is read; those that are held on to are alive.
        unsafe {
            if ffi::PyUnicode_CheckExact(channel) == 0 || ffi::PyUnicode_CheckExact(version) == 0 {
                return Ok(None);
            }
            if version == earlier {
                if !beside.carry(channel, settle_min)? {
                    return Ok(None);
                }
                continue;
            }
            let channel = Bound::from_borrowed_ptr(py, channel).cast_into_unchecked::<PyString>();
            let version = Bound::from_borrowed_ptr(py, version);
            if !beside.pack(&channel)? {
                return Ok(None);
            }
            changed.push(Changed { at, channel, version });
        }
    }
    // All new versions are of these channels, and so are all values, the parent's too: none of a
    // name that is another object there was taken for one that is not there.
    let all = changed.len() == given.fresh.len()
        && beside.seen == given.values.len()
        && beside.next == elements.len();
    beside.plan.changed = Some(changed);
    Ok(all.then_some(beside.plan))
}

/// What is gone through beside the versions: the parent's values, and the checkpoint's.
struct Beside<'a, 'py> {
    given: &'a Given<'a, 'py>,
    elements: &'a Elements,
    /// The parent's value that comes next.
    next: usize,
    values: Walk<'a>,
    /// How many values of the checkpoint were met.
    seen: usize,
    plan: Plan<'py>,
}

impl<'py> Beside<'_, 'py> {
    /// Has a channel's value taken over; false where this is not plainly right.
    ///
    /// # Safety
    /// The channel is alive while no Python code runs, an exact str, and the GIL is held.
    unsafe fn carry(&mut self, channel: *mut ffi::PyObject, settle_min: usize) -> PyResult<bool> {
        self.plan.carries = true;
        // SAFETY: the caller's.
        let there = unsafe { self.meet(channel)? };
        let Some(index) = self.element(channel) else { return Ok(!there) };
        if self.elements.len_of(index) > settle_min {
            return Ok(false);
        }
        self.plan.take(index);
        Ok(true)
    }

    /// Has a channel's value packed; false if it has no new version.
    fn pack(&mut self, channel: &Bound<'py, PyString>) -> PyResult<bool> {
        if !self.given.fresh.contains(channel)? {
            return Ok(false);
        }
        // SAFETY: the channel is held.
        unsafe { self.meet(channel.as_ptr())? };
        self.element(channel.as_ptr());
        self.plan.steps.push(Step::Pack(channel.clone()));
        Ok(true)
    }

    /// The place of the channel's value among the parent's, if it has one: they come in turn.
    fn element(&mut self, channel: *mut ffi::PyObject) -> Option<usize> {
        let index = self.next;
        self.next += usize::from(self.elements.is_of(index, channel));
        (self.next > index).then_some(index)
    }

    /// Whether the checkpoint has a value of the channel.
    ///
    /// # Safety
    /// As for `carry`.
    unsafe fn meet(&mut self, channel: *mut ffi::PyObject) -> PyResult<bool> {
        let mut there = self.values.pass(channel).is_some();
        if !there {
            // SAFETY: the caller's.
            let channel = unsafe { Bound::from_borrowed_ptr(self.given.values.py(), channel) };
            there = self.given.values.contains(channel)?;
        }
        self.seen += usize::from(there);
        Ok(there)
    }
}
