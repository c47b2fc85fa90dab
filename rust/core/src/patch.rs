//! A row's state told by what differs from another's: what a wide state's next one takes to keep.
//!
//! The other is a state as `crate::state` writes them, or told by a third one in turn.

use std::ops::Range;

use crate::error::Result;
use crate::msgpack::{Kind, each, header, skip};
use crate::put::{array, sized_binary, text};
use crate::state::{self, Split, VERSION};

/// The key of the checkpoint under which its versions are.
pub const VERSIONS: &str = "channel_versions";

/// What makes one state of another.
#[derive(Debug, Default)]
pub struct Patch {
    /// Pairs of a channel and its version in place of the other's, by place, in ascending order.
    pub versions: Vec<(usize, Vec<u8>)>,
    /// The values in order.
    pub values: Vec<Piece>,
}

/// Values of a state.
#[derive(Debug)]
pub enum Piece {
    /// Those of the other that stand there.
    Taken(Range<usize>),
    /// One with its channel and its tag.
    Own(Vec<u8>),
}

impl Piece {
    /// The bytes of its own.
    #[must_use]
    pub fn own(&self) -> Option<&[u8]> {
        match self {
            Self::Taken(_) => None,
            Self::Own(value) => Some(value),
        }
    }
}

impl Patch {
    /// About how much memory this takes, in bytes.
    #[must_use]
    pub fn nbytes(&self) -> usize {
        let versions: usize = self.versions.iter().map(|(_, pair)| pair.len() + 32).sum();
        let values: usize = self.values.iter().map(|it| it.own().map_or(0, <[u8]>::len) + 32).sum();
        size_of::<Self>() + versions + values
    }
}

/// The state that patches make of another, the first of them first; None if they do not fit it.
///
/// What its checkpoint has beside versions is given: `opening`, up to the first of them, and
/// `closing`, after the last.
#[must_use]
pub fn patched<'a>(
    plain: &'a [u8],
    patches: impl Iterator<Item = &'a Patch>,
    opening: &'a [u8],
    closing: &'a [u8],
) -> Option<Vec<u8>> {
    let mut parts = Parts::of(plain)?;
    for patch in patches {
        parts.change(patch)?;
    }
    (parts.opening, parts.closing) = (opening, closing);
    parts.write().ok()
}

/// A state's parts, which stand one after another.
struct Parts<'a> {
    tag: &'a str,
    opening: &'a [u8],
    versions: Vec<&'a [u8]>,
    closing: &'a [u8],
    values: Vec<&'a [u8]>,
}

impl<'a> Parts<'a> {
    fn of(plain: &'a [u8]) -> Option<Self> {
        let Split { tag, checkpoint, values } = state::split(plain)?;
        let (mut at, Kind::Map(pairs)) = header(checkpoint, 0)? else { return None };
        for _ in 0..pairs {
            let value = skip(checkpoint, at)?;
            let (head, _) = header(checkpoint, at)?;
            let is_versions = &checkpoint[at + head..value] == VERSIONS.as_bytes();
            if is_versions && let (head, Kind::Map(count)) = header(checkpoint, value)? {
                let start = value + head;
                let versions = each(checkpoint, start, count, 2)?;
                let end = start + versions.iter().map(|pair| pair.len()).sum::<usize>();
                let (opening, closing) = (&checkpoint[..start], &checkpoint[end..]);
                return Some(Self { tag, opening, versions, closing, values });
            }
            at = skip(checkpoint, value)?;
        }
        None
    }

    fn change(&mut self, patch: &'a Patch) -> Option<()> {
        for (place, pair) in &patch.versions {
            *self.versions.get_mut(*place)? = pair;
        }
        let mut values = Vec::with_capacity(self.values.len() + 1);
        for piece in &patch.values {
            match piece {
                Piece::Taken(run) => values.extend_from_slice(self.values.get(run.clone())?),
                Piece::Own(value) => values.push(value),
            }
        }
        self.values = values;
        Some(())
    }

    fn write(&self) -> Result<Vec<u8>> {
        let len = |parts: &[&[u8]]| parts.iter().map(|part| part.len()).sum::<usize>();
        let checkpoint = self.opening.len() + len(&self.versions) + self.closing.len();
        let mut out = Vec::with_capacity(checkpoint + len(&self.values) + 64);
        out.extend_from_slice(&[0x94, VERSION]);
        text(&mut out, self.tag)?;
        sized_binary(&mut out, checkpoint)?;
        out.extend_from_slice(self.opening);
        for pair in &self.versions {
            out.extend_from_slice(pair);
        }
        out.extend_from_slice(self.closing);
        array(&mut out, self.values.len())?;
        for value in &self.values {
            out.extend_from_slice(value);
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::{Patch, Piece, VERSIONS, patched};
    use crate::put::{map, text};
    use crate::state::{self, Value};

    /// A checkpoint's channels, each with its version and maybe a value.
    type Channels = Vec<(String, u32, Option<Vec<u8>>)>;

    fn texts(parts: &[&str]) -> Vec<u8> {
        let mut out = Vec::new();
        for part in parts {
            text(&mut out, part).expect("a short text");
        }
        out
    }

    fn pair(name: &str, version: u32) -> Vec<u8> {
        texts(&[name, &format!("{version:032}.5")])
    }

    fn opening(id: u32, channels: usize) -> Vec<u8> {
        // Another map stands before that of the versions.
        let before = texts(&["id", &id.to_string(), "other"]);
        let mut out =
            [&[0x84], &before[..], &[0x81], &pair("none", id), &texts(&[VERSIONS])].concat();
        map(&mut out, channels).expect("a short map");
        out
    }

    fn closing(id: u32) -> Vec<u8> {
        texts(&["seen", &id.to_string()])
    }

    fn element(name: &str, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        state::element(&mut out, Value { channel: name, tag: "msgpack", data })
            .expect("a short value");
        out
    }

    fn whole(id: u32, channels: &Channels) -> Vec<u8> {
        let mut checkpoint = opening(id, channels.len());
        for (name, version, _) in channels {
            checkpoint.extend(pair(name, *version));
        }
        checkpoint.extend(closing(id));
        let held = |(name, _, value): &(String, u32, Option<Vec<u8>>)| {
            value.as_ref().map(|data| element(name, data))
        };
        let values: Vec<_> = channels.iter().filter_map(held).collect();
        let mut out = Vec::new();
        state::open(&mut out, "msgpack", &checkpoint, values.len()).expect("a short state");
        out.extend(values.concat());
        out
    }

    /// Sets some channels' values; gives the patch.
    fn step(id: u32, channels: &mut Channels, changes: &[(usize, Option<Vec<u8>>)]) -> Patch {
        let mut patch = Patch::default();
        let mut had = 0;
        for (place, (name, version, value)) in channels.iter_mut().enumerate() {
            let run = had..had + usize::from(value.is_some());
            had = run.end;
            if let Some((_, new)) = changes.iter().find(|(at, _)| *at == place) {
                (*version, *value) = (id, new.clone());
                patch.versions.push((place, pair(name, id)));
                let own = value.as_ref().map(|data| Piece::Own(element(name, data)));
                patch.values.extend(own);
            } else if !run.is_empty() {
                patch.values.push(Piece::Taken(run));
            }
        }
        patch
    }

    proptest! {
        #[test]
        fn what_is_patched_is_what_is_written(
            held in vec(proptest::option::of(vec(any::<u8>(), 0..40)), 1..60),
            steps in vec(vec((0..60_usize, proptest::option::of(vec(any::<u8>(), 0..300))), 0..5), 0..9),
        ) {
            let named = |(n, value)| (format!("channel {n}"), 0, value);
            let mut channels: Channels = held.into_iter().enumerate().map(named).collect();
            let first = whole(0, &channels);
            let mut patches = Vec::new();
            for (id, changes) in (1..).zip(&steps) {
                patches.push(step(id, &mut channels, changes));
                let (opening, closing) = (opening(id, channels.len()), closing(id));
                let now = patched(&first, patches.iter(), &opening, &closing);
                prop_assert_eq!(now, Some(whole(id, &channels)));
            }
        }

        #[test]
        fn any_bytes_are_refused_or_read(plain in vec(any::<u8>(), 0..200)) {
            let _ = patched(&plain, std::iter::empty(), &[], &[]);
            let _ = patched(&[&[0x94, 1][..], &plain].concat(), std::iter::empty(), &[], &[]);
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut channels: Channels = vec![("a".into(), 0, Some(vec![1])), ("b".into(), 0, None)];
        let plain = whole(0, &channels);
        for cut in 0..plain.len() {
            assert_eq!(patched(&plain[..cut], std::iter::empty(), &[], &[]), None);
        }
        let longer = [&plain[..], b"\0"].concat();
        assert_eq!(patched(&longer, std::iter::empty(), &[], &[]), None);
        let fits = step(1, &mut channels, &[(0, Some(vec![2]))]);
        assert!(patched(&plain, [&fits].into_iter(), &[], &[]).is_some());
        let beyond = Patch { versions: vec![(2, pair("c", 1))], ..Patch::default() };
        assert_eq!(patched(&plain, [&beyond].into_iter(), &[], &[]), None);
        let beyond = Patch { values: vec![Piece::Taken(0..2)], ..Patch::default() };
        assert_eq!(patched(&plain, [&beyond].into_iter(), &[], &[]), None);
    }
}
