//! A checkpoint row whose values are all small, made in one call.
//!
//! `lgckpt.drafting` has the rules and makes any row; what is made here is what it would make, and
//! whatever is not plainly so is left to it.
use std::ops::Range;

use lgckpt_core::frame::{self, Codec};
use lgckpt_core::{hash, state};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

use super::Encoder;
use super::inline::{Elements, InlineState, MSGPACK, NULL};
use crate::failure::Done;

/// The parts of a row: the frames of the state and the metadata, the etag, what to remember, and
/// whether anything was to be taken from the parent.
pub type Row<'py> =
    (Bound<'py, PyBytes>, Bound<'py, PyBytes>, Bound<'py, PyBytes>, InlineState, bool);

/// The dicts that a row is made of, each the caller's own and of exactly that class.
struct Given<'a, 'py> {
    checkpoint: &'a Bound<'py, PyDict>,
    values: Bound<'py, PyDict>,
    versions: Bound<'py, PyDict>,
    fresh: &'a Bound<'py, PyDict>,
}

impl<'a, 'py> Given<'a, 'py> {
    fn of(
        checkpoint: &'a Bound<'py, PyAny>,
        fresh: &'a Bound<'py, PyAny>,
    ) -> PyResult<Option<Self>> {
        let (Ok(checkpoint), Ok(fresh)) = (checkpoint.cast_exact(), fresh.cast_exact()) else {
            return Ok(None);
        };
        let Some(values) = dict_at(checkpoint, "channel_values")? else { return Ok(None) };
        let Some(versions) = dict_at(checkpoint, "channel_versions")? else { return Ok(None) };
        Ok(Some(Self { checkpoint, values, versions, fresh }))
    }
}

fn dict_at<'py>(dict: &Bound<'py, PyDict>, key: &str) -> PyResult<Option<Bound<'py, PyDict>>> {
    let found = dict.get_item(key)?;
    Ok(found.and_then(|it| it.cast_into_exact().ok()))
}

impl<'py> Encoder<'py> {
    /// The row, or None where it takes more than this path can do.
    ///
    /// `limits` are the longest value that stays in a row, and the longest of those carried on.
    pub(super) fn row(
        mut self,
        checkpoint: &Bound<'py, PyAny>,
        metadata: &Bound<'py, PyAny>,
        new_versions: &Bound<'py, PyAny>,
        parent: Option<&Bound<'py, InlineState>>,
        codec: Codec,
        (inline_max, settle_min): (usize, usize),
    ) -> Done<Option<Row<'py>>> {
        let py = self.py;
        let Some(given) = Given::of(checkpoint, new_versions)? else { return Ok(None) };
        let parent = parent.map(Bound::get);
        let Some(plan) = plan(&given, parent, settle_min)? else { return Ok(None) };
        // What runs Python code may change the caller's dicts: those were read.
        let versions = given.versions.copy()?;
        let Some(elements) = self.elements(&given, &plan, parent, inline_max)? else {
            return Ok(None);
        };
        let Some(state) = self.state(&given, &elements)? else { return Ok(None) };
        let Some(metadata) = self.packed(metadata)? else { return Ok(None) };
        let state = frame::seal(&state, codec);
        let metadata = frame::seal(&[MSGPACK.as_bytes(), b"\0", metadata].concat(), codec);
        let etag = hash::etag(&[&state, &metadata]);
        let bytes = |part: &[u8]| PyBytes::new(py, part);
        let kept = InlineState::new(versions, elements);
        Ok(Some((bytes(&state), bytes(&metadata), bytes(&etag), kept, plan.carries)))
    }

    /// The values in the order of the plan; None where one is not for this path.
    fn elements(
        &mut self,
        given: &Given<'_, 'py>,
        plan: &Plan<'py>,
        parent: Option<&InlineState>,
        inline_max: usize,
    ) -> Done<Option<Elements>> {
        let before = parent.map(InlineState::elements);
        let mut made = Elements::with_room_of(before, plan.steps.len());
        for step in &plan.steps {
            match (step, before) {
                (Step::Take(run), Some(before)) => made.take(self.py, before, run.clone()),
                (Step::Take(_), None) => return Ok(None),
                (Step::Pack(channel), _) => {
                    if !self.element(given, channel, inline_max, &mut made)? {
                        return Ok(None);
                    }
                }
            }
        }
        Ok(Some(made))
    }

    /// Packs a value that has a new version, if there is one; false for one not for this path.
    fn element(
        &mut self,
        given: &Given<'_, 'py>,
        channel: &Bound<'py, PyString>,
        inline_max: usize,
        made: &mut Elements,
    ) -> Done<bool> {
        let Some(value) = given.values.get_item(channel)? else { return Ok(true) };
        if value.is_none() {
            return Ok(made.push(channel.clone(), NULL, &[]));
        }
        let Some(data) = self.packed(&value)? else { return Ok(false) };
        Ok(data.len() <= inline_max && made.push(channel.clone(), MSGPACK, data))
    }

    /// The plain bytes of the row's state.
    fn state(&mut self, given: &Given<'_, 'py>, elements: &Elements) -> Done<Option<Vec<u8>>> {
        let bare = given.checkpoint.copy()?;
        bare.del_item(intern!(self.py, "channel_values"))?;
        let Some(checkpoint) = self.packed(bare.as_any())? else { return Ok(None) };
        let mut state = Vec::with_capacity(checkpoint.len() + elements.packed().len() + 32);
        if state::open(&mut state, MSGPACK, checkpoint, elements.len()).is_err() {
            return Ok(None);
        }
        state.extend_from_slice(elements.packed());
        Ok(Some(state))
    }

    /// The msgpack of a value; None for one that the serializer does not pack as such.
    fn packed(&mut self, value: &Bound<'py, PyAny>) -> Done<Option<&[u8]>> {
        let object = value.as_ptr();
        // SAFETY: the object is alive and the GIL is held.
        let raw = unsafe {
            value.is_none()
                || ffi::PyBytes_Check(object) != 0
                || ffi::PyByteArray_Check(object) != 0
        };
        if raw {
            return Ok(None);
        }
        let start = self.out.len();
        // SAFETY: `value` is held by the caller, and the GIL is held.
        unsafe { self.item(object) }?;
        Ok(Some(self.out.since(start)))
    }
}

/// What a row's values are made of, in the order of the versions, any others after them.
struct Plan<'py> {
    steps: Vec<Step<'py>>,
    /// Whether there are channels without a new version.
    carries: bool,
}

enum Step<'py> {
    /// Elements of the parent's that stand side by side.
    Take(Range<usize>),
    /// A channel that has a new version.
    Pack(Bound<'py, PyString>),
}

/// None where a value without a new version is not there, or was put in another version, or belongs
/// in a chunk of its own.
fn plan<'py>(
    given: &Given<'_, 'py>,
    parent: Option<&InlineState>,
    settle_min: usize,
) -> PyResult<Option<Plan<'py>>> {
    let py = given.checkpoint.py();
    let mut plan = Plan { steps: Vec::new(), carries: false };
    let mut before = parent.map(|it| Before::of(py, it));
    let mut next = 0;
    for (channel, version) in given.versions.keys().iter().zip(given.versions.values()) {
        let Ok(channel) = channel.cast_into_exact::<PyString>() else { return Ok(None) };
        if given.fresh.contains(&channel)? {
            if let Some(before) = &mut before {
                before.pass(&channel);
            }
            plan.steps.push(Step::Pack(channel));
            continue;
        }
        plan.carries = true;
        let Some(before) = &mut before else { return Ok(None) };
        if !before.has(&channel, &version)? {
            return Ok(None);
        }
        match before.elements.find(py, &channel, next)? {
            Some(index) if before.elements.len_of(index) <= settle_min => {
                plan.take(index);
                next = index + 1;
            }
            None if !given.values.contains(&channel)? => {}
            _ => return Ok(None),
        }
    }
    Ok(plan.rest(given)?.then_some(plan))
}

impl<'py> Plan<'py> {
    fn take(&mut self, index: usize) {
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

/// The parent, whose versions are walked beside those of the checkpoint: they have their order.
struct Before<'a, 'py> {
    elements: &'a Elements,
    versions: Bound<'py, PyDict>,
    names: Bound<'py, PyList>,
    values: Bound<'py, PyList>,
    next: usize,
}

impl<'a, 'py> Before<'a, 'py> {
    fn of(py: Python<'py>, parent: &'a InlineState) -> Self {
        let versions = parent.versions(py);
        let (names, values) = (versions.keys(), versions.values());
        Self { elements: parent.elements(), versions, names, values, next: 0 }
    }

    /// Goes on beyond a channel, if it is the one that comes next; whether it is.
    fn pass(&mut self, channel: &Bound<'py, PyString>) -> bool {
        let beside = self.names.get_item(self.next).is_ok_and(|name| name.is(channel));
        self.next += usize::from(beside);
        beside
    }

    /// Whether a channel had this version: the same text, as LangGraph's savers make it.
    fn has(
        &mut self,
        channel: &Bound<'py, PyString>,
        version: &Bound<'py, PyAny>,
    ) -> PyResult<bool> {
        let had = if self.pass(channel) {
            Some(self.values.get_item(self.next - 1)?)
        } else {
            self.versions.get_item(channel)?
        };
        let Some(had) = had else { return Ok(false) };
        if !had.is_exact_instance_of::<PyString>() || !version.is_exact_instance_of::<PyString>() {
            return Ok(false);
        }
        Ok(had.is(version) || had.eq(version)?)
    }
}
