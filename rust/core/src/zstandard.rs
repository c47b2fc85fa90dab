//! Zstandard (RFC 8878): the same standard frames for storage and for the serializer.

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::{find_frame_compressed_size, get_frame_content_size};

use crate::error::{Error, Result};

/// The library's default: chunks are small, and more effort gains little on them.
pub const LEVEL: i32 = 3;
/// No byte of a frame stands for more than this many: a block is at most 128 KiB, and at least the
/// three bytes of its header and one of content.
const RATIO_MAX: u64 = 128 * 1024 / 4;

/// A context to compress many inputs with, or none if there is no memory for it.
pub fn compressor() -> Option<Compressor<'static>> {
    Compressor::new(LEVEL).ok()
}

/// Compresses to a frame after what is in `out`; false if that failed.
pub fn append(data: &[u8], out: &mut Vec<u8>, context: &mut Compressor<'static>) -> bool {
    let start = out.len();
    out.resize(start + zstd::zstd_safe::compress_bound(data.len()), 0);
    let written = context.compress_to_buffer(data, &mut out[start..]);
    out.truncate(start + written.as_ref().copied().unwrap_or(0));
    written.is_ok()
}

/// Decompresses one frame into all of `out`.
pub fn read(frame: &[u8], out: &mut [u8], context: &mut Decompressor<'static>) -> Result<()> {
    if find_frame_compressed_size(frame) != Ok(frame.len()) {
        return Err(Error::Frame("its payload is not one zstd frame"));
    }
    match context.decompress_to_buffer(frame, out) {
        Ok(len) if len == out.len() => Ok(()),
        _ => Err(Error::Frame("its zstd frame does not decompress to the length it names")),
    }
}

/// The most that frames of this many bytes can decompress to.
pub fn bound(len: usize) -> u64 {
    (len as u64).saturating_mul(RATIO_MAX)
}

/// Compresses to a standard frame that names its content's size.
pub fn compress(data: &[u8]) -> Result<Vec<u8>> {
    zstd::bulk::compress(data, LEVEL).map_err(|_| bad("it cannot be written"))
}

/// Reads standard frames of at most `max_len` bytes of content.
pub fn decompress(data: &[u8], max_len: usize) -> Result<Vec<u8>> {
    let allowed = bound(data.len()).min(max_len as u64);
    if let Some(claimed) = content_size(data)? {
        return match usize::try_from(claimed) {
            Ok(len) if claimed <= allowed => attempt(data, len).map_err(|()| bad("damaged")),
            _ => Err(bad("it holds more bytes than are allowed")),
        };
    }
    // No size is named: try ever larger buffers, as one pass needs no window of the frame's choice.
    let mut capacity = (data.len() as u64).saturating_mul(8).clamp(4096, allowed.max(1));
    loop {
        let buffer = usize::try_from(capacity).map_err(|_| bad("damaged"))?;
        match attempt(data, buffer) {
            Ok(out) => return Ok(out),
            Err(()) if capacity >= allowed => return Err(bad("damaged, or larger than allowed")),
            Err(()) => capacity = capacity.saturating_mul(4).min(allowed),
        }
    }
}

/// The content's size of all frames in `data`, if each names it.
fn content_size(mut data: &[u8]) -> Result<Option<u64>> {
    let mut total = Some(0_u64);
    if data.is_empty() {
        return Err(bad("it is empty"));
    }
    while !data.is_empty() {
        let len =
            find_frame_compressed_size(data).map_err(|_| bad("it is cut short or damaged"))?;
        let size = get_frame_content_size(data).map_err(|_| bad("its header is damaged"))?;
        total = total.zip(size).and_then(|(total, size)| total.checked_add(size));
        data = data.get(len..).ok_or_else(|| bad("it is cut short"))?;
    }
    Ok(total)
}

fn attempt(data: &[u8], capacity: usize) -> std::result::Result<Vec<u8>, ()> {
    let mut out = Vec::new();
    out.try_reserve_exact(capacity).map_err(drop)?;
    let written = Decompressor::new().and_then(|mut it| it.decompress_to_buffer(data, &mut out));
    written.map(|_| out).map_err(drop)
}

fn bad(reason: &'static str) -> Error {
    Error::Compressed { codec: "zstd", reason }
}
