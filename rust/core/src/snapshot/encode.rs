//! How values and versions write themselves.

use std::num::NonZeroU64;
use std::sync::Arc;

use super::escape::string;
use crate::error::Result;
use crate::put;

/// What can be stored in a snapshot.
pub trait Encode {
    /// Appends it as one value of msgpack, as `JsonPlusSerializer` would.
    fn msgpack(&self, out: &mut Vec<u8>) -> Result<()>;

    /// Appends it as JSON.
    fn json(&self, out: &mut Vec<u8>) -> Result<()>;
}

impl Encode for str {
    fn msgpack(&self, out: &mut Vec<u8>) -> Result<()> {
        put::text(out, self)
    }

    fn json(&self, out: &mut Vec<u8>) -> Result<()> {
        string(out, self);
        Ok(())
    }
}

impl Encode for u64 {
    fn msgpack(&self, out: &mut Vec<u8>) -> Result<()> {
        put::uint(out, *self);
        Ok(())
    }

    fn json(&self, out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(itoa::Buffer::new().format(*self).as_bytes());
        Ok(())
    }
}

impl Encode for NonZeroU64 {
    fn msgpack(&self, out: &mut Vec<u8>) -> Result<()> {
        self.get().msgpack(out)
    }

    fn json(&self, out: &mut Vec<u8>) -> Result<()> {
        self.get().json(out)
    }
}

impl Encode for String {
    fn msgpack(&self, out: &mut Vec<u8>) -> Result<()> {
        self.as_str().msgpack(out)
    }

    fn json(&self, out: &mut Vec<u8>) -> Result<()> {
        self.as_str().json(out)
    }
}

impl<T: Encode + ?Sized> Encode for Box<T> {
    fn msgpack(&self, out: &mut Vec<u8>) -> Result<()> {
        (**self).msgpack(out)
    }

    fn json(&self, out: &mut Vec<u8>) -> Result<()> {
        (**self).json(out)
    }
}

impl<T: Encode + ?Sized> Encode for Arc<T> {
    fn msgpack(&self, out: &mut Vec<u8>) -> Result<()> {
        (**self).msgpack(out)
    }

    fn json(&self, out: &mut Vec<u8>) -> Result<()> {
        (**self).json(out)
    }
}
