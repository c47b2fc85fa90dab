//! A checkpoint row whose values are all small, made in one call.
//!
//! `lgckpt.drafting` has the rules and makes any row; what is made here is what it would make, and
//! whatever is not plainly so is left to it.
use lgckpt_core::frame::{self, Codec};
use lgckpt_core::{hash, state};
use pyo3::exceptions::PyValueError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use super::Encoder;
use crate::failure::Done;
use crate::text::utf8;

const MSGPACK: &str = "msgpack";
const NULL: &str = "null";
const BYTES: &str = "bytes";

/// The values of a row, each with its channel, and the versions of its channels.
#[pyclass(frozen, module = "lgckpt._core")]
pub struct InlineState {
    versions: Py<PyDict>,
    values: Vec<Inline>,
}

struct Inline {
    channel: Py<PyString>,
    tag: &'static str,
    data: Box<[u8]>,
}

/// The parts of a row: the frames of the state and the metadata, the etag, what to remember, and
/// whether anything was to be taken from the parent.
pub type Row<'py> =
    (Bound<'py, PyBytes>, Bound<'py, PyBytes>, Bound<'py, PyBytes>, InlineState, bool);

/// One value: its channel, its tag, its bytes.
type Part<'py> = (Bound<'py, PyString>, &'static str, Bound<'py, PyBytes>);

#[pymethods]
impl InlineState {
    #[getter]
    fn versions<'py>(&self, py: Python<'py>) -> Bound<'py, PyDict> {
        self.versions.bind(py).clone()
    }

    #[getter]
    fn nbytes(&self) -> usize {
        self.values.iter().map(|it| it.data.len() + 64).sum()
    }

    /// The values in order.
    fn values<'py>(&self, py: Python<'py>) -> Vec<Part<'py>> {
        let part = |it: &Inline| (it.channel.bind(py).clone(), it.tag, PyBytes::new(py, &it.data));
        self.values.iter().map(part).collect()
    }
}

impl InlineState {
    /// What is remembered of a row made elsewhere.
    pub(super) fn new(
        versions: Bound<'_, PyDict>,
        values: Vec<(Bound<'_, PyString>, String, Bound<'_, PyBytes>)>,
    ) -> PyResult<Self> {
        let values = values.into_iter().map(|(channel, tag, data)| {
            let data = data.as_bytes().into();
            Ok(Inline { channel: channel.unbind(), tag: known_tag(&tag)?, data })
        });
        Ok(Self { versions: versions.unbind(), values: values.collect::<PyResult<_>>()? })
    }

    /// The value of a channel, sought from a place on, where that of the next one stands by habit:
    /// a row keeps the order of the one before, but for the channels that changed.
    fn find(
        &self,
        py: Python<'_>,
        channel: &Bound<'_, PyString>,
        from: &mut usize,
    ) -> PyResult<Option<&Inline>> {
        let (before, after) = self.values.split_at((*from).min(self.values.len()));
        let around = || after.iter().chain(before).enumerate();
        let mut found = around().find(|(_, it)| it.channel.is(channel));
        if found.is_none() {
            for (place, value) in around() {
                if value.channel.bind(py).as_any().eq(channel)? {
                    found = Some((place, value));
                    break;
                }
            }
        }
        let Some((place, value)) = found else { return Ok(None) };
        *from = (before.len() + place + 1) % self.values.len();
        Ok(Some(value))
    }
}

fn known_tag(tag: &str) -> PyResult<&'static str> {
    [MSGPACK, NULL, BYTES]
        .into_iter()
        .find(|&it| it == tag)
        .ok_or_else(|| PyValueError::new_err(format!("no row is made of values tagged {tag:?}")))
}

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
        let Some((mut values, carried)) = carried(&given, parent, settle_min)? else {
            return Ok(None);
        };
        if !self.changed(&given, inline_max, &mut values)? {
            return Ok(None);
        }
        let versions = given.versions.copy()?;
        let Some(state) = self.state(&given, &values)? else { return Ok(None) };
        let Some(metadata) = self.packed(metadata)? else { return Ok(None) };
        let state = frame::seal(&state, codec);
        let metadata = frame::seal(&[MSGPACK.as_bytes(), b"\0", metadata].concat(), codec);
        let etag = hash::etag(&[&state, &metadata]);
        let bytes = |part: &[u8]| PyBytes::new(py, part);
        let kept = InlineState { versions: versions.unbind(), values };
        Ok(Some((bytes(&state), bytes(&metadata), bytes(&etag), kept, carried)))
    }

    /// Packs the values that have a new version; false where one is not for this path.
    fn changed(
        &mut self,
        given: &Given<'_, 'py>,
        inline_max: usize,
        values: &mut Vec<Inline>,
    ) -> Done<bool> {
        for channel in given.fresh.keys() {
            let Some(value) = given.values.get_item(&channel)? else { continue };
            let Ok(channel) = channel.cast_into_exact::<PyString>() else { return Ok(false) };
            let (tag, data) = if value.is_none() {
                (NULL, [].as_slice())
            } else {
                let Some(data) = self.packed(&value)? else { return Ok(false) };
                (MSGPACK, data)
            };
            if data.len() > inline_max {
                return Ok(false);
            }
            values.push(Inline { channel: channel.unbind(), tag, data: data.into() });
        }
        Ok(true)
    }

    /// The plain bytes of the row's state.
    fn state(&mut self, given: &Given<'_, 'py>, values: &[Inline]) -> Done<Option<Vec<u8>>> {
        let bare = given.checkpoint.copy()?;
        bare.del_item("channel_values")?;
        let Some(checkpoint) = self.packed(bare.as_any())? else { return Ok(None) };
        let mut parts = Vec::with_capacity(values.len());
        for value in values {
            // SAFETY: `value` holds the string for as long as its bytes are borrowed.
            let Some(channel) = (unsafe { utf8(value.channel.as_ptr()) }) else { return Ok(None) };
            // SAFETY: CPython gives valid UTF-8.
            let channel = unsafe { str::from_utf8_unchecked(channel) };
            parts.push(state::Value { channel, tag: value.tag, data: &value.data });
        }
        Ok(state::write(MSGPACK, checkpoint, parts.into_iter()))
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

/// The values that have no new version, from the parent's row, and whether there are such channels.
///
/// None where one is not there, or was put in another version, or belongs in a chunk of its own.
fn carried(
    given: &Given<'_, '_>,
    parent: Option<&Bound<'_, InlineState>>,
    settle_min: usize,
) -> PyResult<Option<(Vec<Inline>, bool)>> {
    let py = given.checkpoint.py();
    let mut values = Vec::with_capacity(given.values.len());
    let (mut any, mut next) = (false, 0);
    for channel in given.versions.keys() {
        let Ok(channel) = channel.cast_into_exact::<PyString>() else { return Ok(None) };
        if given.fresh.contains(&channel)? {
            continue;
        }
        let version = given.versions.get_item(&channel)?;
        any = true;
        let Some(parent) = parent.map(Bound::get) else { return Ok(None) };
        if !same(parent.versions.bind(py).get_item(&channel)?, version)? {
            return Ok(None);
        }
        match parent.find(py, &channel, &mut next)? {
            Some(it) if it.data.len() <= settle_min => values.push(Inline {
                channel: channel.unbind(),
                tag: it.tag,
                data: it.data.clone(),
            }),
            None if !given.values.contains(&channel)? => {}
            _ => return Ok(None),
        }
    }
    for channel in given.values.keys() {
        if !given.versions.contains(&channel)? && !given.fresh.contains(&channel)? {
            return Ok(None);
        }
    }
    Ok(Some((values, any)))
}

/// Whether two versions are equal strings, as LangGraph's savers make them.
fn same<'py>(one: Option<Bound<'py, PyAny>>, other: Option<Bound<'py, PyAny>>) -> PyResult<bool> {
    let (Some(one), Some(other)) = (one, other) else { return Ok(false) };
    if one.is(&other) && one.is_exact_instance_of::<PyString>() {
        return Ok(true);
    }
    if !one.is_exact_instance_of::<PyString>() || !other.is_exact_instance_of::<PyString>() {
        return Ok(false);
    }
    one.eq(other)
}
