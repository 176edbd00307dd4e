//! The key that a client opens with, and what a server answers to it.
//!
//! The rule: the answer is made of the key as it was sent. It proves that a server speaks the protocol, and keeps no
//! secret; SHA-1 is what the protocol has for that.
//!
//! ```text
//! Sec-WebSocket-Key    = base64 of 16 bytes                                    RFC 6455, sections 4.1 and 11.3.1
//! Sec-WebSocket-Accept = base64( SHA-1( key "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" ) )       RFC 6455, section 1.3
//! ```

use ::http::HeaderValue;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use base64::{Engine, alphabet};
use sha1_smol::Sha1;

/// What is put behind every key.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The characters of 16 bytes, padding included.
const KEY_LENGTH: usize = 24;

/// The characters of a SHA-1, padding included.
const ACCEPT_LENGTH: usize = 28;

/// The bits behind the sixteenth byte may be any: the key is never decoded for its bytes, and servers take such keys.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// A key as it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key([u8; KEY_LENGTH]);

impl Key {
    pub(super) fn from_nonce(nonce: [u8; 16]) -> Self {
        let mut key = [0; KEY_LENGTH];
        encode(&nonce, &mut key);
        Self(key)
    }

    /// `None` if it is not what 16 bytes are in base64.
    pub(super) fn parse(field: &[u8]) -> Option<Self> {
        let key = Self(field.try_into().ok()?);
        // The decoder asks for room for three bytes of each four characters.
        let length = LENIENT.decode_slice(field, &mut [0; KEY_LENGTH / 4 * 3]).ok()?;
        (length == 16).then_some(key)
    }

    /// The value of `Sec-WebSocket-Key`.
    pub(super) fn value(&self) -> HeaderValue {
        value(&self.0)
    }

    /// The value of `Sec-WebSocket-Accept`.
    pub(super) fn accept(&self) -> HeaderValue {
        let mut sha = Sha1::new();
        sha.update(&self.0);
        sha.update(GUID);
        let mut accept = [0; ACCEPT_LENGTH];
        encode(&sha.digest().bytes(), &mut accept);
        value(&accept)
    }
}

/// Base64 as a field's value, which it always is.
fn value(text: &[u8]) -> HeaderValue {
    HeaderValue::from_bytes(text).unwrap_or(HeaderValue::from_static(""))
}

/// Fills `text`, which is as long as `bytes` are in base64.
fn encode(bytes: &[u8], text: &mut [u8]) {
    let written = STANDARD.encode_slice(bytes, text);
    debug_assert!(written.is_ok());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc() {
        let key = Key::from_nonce(*b"the sample nonce");
        assert_eq!(key.value(), "dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(Key::parse(&key.0), Some(key));
        assert_eq!(key.accept(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn what_is_a_key() {
        for (key, is_key) in [
            ("AAAAAAAAAAAAAAAAAAAAAA==", true),
            ("+/+/+/+/+/+/+/+/+/+/+w==", true),
            ("AAAAAAAAAAAAAAAAAAAAAB==", true),
            ("AAAAAAAAAAAAAAAAAAAAA/==", true),
            ("", false),
            ("AAAAAAAAAAAAAAAAAAAAAA", false),
            ("AAAAAAAAAAAAAAAAAAAAAA=", false),
            ("AAAAAAAAAAAAAAAAAAAAAA=A", false),
            ("AAAAAAAAAAAAAAAAAAAAA===", false),
            ("AAAAAAAAAAAAAAAAAAAAAAA=", false),
            ("AAAAAAAAAAAAAAAAAAAAAAAA", false),
            ("AAAAAAAAAAAAAAAAAAAAAA==AAAA", false),
            ("AAAAAAAAAAAAAAAAAAAA", false),
            ("AAAAAAAAAAAAAAAAAAAAA-==", false),
            ("AAAAAAAAAA_AAAAAAAAAAA==", false),
            ("AAAAAAAAAAA AAAAAAAAAA==", false),
            ("AAAAAAAAAAAAAAAAAAAAAA\t=", false),
            ("==AAAAAAAAAAAAAAAAAAAAAA", false),
            ("AAAAAAAAAAAAAAAAAAAA\u{e9}==", false),
        ] {
            assert_eq!(Key::parse(key.as_bytes()).is_some(), is_key, "{key:?}");
        }
    }
}
