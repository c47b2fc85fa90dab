//! Just enough MessagePack to find where values end: headers, never what is in them.

/// What a value's header says of the bytes after it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// This many bytes that are no text and no wrapper: nil, bool, numbers.
    Scalar(usize),
    /// A str or bin of this many bytes.
    Text(usize),
    /// An ext whose body has this many bytes.
    Ext(usize),
    /// An array of this many items.
    Array(usize),
    /// A map of this many pairs.
    Map(usize),
}

/// Reads the header at `at`: its length in bytes and what follows; `None` for what is not msgpack.
///
/// The body may be cut short: only the header is looked at.
#[inline]
#[must_use]
pub fn header(data: &[u8], at: usize) -> Option<(usize, Kind)> {
    let tag = *data.get(at)?;
    Some(match tag {
        0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => (1, Kind::Scalar(0)),
        0x80..=0x8f => (1, Kind::Map(usize::from(tag & 15))),
        0x90..=0x9f => (1, Kind::Array(usize::from(tag & 15))),
        0xa0..=0xbf => (1, Kind::Text(usize::from(tag & 31))),
        0xc4..=0xc6 => sized(data, at, tag - 0xc4, 0, Kind::Text)?,
        0xc7..=0xc9 => sized(data, at, tag - 0xc7, 1, Kind::Ext)?,
        0xca..=0xcb => (1, Kind::Scalar(4 << (tag - 0xca))),
        0xcc..=0xcf => (1, Kind::Scalar(1 << (tag - 0xcc))),
        0xd0..=0xd3 => (1, Kind::Scalar(1 << (tag - 0xd0))),
        0xd4..=0xd8 if at + 1 < data.len() => (2, Kind::Ext(1 << (tag - 0xd4))),
        0xd9..=0xdb => sized(data, at, tag - 0xd9, 0, Kind::Text)?,
        0xdc..=0xdd => sized(data, at, tag - 0xdc + 1, 0, Kind::Array)?,
        0xde..=0xdf => sized(data, at, tag - 0xde + 1, 0, Kind::Map)?,
        // 0xc1 is never used; a fixext whose type is cut off.
        0xc1 | 0xd4..=0xd8 => return None,
    })
}

/// A header with a big-endian length of `1 << width` bytes, and `extra` bytes after that.
#[inline]
fn sized(
    data: &[u8],
    at: usize,
    width: u8,
    extra: usize,
    kind: fn(usize) -> Kind,
) -> Option<(usize, Kind)> {
    let width = 1 << width;
    let rest = data.get(at + 1..at + 1 + width + extra)?;
    let len = rest[..width].iter().fold(0_usize, |len, &digit| len << 8 | usize::from(digit));
    Some((1 + width + extra, kind(len)))
}

/// Where the value at `at` ends; `None` if it is cut short or not msgpack.
///
/// Strings, binaries and exts are passed over by their length. Not recursive: what is left of the
/// containers within each other is one count, so nesting costs nothing.
#[inline]
#[must_use]
pub fn skip(data: &[u8], at: usize) -> Option<usize> {
    let mut pos = at;
    let mut left = 1_usize;
    while left > 0 {
        let (head, kind) = header(data, pos)?;
        left -= 1;
        let body = match kind {
            Kind::Scalar(len) | Kind::Text(len) | Kind::Ext(len) => len,
            Kind::Array(items) => {
                left = left.checked_add(items)?;
                0
            }
            Kind::Map(pairs) => {
                left = left.checked_add(pairs.checked_mul(2)?)?;
                0
            }
        };
        pos = pos.checked_add(head)?.checked_add(body)?;
        // Each value has a byte at least: a count that cannot be met ends here.
        if pos > data.len() || left > data.len() - pos {
            return None;
        }
    }
    Some(pos)
}

/// Items that stand one after another from a place on, of so many values each.
pub(crate) fn each(data: &[u8], from: usize, count: usize, values: usize) -> Option<Vec<&[u8]>> {
    // Each value takes a byte at least: no room is made for a hostile count.
    let mut found = Vec::with_capacity(count.min(data.len()));
    let mut at = from;
    for _ in 0..count {
        let start = at;
        for _ in 0..values {
            at = skip(data, at)?;
        }
        found.push(&data[start..at]);
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::{Kind, header, skip};

    #[test]
    fn every_header_is_known() {
        for tag in 0..=255_u8 {
            let mut bytes = vec![tag];
            bytes.extend([0, 0, 0, 0, 0, 0]);
            assert_eq!(header(&bytes, 0).is_none(), tag == 0xc1, "{tag:#x}");
        }
        assert_eq!(header(&[0xdd, 0, 1, 0, 2], 0), Some((5, Kind::Array(0x1_0002))));
        assert_eq!(header(&[0xc8, 1, 4, 9], 0), Some((4, Kind::Ext(0x104))));
        assert_eq!(header(&[0xd8, 9], 0), Some((2, Kind::Ext(16))));
        for cut in [&[0xdb, 0, 0, 1][..], &[0xd8], &[0xc7, 1]] {
            assert_eq!(header(cut, 0), None);
        }
    }

    #[test]
    fn values_end_where_they_end() {
        let value = [0x92, 0x81, 0xa1, b'k', 0xcb, 0, 0, 0, 0, 0, 0, 0, 0, 0xd4, 1, 2, 0xff];
        assert_eq!(skip(&value, 0), Some(16));
        for cut in 0..16 {
            assert_eq!(skip(&value[..cut], 0), None, "{cut}");
        }
    }

    #[test]
    fn hostile_counts_and_nesting_end_at_once() {
        assert_eq!(skip(&[0xdf, 0xff, 0xff, 0xff, 0xff, 1], 0), None);
        assert_eq!(skip(&[0xc6, 0xff, 0xff, 0xff, 0xff, 1], 0), None);
        let mut nested = vec![0x91; 100_000];
        assert_eq!(skip(&nested, 0), None);
        nested.push(0xc0);
        assert_eq!(skip(&nested, 0), Some(100_001));
    }
}
