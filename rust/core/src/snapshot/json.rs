//! A checkpoint as JSON text.

use std::mem;
use std::sync::Arc;

use super::encode::Encode;
use super::escape::string;
use super::{Source, VERSION};
use crate::channel::View;
use crate::error::Result;

/// Appends a checkpoint with its values as JSON, with the keys in LangGraph's order.
///
/// What channels keep besides plain values is arrays here: lists, sets, and pairs with whether the
/// channel has finished.
pub fn json<V: Encode, R, N: Encode + Clone + PartialOrd>(
    out: &mut Vec<u8>,
    source: &Source<'_, V, R, N>,
) -> Result<()> {
    out.extend_from_slice(b"{\"v\":");
    u64::from(VERSION).json(out)?;
    out.extend_from_slice(b",\"ts\":");
    string(out, source.ts);
    out.extend_from_slice(b",\"id\":");
    string(out, source.id);
    out.extend_from_slice(b",\"channel_values\":");
    object(out, source.progress.stored(), view)?;
    out.extend_from_slice(b",\"channel_versions\":");
    object(out, source.progress.channel_versions(), |out, version| version.json(out))?;
    out.extend_from_slice(b",\"versions_seen\":");
    object(out, source.progress.versions_seen(source.topology), |out, row| {
        object(out, row.into_iter(), |out, version| version.json(out))
    })?;
    out.extend_from_slice(b",\"updated_channels\":");
    list(out, source.updated().into_iter(), |out, name| name.json(out))?;
    out.push(b'}');
    Ok(())
}

fn view<V: Encode>(out: &mut Vec<u8>, view: View<'_, V>) -> Result<()> {
    let value = |out: &mut Vec<u8>, value: &V| value.json(out);
    match view {
        View::Missing => out.extend_from_slice(b"null"),
        View::Value(it) => it.json(out)?,
        View::Finished(it, finished) => pair(out, finished, |out| it.json(out))?,
        View::Values(values) => list(out, values.iter(), value)?,
        View::Seen(seen) => list(out, seen.iter(), value)?,
        View::SeenFinished(seen, finished) => {
            pair(out, finished, |out| list(out, seen.iter(), value))?;
        }
    }
    Ok(())
}

fn pair(
    out: &mut Vec<u8>,
    finished: bool,
    first: impl FnOnce(&mut Vec<u8>) -> Result<()>,
) -> Result<()> {
    out.push(b'[');
    first(out)?;
    out.extend_from_slice(if finished { b",true]" } else { b",false]" });
    Ok(())
}

// Both by internal iteration: what is chained is not asked at each step which of its parts it is in.

fn object<'a, T>(
    out: &mut Vec<u8>,
    mut entries: impl Iterator<Item = (&'a Arc<str>, T)>,
    mut value: impl FnMut(&mut Vec<u8>, T) -> Result<()>,
) -> Result<()> {
    let mut open = b'{';
    entries.try_for_each(|(name, it)| {
        out.push(mem::replace(&mut open, b','));
        string(out, name);
        out.push(b':');
        value(out, it)
    })?;
    close(out, open, *b"{}");
    Ok(())
}

fn list<T>(
    out: &mut Vec<u8>,
    mut items: impl Iterator<Item = T>,
    mut item: impl FnMut(&mut Vec<u8>, T) -> Result<()>,
) -> Result<()> {
    let mut open = b'[';
    items.try_for_each(|it| {
        out.push(mem::replace(&mut open, b','));
        item(out, it)
    })?;
    close(out, open, *b"[]");
    Ok(())
}

/// Closes what was opened, and opens it before if nothing was in it.
fn close(out: &mut Vec<u8>, open: u8, [first, last]: [u8; 2]) {
    if open == first {
        out.push(first);
    }
    out.push(last);
}
