//! Strings of JSON.

use crate::error::{Error, Result};

/// Looked through at once: as many bytes as fill a SIMD register or two.
const BLOCK: usize = 32;

/// Appends text as a string, in quotes.
pub(super) fn string(out: &mut Vec<u8>, text: &str) {
    if is_plain(text.as_bytes()) {
        quoted(out, text.as_bytes());
    } else {
        escaped(out, text);
    }
}

/// Appends text whose encoding is still to be checked.
pub(super) fn utf8(out: &mut Vec<u8>, text: &[u8]) -> Result<()> {
    if is_plain(text) {
        quoted(out, text);
        return Ok(());
    }
    match str::from_utf8(text) {
        Ok(text) => escaped(out, text),
        Err(_) => return Err(Error::Unwritable("a string that is not UTF-8 is not in JSON")),
    }
    Ok(())
}

fn quoted(out: &mut Vec<u8>, text: &[u8]) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    out.extend_from_slice(text);
    out.push(b'"');
}

fn escaped(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|&byte| is_special(byte)) {
        out.extend_from_slice(&rest[..at]);
        escape(out, rest[at]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Whether all of it is ASCII and needs no escape.
#[inline]
fn is_plain(text: &[u8]) -> bool {
    match text.last_chunk() {
        // The last block overlaps the one before it, as the last word does.
        Some(last) => are_plain_blocks(text.as_chunks().0) && are_plain_blocks(&[*last]),
        None => is_plain_name(text),
    }
}

/// The same of what is shorter than a block.
#[inline]
fn is_plain_name(text: &[u8]) -> bool {
    let (words, rest) = text.as_chunks();
    let plain = words.iter().all(|&word| is_plain_word(u64::from_le_bytes(word)));
    plain
        && match (text.last_chunk(), text.first_chunk(), text.last_chunk()) {
            (Some(&last), ..) => is_plain_word(u64::from_le_bytes(last)),
            (_, Some(&low), Some(&high)) => {
                let (low, high) = (u32::from_le_bytes(low), u32::from_le_bytes(high));
                is_plain_word(u64::from(low) << 32 | u64::from(high))
            }
            _ => rest.iter().all(|&byte| byte.is_ascii() && !is_special(byte)),
        }
}

/// The same of whole blocks: each byte is mapped to zero if it is other, and the least counts. So
/// the compiler keeps bytes in its registers where comparisons would become masks.
fn are_plain_blocks(blocks: &[[u8; BLOCK]]) -> bool {
    let distance = |byte: u8| {
        let inside = 0x60_u8.saturating_sub(byte.wrapping_sub(0x20));
        inside.min(byte ^ b'"').min(byte ^ b'\\')
    };
    blocks.as_flattened().iter().fold(u8::MAX, |least, &byte| least.min(distance(byte))) != 0
}

/// The same of eight bytes: "determine if a word has a byte less than n", of Sean Anderson's Bit
/// Twiddling Hacks.
fn is_plain_word(word: u64) -> bool {
    const ONES: u64 = u64::MAX / 255;
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word;
    let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (word | below(word, 0x20) | equal(b'"') | equal(b'\\')) & (ONES * 0x80) == 0
}

fn is_special(byte: u8) -> bool {
    matches!(byte, ..0x20 | b'"' | b'\\')
}

fn escape(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            let (high, low) = (usize::from(byte >> 4), usize::from(byte & 15));
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', HEX[high], HEX[low]]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{string, utf8};

    proptest! {
        #[test]
        fn strings_are_serdes(text in "[a-z\\x00-\\x24\\\\\"é\u{1f600}]{0,100}", dull in "[a-z]{0,70}") {
            for text in [&text, &dull, &format!("{dull}{text}{dull}")] {
                let expected = serde_json::to_vec(text).expect("a string");
                let (mut out, mut checked) = (Vec::new(), Vec::new());
                string(&mut out, text);
                prop_assert_eq!(&out, &expected);
                prop_assert_eq!(utf8(&mut checked, text.as_bytes()), Ok(()));
                prop_assert_eq!(&checked, &expected);
            }
        }

        #[test]
        fn one_byte_anywhere_is_seen(len in 1..100_usize, at: prop::sample::Index, byte: u8) {
            let mut text = vec![b'a'; len];
            text[at.index(len)] = byte;
            let mut out = Vec::new();
            match String::from_utf8(text.clone()) {
                Ok(text) => {
                    prop_assert_eq!(utf8(&mut out, text.as_bytes()), Ok(()));
                    prop_assert_eq!(out, serde_json::to_vec(&text).expect("a string"));
                }
                Err(_) => prop_assert!(utf8(&mut out, &text).is_err()),
            }
        }
    }
}
