//! Trees: what they are made of, and how little of them changes with the value.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::{CODECS, Store, array, chat, ext, map, message, noise, prose, text};
use lgckpt_core::chunk::split;
use lgckpt_core::compress::Format;
use lgckpt_core::frame::unseal;
use lgckpt_core::known::Known;
use lgckpt_core::params::{LEAF_MAX, LEAF_MIN, NODE_MAX, NODE_MIN};
use lgckpt_core::refs::{REF_LEN, parse, parse_node};
use lgckpt_core::seal::children;
use lgckpt_core::tree::Tree;
use proptest::collection::vec;
use proptest::prelude::*;

/// Anything msgpack: nested, with long strings, exts that wrap and exts that do not.
fn values() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop_oneof![
        Just(vec![0xc0]),
        any::<u64>().prop_map(|it| [&[0xcf][..], &it.to_be_bytes()].concat()),
        (0..9_000_usize, any::<u64>()).prop_map(|(len, seed)| text(&prose(len, seed))),
        (0..6_000_usize, any::<u64>()).prop_map(|(len, seed)| ext(&noise(len, seed))),
    ];
    leaf.prop_recursive(5, 400, 40, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..40).prop_map(|items| array(&items)),
            vec(inner.clone(), 0..20).prop_map(|items| {
                map(&items.into_iter().map(|it| ("key", it)).collect::<Vec<_>>())
            }),
            inner.prop_map(|it| ext(&it)),
        ]
    })
}

/// Values, values cut short or with a byte changed, and noise.
fn inputs() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => values(),
        2 => (values(), any::<prop::sample::Index>()).prop_map(|(mut value, at)| {
            value.truncate(at.index(value.len() + 1));
            value
        }),
        2 => (values(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(mut value, at, byte)| {
            let at = at.index(value.len());
            value[at] = byte;
            value
        }),
        1 => (0..80_000_usize, any::<u64>()).prop_map(|(len, seed)| noise(len, seed)),
        1 => (any::<u8>(), 0..60_000_usize).prop_map(|(byte, len)| vec![byte; len]),
    ]
}

fn check_sizes(data: &[u8], structured: bool) {
    let split = split(data, structured);
    assert!(split.head <= data.len());
    let mut start = split.head;
    for end in split.ends {
        assert!((LEAF_MIN..=LEAF_MAX).contains(&(end - start)), "a leaf of {}", end - start);
        start = end;
    }
    assert!(data.len() - start <= LEAF_MAX, "a tail of {}", data.len() - start);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes_come_back(data in inputs(), codec in 0..3_usize) {
        let mut store = Store::default();
        let (tree, _) = store.put(&data, &[], CODECS[codec]);
        prop_assert_eq!(store.get(&data, &tree), Ok(data));
    }

    #[test]
    fn sizes_are_kept_to(data in inputs(), structured: bool) {
        check_sizes(&data, structured);
    }

    #[test]
    fn the_same_bytes_make_the_same_tree(data in inputs(), structured: bool) {
        let (one, two) = (Tree::new(&data, structured), Tree::new(&data.clone(), structured));
        prop_assert_eq!(one.refs(), two.refs());
        prop_assert_eq!((one.head(), one.tail()), (two.head(), two.tail()));
    }

    #[test]
    fn a_history_is_readable_from_what_was_sent(
        edits in vec((any::<prop::sample::Index>(), 0..3_u8, 0..1_000_u64), 1..30),
    ) {
        let mut messages = chat(0, 60);
        let mut store = Store::default();
        let mut known = Known::default();
        let mut history = Vec::new();
        for (at, kind, seed) in edits {
            let at = at.index(messages.len() + 1);
            match kind {
                0 => messages.insert(at, message(seed)),
                1 if at < messages.len() => drop(messages.remove(at)),
                _ => messages.push(message(seed)),
            }
            let data = array(&messages);
            let (tree, _) = store.put(&data, &[&known], Some(Format::Lz4));
            known = tree.known();
            history.push((data, tree));
        }
        for (data, tree) in history {
            prop_assert_eq!(store.get(&data, &tree), Ok(data));
        }
    }
}

/// Asserts that storing `after` beside `before` takes at most `percent` of its size in new chunks.
fn assert_shares(before: &[u8], after: &[u8], percent: usize, what: &str) {
    let mut store = Store::default();
    store.put(before, &[], None);
    let (tree, new) = store.put(after, &[], None);
    assert_eq!(store.get(after, &tree).as_deref(), Ok(after));
    assert!(new * 100 <= after.len() * percent, "{what}: {new} new bytes of {}", after.len());
}

#[test]
fn an_append_sends_little() {
    let messages = chat(0, 1_000);
    let mut store = Store::default();
    let mut known = Known::default();
    let (mut sent, mut inline) = (0, 0);
    for len in 900..1_000 {
        let data = array(&messages[..len]);
        let (tree, new) = store.put(&data, &[&known], None);
        if len > 900 {
            sent += new;
            inline += tree.tail().len() + tree.refs().len();
        }
        known = tree.known();
    }
    // A message has 600 bytes on average.
    assert!(sent < 99 * 900, "{} bytes of chunks an append", sent / 99);
    // The tail is shorter than a leaf and a message; the references are a few to a level.
    assert!(inline < 99 * (LEAF_MIN + 100), "{} bytes in the root an append", inline / 99);
}

#[test]
fn an_append_changes_only_the_end_of_the_references() {
    let messages = chat(0, 400);
    let trees = [399, 400].map(|len| Tree::new(&array(&messages[..len]), true).refs());
    let same = trees[0].iter().zip(&trees[1]).take_while(|(one, two)| one == two).count();
    assert!(same / REF_LEN >= 1, "no common reference");
    for refs in trees {
        let levels: Vec<u8> = parse(&refs).expect("whole references").map(|it| it.level).collect();
        assert!(levels.is_sorted_by(|one, two| one >= two), "{levels:?}");
    }
}

#[test]
fn an_edit_in_the_middle_leaves_the_rest() {
    let messages = chat(0, 1_000);
    let before = array(&messages);
    for at in [0, 1, 250, 500, 777, 998, 999] {
        let mut edited = messages.clone();
        edited[at] = message(9_000);
        assert_shares(&before, &array(&edited), 2, &format!("edited {at}"));
        edited.remove(at);
        assert_shares(&before, &array(&edited), 2, &format!("removed {at}"));
        edited.insert(at, message(9_001));
        edited.insert(at, message(9_002));
        assert_shares(&before, &array(&edited), 2, &format!("inserted at {at}"));
    }
}

#[test]
fn a_drop_at_the_head_leaves_the_rest() {
    let messages = chat(0, 1_000);
    let before = array(&messages);
    for drop in 1..40 {
        assert_shares(&before, &array(&messages[drop..]), 2, &format!("dropped {drop}"));
    }
}

#[test]
fn elements_of_one_length_find_back_too() {
    // Lengths that differ bring the ends of leaves together again; equal ones must not need that.
    for len in [9, 60, 250, 405, 500, 511, 600] {
        let items: Vec<_> =
            (0..400_000 / len as u64).map(|seed| text(&prose(len - 5, seed))).collect();
        let before = array(&items);
        for drop in 1..8 {
            assert_shares(&before, &array(&items[drop..]), 3, &format!("dropped {drop} of {len}"));
        }
    }
}

#[test]
fn an_edit_inside_a_document_leaves_the_rest() {
    let document = prose(500_000, 5);
    let wrap = |content: &[u8]| {
        ext(&array(&[text(b"Document"), map(&[("id", text(b"a")), ("content", text(content))])]))
    };
    let before = wrap(&document);
    for at in [0, 1_000, 250_000, 499_999] {
        let edited = [&document[..at], b"some words more", &document[at..]].concat();
        assert_shares(&before, &wrap(&edited), 5, &format!("edited at {at}"));
    }
    let appended = [document.as_slice(), b"and an end"].concat();
    assert_shares(&before, &wrap(&appended), 5, "append");
}

#[test]
fn an_edit_inside_opaque_bytes_leaves_the_rest() {
    let before = noise(500_000, 5);
    let after = [&before[..250_000], b"more", &before[250_000..]].concat();
    let known = Tree::new(&before, false).known();
    let sent = Tree::new(&after, false).unsent(&after, &[&known], None);
    let bytes: usize = sent.chunks.iter().map(|(_, frame)| frame.len()).sum();
    assert!(bytes < 25_000, "{bytes}");
}

#[test]
fn a_list_within_a_state_is_split_as_well() {
    let state = |messages: &[Vec<u8>]| map(&[("step", vec![7]), ("messages", array(messages))]);
    let messages = chat(0, 1_000);
    assert_shares(&state(&messages[..999]), &state(&messages), 1, "append");
    assert_shares(&state(&messages[..999]), &array(&messages), 1, "shared between shapes");
}

#[test]
fn nodes_have_children_within_limits() {
    let data = array(&chat(0, 3_000));
    let tree = Tree::new(&data, true);
    let frames: std::collections::HashMap<_, _> =
        tree.unsent(&data, &[], None).chunks.into_iter().collect();
    let mut open: Vec<_> = parse(&tree.refs()).expect("whole references").collect();
    let mut nodes = 0;
    while let Some(it) = open.pop() {
        let below = children(it.level, &frames[&it.hash]).expect("a whole chunk");
        if it.level > 0 {
            nodes += 1;
            assert!((NODE_MIN..=NODE_MAX).contains(&(below.len() / REF_LEN)));
        }
        open.extend(parse(&below).expect("whole references"));
    }
    assert!(nodes > 100);
}

#[test]
fn what_is_known_is_claimed_and_not_walked() {
    let data = array(&chat(0, 2_000));
    let tree = Tree::new(&data, true);
    let all = tree.unsent(&data, &[], None);
    assert!(all.claims.is_empty());
    assert_eq!(all.chunks.len(), tree.known().len());
    let none = tree.unsent(&data, &[&Known::default(), &tree.known()], None);
    assert!(none.chunks.is_empty());
    let named: Vec<_> = parse(&tree.refs()).expect("whole references").map(|it| it.hash).collect();
    assert_eq!(none.claims, named);
}

#[test]
fn a_repeated_chunk_is_sent_once() {
    let data = array(&vec![text(&prose(2_000, 1)); 500]);
    let sent = Tree::new(&data, true).unsent(&data, &[], None).chunks;
    let keys: std::collections::HashSet<_> = sent.iter().map(|(hash, _)| hash).collect();
    assert_eq!(keys.len(), sent.len());
    assert!(sent.len() < 20, "{}", sent.len());
}

#[test]
fn no_chunk_is_sent_before_those_it_names() {
    let data = array(&chat(0, 2_000));
    let sent = Tree::new(&data, true).unsent(&data, &[], None).chunks;
    let mut before = std::collections::HashSet::new();
    for (hash, frame) in sent {
        // A chunk of unknown level whose content is keys sent before is a node; any other is a leaf.
        let plain = unseal(&frame, data.len()).expect("a whole chunk");
        let keys = parse_node(&plain).unwrap_or_default();
        let named = keys.iter().filter(|&key| before.contains(key)).count();
        assert!(named == 0 || named == keys.len(), "names a chunk that is sent later");
        before.insert(hash);
    }
    let roots = parse(&Tree::new(&data, true).refs()).expect("whole references").count();
    assert!(before.len() > 10 * roots);
}

#[test]
fn nesting_beyond_the_limit_is_one_long_string() {
    let mut data = vec![0x91; 40_000];
    data.extend(text(&prose(40_000, 2)));
    check_sizes(&data, true);
    assert_eq!(Tree::new(&data, true).head(), 0..1);
    let maps: Vec<u8> = [0x81, 0xc0].repeat(30_000);
    check_sizes(&maps, true);
    let mut exts = text(&prose(20_000, 3));
    for _ in 0..100 {
        exts = ext(&exts);
    }
    check_sizes(&exts, true);
}

#[test]
fn heads_are_headers_of_the_outermost_container() {
    let head = |data: &[u8]| Tree::new(data, true).head().end;
    assert_eq!(head(&array(&chat(0, 3))), 5);
    assert_eq!(head(&ext(&array(&chat(0, 3)))), 11);
    assert_eq!(head(&ext(b"\xa3abcd")), 6, "an ext that wraps no single value");
    assert_eq!(head(&text(b"some text")), 5);
    assert_eq!(head(&[0xcf, 0, 0, 0, 0, 0, 0, 0, 1]), 0);
    assert_eq!(head(&[0xc1]), 0);
    assert_eq!(head(&[]), 0);
    assert_eq!(head(&[0xc7, 3]), 0, "a header that is cut short");
}
