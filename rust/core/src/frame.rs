//! The versioned envelope around all that is stored.
//!
//! ```text
//! u8 version | u8 codec | u32 LE CRC-32 of the two bytes before and all bytes after | varint length | payload
//! ```
//!
//! The first six bytes mean the same in every version, so a frame of a newer release is told from a
//! damaged one. The length is that of the plain bytes; the payload goes to the end.

use lz4_flex::block::CompressTable;
use zstd::bulk::{Compressor, Decompressor};

use crate::compress::Format;
use crate::error::{Error, Result};
use crate::loan::Loan;
use crate::{lz4, varint, zstandard};

/// How a payload is compressed; `None` is not at all.
pub type Codec = Option<Format>;

/// The version this release writes, and the newest it reads.
pub const VERSION: u8 = 1;
/// Shorter input is stored plain.
pub const COMPRESS_MIN: usize = 64;

const PLAIN: u8 = 0;
const LZ4_BLOCK: u8 = 1;
const ZSTD_FRAME: u8 = 2;
const CRC: std::ops::Range<usize> = 2..6;

/// Seals one frame. Compressed only if that makes it shorter.
#[must_use]
pub fn seal(data: &[u8], codec: Codec) -> Vec<u8> {
    Sealer::new(codec).seal(data)
}

/// Reads one frame of at most `max_len` plain bytes.
pub fn unseal(frame: &[u8], max_len: usize) -> Result<Vec<u8>> {
    let envelope = Envelope::parse(frame, max_len)?;
    envelope.verify()?;
    if envelope.codec == PLAIN {
        return Ok(envelope.payload.to_vec());
    }
    let mut plain = vec![0; envelope.len];
    Opener::default().open(&envelope, &mut plain)?;
    Ok(plain)
}

/// Seals many frames with one set of tables, the thread's own.
pub struct Sealer(Tables);

enum Tables {
    Plain,
    Lz4(Loan<CompressTable>),
    Zstd(Loan<Compressor<'static>>),
}

impl Sealer {
    /// Chooses the tables of the codec.
    #[must_use]
    pub fn new(codec: Codec) -> Self {
        Self(match codec {
            None => Tables::Plain,
            Some(Format::Lz4) => Tables::Lz4(Loan::default()),
            Some(Format::Zstd) => Tables::Zstd(Loan::default()),
        })
    }

    /// Seals one frame.
    #[must_use]
    pub fn seal(&mut self, data: &[u8]) -> Vec<u8> {
        let mut frame = Vec::with_capacity(data.len() + 16);
        frame.extend_from_slice(&[VERSION, PLAIN, 0, 0, 0, 0]);
        varint::put(&mut frame, data.len() as u64);
        let start = frame.len();
        let tag = self.append(data, &mut frame);
        if tag == PLAIN || frame.len() - start >= data.len() {
            frame.truncate(start);
            frame.extend_from_slice(data);
        } else {
            frame[1] = tag;
        }
        let crc = checksum(&frame);
        frame[CRC].copy_from_slice(&crc.to_le_bytes());
        frame.shrink_to_fit();
        frame
    }

    /// Appends the compressed payload; returns its codec, plain if nothing of use was appended.
    fn append(&mut self, data: &[u8], frame: &mut Vec<u8>) -> u8 {
        if data.len() < COMPRESS_MIN {
            return PLAIN;
        }
        let (tag, done) = match &mut self.0 {
            Tables::Plain => return PLAIN,
            Tables::Lz4(table) => (LZ4_BLOCK, lz4::append_block(data, frame, table)),
            Tables::Zstd(context) => (ZSTD_FRAME, zstandard::append(data, frame, context)),
        };
        if done { tag } else { PLAIN }
    }
}

/// A frame whose length can be true, not yet decompressed.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    frame: &'a [u8],
    codec: u8,
    /// The length of the plain bytes.
    pub len: usize,
    payload: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// Reads the header of a frame of at most `max_len` plain bytes; the checksum is still to be
    /// verified. What passes allocates no more than its payload can decompress to.
    pub fn parse(frame: &'a [u8], max_len: usize) -> Result<Self> {
        let (Some(&[version, codec]), Some(_)) = (frame.first_chunk(), frame.get(CRC)) else {
            return Err(Error::Frame("it is shorter than its header"));
        };
        if version != VERSION {
            check(frame)?;
            return Err(Error::Unsupported(version));
        }
        let mut payload = &frame[CRC.end..];
        let claimed = varint::take(&mut payload).ok_or(Error::Frame("it has no length"))?;
        let bound = match codec {
            PLAIN if claimed != payload.len() as u64 => {
                return Err(Error::Frame("its length is not that of its payload"));
            }
            PLAIN => claimed,
            LZ4_BLOCK | ZSTD_FRAME if claimed <= payload.len() as u64 => {
                return Err(Error::Frame("it is compressed to no less than its length"));
            }
            LZ4_BLOCK => lz4::bound(payload.len()),
            ZSTD_FRAME => zstandard::bound(payload.len()),
            _ => return Err(Error::Frame("its codec does not exist")),
        };
        let allowed = bound.min(max_len as u64);
        match usize::try_from(claimed) {
            Ok(len) if claimed <= allowed => Ok(Self { frame, codec, len, payload }),
            _ => Err(Error::TooLarge { claimed, allowed }),
        }
    }

    /// Verifies the checksum.
    pub fn verify(&self) -> Result<()> {
        check(self.frame)
    }
}

fn check(frame: &[u8]) -> Result<()> {
    if frame.get(CRC) == Some(checksum(frame).to_le_bytes().as_slice()) {
        Ok(())
    } else {
        Err(Error::Frame("its checksum is wrong"))
    }
}

/// Decompresses many frames with one context, the thread's own.
#[derive(Default)]
pub struct Opener {
    zstd: Loan<Decompressor<'static>>,
}

impl Opener {
    /// Decompresses to the front of `out`, which must hold what the envelope says. More room is
    /// welcome: what is after the plain bytes may be overwritten, and lz4 is faster for it.
    pub fn open(&mut self, envelope: &Envelope<'_>, out: &mut [u8]) -> Result<()> {
        let Some(exact) = out.get_mut(..envelope.len) else {
            return Err(Error::Frame("it is longer than the space for it"));
        };
        match envelope.codec {
            LZ4_BLOCK => lz4::read_block(envelope.payload, out, envelope.len),
            ZSTD_FRAME => zstandard::read(envelope.payload, exact, &mut self.zstd),
            _ => {
                exact.copy_from_slice(envelope.payload);
                Ok(())
            }
        }
    }
}

fn checksum(frame: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&frame[..CRC.start]);
    crc.update(&frame[CRC.end..]);
    crc.finalize()
}
