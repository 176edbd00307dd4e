//! Hosts, authorities, and the four forms of a request target.
//!
//! The rule: what names the server is checked by its grammar and compared with what else names it, so that
//! whoever stands in front of us cannot have routed by another name.

use std::net::Ipv6Addr;

use ::http::{Method, Uri};
use bytes::Bytes;

use super::error::Reason;
use super::grammar::{is_raw_target_char, is_reg_name_char, is_target_char};
use super::scan::URI_BYTES;
use crate::http::percent::push_escape;
use crate::limits::Limits;

/// `uri-host [ ":" port ]` (RFC 9110, section 7.2; RFC 3986, section 3.2.2), not empty, without userinfo.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Authority<'a> {
    host: &'a [u8],
    port: Option<u16>,
}

impl<'a> Authority<'a> {
    pub(crate) fn parse(text: &'a [u8]) -> Option<Self> {
        let end = match text.first()? {
            b'[' => text.iter().position(|byte| *byte == b']')? + 1,
            _ => host_end(text)?,
        };
        let (host, rest) = text.split_at(end);
        let port = match rest {
            // An empty port is the same as none.
            [] | [b':'] => None,
            [b':', digits @ ..] => Some(port(digits)?),
            _ => return None,
        };
        let is_host = match host {
            [b'[', address @ .., b']'] => is_address(address),
            name => !name.is_empty(),
        };
        is_host.then_some(Self { host, port })
    }

    /// Whether both name the same server; a port that is left out is `default`.
    pub(crate) fn is_same(&self, other: &Self, default: Option<u16>) -> bool {
        self.host.eq_ignore_ascii_case(other.host) && self.port.or(default) == other.port.or(default)
    }
}

/// Digits, at most 65535; leading zeros are digits too.
fn port(digits: &[u8]) -> Option<u16> {
    u16::try_from(super::grammar::decimal(digits)?).ok()
}

/// Where the registered name or the address in front of a port ends: `reg-name` (RFC 3986, section 3.2.2).
fn host_end(text: &[u8]) -> Option<usize> {
    let mut end = 0;
    loop {
        end += text[end..].iter().take_while(|byte| is_reg_name_char(**byte)).count();
        match &text[end..] {
            [] | [b':', ..] => return Some(end),
            [b'%', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => end += 3,
            _ => return None,
        }
    }
}

/// What stands between the brackets of an `IP-literal`.
fn is_address(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|address| address.parse::<Ipv6Addr>().is_ok())
}

/// A request target by its form (RFC 9112, section 3.2).
#[derive(Clone, Copy, Debug)]
pub(super) enum Form<'a> {
    /// `/path?query`.
    Origin,
    /// `scheme://authority/path?query`, with the scheme's default port.
    Absolute(Authority<'a>, u16),
    /// `host:port`, of CONNECT alone.
    Authority(Authority<'a>),
    /// `*`, of OPTIONS alone.
    Asterisk,
}

impl<'a> Form<'a> {
    /// Tells the forms apart. The characters were checked before.
    pub(super) fn parse(method: &Method, target: &'a [u8]) -> Result<Self, Reason> {
        if *method == Method::CONNECT {
            return match Authority::parse(target) {
                Some(authority) if authority.port.is_some() => Ok(Self::Authority(authority)),
                _ => Err(Reason::InvalidTargetForm),
            };
        }
        match target {
            [b'/', ..] => Ok(Self::Origin),
            b"*" if *method == Method::OPTIONS => Ok(Self::Asterisk),
            _ => Self::absolute(target),
        }
    }

    fn absolute(target: &'a [u8]) -> Result<Self, Reason> {
        let mark = target.windows(3).position(|window| window == b"://").ok_or(Reason::InvalidTargetForm)?;
        let default = match &target[..mark] {
            scheme if scheme.eq_ignore_ascii_case(b"http") => 80,
            scheme if scheme.eq_ignore_ascii_case(b"https") => 443,
            // Not a scheme at all: `a/b://` and the like.
            scheme if !is_scheme(scheme) => return Err(Reason::InvalidTargetForm),
            _ => return Err(Reason::UnknownScheme),
        };
        let rest = &target[mark + 3..];
        let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
        let authority = Authority::parse(&rest[..end]).ok_or(Reason::InvalidTarget)?;
        Ok(Self::Absolute(authority, default))
    }

    /// Whether the target, if it names a server, names the one that `Host` does.
    pub(super) fn agrees_with(&self, host: &Authority<'_>) -> bool {
        match self {
            Self::Origin | Self::Asterisk => true,
            Self::Absolute(authority, default) => authority.is_same(host, Some(*default)),
            // CONNECT has no default port; a Host that leaves it out contradicts nothing.
            Self::Authority(authority) => authority.is_same(host, authority.port),
        }
    }
}

/// `ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )` (RFC 3986, section 3.1).
pub(crate) fn is_scheme(text: &[u8]) -> bool {
    text.first().is_some_and(u8::is_ascii_alphabetic)
        && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte))
}

/// A target that came, and was found to have a [`Form`], as a URI.
pub(super) fn uri(target: &Bytes, limits: &Limits) -> Result<Uri, Reason> {
    if !limits.leniency.raw_target || !target.iter().any(|byte| is_raw_target_char(*byte)) {
        return Uri::from_maybe_shared(target.clone()).map_err(|_| Reason::InvalidTarget);
    }
    let encoded = encoded(target);
    match encoded.len() > limits.target_bytes.min(URI_BYTES) {
        true => Err(Reason::TargetTooLong),
        false => Uri::from_maybe_shared(encoded).map_err(|_| Reason::InvalidTarget),
    }
}

/// With its raw bytes percent-encoded (RFC 3986, section 2.1). They stand in the path or the query: an authority
/// has none.
fn encoded(target: &[u8]) -> Bytes {
    let raw = target.iter().filter(|byte| is_raw_target_char(**byte)).count();
    let mut encoded = String::with_capacity(target.len() + 2 * raw);
    for byte in target {
        match is_raw_target_char(*byte) {
            true => push_escape(*byte, &mut encoded),
            false => encoded.push(char::from(*byte)),
        }
    }
    encoded.into()
}

/// The form of a target that we are to send, if it is one (RFC 9112, section 3.2) and this end's own server would
/// take it: that has to get it into a [`Uri`].
pub(super) fn target_form<'a>(method: &Method, target: &'a [u8]) -> Option<Form<'a>> {
    let characters = !target.is_empty() && target.iter().all(|byte| is_target_char(*byte));
    let form = Form::parse(method, target).ok().filter(|_| characters)?;
    Uri::try_from(target).is_ok().then_some(form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        let good = [
            "example.com",
            "EXAMPLE.com:80",
            "a",
            "127.0.0.1:8000",
            "[::1]",
            "[2001:db8::1]:443",
            "a_b.test",
            "h%20",
            "h:",
            "h:65535",
            "h:00080",
        ];
        for host in good {
            assert!(Authority::parse(host.as_bytes()).is_some(), "{host}");
        }
        let bad = [
            "",
            ":80",
            "a,b",
            "user@h",
            "h/",
            "h/p",
            "h?q",
            "h:65536",
            "h:8x",
            "h:+80",
            "[::1",
            "[::1]x",
            "[]",
            "[::g]",
            "[fe80::1%25eth0]",
            "h%2",
            "h%zz",
            "a b",
            "h:80:80",
            "h#",
            "h\\",
            "::1",
        ];
        for host in bad {
            assert!(Authority::parse(host.as_bytes()).is_none(), "{host}");
        }
    }

    #[test]
    fn targets_and_hosts_that_agree() {
        let cases = [
            ("http://h/", "h", true),
            ("http://H:80", "h", true),
            ("http://h", "h:80", true),
            ("HTTPS://h", "h:443", true),
            ("https://h", "h:80", false),
            ("http://h", "i", false),
            ("http://h?q", "h:", true),
            ("/any", "i", true),
        ];
        for (target, host, agrees) in cases {
            let form = Form::parse(&Method::GET, target.as_bytes()).unwrap();
            let host = Authority::parse(host.as_bytes()).unwrap();
            assert_eq!(form.agrees_with(&host), agrees, "{target}");
        }
    }
}
