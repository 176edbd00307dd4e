//! The small grammar that all parts share: characters, numbers, lists.
//!
//! The rule: numbers are read digit by digit, since the parsers of the standard library take a sign.

/// `tchar` (RFC 9110, section 5.6.2): what a token is made of.
const TCHAR: u8 = 1;
/// What a request target may hold: visible ASCII without `#`, which begins a fragment, without `\`, which some
/// take for `/`, and without the quotes and angle brackets that every browser encodes. It is more than RFC 3986
/// allows (`^{}|[]`, and a grave accent in a query), since browsers do send those (RFC 9112, section 3.2).
const TARGET: u8 = 2;
/// What a registered name may hold besides percent-encoded bytes (RFC 3986, section 3.2.2), without the
/// comma: that is how two `Host` fields look when somebody has merged them.
const REG_NAME: u8 = 4;
/// What browsers and scripts put into a path or a query although it ought to be percent-encoded, as far as it is
/// not taken anyway; a grave accent is, but only in a query.
const RAW_TARGET: u8 = 8;

static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0x21;
    while byte < 0x7f {
        table[byte] |= match byte as u8 {
            b'#' | b'\\' | b'"' | b'<' | b'>' => 0,
            _ => TARGET,
        };
        if (byte as u8).is_ascii_alphanumeric() {
            table[byte] |= TCHAR | REG_NAME;
        }
        byte += 1;
    }
    mark(&mut table, b"!#$%&'*+-.^_`|~", TCHAR);
    mark(&mut table, b"-._~!$&'()*+;=", REG_NAME);
    mark(&mut table, b"\"<>\\`", RAW_TARGET);
    let mut byte = 0x80;
    while byte < table.len() {
        table[byte] |= RAW_TARGET;
        byte += 1;
    }
    table
}

const fn mark(table: &mut [u8; 256], bytes: &[u8], class: u8) {
    let mut index = 0;
    while index < bytes.len() {
        table[bytes[index] as usize] |= class;
        index += 1;
    }
}

pub(super) fn is_tchar(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & TCHAR != 0
}

pub(super) fn is_target_char(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & TARGET != 0
}

pub(super) fn is_raw_target_char(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & RAW_TARGET != 0
}

pub(super) fn is_reg_name_char(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & REG_NAME != 0
}

/// `token = 1*tchar` (RFC 9110, section 5.6.2).
pub(super) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| is_tchar(*byte))
}

/// What a field value may hold: `VCHAR`, `obs-text`, SP and HTAB (RFC 9110, section 5.5).
pub(super) fn is_field_char(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}

/// `1*DIGIT`, at most 2^63 - 1.
pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    let mut value: u64 = 0;
    for byte in digits {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?;
    }
    (value <= i64::MAX as u64).then_some(value)
}

/// The value of a `HEXDIG`.
pub(super) fn hex_digit(byte: u8) -> Option<u64> {
    char::from(byte).to_digit(16).map(u64::from)
}

/// Without the optional whitespace around it (RFC 9110, section 5.6.3: SP and HTAB, nothing else).
pub(super) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// The elements of a comma-separated list (RFC 9110, section 5.6.1), empty ones included.
pub(super) fn elements(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|byte| *byte == b',').map(trim)
}

/// The decimal digits of a number, without an allocation.
pub(super) struct Decimal {
    digits: [u8; 20],
    start: usize,
}

impl Decimal {
    pub(super) fn new(mut value: u64) -> Self {
        let mut digits = [b'0'; 20];
        let mut start = digits.len();
        loop {
            start -= 1;
            digits[start] = b'0' + (value % 10) as u8;
            value /= 10;
            if value == 0 {
                return Self { digits, start };
            }
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.digits[self.start..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_digits_and_nothing_else() {
        let good: [(&[u8], u64); 4] =
            [(b"0", 0), (b"007", 7), (b"42", 42), (b"9223372036854775807", i64::MAX as u64)];
        for (text, value) in good {
            assert_eq!(decimal(text), Some(value));
        }
        let bad: [&[u8]; 9] = [
            b"",
            b"+5",
            b"-0",
            b"0x5",
            b"1_0",
            b"1 0",
            b" 1",
            b"9223372036854775808",
            b"99999999999999999999",
        ];
        for text in bad {
            assert_eq!(decimal(text), None, "{text:?}");
        }
        for value in [0, 9, 10, 12_345, u64::MAX] {
            assert_eq!(Decimal::new(value).as_bytes(), value.to_string().as_bytes());
        }
    }

    #[test]
    fn classes_agree_with_the_grammar() {
        for byte in 0..=255u8 {
            let token = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            assert_eq!(is_tchar(byte), token, "{byte}");
            let target = byte.is_ascii_graphic() && !b"#\\\"<>".contains(&byte);
            assert_eq!(is_target_char(byte), target, "{byte}");
            let raw = !byte.is_ascii() || b"\"<>\\`".contains(&byte);
            assert_eq!(is_raw_target_char(byte), raw, "{byte}");
        }
    }

    #[test]
    fn only_space_and_tab_are_whitespace() {
        assert_eq!(trim(b" \t a b\t "), b"a b");
        assert_eq!(trim(b" \t "), b"");
        assert_eq!(trim(b"\x0bchunked"), b"\x0bchunked");
        assert_eq!(elements(b"a, b,,\tc").collect::<Vec<_>>(), [&b"a"[..], b"b", b"", b"c"]);
    }
}
