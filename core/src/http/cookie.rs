//! The `Cookie` field of a request.
//!
//! The rule: whatever a client sends has a meaning, and no cookie is lost over its neighbour. A user agent
//! sends what servers gave it, well-formed or not (RFC 6265, section 5.4), so nothing here is an error.
//!
//! ```text
//! cookie-string = piece *( ";" piece )
//! piece         = OWS [ name OWS "=" OWS ] value OWS     ; one without "=" has an empty name
//! value         = *( any byte but ";" )                  ; less the quotes around it
//! ```

use std::borrow::Cow;

use http::HeaderMap;
use http::header::{COOKIE, HeaderValue};

/// The names and the values of one field, in its order, duplicates too; bytes that are not UTF-8 become U+FFFD.
///
/// A value is as it was sent, without the quotes around it if there is a pair: nothing in it is decoded, since
/// the RFC has no escapes. A piece without `=` is a cookie whose name is empty: that is how user agents send
/// one (RFC 6265bis, section 5.8.3). Empty pieces are skipped.
///
/// ```
/// use bakestone::http::cookie;
///
/// let cookies: Vec<_> = cookie::parse(br#"session=31d4; theme="dark"; session=old; lone"#).collect();
/// let expected = [("session", "31d4"), ("theme", "dark"), ("session", "old"), ("", "lone")];
/// assert_eq!(cookies, expected.map(|(name, value)| (name.into(), value.into())));
/// ```
pub fn parse(field: &[u8]) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    field.split(|byte| *byte == b';').map(<[u8]>::trim_ascii).filter(|piece| !piece.is_empty()).map(cookie)
}

/// The cookies of all `Cookie` fields, in their order: HTTP/2 sends one in several (RFC 9113, section 8.2.3).
pub fn parse_all(headers: &HeaderMap) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    headers.get_all(COOKIE).into_iter().map(HeaderValue::as_bytes).flat_map(parse)
}

fn cookie(piece: &[u8]) -> (Cow<'_, str>, Cow<'_, str>) {
    let (name, value) = match memchr::memchr(b'=', piece) {
        Some(at) => (&piece[..at], &piece[at + 1..]),
        None => (&b""[..], piece),
    };
    let value = match value.trim_ascii() {
        [b'"', inner @ .., b'"'] => inner,
        value => value,
    };
    (String::from_utf8_lossy(name.trim_ascii()), String::from_utf8_lossy(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r06_q05_pieces() {
        for (field, expected) in [
            ("", &[][..]),
            (" \t ; ;", &[]),
            ("a=b", &[("a", "b")]),
            ("a=b;c=d", &[("a", "b"), ("c", "d")]),
            ("a=1; a=2", &[("a", "1"), ("a", "2")]),
            ("  a  =  b  ;  c  ", &[("a", "b"), ("", "c")]),
            ("a=b=c", &[("a", "b=c")]),
            ("=b", &[("", "b")]),
            ("=", &[("", "")]),
            ("a=", &[("a", "")]),
            (r#"a="b""#, &[("a", "b")]),
            (r#"a=" b ""#, &[("a", " b ")]),
            (r#"a=""#, &[("a", r#"""#)]),
            (r#"a="""#, &[("a", "")]),
            (r#"a="b"#, &[("a", r#""b"#)]),
            (r#"b="q;x""#, &[("b", r#""q"#), ("", r#"x""#)]),
            (r#"a="\073""#, &[("a", r"\073")]),
            ("a=b, c=d", &[("a", "b, c=d")]),
            ("a=%41+b", &[("a", "%41+b")]),
            ("a=\u{e9}", &[("a", "\u{e9}")]),
        ] {
            let expected: Vec<(Cow<'_, str>, Cow<'_, str>)> =
                expected.iter().map(|&(name, value)| (name.into(), value.into())).collect();
            assert_eq!(parse(field.as_bytes()).collect::<Vec<_>>(), expected, "{field}");
        }
        assert_eq!(parse(b"a=\xff").next(), Some(("a".into(), "\u{fffd}".into())));
    }
}
