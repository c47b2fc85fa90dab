//! Chunks that were made to do harm: they end in an error, soon and in little memory.
#![allow(missing_docs, reason = "tests")]

mod common;

use std::collections::HashMap;

use common::{array, chat, noise};
use lgckpt_core::assemble::assemble;
use lgckpt_core::frame::seal;
use lgckpt_core::hash::Hash;
use lgckpt_core::refs::Ref;
use lgckpt_core::seal::{Root, children, seal_leaf};
use lgckpt_core::tree::Tree;
use lgckpt_core::{Error, Result};
use proptest::collection::vec;
use proptest::prelude::*;

type Chunks = HashMap<Hash, Vec<u8>>;

fn get(size: u64, refs: &[u8], chunks: &Chunks) -> Result<Vec<u8>> {
    assemble(Root { size, head: b"", refs, tail: b"" }, |hash| chunks.get(hash))
}

/// Nodes of every level up to `top`, each naming the one below 64 times.
fn bomb(top: u8, leaf: &[u8]) -> (Vec<u8>, Chunks) {
    let key = |level: u8| [level; 20];
    let mut chunks = Chunks::from([(key(0), seal(leaf, None))]);
    for level in 1..=top {
        chunks.insert(key(level), seal([key(level - 1); 64].as_flattened(), None));
    }
    (Ref { level: top, hash: key(top) }.to_bytes().to_vec(), chunks)
}

proptest! {
    #[test]
    fn noise_is_never_a_panic(
        size: u32, refs in vec(any::<u8>(), 0..100), level: u8, plain in vec(any::<u8>(), 0..300),
    ) {
        let refs = &refs[..refs.len() / 21 * 21];
        let chunks: Chunks = refs.chunks(21).map(|it| {
            (it[1..].try_into().expect("20 bytes"), seal(&plain, None))
        }).collect();
        let _ = get(u64::from(size), refs, &chunks);
        let _ = children(level, &seal(&plain, None));
        let _ = children(level, &plain);
        let _ = Root::parse(&plain);
    }

    #[test]
    fn a_chunk_missing_or_damaged_is_named(at: prop::sample::Index, byte: prop::sample::Index) {
        let data = array(&chat(0, 100));
        let tree = Tree::new(&data, true);
        let sent = tree.unsent(&data, &[], None).chunks;
        let (hash, frame) = &sent[at.index(sent.len())];
        let root = Root {
            size: data.len() as u64,
            head: &data[tree.head()],
            refs: &tree.refs(),
            tail: &data[tree.tail()],
        };
        let mut chunks: Chunks = sent.iter().cloned().collect();
        chunks.remove(hash);
        let error = assemble(root, |hash| chunks.get(hash)).expect_err("missing");
        let is_missing = matches!(error, Error::Missing { hash: it, .. } if it == *hash);
        prop_assert!(is_missing, "{}", error);
        let mut damaged = frame.clone();
        damaged[byte.index(frame.len())] ^= 4;
        chunks.insert(*hash, damaged);
        let error = assemble(root, |hash| chunks.get(hash)).expect_err("damaged");
        let is_named = matches!(error, Error::Chunk { hash: it, .. } if it == *hash);
        prop_assert!(is_named, "{}", error);
    }
}

#[test]
fn a_size_that_is_not_met_is_refused() {
    let (it, frame) = seal_leaf(&noise(100, 1), None);
    let chunks = Chunks::from([(it.hash, frame)]);
    let refs = it.to_bytes();
    assert!(get(100, &refs, &chunks).is_ok());
    for size in [0, 99, 101, 1 << 31, 1 << 32, u64::MAX] {
        assert!(get(size, &refs, &chunks).is_err(), "{size}");
    }
}

#[test]
fn nodes_that_multiply_end_where_the_size_does() {
    for (top, leaf, size) in [
        (32, &b"x"[..], 1 << 31),
        (32, &[7; 64], 1 << 24),
        (5, &[7; 64], 64_u64.pow(4)),
        (3, b"", 64_u64.pow(3)),
        (32, b"", 1 << 31),
    ] {
        let (refs, chunks) = bomb(top, leaf);
        assert!(get(size, &refs, &chunks).is_err(), "{top} {size}");
    }
    let (refs, chunks) = bomb(2, &[7; 64]);
    assert_eq!(get(64 * 64 * 64, &refs, &chunks), Ok(vec![7; 64 * 64 * 64]));
}

#[test]
fn a_root_that_holds_itself_is_refused() {
    let key = [1; 20];
    let refs = Ref { level: 255, hash: key }.to_bytes();
    let root = Root { size: 0, head: b"", refs: &refs, tail: b"" };
    let chunks = Chunks::from([(key, root.seal(None).1)]);
    assert!(get(0, &refs, &chunks).is_err());
}

#[test]
fn a_root_chunk_stands_for_its_value() {
    let data = array(&chat(0, 300));
    let tree = Tree::new(&data, true);
    let mut chunks: Chunks = tree.unsent(&data, &[], None).chunks.into_iter().collect();
    let size = data.len() as u64;
    let parts = (&data[tree.head()], tree.refs(), &data[tree.tail()]);
    let root = Root { size, head: parts.0, refs: &parts.1, tail: parts.2 };
    let (it, frame) = root.seal(None);
    assert_eq!(children(255, &frame), Ok(parts.1.clone()));
    chunks.insert(it.hash, frame);
    assert_eq!(get(size, &it.to_bytes(), &chunks).as_ref(), Ok(&data));

    let (it, frame) = Root { size: size + 1, ..root }.seal(None);
    chunks.insert(it.hash, frame);
    assert!(get(size, &it.to_bytes(), &chunks).is_err(), "it names another size");
}

#[test]
fn levels_that_do_not_exist_are_refused() {
    let (it, frame) = seal_leaf(b"a leaf", None);
    for level in [33, 100, 254] {
        assert!(children(level, &frame).is_err());
        let refs = Ref { level, ..it }.to_bytes();
        assert!(get(6, &refs, &Chunks::from([(it.hash, frame.clone())])).is_err());
    }
    assert_eq!(children(0, &frame), Ok(Vec::new()));
    assert!(children(1, &frame).is_err(), "six bytes are no keys");
    assert!(children(1, &seal(b"", None)).is_err(), "a node has children");
}
