//! Values that are msgpack already.

use super::encode::Encode;
use super::transcode::transcode;
use crate::error::{Error, Result};
use crate::msgpack::skip;

/// One value in msgpack, as the serializer gives it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Packed(Box<[u8]>);

impl Packed {
    /// These bytes, if they are one whole value.
    pub fn new(data: impl Into<Box<[u8]>>) -> Result<Self> {
        let data = data.into();
        if skip(&data, 0) == Some(data.len()) {
            Ok(Self(data))
        } else {
            Err(Error::Unwritable("not one whole value of msgpack"))
        }
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Encode for Packed {
    fn msgpack(&self, out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(&self.0);
        Ok(())
    }

    fn json(&self, out: &mut Vec<u8>) -> Result<()> {
        transcode(&self.0, out)
    }
}
