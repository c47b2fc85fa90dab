//! What a row's values are made of: which are packed, and which are taken over from the parent's.

use std::ops::Range;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::beside;
use super::inline::InlineState;
use super::row::Given;

/// What a row's values are made of, in the order of the versions, any others after them.
pub struct Plan<'py> {
    pub steps: Vec<Step<'py>>,
    /// Whether there are channels without a new version.
    pub carries: bool,
    /// The versions that are others than the parent's, if all channels are the parent's, in order.
    pub changed: Option<Vec<Changed<'py>>>,
}

/// A channel with another version than the parent's.
pub struct Changed<'py> {
    /// Where among the versions.
    pub at: usize,
    pub channel: Bound<'py, PyString>,
    pub version: Bound<'py, PyAny>,
}

pub enum Step<'py> {
    /// Elements of the parent's that stand side by side.
    Take(Range<usize>),
    /// One whose channel's name is another object now: the next row is to find it by this one.
    Rename(usize, Bound<'py, PyString>),
    /// A channel that has a new version.
    Pack(Bound<'py, PyString>),
}

/// None where a value without a new version is not there, or was put in another version, or belongs
/// in a chunk of its own.
pub fn plan<'py>(
    given: &Given<'_, 'py>,
    parent: Option<&InlineState>,
    settle_min: usize,
) -> PyResult<Option<Plan<'py>>> {
    let py = given.checkpoint.py();
    if let Some(plan) = parent.map(|it| beside::plan(given, it, settle_min)).transpose()?.flatten()
    {
        return Ok(Some(plan));
    }
    let mut plan = Plan { steps: Vec::new(), carries: false, changed: None };
    let before = parent.map(|it| (it.versions(py), it.elements()));
    let mut next = 0;
    for (channel, version) in given.versions.keys().iter().zip(given.versions.values()) {
        let Ok(channel) = channel.cast_into_exact::<PyString>() else { return Ok(None) };
        if given.fresh.contains(&channel)? {
            plan.steps.push(Step::Pack(channel));
            continue;
        }
        plan.carries = true;
        let Some((before, elements)) = &before else { return Ok(None) };
        if !had(before, &channel, &version)? {
            return Ok(None);
        }
        match elements.find(py, &channel, next)? {
            Some(index) if elements.len_of(index) <= settle_min => {
                next = index + 1;
                if elements.is_of(index, channel.as_ptr()) {
                    plan.take(index);
                } else {
                    plan.steps.push(Step::Rename(index, channel));
                }
            }
            None if !given.values.contains(&channel)? => {}
            _ => return Ok(None),
        }
    }
    Ok(plan.rest(given)?.then_some(plan))
}

impl<'py> Plan<'py> {
    /// Adds an element of the parent's.
    pub fn take(&mut self, index: usize) {
        match self.steps.last_mut() {
            Some(Step::Take(run)) if run.end == index => run.end += 1,
            _ => self.steps.push(Step::Take(index..index + 1)),
        }
    }

    /// Adds the channels that have a new version and are in no version of the checkpoint's; false
    /// where a value has neither.
    fn rest(&mut self, given: &Given<'_, 'py>) -> PyResult<bool> {
        for channel in given.fresh.keys() {
            let Ok(channel) = channel.cast_into_exact::<PyString>() else { return Ok(false) };
            if !given.versions.contains(&channel)? {
                self.steps.push(Step::Pack(channel));
            }
        }
        for channel in given.values.keys() {
            if !given.versions.contains(&channel)? && !given.fresh.contains(&channel)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whether a channel had this version: the same text, as LangGraph's savers make it.
fn had<'py>(
    before: &Bound<'py, PyDict>,
    channel: &Bound<'py, PyString>,
    version: &Bound<'py, PyAny>,
) -> PyResult<bool> {
    let Some(had) = before.get_item(channel)? else { return Ok(false) };
    if !had.is_exact_instance_of::<PyString>() || !version.is_exact_instance_of::<PyString>() {
        return Ok(false);
    }
    Ok(had.is(version) || had.eq(version)?)
}
