//! Frames and compression: whatever goes in comes out, and nothing else passes for it.
#![allow(missing_docs, reason = "tests")]

mod common;

use std::sync::Barrier;

use common::{CODECS, noise, prose};
use lgckpt_core::Error;
use lgckpt_core::compress::{Format, compress, decompress};
use lgckpt_core::frame::{Sealer, VERSION, seal, unseal};
use proptest::collection::vec;
use proptest::prelude::*;

const FORMATS: [Format; 2] = [Format::Lz4, Format::Zstd];
const ANY_LEN: usize = 1 << 31;

fn inputs() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..300),
        (0..100_000_usize, any::<u64>()).prop_map(|(len, seed)| prose(len, seed)),
        (0..100_000_usize, any::<u64>()).prop_map(|(len, seed)| noise(len, seed)),
        (any::<u8>(), 0..300_000_usize).prop_map(|(byte, len)| vec![byte; len]),
    ]
}

/// A frame with any header and a checksum that holds.
fn forged(version: u8, codec: u8, body: &[u8]) -> Vec<u8> {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&[version, codec]);
    crc.update(body);
    [&[version, codec][..], &crc.finalize().to_le_bytes(), body].concat()
}

proptest! {
    #[test]
    fn frames_come_back(data in inputs(), codec in 0..3_usize) {
        let frame = seal(&data, CODECS[codec]);
        prop_assert!(frame.len() <= data.len() + 11);
        prop_assert_eq!(unseal(&frame, data.len()), Ok(data));
    }

    #[test]
    fn formats_come_back(data in inputs(), format in 0..2_usize) {
        let packed = compress(&data, FORMATS[format])?;
        prop_assert_eq!(decompress(&packed, FORMATS[format], data.len()), Ok(data.clone()));
        if !data.is_empty() {
            prop_assert!(decompress(&packed, FORMATS[format], data.len() - 1).is_err());
        }
    }

    #[test]
    fn a_frame_with_a_bit_flipped_is_damaged(
        data in inputs(), codec in 0..3_usize, at: prop::sample::Index, bit in 0..8_u32,
    ) {
        let mut frame = seal(&data, CODECS[codec]);
        let at = at.index(frame.len());
        frame[at] ^= 1 << bit;
        let error = unseal(&frame, ANY_LEN).expect_err("damage");
        prop_assert_eq!(error.unsupported_version(), None, "{}", error);
    }

    #[test]
    fn a_frame_cut_short_or_with_more_after_it_is_damaged(
        data in inputs(), codec in 0..3_usize, at: prop::sample::Index,
    ) {
        let frame = seal(&data, CODECS[codec]);
        prop_assert!(unseal(&frame[..at.index(frame.len())], ANY_LEN).is_err());
        prop_assert!(unseal(&[frame, vec![0]].concat(), ANY_LEN).is_err());
    }

    #[test]
    fn a_format_cut_short_or_with_more_after_it_is_damaged(
        data in inputs(), format in 0..2_usize, at: prop::sample::Index,
    ) {
        let packed = compress(&data, FORMATS[format])?;
        let cut = &packed[..at.index(packed.len())];
        prop_assert!(decompress(cut, FORMATS[format], ANY_LEN).is_err());
        prop_assert!(decompress(&[&packed[..], &[0]].concat(), FORMATS[format], ANY_LEN).is_err());
    }

    #[test]
    fn forged_payloads_never_panic(
        codec: u8, len in prop_oneof![0..100_u64, any::<u64>()], payload in vec(any::<u8>(), 0..200),
    ) {
        let mut body = Vec::new();
        lgckpt_core::varint::put(&mut body, len);
        body.extend(&payload);
        if let Ok(plain) = unseal(&forged(VERSION, codec, &body), ANY_LEN) {
            prop_assert_eq!(plain.len() as u64, len);
        }
    }

    #[test]
    fn noise_in_a_format_never_panics(data in vec(any::<u8>(), 0..200), format in 0..2_usize) {
        let mut packed = compress(b"some text, some text, some text", FORMATS[format])?;
        let at = packed.len().min(data.len());
        packed[..at].iter_mut().zip(&data).skip(4).for_each(|(byte, noise)| *byte ^= noise);
        let _ = decompress(&packed, FORMATS[format], ANY_LEN);
        let _ = decompress(&data, FORMATS[format], ANY_LEN);
    }
}

#[test]
fn one_sealer_seals_many() {
    for codec in CODECS {
        let mut sealer = Sealer::new(codec);
        for len in [0, 1, 63, 64, 1_000, 70_000, 300, 140_000] {
            let data = prose(len, 4);
            assert_eq!(unseal(&sealer.seal(&data), len), Ok(data));
        }
    }
}

#[test]
fn what_does_not_shrink_is_plain() {
    for codec in CODECS {
        assert_eq!(seal(&noise(5_000, 1), codec), seal(&noise(5_000, 1), None));
        assert_eq!(seal(&[0; 63], codec), seal(&[0; 63], None));
    }
    assert!(seal(&[0; 64], Some(Format::Lz4)).len() < 40);
}

#[test]
fn a_newer_version_is_named() {
    let error = unseal(&forged(9, 7, b"whatever it holds"), ANY_LEN).expect_err("version 9");
    assert_eq!(error, Error::Unsupported(9));
    assert!(error.to_string().contains("version 9"), "{error}");
}

#[test]
fn a_claim_of_four_gigabytes_is_refused_by_its_header() {
    for codec in [0, 1, 2] {
        let mut body = Vec::new();
        lgckpt_core::varint::put(&mut body, 1 << 32);
        body.extend([0; 50]);
        assert!(unseal(&forged(VERSION, codec, &body), usize::MAX).is_err());
    }
    // The claim is in the header of the zstd frame itself, and its window too.
    let claim = [0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0];
    let error = decompress(&claim, Format::Zstd, usize::MAX).expect_err("a claim");
    assert!(error.to_string().contains("more bytes than are allowed"), "{error}");
}

#[test]
fn zstd_frames_that_name_no_size_are_read() {
    let data = prose(3_000_000, 1);
    let mut encoder = zstd::stream::Encoder::new(Vec::new(), 3).expect("an encoder");
    std::io::Write::write_all(&mut encoder, &data).expect("memory");
    let packed = encoder.finish().expect("memory");
    assert_eq!(decompress(&packed, Format::Zstd, data.len()).as_ref(), Ok(&data));
    assert!(decompress(&packed, Format::Zstd, data.len() - 1).is_err());
    let two = [packed, compress(&data, Format::Zstd).expect("memory")].concat();
    assert_eq!(decompress(&two, Format::Zstd, ANY_LEN), Ok(data.repeat(2)));
}

#[test]
fn threads_do_not_meet_in_one_context() {
    const THREADS: usize = 16;
    let together = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let together = &together;
            scope.spawn(move || {
                together.wait();
                for turn in 0..40 {
                    let place = thread * 100 + turn;
                    // Beyond what a thread keeps a context for, now and then.
                    let len = if turn % 16 == 0 { 300_000 } else { 50 + 37 * place };
                    let data = prose(len, place as u64);
                    for codec in CODECS {
                        assert_eq!(unseal(&seal(&data, codec), len).as_ref(), Ok(&data));
                    }
                    for format in FORMATS {
                        let packed = compress(&data, format).expect("memory");
                        assert_eq!(decompress(&packed, format, len).as_ref(), Ok(&data));
                    }
                }
            });
        }
    });
}

#[test]
fn what_was_sealed_before_does_not_show() {
    let small = prose(400, 1);
    for codec in CODECS {
        let frame = seal(&small, codec);
        for len in [0, 70_000, 300_000, 3_000_000] {
            assert_eq!(unseal(&seal(&prose(len, 2), codec), len), Ok(prose(len, 2)));
            assert_eq!(seal(&small, codec), frame);
        }
    }
}
