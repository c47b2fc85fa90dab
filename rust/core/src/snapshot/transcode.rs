//! MessagePack to JSON.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::escape::utf8;
use crate::error::{Error, Result};
use crate::msgpack::{Kind, header};

/// Appends one value of msgpack as JSON, for people to read: not everything can be told from it.
///
/// Bytes become `{"bytes": base64}`, an ext `{"ext": code, "data": base64}`, a number that is not
/// finite null. Keys of maps that are no text are written as by Python's `json`, where that has
/// them. Containers may lie within each other to any depth: nothing here recurses.
pub fn transcode(packed: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let mut reader = Reader { packed, at: 0 };
    let mut open: Vec<Container> = Vec::new();
    loop {
        let container = if open.last().is_some_and(Container::is_at_key) {
            reader.key(out)?;
            None
        } else {
            reader.item(out)?
        };
        open.extend(container);
        while open.last().is_some_and(|it| it.left == 0) {
            let closed = open.pop();
            out.push(if closed.is_some_and(|it| it.map) { b'}' } else { b']' });
        }
        match open.last_mut() {
            Some(container) => container.next(out),
            None if reader.at == packed.len() => return Ok(()),
            None => return Err(BROKEN),
        }
    }
}

const BROKEN: Error = Error::Unwritable("not one whole value of msgpack");
const NO_KEY: Error = Error::Unwritable("a key that is neither text nor number is not in JSON");

/// An array or a map.
struct Container {
    map: bool,
    /// Items, or keys and values, after the one being written.
    left: usize,
    /// Whether nothing was written yet.
    empty: bool,
}

impl Container {
    fn is_at_key(&self) -> bool {
        self.map && !self.left.is_multiple_of(2)
    }

    /// Goes on to the next item, which there is.
    fn next(&mut self, out: &mut Vec<u8>) {
        self.left -= 1;
        if self.map && !self.is_at_key() {
            out.push(b':');
        } else if !self.empty {
            out.push(b',');
        }
        self.empty = false;
    }
}

struct Reader<'a> {
    packed: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Writes an item, or opens the container that it is.
    fn item(&mut self, out: &mut Vec<u8>) -> Result<Option<Container>> {
        let (head, kind) = self.head()?;
        match kind {
            Kind::Scalar(len) => scalar(out, head[0], self.take(len)?),
            Kind::Text(len) if is_bin(head[0]) => {
                out.extend_from_slice(b"{\"bytes\":");
                base64(out, self.take(len)?);
                out.push(b'}');
            }
            Kind::Text(len) => utf8(out, self.take(len)?)?,
            Kind::Ext(len) => {
                out.extend_from_slice(b"{\"ext\":");
                integer(out, i8::from_ne_bytes([head[head.len() - 1]]));
                out.extend_from_slice(b",\"data\":");
                base64(out, self.take(len)?);
                out.push(b'}');
            }
            Kind::Array(left) => {
                out.push(b'[');
                return Ok(Some(Container { map: false, left, empty: true }));
            }
            Kind::Map(pairs) => {
                out.push(b'{');
                let left = pairs.checked_mul(2).ok_or(BROKEN)?;
                return Ok(Some(Container { map: true, left, empty: true }));
            }
        }
        Ok(None)
    }

    /// Writes the key of a pair.
    fn key(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let (head, kind) = self.head()?;
        match kind {
            Kind::Text(len) if !is_bin(head[0]) => utf8(out, self.take(len)?)?,
            Kind::Scalar(len) => {
                out.push(b'"');
                scalar(out, head[0], self.take(len)?);
                out.push(b'"');
            }
            _ => return Err(NO_KEY),
        }
        Ok(())
    }

    fn head(&mut self) -> Result<(&'a [u8], Kind)> {
        let Some((len, kind)) = header(self.packed, self.at) else { return Err(BROKEN) };
        Ok((self.take(len)?, kind))
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let Some(taken) = self.packed[self.at..].get(..len) else { return Err(BROKEN) };
        self.at += len;
        Ok(taken)
    }
}

fn is_bin(marker: u8) -> bool {
    matches!(marker, 0xc4..=0xc6)
}

fn base64(out: &mut Vec<u8>, body: &[u8]) {
    out.push(b'"');
    out.extend_from_slice(BASE64_STANDARD.encode(body).as_bytes());
    out.push(b'"');
}

fn integer(out: &mut Vec<u8>, value: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn float(out: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    } else {
        out.extend_from_slice(b"null");
    }
}

/// Nil, a bool or a number.
fn scalar(out: &mut Vec<u8>, marker: u8, body: &[u8]) {
    // Big-endian, in the last bytes of eight.
    let mut bytes = [0; 8];
    bytes[8 - body.len()..].copy_from_slice(body);
    let bits = u64::from_be_bytes(bytes);
    match marker {
        0x00..=0x7f => integer(out, marker),
        0xe0..=0xff => integer(out, i8::from_ne_bytes([marker])),
        0xc2 => out.extend_from_slice(b"false"),
        0xc3 => out.extend_from_slice(b"true"),
        0xca => float(out, f32::from_be_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]).into()),
        0xcb => float(out, f64::from_bits(bits)),
        0xcc..=0xcf => integer(out, bits),
        0xd0 => integer(out, i8::from_be_bytes([bytes[7]])),
        0xd1 => integer(out, i16::from_be_bytes([bytes[6], bytes[7]])),
        0xd2 => integer(out, i32::from_be_bytes([bytes[4], bytes[5], bytes[6], bytes[7]])),
        0xd3 => integer(out, i64::from_be_bytes(bytes)),
        _ => out.extend_from_slice(b"null"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use serde_json::Value;

    use super::transcode;
    use crate::error::Result;
    use crate::put;

    fn json(packed: &[u8]) -> Result<String> {
        let mut out = Vec::new();
        transcode(packed, &mut out)?;
        Ok(String::from_utf8(out).expect("JSON is UTF-8"))
    }

    fn pack(value: &Value, out: &mut Vec<u8>) -> Result<()> {
        match value {
            Value::Null => out.push(0xc0),
            Value::Bool(it) => put::bool(out, *it),
            Value::Number(it) => match (it.as_u64(), it.as_i64(), it.as_f64()) {
                (Some(it), _, _) => put::uint(out, it),
                (_, Some(it), _) => {
                    out.push(0xd3);
                    out.extend(it.to_be_bytes());
                }
                (_, _, it) => {
                    out.push(0xcb);
                    out.extend(it.unwrap_or_default().to_be_bytes());
                }
            },
            Value::String(it) => put::text(out, it)?,
            Value::Array(items) => {
                put::array(out, items.len())?;
                items.iter().try_for_each(|it| pack(it, out))?;
            }
            Value::Object(pairs) => {
                put::map(out, pairs.len())?;
                for (key, it) in pairs {
                    put::text(out, key)?;
                    pack(it, out)?;
                }
            }
        }
        Ok(())
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,40}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::hash_map(".{0,9}", inner, 0..5)
                    .prop_map(|it| Value::Object(it.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_json_has_is_the_same(value in value()) {
            let mut packed = Vec::new();
            pack(&value, &mut packed).expect("short enough");
            let text = json(&packed).expect("JSON has it");
            prop_assert_eq!(&text, &value.to_string());
            for cut in 0..packed.len() {
                prop_assert!(json(&packed[..cut]).is_err());
            }
        }

        #[test]
        fn any_bytes_are_refused_or_are_json(packed in vec(any::<u8>(), 0..60)) {
            if let Ok(text) = json(&packed) {
                prop_assert!(serde_json::from_str::<Value>(&text).is_ok(), "{}", text);
            }
        }
    }

    #[test]
    fn what_json_has_not_is_shown() {
        let shown = |packed: &[u8]| json(packed).expect("it is shown");
        assert_eq!(shown(&[0xc4, 3, 0, 1, 2]), r#"{"bytes":"AAEC"}"#);
        assert_eq!(shown(&[0xd4, 0xff, 7]), r#"{"ext":-1,"data":"Bw=="}"#);
        assert_eq!(shown(&[0xc7, 3, 5, 0, 1, 2]), r#"{"ext":5,"data":"AAEC"}"#);
        assert_eq!(shown(&[0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0]), "null");
        assert_eq!(shown(&[0xca, 0x3f, 0, 0, 0]), "0.5");
        assert_eq!(shown(&[0x94, 0xff, 0xd0, 0x80, 0xd1, 0xff, 0, 0x7f]), "[-1,-128,-256,127]");
        assert_eq!(shown(&[0xd2, 0xff, 0xff, 0xff, 0]), "-256");
        assert_eq!(
            shown(&[0x84, 1, 2, 0xc0, 3, 0xc3, 4, 0xe0, 5]),
            r#"{"1":2,"null":3,"true":4,"-32":5}"#
        );
        assert!(json(&[0x81, 0x90, 1]).is_err(), "an array as a key");
        assert!(json(&[0x81, 0xc4, 0, 1]).is_err(), "bytes as a key");
        assert!(json(&[0xa1, 0xff]).is_err(), "no UTF-8");
        assert!(json(&[0xc0, 0xc0]).is_err(), "trailing bytes");
    }

    #[test]
    fn nesting_and_hostile_counts_come_to_their_end() {
        let mut nested = vec![0x91; 200_000];
        assert!(json(&nested).is_err());
        nested.push(0xc0);
        let text = json(&nested).expect("deep, and whole");
        assert_eq!(text.len(), 400_004);
        assert!(json(&[0xdd, 0xff, 0xff, 0xff, 0xff, 1]).is_err());
        assert!(json(&[0xdf, 0xff, 0xff, 0xff, 0xff, 1, 1]).is_err());
    }
}
