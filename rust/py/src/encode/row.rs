//! A checkpoint row whose values are all small, made in one call.
//!
//! `lgckpt.drafting` has the rules and makes any row; what is made here is what it would make, and
//! whatever is not plainly so is left to it.
use lgckpt_core::frame::{self, Codec};
use lgckpt_core::{hash, state};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyBytes, PyDict, PyString};

use super::Encoder;
use super::built::{self, Stored};
use super::entries::Entries;
use super::inline::{Elements, InlineState, MSGPACK, NULL};
use super::plan::{Changed, Plan, Step, plan};
use crate::failure::Done;
use crate::walk::Walk;

/// The parts of a row: its state, the frame of the metadata, the etag, what to remember, and whether
/// anything was to be taken from the parent.
pub type Row<'py> =
    (Bound<'py, PyAny>, Bound<'py, PyBytes>, Bound<'py, PyBytes>, InlineState, bool);

/// What becomes of a row.
#[derive(Clone, Copy)]
pub struct How {
    pub codec: Codec,
    /// The longest value that stays in a row.
    pub inline_max: usize,
    /// The longest of those carried on.
    pub settle_min: usize,
    /// Whether it stays in this process, and may be told by its parent.
    pub stays: bool,
}

/// The same as Python gives it, in this order, the codec by its name.
pub type Rules = (Option<PyBackedStr>, usize, usize, bool);

impl How {
    pub fn of((codec, inline_max, settle_min, stays): Rules) -> PyResult<Self> {
        let codec = crate::pack::codec(codec.as_deref())?;
        Ok(Self { codec, inline_max, settle_min, stays })
    }
}

/// What there is of a row before it is finished.
pub struct Made<'a, 'py> {
    pub given: &'a Given<'a, 'py>,
    pub plan: &'a Plan<'py>,
    pub elements: &'a Elements,
    pub metadata: &'a Bound<'py, PyAny>,
    pub how: How,
}

/// A row's parts.
pub struct Finished {
    pub state: Stored,
    pub metadata: Vec<u8>,
    pub etag: [u8; 8],
    /// The versions, for the next row; none where the state was not written out.
    pub entries: Entries,
}

/// The dicts that a row is made of, each of exactly that class, and the caller's own but for one.
pub struct Given<'a, 'py> {
    pub checkpoint: &'a Bound<'py, PyDict>,
    pub values: Bound<'py, PyDict>,
    /// A copy: what runs Python code may change the caller's, and all parts of a row have the same.
    pub versions: Bound<'py, PyDict>,
    /// What it is a copy of.
    pub theirs: Bound<'py, PyDict>,
    pub fresh: &'a Bound<'py, PyDict>,
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
        let Some(theirs) = dict_at(checkpoint, "channel_versions")? else { return Ok(None) };
        let versions = theirs.copy()?;
        Ok(Some(Self { checkpoint, values, versions, theirs, fresh }))
    }
}

fn dict_at<'py>(dict: &Bound<'py, PyDict>, key: &str) -> PyResult<Option<Bound<'py, PyDict>>> {
    let found = dict.get_item(key)?;
    Ok(found.and_then(|it| it.cast_into_exact().ok()))
}

impl<'py> Encoder<'py> {
    /// The row, or None where it takes more than this path can do.
    pub(super) fn row(
        mut self,
        checkpoint: &Bound<'py, PyAny>,
        metadata: &Bound<'py, PyAny>,
        new_versions: &Bound<'py, PyAny>,
        parent: Option<&Bound<'py, InlineState>>,
        how: How,
    ) -> Done<Option<Row<'py>>> {
        let py = self.py;
        let Some(given) = Given::of(checkpoint, new_versions)? else { return Ok(None) };
        let parent = parent.map(Bound::get);
        let Some(plan) = plan(&given, parent, how.settle_min)? else { return Ok(None) };
        let Some(elements) = self.elements(&given, &plan, parent, how.inline_max)? else {
            return Ok(None);
        };
        let wide = how.stays && given.versions.len() >= built::LEAST;
        let base = parent.filter(|_| wide).and_then(InlineState::base);
        let made = Made { given: &given, plan: &plan, elements: &elements, metadata, how };
        let done = match (base, plan.changed.as_deref()) {
            (Some(base), Some(changed)) => self.told(&made, base, changed)?,
            _ => self.written(&made, parent)?,
        };
        let Some(Finished { state, metadata, etag, entries }) = done else { return Ok(None) };
        let object = state.object(py);
        let kept =
            InlineState::new(given.versions, entries, elements, wide.then_some((state, etag)));
        let bytes = |part: &[u8]| PyBytes::new(py, part);
        Ok(Some((object, bytes(&metadata), bytes(&etag), kept, plan.carries)))
    }

    /// A row with the state written out.
    fn written(
        &mut self,
        made: &Made<'_, 'py>,
        parent: Option<&InlineState>,
    ) -> Done<Option<Finished>> {
        let changed = made.plan.changed.as_deref();
        let Some(entries) = self.entries(&made.given.versions, parent, changed)? else {
            return Ok(None);
        };
        let Some(state) = self.state(made, &entries)? else { return Ok(None) };
        let Some(metadata) = self.metadata(made)? else { return Ok(None) };
        let state = frame::seal(&state, made.how.codec);
        let etag = hash::etag(&[&state, &metadata]);
        let state = Stored::Whole(PyBytes::new(self.py, &state).unbind());
        Ok(Some(Finished { state, metadata, etag, entries }))
    }

    /// The frame of the metadata.
    pub(super) fn metadata(&mut self, made: &Made<'_, 'py>) -> Done<Option<Vec<u8>>> {
        let Some(metadata) = self.packed(made.metadata)? else { return Ok(None) };
        let plain = [MSGPACK.as_bytes(), b"\0", metadata].concat();
        Ok(Some(frame::seal(&plain, made.how.codec)))
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
                (Step::Rename(index, channel), Some(before)) => {
                    made.take(self.py, before, *index..index + 1);
                    made.rename_last(channel);
                }
                (Step::Take(_) | Step::Rename(..), None) => return Ok(None),
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

    /// The versions, packed one by one: but for those that are others, as the parent has them. None
    /// where one is more than a scalar.
    fn entries(
        &mut self,
        versions: &Bound<'py, PyDict>,
        parent: Option<&InlineState>,
        changed: Option<&[Changed<'py>]>,
    ) -> Done<Option<Entries>> {
        let parent = parent.filter(|it| it.entries().len() == versions.len());
        if let (Some(parent), Some(changed)) = (parent, changed) {
            let mut others = Vec::with_capacity(changed.len());
            for Changed { at, channel, version } in changed {
                // SAFETY: both are held.
                let Some(entry) = (unsafe { self.entry(channel.as_ptr(), version.as_ptr())? })
                else {
                    return Ok(None);
                };
                others.push((*at, entry.to_vec()));
            }
            return Ok(Some(Entries::patched(parent.entries(), &others)));
        }
        let mut entries = Entries::with_room(versions.len());
        let mut walk = Walk::of(versions);
        while let Some((channel, version)) = walk.here() {
            // SAFETY: this dict is ours alone, and keeps its items.
            let Some(entry) = (unsafe { self.entry(channel, version)? }) else { return Ok(None) };
            entries.push(entry);
            walk.go_on();
        }
        Ok(Some(entries))
    }

    /// A channel and its version, if they are a text and a scalar.
    ///
    /// # Safety
    /// Both are alive, and the GIL is held.
    pub(super) unsafe fn entry(
        &mut self,
        channel: *mut ffi::PyObject,
        version: *mut ffi::PyObject,
    ) -> Done<Option<&[u8]>> {
        let start = self.out.len();
        // SAFETY: the caller's.
        unsafe {
            if ffi::PyUnicode_CheckExact(channel) == 0 {
                return Ok(None);
            }
            self.key_text(channel)?;
            let Some(done) = self.scalar(version) else { return Ok(None) };
            done?;
        }
        Ok(Some(self.out.since(start)))
    }

    /// The plain bytes of the row's state.
    fn state(&mut self, made: &Made<'_, 'py>, entries: &Entries) -> Done<Option<Vec<u8>>> {
        let Some((_, checkpoint)) = self.bare(made.given, entries.packed())? else {
            return Ok(None);
        };
        let values = made.elements.packed();
        let mut state = Vec::with_capacity(checkpoint.len() + values.len() + 32);
        if state::open(&mut state, MSGPACK, checkpoint, made.elements.len()).is_err() {
            return Ok(None);
        }
        state.extend_from_slice(values);
        Ok(Some(state))
    }

    /// The msgpack of the checkpoint without its values, and where in it these versions are.
    pub(super) fn bare(
        &mut self,
        given: &Given<'_, 'py>,
        versions: &[u8],
    ) -> Done<Option<(usize, &[u8])>> {
        let bare = given.checkpoint.copy()?;
        bare.del_item(intern!(self.py, "channel_values"))?;
        let (start, mut place) = (self.out.len(), None);
        self.out.reserve_about(versions.len())?;
        self.open_map(bare.len())?;
        let mut walk = Walk::of(&bare);
        while let Some((key, value)) = walk.here() {
            // SAFETY: this dict is ours alone, and keeps its items.
            unsafe {
                if ffi::PyUnicode_CheckExact(key) == 0 {
                    return Ok(None);
                }
                self.key_text(key)?;
                if value == given.theirs.as_ptr() && place.is_none() {
                    self.open_map(given.versions.len())?;
                    place = Some(self.out.len() - start);
                    self.out.write(versions)?;
                    self.close();
                } else {
                    self.item(value)?;
                }
            }
            walk.go_on();
        }
        self.close();
        Ok(place.map(|place| (place, self.out.since(start))))
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
