//! Writes MessagePack, each header as short as the format allows.

use crate::error::{Error, Result};

/// A str.
pub(crate) fn text(out: &mut Vec<u8>, text: &str) -> Result<()> {
    match u8::try_from(text.len()) {
        Ok(len @ ..32) => out.push(0xa0 | len),
        _ => sized(out, text.len(), [Some(0xd9), Some(0xda), Some(0xdb)])?,
    }
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

/// A bin.
pub(crate) fn binary(out: &mut Vec<u8>, data: &[u8]) -> Result<()> {
    sized_binary(out, data.len())?;
    out.extend_from_slice(data);
    Ok(())
}

/// The header of a bin.
pub(crate) fn sized_binary(out: &mut Vec<u8>, len: usize) -> Result<()> {
    sized(out, len, [Some(0xc4), Some(0xc5), Some(0xc6)])
}

/// The header of an array.
pub(crate) fn array(out: &mut Vec<u8>, len: usize) -> Result<()> {
    match u8::try_from(len) {
        Ok(len @ ..16) => out.push(0x90 | len),
        _ => sized(out, len, [None, Some(0xdc), Some(0xdd)])?,
    }
    Ok(())
}

/// The header of a map.
pub(crate) fn map(out: &mut Vec<u8>, len: usize) -> Result<()> {
    match u8::try_from(len) {
        Ok(len @ ..16) => out.push(0x80 | len),
        _ => sized(out, len, [None, Some(0xde), Some(0xdf)])?,
    }
    Ok(())
}

/// An ext.
pub(crate) fn ext(out: &mut Vec<u8>, code: u8, body: &[u8]) -> Result<()> {
    match body.len() {
        len @ (1 | 2 | 4 | 8 | 16) => out.push(0xd4 + len.trailing_zeros().to_le_bytes()[0]),
        len => sized(out, len, [Some(0xc7), Some(0xc8), Some(0xc9)])?,
    }
    out.push(code);
    out.extend_from_slice(body);
    Ok(())
}

/// An integer.
pub(crate) fn uint(out: &mut Vec<u8>, value: u64) {
    if let Ok(value) = u8::try_from(value) {
        if value >= 0x80 {
            out.push(0xcc);
        }
        out.push(value);
    } else if let Ok(value) = u16::try_from(value) {
        out.push(0xcd);
        out.extend_from_slice(&value.to_be_bytes());
    } else if let Ok(value) = u32::try_from(value) {
        out.push(0xce);
        out.extend_from_slice(&value.to_be_bytes());
    } else {
        out.push(0xcf);
        out.extend_from_slice(&value.to_be_bytes());
    }
}

/// A bool.
pub(crate) fn bool(out: &mut Vec<u8>, value: bool) {
    out.push(0xc2 | u8::from(value));
}

/// A marker and a big-endian length, as short as the markers for 1, 2 and 4 bytes allow.
fn sized(out: &mut Vec<u8>, len: usize, markers: [Option<u8>; 3]) -> Result<()> {
    if let (Some(marker), Ok(len)) = (markers[0], u8::try_from(len)) {
        out.extend_from_slice(&[marker, len]);
    } else if let (Some(marker), Ok(len)) = (markers[1], u16::try_from(len)) {
        out.push(marker);
        out.extend_from_slice(&len.to_be_bytes());
    } else {
        let (Some(marker), Ok(len)) = (markers[2], u32::try_from(len)) else {
            return Err(Error::Unwritable("a value is longer than msgpack allows"));
        };
        out.push(marker);
        out.extend_from_slice(&len.to_be_bytes());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{array, binary, bool, ext, map, text, uint};
    use crate::error::Result;
    use crate::msgpack::{Kind, header, skip};

    #[test]
    fn every_length_is_read_as_it_was_written() {
        for len in [0, 1, 2, 4, 8, 15, 16, 17, 31, 32, 255, 256, 65_535, 65_536] {
            let body = vec![b'x'; len];
            let string = "x".repeat(len);
            let write = |put: &dyn Fn(&mut Vec<u8>) -> Result<()>| {
                let mut out = Vec::new();
                put(&mut out).expect("short enough");
                out
            };
            for out in [
                write(&|out| text(out, &string)),
                write(&|out| binary(out, &body)),
                write(&|out| ext(out, 5, &body)),
            ] {
                assert_eq!(skip(&out, 0), Some(out.len()), "{len}");
                assert!(out.ends_with(&body));
            }
            let headed = |out: Vec<u8>| header(&out, 0).map(|(_, kind)| kind);
            assert_eq!(headed(write(&|out| array(out, len))), Some(Kind::Array(len)));
            assert_eq!(headed(write(&|out| map(out, len))), Some(Kind::Map(len)));
            assert_eq!(headed(write(&|out| ext(out, 5, &body))), Some(Kind::Ext(len)));
        }
    }

    #[test]
    fn numbers_are_as_short_as_can_be() {
        let written = |value| {
            let mut out = Vec::new();
            uint(&mut out, value);
            out
        };
        assert_eq!(written(0x7f), [0x7f]);
        assert_eq!(written(0x80), [0xcc, 0x80]);
        assert_eq!(written(0x100), [0xcd, 1, 0]);
        assert_eq!(written(0x1_0000), [0xce, 0, 1, 0, 0]);
        assert_eq!(written(1 << 32), [0xcf, 0, 0, 0, 1, 0, 0, 0, 0]);
        let mut out = Vec::new();
        bool(&mut out, false);
        bool(&mut out, true);
        assert_eq!(out, [0xc2, 0xc3]);
    }
}
