//! Zstandard (RFC 8878): the same standard frames for storage and for the serializer.

use std::cell::Cell;

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::{find_frame_compressed_size, get_frame_content_size};

use crate::error::{Error, Result};
use crate::loan::{Context, Loan, Place};

/// The library's default: chunks are small, and more effort gains little on them.
const LEVEL: i32 = 3;
/// No byte of a frame stands for more than this many: a block is at most 128 KiB, and at least the
/// three bytes of its header and one of content.
const RATIO_MAX: u64 = 128 * 1024 / 4;

/// A thread keeps no larger compressor, in bytes. One grows with its inputs: to about 0.3 MiB by the
/// longest leaf, just under 1 MiB by 256 KiB, and 1.2 MiB by all that is longer.
const KEEP_MAX: usize = 1 << 20;

thread_local! {
    static COMPRESSOR: Cell<Option<Compressor<'static>>> = const { Cell::new(None) };
    static DECOMPRESSOR: Cell<Option<Decompressor<'static>>> = const { Cell::new(None) };
}

impl Context for Compressor<'static> {
    fn place() -> &'static Place<Self> {
        &COMPRESSOR
    }

    fn create() -> Option<Self> {
        Self::new(LEVEL).ok()
    }

    fn keepable(&mut self) -> bool {
        self.context_mut().sizeof() <= KEEP_MAX
    }
}

impl Context for Decompressor<'static> {
    fn place() -> &'static Place<Self> {
        &DECOMPRESSOR
    }

    fn create() -> Option<Self> {
        Self::new().ok()
    }

    fn keepable(&mut self) -> bool {
        // It never grows: what is decompressed in one pass is its own window.
        true
    }
}

/// Compresses to a frame after what is in `out`; false if that failed.
pub fn append(data: &[u8], out: &mut Vec<u8>, context: &mut Loan<Compressor<'static>>) -> bool {
    let Some(context) = context.get() else { return false };
    let start = out.len();
    out.resize(start + zstd::zstd_safe::compress_bound(data.len()), 0);
    let written = context.compress_to_buffer(data, &mut out[start..]);
    out.truncate(start + written.as_ref().copied().unwrap_or(0));
    written.is_ok()
}

/// Decompresses one frame into all of `out`.
pub fn read(frame: &[u8], out: &mut [u8], context: &mut Loan<Decompressor<'static>>) -> Result<()> {
    if find_frame_compressed_size(frame) != Ok(frame.len()) {
        return Err(Error::Frame("its payload is not one zstd frame"));
    }
    match context.get().map(|it| it.decompress_to_buffer(frame, out)) {
        Some(Ok(len)) if len == out.len() => Ok(()),
        _ => Err(Error::Frame("its zstd frame does not decompress to the length it names")),
    }
}

/// The most that frames of this many bytes can decompress to.
pub fn bound(len: usize) -> u64 {
    (len as u64).saturating_mul(RATIO_MAX)
}

/// Compresses to a standard frame that names its content's size.
pub fn compress(data: &[u8]) -> Result<Vec<u8>> {
    let mut context = Loan::<Compressor<'static>>::default();
    let packed = context.get().and_then(|it| it.compress(data).ok());
    packed.ok_or(bad("it cannot be written"))
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
    let mut context = Loan::<Decompressor<'static>>::default();
    context.get().ok_or(())?.decompress_to_buffer(data, &mut out).map_err(drop)?;
    Ok(out)
}

fn bad(reason: &'static str) -> Error {
    Error::Compressed { codec: "zstd", reason }
}

#[cfg(test)]
mod tests {
    use super::{COMPRESSOR, DECOMPRESSOR, KEEP_MAX, compress, decompress};

    /// What the thread keeps of its compressor, in bytes, after an input of this length.
    fn kept_after(len: usize) -> Option<usize> {
        let data: Vec<u8> = (0..len).map(|at| ((at * at) >> 7).to_le_bytes()[0]).collect();
        let packed = compress(&data);
        assert_eq!(packed.and_then(|packed| decompress(&packed, len)).as_ref(), Ok(&data));
        let mut kept = COMPRESSOR.take();
        let size = kept.as_mut().map(|kept| kept.context_mut().sizeof());
        COMPRESSOR.set(kept);
        size
    }

    #[test]
    fn a_thread_keeps_no_large_compressor() {
        let leaf = kept_after(crate::params::LEAF_MAX);
        assert!(leaf.is_some_and(|size| size < KEEP_MAX / 2), "{leaf:?}");
        let row = kept_after(128 << 10);
        assert!(row > leaf && row.is_some_and(|size| size <= KEEP_MAX), "{row:?}");
        assert_eq!(kept_after(8 << 20), None);
        assert_eq!(kept_after(crate::params::LEAF_MAX), leaf);
    }

    #[test]
    fn damage_leaves_nothing_behind() {
        let plain = b"some text, some text, some text".repeat(9);
        let Ok(packed) = compress(&plain) else { unreachable!("memory") };
        for at in 0..packed.len() {
            let mut damaged = packed.clone();
            damaged[at] ^= 0xff;
            let _ = decompress(&damaged, plain.len());
            assert_eq!(decompress(&packed, plain.len()).as_ref(), Ok(&plain));
        }
        assert!(DECOMPRESSOR.take().is_some());
    }
}
