//! Percent-encoding, a byte at a time.

/// Writes `byte` as an escape (RFC 3986, section 2.1). Which bytes need one is for the place to say in which they stand.
pub(crate) fn push_escape(byte: u8, text: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    text.push('%');
    text.extend([byte >> 4, byte & 0xf].map(|digit| char::from(DIGITS[usize::from(digit)])));
}
