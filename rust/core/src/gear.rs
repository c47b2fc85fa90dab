//! The rolling hash that splits long strings by their content.
//!
//! A gear hash (Xia et al., FastCDC, USENIX ATC 2016) over exclusive or, 16 bits wide:
//! `h = h << 1 ^ TABLE[byte]`. A byte leaves it after 16 more, so where a string is cut depends on
//! the 16 bytes before alone. Exclusive or, as it lets the pure Python twin compute all positions of
//! a block at once in one wide integer, and a processor several lookups side by side.

use crate::params::{GEAR_MASK, GEAR_SEED, GEAR_WINDOW};

const TABLE: [u16; 256] = table();

/// The high 16 bits of the first 256 values of SplitMix64 (Steele et al., OOPSLA 2014).
const fn table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut state = GEAR_SEED;
    let mut index = 0;
    while index < 256 {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        table[index] = ((word ^ word >> 31) >> 48) as u16;
        index += 1;
    }
    table
}

// Bits above the sixteenth only ever move up: they are left in, as wide registers are the fast ones.
#[inline]
fn entry(byte: u8) -> u32 {
    u32::from(TABLE[usize::from(byte)])
}

#[inline]
fn ends(hash: u32) -> bool {
    hash & u32::from(GEAR_MASK) == 0
}

/// The first place in `from..=to` that ends a chunk of the string `text`; none if there is none.
///
/// A place is the index after the byte that ends the chunk, so `from` is 1 or more.
pub fn find(text: &[u8], from: usize, to: usize) -> Option<usize> {
    let first = from.checked_sub(1)?;
    let warm = text.get(first.saturating_sub(GEAR_WINDOW - 1)..first)?;
    let mut hash = warm.iter().fold(0_u32, |hash, &byte| hash << 1 ^ entry(byte));
    let mut place = from;
    let mut blocks = text.get(first..to)?.chunks_exact(4);
    for block in blocks.by_ref() {
        let [a, b, c, d] = [entry(block[0]), entry(block[1]), entry(block[2]), entry(block[3])];
        let one = hash << 1 ^ a;
        let two = hash << 2 ^ (a << 1 ^ b);
        let three = hash << 3 ^ (a << 2 ^ b << 1 ^ c);
        hash = hash << 4 ^ (a << 3 ^ b << 2 ^ (c << 1 ^ d));
        if ends(one) | ends(two) | ends(three) | ends(hash) {
            let before = [one, two, three].into_iter().take_while(|&hash| !ends(hash));
            return Some(place + before.count());
        }
        place += 4;
    }
    for &byte in blocks.remainder() {
        hash = hash << 1 ^ entry(byte);
        if ends(hash) {
            return Some(place);
        }
        place += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{ends, entry, find, table};

    fn noise(len: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let mut step = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..len).map(|_| step()).collect()
    }

    #[test]
    fn the_table_is_as_documented() {
        assert_eq!(table()[..4], [0x6810, 0xc3b5, 0x3a66, 0x2a26]);
    }

    #[test]
    fn blocks_of_four_find_what_single_steps_find() {
        let text = noise(40_000);
        let mut hash = 0_u32;
        let plain: Vec<usize> = (1..=text.len())
            .filter(|&place| {
                hash = hash << 1 ^ entry(text[place - 1]);
                ends(hash)
            })
            .collect();
        assert!((10..40).contains(&plain.len()), "{}", plain.len());
        for from in (1..text.len()).step_by(37) {
            // A warm hash covers 16 bytes, so all but the first few places agree with the one run.
            let expected = plain.iter().copied().find(|&place| place >= from);
            assert_eq!(find(&text, from, text.len()), expected, "from {from}");
        }
    }

    #[test]
    fn no_place_outside_the_range() {
        let text = noise(5_000);
        let place = find(&text, 1, text.len()).expect("noise has a place");
        assert_eq!(find(&text, 1, place), Some(place));
        assert_eq!(find(&text, 1, place - 1), None);
        assert_eq!(find(&text, 0, 10), None);
        assert_eq!(find(&text, 10, 5_001), None);
    }
}
