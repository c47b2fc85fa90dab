//! The keys of chunks: BLAKE2b (RFC 7693) of the plain bytes, 20 bytes long, personalised by level.

use std::hash::{BuildHasherDefault, Hasher};

use blake2b_simd::Params;
use blake2b_simd::many::{HashManyJob, hash_many};
use xxhash_rust::xxh3::Xxh3Default;

/// The length of a key in bytes.
pub const HASH_LEN: usize = 20;
/// The key of a chunk.
pub type Hash = [u8; HASH_LEN];

/// Jobs hashed at once: enough to fill the SIMD lanes, few enough for the cache.
const BATCH: usize = 64;

/// Hashes one chunk.
#[must_use]
pub fn hash_chunk(level: u8, plain: &[u8]) -> Hash {
    key(params(level).hash(plain).as_bytes())
}

/// Hashes many chunks of one level side by side in SIMD lanes.
pub fn hash_all<'a>(level: u8, mut plains: impl Iterator<Item = &'a [u8]>) -> Vec<Hash> {
    let params = params(level);
    let mut hashes = Vec::with_capacity(plains.size_hint().0);
    let mut jobs = Vec::with_capacity(BATCH);
    loop {
        jobs.clear();
        jobs.extend(plains.by_ref().take(BATCH).map(|plain| HashManyJob::new(&params, plain)));
        if jobs.is_empty() {
            return hashes;
        }
        hash_many(&mut jobs);
        hashes.extend(jobs.iter().map(|job| key(job.to_hash().as_bytes())));
    }
}

/// Eight bytes that change whenever one of the parts does: XXH3 of them in a row, big-endian.
///
/// Not a key: it tells a row from another that once stood in its place, both written by who may
/// write there, so it need not withstand an adversary as the keys of chunks do.
#[must_use]
pub fn etag(parts: &[&[u8]]) -> [u8; 8] {
    let mut state = Xxh3Default::new();
    for part in parts {
        state.update(part);
    }
    state.digest().to_be_bytes()
}

/// Places keys in sets and maps.
pub(crate) type ByPrefix = BuildHasherDefault<Prefix>;

/// A key is a hash already: its first eight bytes place it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Prefix(u64);

impl Hasher for Prefix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    // The length prefix of an array adds nothing.
    fn write_usize(&mut self, _: usize) {}
}

fn params(level: u8) -> Params {
    let mut params = Params::new();
    params.hash_length(HASH_LEN).personal(&[b'l', b'g', b'c', b'k', b'p', b't', level]);
    params
}

fn key(digest: &[u8]) -> Hash {
    let mut hash = [0; HASH_LEN];
    hash.copy_from_slice(digest);
    hash
}

#[cfg(test)]
mod tests {
    use super::{etag, hash_all, hash_chunk};

    #[test]
    fn side_by_side_equals_one_by_one() {
        let data: Vec<u8> = (0..9_000_u32).flat_map(|i| (i * i).to_le_bytes()).collect();
        let plains: Vec<&[u8]> = (0..150).map(|i| &data[i..i * 200]).collect();
        let hashes = hash_all(3, plains.iter().copied());
        let single: Vec<_> = plains.iter().map(|plain| hash_chunk(3, plain)).collect();
        assert_eq!(hashes, single);
    }

    #[test]
    fn an_etag_is_that_of_all_parts_in_a_row() {
        assert_eq!(etag(&[b"state", b"", b"metadata"]), etag(&[b"statemeta", b"data"]));
        assert_ne!(etag(&[b"state"]), etag(&[b"statf"]));
        assert_eq!(etag(&[]), 0x2d06_8005_38d3_94c2_u64.to_be_bytes());
    }

    #[test]
    fn a_level_has_its_own_keys() {
        assert_ne!(hash_chunk(0, b"same"), hash_chunk(1, b"same"));
    }
}
