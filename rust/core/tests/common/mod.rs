//! Values to split, and a store that holds what trees send.
#![allow(dead_code, clippy::expect_used, reason = "test files, each using its part")]

use std::collections::HashMap;

use lgckpt_core::Result;
use lgckpt_core::assemble::assemble;
use lgckpt_core::compress::Format;
use lgckpt_core::frame::Codec;
use lgckpt_core::hash::Hash;
use lgckpt_core::known::Known;
use lgckpt_core::seal::Root;
use lgckpt_core::tree::Tree;

/// All the codecs there are.
pub const CODECS: [Codec; 3] = [None, Some(Format::Lz4), Some(Format::Zstd)];

/// Pseudo-random bytes (xorshift; Marsaglia, 2003).
pub fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[0]
    };
    (0..len).map(|_| next()).collect()
}

/// Pseudo-random lower-case text.
pub fn prose(len: usize, seed: u64) -> Vec<u8> {
    noise(len, seed).iter().map(|byte| b"etaoin shrdlucmf"[usize::from(byte & 15)]).collect()
}

/// A str 32 of msgpack.
pub fn text(text: &[u8]) -> Vec<u8> {
    sized(&[0xdb], text.len(), text)
}

/// An ext 32 of msgpack, of code 5.
pub fn ext(body: &[u8]) -> Vec<u8> {
    let mut out = sized(&[0xc9], body.len(), &[5]);
    out.extend_from_slice(body);
    out
}

/// An array 32 of msgpack.
pub fn array(items: &[Vec<u8>]) -> Vec<u8> {
    sized(&[0xdd], items.len(), &items.concat())
}

/// A map 32 of msgpack.
pub fn map(pairs: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let body: Vec<u8> = pairs
        .iter()
        .flat_map(|(key, value)| [text(key.as_bytes()), value.clone()].concat())
        .collect();
    sized(&[0xdf], pairs.len(), &body)
}

fn sized(tag: &[u8], len: usize, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(len).expect("a small value");
    [tag, &len.to_be_bytes(), body].concat()
}

/// A chat message: an ext that wraps an array, of a length that varies from 250 to 950 bytes.
pub fn message(index: u64) -> Vec<u8> {
    let len = 150 + usize::from(noise(1, index + 77)[0]) * 700 / 256;
    let fields = map(&[("content", text(&prose(len, index))), ("id", text(&prose(32, !index)))]);
    ext(&array(&[text(b"langchain_core.messages"), text(b"HumanMessage"), fields]))
}

/// Messages `from..to`.
pub fn chat(from: u64, to: u64) -> Vec<Vec<u8>> {
    (from..to).map(message).collect()
}

/// A chunk store as a saver has it.
#[derive(Default)]
pub struct Store(pub HashMap<Hash, Vec<u8>>);

impl Store {
    /// Stores what `known` lacks of a value; returns the tree and the plain bytes of new chunks.
    pub fn put(&mut self, data: &[u8], known: &[&Known], codec: Codec) -> (Tree, usize) {
        let tree = Tree::new(data, true);
        let unsent = tree.unsent(data, known, codec);
        for claim in &unsent.claims {
            assert!(self.0.contains_key(claim), "a claim that is not stored");
        }
        let new = unsent.chunks.iter().filter(|(hash, _)| !self.0.contains_key(hash));
        let bytes = new.map(|(_, frame)| frame.len()).sum();
        self.0.extend(unsent.chunks);
        (tree, bytes)
    }

    /// Puts a value together again.
    pub fn get(&self, data: &[u8], tree: &Tree) -> Result<Vec<u8>> {
        let refs = tree.refs();
        let root = Root {
            size: data.len() as u64,
            head: &data[tree.head()],
            refs: &refs,
            tail: &data[tree.tail()],
        };
        assemble(root, |hash| self.0.get(hash))
    }
}
