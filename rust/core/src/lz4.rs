//! LZ4: bare blocks for storage, standard frames for the serializer.

use std::cell::Cell;
use std::io::{Read, Write};

use lz4_flex::block::{CompressTable, compress_into_with_table, get_maximum_output_size};
use lz4_flex::frame::{FrameDecoder, FrameEncoder, FrameInfo};

use crate::error::{Error, Result};
use crate::loan::{Context, Loan, Place};

/// A longer input has no block (the format's `LZ4_MAX_INPUT_SIZE`).
const BLOCK_MAX: usize = 0x7e00_0000;
/// No byte of a block stands for more than this many.
const RATIO_MAX: u64 = 255;

const TOO_LARGE: &str = "it holds more bytes than are allowed";
const MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];
const FLAG_BLOCK_CHECKSUMS: u8 = 0x10;
const FLAG_CONTENT_SIZE: u8 = 0x08;
const FLAG_CONTENT_CHECKSUM: u8 = 0x04;
const FLAG_DICTIONARY: u8 = 0x01;
const BLOCK_LEN_MASK: u32 = 0x7fff_ffff;

thread_local! {
    static TABLE: Cell<Option<CompressTable>> = const { Cell::new(None) };
}

impl Context for CompressTable {
    fn place() -> &'static Place<Self> {
        &TABLE
    }

    fn create() -> Option<Self> {
        Some(Self::small())
    }

    fn keepable(&mut self) -> bool {
        // Once it is large it stays so, and takes longer to clear for each small input.
        matches!(self, Self::Small(_))
    }
}

/// Compresses to a bare block after what is in `out`; false if the format cannot hold it.
pub fn append_block(data: &[u8], out: &mut Vec<u8>, table: &mut Loan<CompressTable>) -> bool {
    let Some(table) = table.get().filter(|_| data.len() <= BLOCK_MAX) else { return false };
    let start = out.len();
    out.resize(start + get_maximum_output_size(data.len()), 0);
    let written = compress_into_with_table(data, &mut out[start..], table);
    let done = written.is_ok();
    out.truncate(start + written.unwrap_or(0));
    done
}

/// Decompresses a bare block of `len` plain bytes to the front of `out`.
pub fn read_block(block: &[u8], out: &mut [u8], len: usize) -> Result<()> {
    // With room to spare the library copies whole words to the end; more than that is of no use.
    let room = out.len().min(len.saturating_add(64));
    match lz4_flex::block::decompress_into(block, &mut out[..room]) {
        Ok(written) if written == len => Ok(()),
        _ => Err(Error::Frame("its lz4 block does not decompress to the length it names")),
    }
}

/// The most that a block of this many bytes can decompress to.
pub fn bound(len: usize) -> u64 {
    (len as u64).saturating_mul(RATIO_MAX)
}

/// Compresses to a standard frame that names its content's size.
pub fn compress(data: &[u8]) -> Result<Vec<u8>> {
    let info = FrameInfo::new().content_size(Some(data.len() as u64));
    let mut encoder = FrameEncoder::with_frame_info(info, Vec::with_capacity(data.len() / 2 + 32));
    encoder.write_all(data).map_err(|_| bad("it cannot be written"))?;
    encoder.finish().map_err(|_| bad("it cannot be written"))
}

/// Reads one whole standard frame of at most `max_len` bytes of content.
pub fn decompress(data: &[u8], max_len: usize) -> Result<Vec<u8>> {
    let claimed = check_frame(data)?;
    let allowed = bound(data.len()).min(max_len as u64);
    if claimed.is_some_and(|claimed| claimed > allowed) {
        return Err(bad(TOO_LARGE));
    }
    let mut out = Vec::with_capacity(claimed.and_then(|len| len.try_into().ok()).unwrap_or(0));
    let limit = allowed.saturating_add(1);
    let read = FrameDecoder::new(data).take(limit).read_to_end(&mut out);
    read.map_err(|_| bad("a block or a checksum is wrong"))?;
    if out.len() as u64 > allowed { Err(bad(TOO_LARGE)) } else { Ok(out) }
}

/// Walks the blocks of a frame: it must end where `data` does, as the decoder of the library takes
/// one that is cut off between two blocks for whole. Returns the content's size if it is named.
fn check_frame(data: &[u8]) -> Result<Option<u64>> {
    let mut rest = data;
    if take(&mut rest, 4)? != MAGIC {
        return Err(bad("the magic number is wrong"));
    }
    let flags = take(&mut rest, 2)?[0];
    let size = if flags & FLAG_CONTENT_SIZE == 0 { None } else { Some(take_u64(&mut rest)?) };
    if flags & FLAG_DICTIONARY != 0 {
        return Err(bad("it needs a dictionary"));
    }
    take(&mut rest, 1)?;
    let checksum = if flags & FLAG_BLOCK_CHECKSUMS == 0 { 0 } else { 4 };
    loop {
        let word = take_u32(&mut rest)?;
        if word == 0 {
            break;
        }
        take(&mut rest, (word & BLOCK_LEN_MASK) as usize + checksum)?;
    }
    if flags & FLAG_CONTENT_CHECKSUM != 0 {
        take(&mut rest, 4)?;
    }
    if rest.is_empty() { Ok(size) } else { Err(bad("there are bytes after its end")) }
}

fn take<'a>(rest: &mut &'a [u8], len: usize) -> Result<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(len).ok_or_else(|| bad("it is cut short"))?;
    *rest = after;
    Ok(taken)
}

fn take_u32(rest: &mut &[u8]) -> Result<u32> {
    let bytes = take(rest, 4)?;
    Ok(bytes.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte)))
}

fn take_u64(rest: &mut &[u8]) -> Result<u64> {
    let bytes = take(rest, 8)?;
    Ok(bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)))
}

fn bad(reason: &'static str) -> Error {
    Error::Compressed { codec: "lz4", reason }
}
