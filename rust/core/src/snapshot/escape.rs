//! Strings of JSON.

/// Looked through at once: as many bytes as fill a SIMD register or two.
const BLOCK: usize = 32;

/// Appends text as a string, in quotes.
pub(super) fn string(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    out.reserve(rest.len() + 2);
    out.push(b'"');
    loop {
        let (plain, tail) = rest.split_at(plain_len(rest));
        out.extend_from_slice(plain);
        let Some((&byte, tail)) = tail.split_first() else { break };
        escape(out, byte);
        rest = tail;
    }
    out.push(b'"');
}

/// How many bytes come before the first that needs an escape.
fn plain_len(text: &[u8]) -> usize {
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    for (at, block) in blocks.iter().enumerate() {
        // No early end, so that the compiler looks at all bytes side by side.
        if block.iter().fold(false, |any, &byte| any | is_special(byte)) {
            let inside = block.iter().position(|&byte| is_special(byte));
            return at * BLOCK + inside.unwrap_or(BLOCK);
        }
    }
    let inside = rest.iter().position(|&byte| is_special(byte));
    text.len() - rest.len() + inside.unwrap_or(rest.len())
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

    use super::string;

    proptest! {
        #[test]
        fn strings_are_serdes(text in "[a-z\\x00-\\x24\\\\\"é\u{1f600}]{0,100}", dull in "[a-z]{0,70}") {
            for text in [&text, &dull, &format!("{dull}{text}{dull}")] {
                let mut out = Vec::new();
                string(&mut out, text);
                prop_assert_eq!(out, serde_json::to_vec(text).expect("a string"));
            }
        }
    }
}
