//! The plain bytes of a checkpoint row whose values all lie in the row itself.
//!
//! ```text
//! [version, tag, checkpoint, [[channel, tag, value], ...]]
//! ```
//!
//! in msgpack: tags and channels are str, the checkpoint and the values bin. A row that has larger
//! values beside these describes each with six parts instead of three; it is not read here.

use crate::error::Result;
use crate::msgpack::{Kind, each, header};
use crate::put::{array, binary, text};

/// The version of the layout.
pub const VERSION: u8 = 1;

/// One value: its channel, how it is serialized, its bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Value<'a> {
    /// The name of the channel.
    pub channel: &'a str,
    /// The serializer's tag.
    pub tag: &'a str,
    /// The serialized value.
    pub data: &'a [u8],
}

/// Writes a state; `None` if a part is longer than msgpack allows.
pub fn write<'a>(
    tag: &str,
    checkpoint: &[u8],
    values: impl ExactSizeIterator<Item = Value<'a>>,
) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(checkpoint.len() + 64 * (values.len() + 1));
    append(&mut out, tag, checkpoint, values).ok()?;
    Some(out)
}

/// Appends a state; what is appended is of no use if that fails.
pub fn append<'a>(
    out: &mut Vec<u8>,
    tag: &str,
    checkpoint: &[u8],
    mut values: impl ExactSizeIterator<Item = Value<'a>>,
) -> Result<()> {
    open(out, tag, checkpoint, values.len())?;
    values.try_for_each(|value| element(out, value))
}

/// Appends all of a state that stands before its values.
pub fn open(out: &mut Vec<u8>, tag: &str, checkpoint: &[u8], values: usize) -> Result<()> {
    out.extend_from_slice(&[0x94, VERSION]);
    text(out, tag)?;
    binary(out, checkpoint)?;
    array(out, values)
}

/// Appends one value.
pub fn element(out: &mut Vec<u8>, value: Value<'_>) -> Result<()> {
    out.push(0x93);
    text(out, value.channel)?;
    text(out, value.tag)?;
    binary(out, value.data)
}

/// Reads a state; `None` for any other bytes, among them states with larger values.
#[must_use]
pub fn parse(plain: &[u8]) -> Option<(&str, &[u8], Vec<Value<'_>>)> {
    let mut rest = plain.strip_prefix(&[0x94, VERSION])?;
    let tag = str::from_utf8(body(&mut rest, is_text)?).ok()?;
    let checkpoint = body(&mut rest, is_binary)?;
    let (head, Kind::Array(count)) = header(rest, 0)? else { return None };
    rest = &rest[head..];
    // Each value takes four bytes at least: no room is made for a hostile count.
    let mut values = Vec::with_capacity(count.min(rest.len() / 4));
    for _ in 0..count {
        rest = rest.strip_prefix(&[0x93])?;
        let channel = str::from_utf8(body(&mut rest, is_text)?).ok()?;
        let tag = str::from_utf8(body(&mut rest, is_text)?).ok()?;
        values.push(Value { channel, tag, data: body(&mut rest, is_binary)? });
    }
    rest.is_empty().then_some((tag, checkpoint, values))
}

/// A state's parts.
pub(crate) struct Split<'a> {
    pub tag: &'a str,
    pub checkpoint: &'a [u8],
    /// The values as they stand, each with its channel and its tag.
    pub values: Vec<&'a [u8]>,
}

/// Takes a state apart; `None` for any other bytes.
pub(crate) fn split(plain: &[u8]) -> Option<Split<'_>> {
    let mut rest = plain.strip_prefix(&[0x94, VERSION])?;
    let tag = str::from_utf8(body(&mut rest, is_text)?).ok()?;
    let checkpoint = body(&mut rest, is_binary)?;
    let (head, Kind::Array(count)) = header(rest, 0)? else { return None };
    let values = each(rest, head, count, 1)?;
    let end = head + values.iter().map(|value| value.len()).sum::<usize>();
    (end == rest.len()).then_some(Split { tag, checkpoint, values })
}

fn is_text(marker: u8) -> bool {
    matches!(marker, 0xa0..=0xbf | 0xd9..=0xdb)
}

fn is_binary(marker: u8) -> bool {
    matches!(marker, 0xc4..=0xc6)
}

/// The body of the next str or bin.
fn body<'a>(rest: &mut &'a [u8], wanted: fn(u8) -> bool) -> Option<&'a [u8]> {
    if !wanted(*rest.first()?) {
        return None;
    }
    let (head, Kind::Text(len)) = header(rest, 0)? else { return None };
    let body = rest[head..].get(..len)?;
    *rest = &rest[head + len..];
    Some(body)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::{Value, parse, write};

    fn written(tag: &str, checkpoint: &[u8], values: &[(String, String, Vec<u8>)]) -> Vec<u8> {
        let values = values.iter();
        write(tag, checkpoint, values.map(|(c, t, d)| Value { channel: c, tag: t, data: d }))
            .expect("short enough")
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            tag in ".{0,40}",
            checkpoint in vec(any::<u8>(), 0..700),
            values in vec((".{0,40}", "[a-z]{0,3}", vec(any::<u8>(), 0..300)), 0..40),
        ) {
            let plain = written(&tag, &checkpoint, &values);
            let (found_tag, found, parsed) = parse(&plain).expect("a state");
            prop_assert_eq!((found_tag, found), (tag.as_str(), checkpoint.as_slice()));
            let parsed: Vec<_> = parsed
                .iter()
                .map(|it| (it.channel.to_owned(), it.tag.to_owned(), it.data.to_vec()))
                .collect();
            prop_assert_eq!(parsed, values);
            for cut in 0..plain.len() {
                prop_assert!(parse(&plain[..cut]).is_none());
            }
        }

        #[test]
        fn any_bytes_are_refused_or_read(plain in vec(any::<u8>(), 0..200)) {
            let _ = parse(&plain);
            let _ = parse(&[&[0x94, 1][..], &plain].concat());
        }
    }

    #[test]
    fn long_parts_have_long_headers() {
        for len in [31, 32, 255, 256, 65_535, 65_536] {
            let values = [("c".repeat(len), "t".into(), vec![7; len])];
            let plain = written("msgpack", &vec![1; len], &values);
            let (_, checkpoint, parsed) = parse(&plain).expect("a state");
            assert_eq!(checkpoint.len(), len);
            assert_eq!((parsed[0].channel.len(), parsed[0].data.len()), (len, len));
        }
    }

    #[test]
    fn other_versions_and_hostile_counts_are_refused() {
        let plain = written("msgpack", b"{}", &[]);
        assert!(parse(&plain).is_some());
        assert!(parse(&[&[0x94, 2], &plain[2..]].concat()).is_none());
        assert!(parse(&[&plain[..], &[0xc0]].concat()).is_none());
        let hostile = [&plain[..plain.len() - 1], &[0xdd, 0xff, 0xff, 0xff, 0xff]].concat();
        assert!(parse(&hostile).is_none());
    }
}
