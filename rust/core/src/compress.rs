//! Compression to and from the standard formats, which any other tool reads too.

use crate::error::Result;
use crate::{lz4, zstandard};

/// A standard compression format.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// The LZ4 frame format.
    Lz4,
    /// Zstandard.
    Zstd,
}

/// Compresses to one standard frame that names its content's size.
pub fn compress(data: &[u8], format: Format) -> Result<Vec<u8>> {
    match format {
        Format::Lz4 => lz4::compress(data),
        Format::Zstd => zstandard::compress(data),
    }
}

/// Reads a standard frame, whoever wrote it. All of `data` must belong to it.
///
/// Memory is bounded by `max_len`, and by what this many bytes can decompress to at all, whatever
/// length the frame claims.
pub fn decompress(data: &[u8], format: Format, max_len: usize) -> Result<Vec<u8>> {
    match format {
        Format::Lz4 => lz4::decompress(data, max_len),
        Format::Zstd => zstandard::decompress(data, max_len),
    }
}
