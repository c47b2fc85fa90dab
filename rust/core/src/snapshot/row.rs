//! The parts of a checkpoint row: the frames of its state and metadata, and its etag.

use std::ops::Range;

use super::encode::Encode;
use super::{Source, VERSION};
use crate::channel::{Seen, View};
use crate::error::Result;
use crate::frame::{Codec, Sealer};
use crate::msgpack::{Kind, header};
use crate::{hash, put, state};

const MSGPACK: &str = "msgpack";
/// The ext in which `JsonPlusSerializer` has a class and the one argument to call it with.
const CONSTRUCTOR: u8 = 0;

/// What a backend stores of a checkpoint.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Row {
    /// The frame of the checkpoint and its values.
    pub state: Vec<u8>,
    /// The frame of the metadata.
    pub metadata: Vec<u8>,
    /// Changes whenever one of them does.
    pub etag: [u8; 8],
}

/// Makes rows, one after another in the same memory.
#[derive(Debug, Default)]
pub struct RowWriter {
    checkpoint: Vec<u8>,
    values: Vec<u8>,
    /// Where each value is among them.
    places: Vec<Range<usize>>,
    plain: Vec<u8>,
}

impl RowWriter {
    /// Makes the row of a checkpoint; `metadata` is in msgpack.
    pub fn write<V: Encode, R, N: Encode + Clone + PartialOrd>(
        &mut self,
        source: &Source<'_, V, R, N>,
        metadata: &[u8],
        codec: Codec,
    ) -> Result<Row> {
        self.checkpoint.clear();
        checkpoint(&mut self.checkpoint, source)?;
        self.encode(source)?;
        self.state(source)?;
        let mut sealer = Sealer::new(codec);
        let state = sealer.seal(&self.plain);
        self.plain.clear();
        for part in [MSGPACK.as_bytes(), b"\0", metadata] {
            self.plain.extend_from_slice(part);
        }
        let metadata = sealer.seal(&self.plain);
        let etag = hash::etag(&[&state, &metadata]);
        Ok(Row { state, metadata, etag })
    }

    /// Encodes the values one after another.
    fn encode<V: Encode, R, N: Clone + PartialOrd>(
        &mut self,
        source: &Source<'_, V, R, N>,
    ) -> Result<()> {
        self.values.clear();
        self.places.clear();
        for (_, view) in source.progress.stored() {
            let start = self.values.len();
            encode_view(&mut self.values, view)?;
            self.places.push(start..self.values.len());
        }
        Ok(())
    }

    /// Puts checkpoint and values together.
    fn state<V, R, N: Clone + PartialOrd>(&mut self, source: &Source<'_, V, R, N>) -> Result<()> {
        self.plain.clear();
        let mut names = source.progress.stored().map(|(name, _)| &**name);
        let values = self.places.iter().map(|place| {
            let (tag, data) = tagged(&self.values[place.clone()]);
            state::Value { channel: names.next().unwrap_or_default(), tag, data }
        });
        state::append(&mut self.plain, MSGPACK, &self.checkpoint, values)
    }
}

/// A checkpoint without its values, with the keys in LangGraph's order.
fn checkpoint<V, R, N: Encode + Clone + PartialOrd>(
    out: &mut Vec<u8>,
    source: &Source<'_, V, R, N>,
) -> Result<()> {
    put::map(out, 6)?;
    put::text(out, "v")?;
    put::uint(out, VERSION.into());
    put::text(out, "ts")?;
    put::text(out, source.ts)?;
    put::text(out, "id")?;
    put::text(out, source.id)?;
    put::text(out, "channel_versions")?;
    put::map(out, source.progress.channel_versions().count())?;
    for (name, version) in source.progress.channel_versions() {
        put::text(out, name)?;
        version.msgpack(out)?;
    }
    put::text(out, "versions_seen")?;
    put::map(out, source.progress.seen_len())?;
    for (node, row) in source.progress.versions_seen(source.topology) {
        put::text(out, node)?;
        put::map(out, row.len())?;
        for (name, version) in row {
            put::text(out, name)?;
            version.msgpack(out)?;
        }
    }
    put::text(out, "updated_channels")?;
    let updated = source.updated();
    put::array(out, updated.len())?;
    updated.iter().try_for_each(|name| put::text(out, name))
}

/// What a channel keeps, as `JsonPlusSerializer` packs what LangGraph's channel keeps.
fn encode_view<V: Encode>(out: &mut Vec<u8>, view: View<'_, V>) -> Result<()> {
    match view {
        View::Missing => Ok(()),
        View::Value(value) => value.msgpack(out),
        View::Finished(value, finished) => {
            put::array(out, 2)?;
            value.msgpack(out)?;
            put::bool(out, finished);
            Ok(())
        }
        View::Values(values) => {
            put::array(out, values.len())?;
            values.iter().try_for_each(|value| value.msgpack(out))
        }
        View::Seen(seen) => encode_set(out, seen),
        View::SeenFinished(seen, finished) => {
            put::array(out, 2)?;
            encode_set(out, seen)?;
            put::bool(out, finished);
            Ok(())
        }
    }
}

fn encode_set<V: Encode>(out: &mut Vec<u8>, seen: &Seen<V>) -> Result<()> {
    let mut body = Vec::new();
    put::array(&mut body, 3)?;
    put::text(&mut body, "builtins")?;
    put::text(&mut body, "set")?;
    put::array(&mut body, seen.len())?;
    seen.iter().try_for_each(|value| value.msgpack(&mut body))?;
    put::ext(out, CONSTRUCTOR, &body)
}

/// The serializer's tag for a value and the bytes under it: nil and bin are not msgpack to it.
fn tagged(packed: &[u8]) -> (&'static str, &[u8]) {
    match packed {
        [0xc0] => ("null", &[]),
        [0xc4..=0xc6, ..] => match header(packed, 0) {
            Some((head, Kind::Text(len))) if head + len == packed.len() => {
                ("bytes", &packed[head..])
            }
            _ => (MSGPACK, packed),
        },
        _ => (MSGPACK, packed),
    }
}
