//! What a client is to do with a content, as `Content-Disposition` tells it.
//!
//! The rule: a name can end neither its quotes nor the field, whatever it holds; and both forms of it are there, the one
//! that every client reads and the one that is exact.
//!
//! ```text
//! Content-Disposition = disposition-type *( ";" disposition-parm )        RFC 6266, section 4.1
//! disposition-parm    = "filename" "=" value / "filename*" "=" ext-value
//! ext-value           = "UTF-8''" *( pct-encoded / attr-char )            RFC 8187, section 3.2.1
//! ```

use std::fmt;

use http::HeaderValue;

use super::percent::push_escape;

/// Whether a content is shown or saved, and under which name (RFC 6266).
///
/// ```
/// use bakestone::http::ContentDisposition;
///
/// let disposition = ContentDisposition::attachment("crème brûlée.pdf");
/// let expected = "attachment; filename=\"cr_me br_l_e.pdf\"; filename*=UTF-8''cr%C3%A8me%20br%C3%BBl%C3%A9e.pdf";
/// assert_eq!(disposition.to_string(), expected);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentDisposition {
    kind: &'static str,
    name: String,
}

impl ContentDisposition {
    /// To be saved as `name`.
    pub fn attachment(name: impl Into<String>) -> Self {
        Self { kind: "attachment", name: name.into() }
    }

    /// To be shown, and saved as `name` if it is.
    pub fn inline(name: impl Into<String>) -> Self {
        Self { kind: "inline", name: name.into() }
    }

    /// The name, as it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The field's value.
    pub fn to_header_value(&self) -> HeaderValue {
        // It is made of visible ASCII and spaces.
        HeaderValue::try_from(self.to_string()).unwrap_or_else(|_| HeaderValue::from_static("attachment"))
    }
}

impl fmt::Display for ContentDisposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (plain, exact) = (plain(&self.name), exact(&self.name));
        write!(f, "{}; filename=\"{plain}\"; filename*=UTF-8''{exact}", self.kind)
    }
}

/// What every client reads as it stands: no escape that some decode, and no separator of folders (RFC 6266, section 4.3
/// and appendix D).
fn plain(name: &str) -> String {
    let safe = |letter: char| match letter {
        '"' | '\\' | '/' | '%' => '_',
        ' '..='~' => letter,
        _ => '_',
    };
    name.chars().map(safe).collect()
}

fn exact(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            // A client that follows no folder in a name loses nothing by it.
            b'/' | b'\\' => text.push('_'),
            _ if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) => {
                text.push(char::from(byte))
            }
            _ => push_escape(byte, &mut text),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s32_both_names() {
        for (name, plain, exact) in [
            ("report.pdf", "report.pdf", "report.pdf"),
            ("two words.txt", "two words.txt", "two%20words.txt"),
            ("\u{20ac} rates.txt", "_ rates.txt", "%E2%82%AC%20rates.txt"),
            ("a\"b.txt", "a_b.txt", "a%22b.txt"),
            ("a\\\"; filename=evil.exe", "a__; filename=evil.exe", "a_%22%3B%20filename%3Devil.exe"),
            ("../../etc/passwd", ".._.._etc_passwd", ".._.._etc_passwd"),
            ("100%25.txt", "100_25.txt", "100%2525.txt"),
            ("a\r\nSet-Cookie: b=c", "a__Set-Cookie: b=c", "a%0D%0ASet-Cookie%3A%20b%3Dc"),
            ("it's (1)*.txt", "it's (1)*.txt", "it%27s%20%281%29%2A.txt"),
            ("\0\x7f", "__", "%00%7F"),
            ("", "", ""),
        ] {
            let expected = |kind| format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{exact}");
            assert_eq!(ContentDisposition::attachment(name).to_header_value(), expected("attachment"));
            assert_eq!(ContentDisposition::inline(name).to_header_value(), expected("inline"));
        }
    }
}
