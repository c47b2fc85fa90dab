//! The content-defined split of a value into a head, leaves and a tail.
//!
//! Leaves end at element boundaries of the msgpack, chosen by the content of the element before, so
//! that an edit moves few of them. What differs with every append is kept apart: the header of the
//! outermost container is the head, and what no leaf has closed over yet is the tail.

use crate::gear;
use crate::msgpack::{Kind, header, skip};
use crate::params::{DEPTH_MAX, ELEMENT_MAX, LEAF_MAX, LEAF_MIN};

/// Where a value's parts end: `..head` is the head, then a leaf up to each of `ends`, then the tail.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Split {
    /// The length of the head.
    pub head: usize,
    /// Where each leaf ends, ascending.
    pub ends: Vec<usize>,
}

/// Splits `data`: msgpack if `structured`, else one long string. Any bytes will do.
#[must_use]
pub fn split(data: &[u8], structured: bool) -> Split {
    let (head, kind) = if structured { outer(data) } else { (0, None) };
    let mut splitter = Splitter { data, leaf: head, ends: Vec::new() };
    let end = match kind {
        Some(Kind::Array(left)) => splitter.items(head, Items { left, pairs: false }),
        Some(Kind::Map(left)) => splitter.items(head, Items { left, pairs: true }),
        _ => head,
    };
    // A long string, and whatever is not msgpack or comes after the value.
    splitter.text(end, data.len());
    Split { head, ends: splitter.ends }
}

/// Goes on with the split of an array after leaves that are known, of which the last one ends where
/// an item of the array does; `left` items come after that. Nothing before it is looked at.
#[must_use]
pub fn resume(data: &[u8], known: Split, left: usize) -> Split {
    let Split { head, ends } = known;
    let leaf = ends.last().copied().unwrap_or(head);
    let mut splitter = Splitter { data, leaf, ends };
    let end = splitter.items(leaf, Items { left, pairs: false });
    splitter.text(end, data.len());
    Split { head, ends: splitter.ends }
}

/// The outermost container or string, seen through ext wrappers: where its header ends, and what
/// it is. For anything else, and for what is not msgpack, there is no head.
fn outer(data: &[u8]) -> (usize, Option<Kind>) {
    let mut pos = 0;
    for _ in 0..DEPTH_MAX {
        let Some((len, kind)) = header(data, pos) else { break };
        match kind {
            Kind::Ext(body) if wraps(data, pos + len, body) => pos += len,
            Kind::Scalar(_) => break,
            _ => return (pos + len, Some(kind)),
        }
    }
    (pos, None)
}

/// Whether an ext body is exactly one msgpack value.
fn wraps(data: &[u8], start: usize, len: usize) -> bool {
    let end = start.checked_add(len).filter(|&end| end <= data.len());
    end.is_some_and(|end| skip(&data[..end], start) == Some(end))
}

/// Items of one container that are still to come. A map's pair is one item.
struct Items {
    left: usize,
    pairs: bool,
}

struct Splitter<'a> {
    data: &'a [u8],
    /// Where the open leaf starts.
    leaf: usize,
    ends: Vec<usize>,
}

impl Splitter<'_> {
    /// Splits msgpack from `pos` on, where the items of the outermost container start; returns where
    /// it stopped: at the end of the value, or earlier for broken msgpack.
    fn items(&mut self, mut pos: usize, outermost: Items) -> usize {
        let mut open = vec![outermost];
        while let Some(items) = open.last_mut() {
            if items.left == 0 {
                open.pop();
                continue;
            }
            let pairs = items.pairs;
            let Some(end) = item_end(self.data, pos, pairs) else { break };
            items.left -= 1;
            if end - pos <= ELEMENT_MAX {
                self.element(pos, end);
                pos = end;
            } else if open.len() >= DEPTH_MAX {
                self.text(pos, end);
                pos = end;
            } else if pairs {
                open.push(Items { left: 2, pairs: false });
            } else {
                pos = self.enter(pos, end, &mut open);
            }
        }
        pos
    }

    /// Takes a long element apart: its header joins the leaf, its body is split in turn. Returns
    /// where the next item starts.
    fn enter(&mut self, start: usize, end: usize, open: &mut Vec<Items>) -> usize {
        let Some((len, kind)) = header(self.data, start) else { return start };
        let body = start + len;
        if body - self.leaf > LEAF_MAX {
            self.close(start);
        }
        let (left, pairs) = match kind {
            Kind::Array(left) => (left, false),
            Kind::Map(left) => (left, true),
            Kind::Ext(len) if wraps(self.data, body, len) => (1, false),
            _ => {
                self.text(body, end);
                return end;
            }
        };
        open.push(Items { left, pairs });
        body
    }

    /// Adds an element, and closes the leaf after it if its content says so.
    #[inline]
    fn element(&mut self, start: usize, end: usize) {
        if end - self.leaf < LEAF_MIN {
            return;
        }
        if end - self.leaf > LEAF_MAX {
            self.close(start);
        }
        let element = &self.data[start..end];
        if end - self.leaf >= LEAF_MIN && ends_leaf(element) {
            self.close(end);
        }
    }

    /// Adds a long string, which is cut by the rolling hash.
    fn text(&mut self, start: usize, end: usize) {
        let text = &self.data[start..end];
        let mut pos = start;
        while pos < end {
            if pos - self.leaf >= LEAF_MAX {
                self.close(pos);
            }
            let from = (self.leaf + LEAF_MIN).max(pos + 1);
            let full = self.leaf + LEAF_MAX;
            let to = full.min(end);
            match gear::find(text, from - start, to - start) {
                Some(place) => self.close(start + place),
                None if to == full => self.close(full),
                None => return,
            }
            pos = self.leaf;
        }
    }

    fn close(&mut self, at: usize) {
        self.ends.push(at);
        self.leaf = at;
    }
}

fn item_end(data: &[u8], pos: usize, pair: bool) -> Option<usize> {
    let end = skip(data, pos)?;
    if pair { skip(data, end) } else { Some(end) }
}

/// Whether the content of an element ends a leaf: long ones always do, others with a chance in
/// proportion, and no more than one in two. Were it near one, the ends in a list of elements of like
/// length would be a matter of counting from its start, and would never meet again after an edit.
#[inline]
fn ends_leaf(element: &[u8]) -> bool {
    let len = element.len() as u64;
    let min = LEAF_MIN as u64;
    len >= min || u64::from(crc32fast::hash(element)) * min < len.min(min / 2) << 32
}
