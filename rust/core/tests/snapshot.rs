//! Snapshots of runs: the bytes of lgckpt's savers, and the JSON of the same.
#![allow(missing_docs, clippy::expect_used, reason = "tests")]

use std::sync::Arc;

use lgckpt_core::channel::{Kind, Names, Plain, Reducer};
use lgckpt_core::compress::Format;
use lgckpt_core::engine::{Graph, GraphBuilder, Run, Version, Worker};
use lgckpt_core::frame::unseal;
use lgckpt_core::snapshot::{Packed, Row, RowWriter, Source, json};
use lgckpt_core::{hash, state};
use serde_json::{Value, json};

type Domain = Plain<Packed>;

const ID: &str = "1f0e0000-0000-6000-8000-000000000000";
const TS: &str = "2026-01-02T03:04:05+00:00";
/// `{"source": "loop", "step": 3, "parents": {}}`
const METADATA: &[u8] = b"\x83\xa6source\xa4loop\xa4step\x03\xa7parents\x80";

/// What `lgckpt.packing` makes of the checkpoint of [`run`] with `Serializer()` and no codec.
const STATE: &str = "010013b6fcc689039401a76d73677061636bc4ce86a17604a27473b9323032362d30312d3032543\
    0333a30343a30352b30303a3030a26964d92431663065303030302d303030302d363030302d383030302d3030303030\
    30303030303030b06368616e6e656c5f76657273696f6e7387a47465787402a46e6f6e6502a5627974657302a5746f7\
    0696302a76261727269657202a4626f746802a46c61746502ad76657273696f6e735f7365656e81a46e6f646581a474\
    65787401b0757064617465645f6368616e6e656c7394a56279746573a46e6f6e65a474657874a5746f7069639793a47\
    4657874a76d73677061636bc406a568656c6c6f93a46e6f6e65a46e756c6cc40093a56279746573a56279746573c402\
    000193a5746f706963a76d73677061636bc40592a161a16293a762617272696572a76d73677061636bc414c7110093a\
    86275696c74696e73a373657491a17893a4626f7468a76d73677061636bc41692c7110093a86275696c74696e73a373\
    657491a178c293a46c617465a76d73677061636bc40792a4736f6f6ec2";
const ETAG: &str = "597b1020d649c9d2";

fn text(text: &str) -> Packed {
    let mut packed = vec![0xa0 | u8::try_from(text.len()).expect("short")];
    packed.extend_from_slice(text.as_bytes());
    Packed::new(packed).expect("a string")
}

fn bytes(packed: &[u8]) -> Packed {
    Packed::new(packed).expect("msgpack")
}

fn graph() -> Arc<Graph<Domain>> {
    let domain = Domain::default();
    let names = Arc::new(Names::new(&domain, [text("x"), text("y")]).expect("names"));
    let mut graph = GraphBuilder::new(domain);
    let kinds = [
        ("text", Kind::LastValue),
        ("none", Kind::LastValue),
        ("bytes", Kind::LastValue),
        ("topic", Kind::Topic { accumulate: true }),
        ("barrier", Kind::NamedBarrierValue(Arc::clone(&names))),
        ("both", Kind::NamedBarrierValueAfterFinish(names)),
        ("late", Kind::LastValueAfterFinish),
        ("unwritten", Kind::LastValue),
    ];
    for (name, kind) in kinds {
        graph.channel(name, kind).expect("new");
    }
    graph.node("node", &[0], &[0], |_| {
        Ok(vec![
            (0, text("hello")),
            (1, bytes(&[0xc0])),
            (2, bytes(&[0xc4, 2, 0, 1])),
            (3, text("a")),
            (3, text("b")),
            (4, text("x")),
            (5, text("x")),
            (6, text("soon")),
        ])
    });
    graph.compile().expect("a graph")
}

fn run(graph: &Arc<Graph<Domain>>) -> Run<Domain> {
    let (mut run, mut worker) = (Run::new(graph).expect("new"), Worker::default());
    run.input(&mut worker, vec![(0, text("go"))]).expect("input");
    assert_eq!(run.step(&mut worker), Ok(true));
    run
}

const HEX: &[u8; 16] = b"0123456789abcdef";

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|it| char::from(HEX[usize::from(it)]))
        .collect()
}

fn source(run: &Run<Domain>) -> Source<'_, Packed, Reducer<Packed>, Version> {
    run.source(ID, TS).expect("whole")
}

fn row(run: &Run<Domain>, codec: Option<Format>) -> Row {
    RowWriter::default().write(&source(run), METADATA, codec).expect("a row")
}

#[test]
fn a_row_is_that_of_the_python_saver() {
    let row = row(&run(&graph()), None);
    assert_eq!(hex(&row.state), STATE);
    assert_eq!(unseal(&row.metadata, 99).expect("a frame"), [b"msgpack\0", METADATA].concat());
    assert_eq!(hex(&row.etag), ETAG);
}

#[test]
fn a_compressed_row_holds_the_same() {
    let run = run(&graph());
    let plain = unseal(&row(&run, None).state, 999).expect("a frame");
    for codec in [Format::Lz4, Format::Zstd] {
        let packed = row(&run, Some(codec));
        assert!(packed.state.len() < plain.len());
        assert_eq!(unseal(&packed.state, 999).as_ref(), Ok(&plain));
        assert_eq!(packed.etag, hash::etag(&[&packed.state, &packed.metadata]));
    }
}

#[test]
fn a_writer_leaves_nothing_of_one_row_in_the_next() {
    let graph = graph();
    let (run, fresh) = (run(&graph), Run::new(&graph).expect("new"));
    let mut writer = RowWriter::default();
    let mut write = |run: &Run<_>| writer.write(&source(run), METADATA, None);
    let rows = [write(&run), write(&fresh), write(&run)].map(|row| row.expect("a row"));
    assert_eq!(rows[0], rows[2]);
    let plain = unseal(&rows[1].state, 999).expect("a frame");
    let (_, _, values) = state::parse(&plain).expect("a state");
    assert!(values.is_empty());
}

#[test]
fn the_json_is_that_of_the_checkpoint() {
    let mut out = Vec::new();
    json(&mut out, &source(&run(&graph()))).expect("JSON has it");
    let parsed: Value = serde_json::from_slice(&out).expect("JSON");
    let expected = json!({
        "v": 4,
        "ts": TS,
        "id": ID,
        "channel_values": {
            "text": "hello",
            "none": null,
            "bytes": {"bytes": "AAE="},
            "topic": ["a", "b"],
            "barrier": ["x"],
            "both": [["x"], false],
            "late": ["soon", false],
        },
        "channel_versions": {
            "text": 2, "none": 2, "bytes": 2, "topic": 2, "barrier": 2, "both": 2, "late": 2,
        },
        "versions_seen": {"node": {"text": 1}},
        "updated_channels": ["bytes", "none", "text", "topic"],
    });
    assert_eq!(parsed, expected);
}

#[test]
fn what_is_not_msgpack_is_no_value() {
    for packed in [&[][..], &[0xa5, b'a'], &[0xc1], &[0xc0, 0xc0]] {
        assert!(Packed::new(packed).is_err(), "{packed:?}");
    }
    assert_eq!(bytes(&[0xc0]).as_bytes(), [0xc0]);
}
