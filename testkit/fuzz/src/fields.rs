//! The fields that a script sends, and how fields are compared.

use http::header::{CONNECTION, CONTENT_LENGTH, DATE, EXPECT, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::naive::fields::trim;

/// Fields that mean something, and some that must not be sent.
const TABLE: &[(HeaderName, &str)] = &[
    (CONNECTION, "close"),
    (UPGRADE, "echo"),
    (CONNECTION, "upgrade"),
    (TE, "trailers"),
    (CONNECTION, "te"),
    (CONTENT_LENGTH, "5"),
    (DATE, "Mon, 01 Jan 2024 00:00:00 GMT"),
    (TRAILER, "x-sum"),
    (TRANSFER_ENCODING, "chunked"),
    (CONNECTION, "keep-alive"),
    (CONTENT_LENGTH, "0"),
    (HOST, "h"),
    (EXPECT, "100-continue"),
    (HOST, "a:80"),
];

/// The name of the field whose value is the script's own.
pub const OWN: HeaderName = HeaderName::from_static("x-own");

/// Adds the fields of the table that `bits` chooses, and one whose value is `own`, if it can be one.
pub fn choose(headers: &mut HeaderMap, bits: usize, own: &[u8]) {
    for (index, (name, value)) in TABLE.iter().enumerate() {
        if bits >> index & 1 == 1 {
            headers.append(name, HeaderValue::from_static(value));
        }
    }
    if let Ok(value) = HeaderValue::from_bytes(own) {
        headers.append(OWN, value);
    }
}

/// The trailers that a record asks for: a value of the script's own, or fields of the table, or none.
pub fn trailers(payload: &[u8]) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    match payload {
        [1, value @ ..] => choose(&mut trailers, 0, value),
        [2, bits, ..] => choose(&mut trailers, usize::from(*bits), b""),
        _ => {}
    }
    trailers
}

/// All values of `name`, without the whitespace around them that does not travel.
pub fn values<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<&'a [u8]> {
    headers.get_all(name).iter().map(|value| trim(value.as_bytes())).collect()
}
