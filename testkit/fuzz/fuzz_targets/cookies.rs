//! Cookies: one that is put together of any parts is an error, or one field without control bytes, which a naive user
//! agent reads back as it was meant. Both fields are read from any bytes, as naive readers read them.
//!
//! The first byte is the flags, then come the name, the value, the domain and the path with 0xff between them; a part
//! that is not there, or is empty but for the name and the value, is left out.
#![no_main]

use std::time::Duration;

use bakestone::http::HttpDate;
use bakestone::http::cookie::{self, SameSite, SetCookie};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let pairs: Vec<(String, String)> =
        cookie::parse(data).map(|(name, value)| (name.into(), value.into())).collect();
    assert_eq!(pairs, sent(data));
    let read = SetCookie::parse(data);
    assert_eq!(read.as_ref().map(Stored::of), Stored::by_user_agent(data));
    let text = String::from_utf8_lossy(data);
    let encoded = SetCookie::encoded("a", &text);
    assert_eq!(cookie::decode(&encoded.value), text);
    for cookie in [Some(encoded), read, put_together(data)].into_iter().flatten() {
        let Ok(field) = cookie.field() else { continue };
        assert!(field.as_bytes().iter().all(|byte| matches!(byte, b' '..=b'~')), "{field:?}");
        let meant = Stored::of(&without_dot(cookie.clone()));
        assert!(meant.is_kept(), "no user agent keeps {field:?}");
        assert_eq!(Stored::by_user_agent(field.as_bytes()).as_ref(), Some(&meant), "{field:?}");
        let back = [format!("{}={}", cookie.name, cookie.value), "b=c".to_owned()].join("; ");
        let pair = (cookie.name, cookie.value);
        assert_eq!(sent(back.as_bytes()), [pair, ("b".to_owned(), "c".to_owned())]);
    }
});

fn put_together(data: &[u8]) -> Option<SetCookie> {
    let (flags, parts) = data.split_first()?;
    let mut parts = parts.split(|byte| *byte == 0xff).map(|part| String::from_utf8_lossy(part).into_owned());
    let mut cookie = SetCookie::new(parts.next()?, parts.next().unwrap_or_default());
    cookie.domain = parts.next().filter(|part| !part.is_empty());
    cookie.path = parts.next().filter(|part| !part.is_empty());
    let flag = |bit: u8| flags & (1 << bit) != 0;
    (cookie.secure, cookie.http_only, cookie.partitioned) = (flag(0), flag(1), flag(2));
    cookie.same_site = [None, Some(SameSite::None), Some(SameSite::Lax), Some(SameSite::Strict)]
        [usize::from(flag(3)) + 2 * usize::from(flag(4))];
    cookie.max_age = flag(5).then(|| Duration::from_millis(u64::from(*flags) * 100));
    cookie.expires = flag(6).then(|| HttpDate::new(Duration::from_secs(784_111_777)));
    Some(cookie)
}

/// The cookie with the domain as user agents keep it (RFC 6265bis, section 5.6.3).
fn without_dot(mut cookie: SetCookie) -> SetCookie {
    let domain = cookie.domain.take();
    cookie.domain = domain.map(|name| name.strip_prefix('.').unwrap_or(&name).to_ascii_lowercase());
    cookie
}

/// What a request's field holds, read naively.
fn sent(field: &[u8]) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for piece in field.split(|byte| *byte == b';') {
        let piece = piece.trim_ascii();
        if piece.is_empty() {
            continue;
        }
        let (name, mut value) = halves(piece).unwrap_or((b"", piece));
        if value.len() > 1 && value.starts_with(b"\"") && value.ends_with(b"\"") {
            value = &value[1..value.len() - 1];
        }
        pairs.push((lossy(name), lossy(value)));
    }
    pairs
}

/// What a user agent keeps of a field that sets a cookie.
#[derive(Debug, Default, PartialEq)]
struct Stored {
    name: String,
    value: String,
    domain: Option<String>,
    path: Option<String>,
    seconds: Option<u64>,
    expires: Option<HttpDate>,
    same_site: Option<SameSite>,
    /// Secure, HttpOnly, Partitioned.
    flags: [bool; 3],
}

impl Stored {
    fn of(cookie: &SetCookie) -> Self {
        Self {
            name: cookie.name.clone(),
            value: cookie.value.clone(),
            domain: cookie.domain.clone(),
            path: cookie.path.clone(),
            seconds: cookie.max_age.map(|time| time.as_nanos().div_ceil(1_000_000_000) as u64),
            expires: cookie.expires,
            same_site: cookie.same_site,
            flags: [cookie.secure, cookie.http_only, cookie.partitioned],
        }
    }

    /// RFC 6265bis, section 5.6, step by step.
    fn by_user_agent(field: &[u8]) -> Option<Self> {
        if field.iter().any(|byte| (*byte < 0x20 && *byte != b'\t') || *byte == 0x7f) {
            return None;
        }
        let mut pieces = field.split(|byte| *byte == b';');
        let pair = pieces.next().unwrap_or_default();
        let (name, value) = halves(pair).unwrap_or((b"", pair.trim_ascii()));
        if name.len() + value.len() > 4096 || (name.is_empty() && value.is_empty()) {
            return None;
        }
        let mut stored = Self { name: lossy(name), value: lossy(value), ..Self::default() };
        for attribute in pieces {
            let (name, value) = halves(attribute).unwrap_or((attribute.trim_ascii(), b""));
            if value.len() <= 1024 {
                stored.attribute(&lossy(name).to_ascii_lowercase(), value);
            }
        }
        Some(stored)
    }

    fn attribute(&mut self, name: &str, value: &[u8]) {
        let text = lossy(value);
        match name {
            "domain" => {
                let domain = text.strip_prefix('.').unwrap_or(&text).to_ascii_lowercase();
                self.domain = if domain.is_empty() { None } else { Some(domain) };
            }
            "path" => self.path = if text.starts_with('/') { Some(text) } else { None },
            "max-age" => {
                let (sign, digits) = (text.starts_with('-'), text.strip_prefix('-').unwrap_or(&text));
                let is_number = digits.chars().all(|digit| digit.is_ascii_digit()) && !text.is_empty();
                let seconds = if sign { 0 } else { digits.parse().unwrap_or(u64::MAX) };
                self.seconds = if is_number { Some(seconds) } else { self.seconds };
            }
            // The dates are those of another crate, which is tested there; a naive reader needs none of its own.
            "expires" => {
                let alone = [b"a=b; Expires=", value].concat();
                self.expires = SetCookie::parse(&alone).and_then(|cookie| cookie.expires).or(self.expires);
            }
            "samesite" => {
                self.same_site = match &*text.to_ascii_lowercase() {
                    "strict" => Some(SameSite::Strict),
                    "lax" => Some(SameSite::Lax),
                    "none" => Some(SameSite::None),
                    _ => None,
                }
            }
            "secure" => self.flags[0] = true,
            "httponly" => self.flags[1] = true,
            "partitioned" => self.flags[2] = true,
            _ => {}
        }
    }

    /// RFC 6265bis, section 5.7, over a secure connection.
    fn is_kept(&self) -> bool {
        let name = self.name.to_ascii_lowercase();
        let [secure, _, partitioned] = self.flags;
        let is_host = secure && self.domain.is_none() && self.path.as_deref() == Some("/");
        let needs_secure =
            name.starts_with("__secure-") || self.same_site == Some(SameSite::None) || partitioned;
        (secure || !needs_secure) && (is_host || !name.starts_with("__host-"))
    }
}

/// Both sides of the first `=`, without the whitespace around them.
fn halves(piece: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = piece.iter().position(|byte| *byte == b'=')?;
    Some((piece[..at].trim_ascii(), piece[at + 1..].trim_ascii()))
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
