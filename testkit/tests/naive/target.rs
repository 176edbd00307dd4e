//! Hosts, and the four forms of a request target (RFC 9112, section 3.2).

use super::fields::decimal;

/// Who is asked: a host in lower case, and a port if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    host: Vec<u8>,
    port: Option<u64>,
}

/// What may stand in a target at all. It is more than RFC 3986 allows, as browsers send more.
pub fn is_target_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"#\\\"<>".contains(&byte)
}

/// `uri-host [ ":" port ]` (RFC 9110, section 7.2), with an empty port being none.
pub fn authority(text: &[u8]) -> Option<Authority> {
    let host_end = match text.first()? {
        b'[' => text.iter().position(|byte| *byte == b']')? + 1,
        _ => text.iter().position(|byte| *byte == b':').unwrap_or(text.len()),
    };
    let (host, rest) = text.split_at(host_end);
    let port = match rest {
        [] | [b':'] => None,
        [b':', digits @ ..] => Some(decimal(digits).filter(|port| *port <= 65_535)?),
        _ => return None,
    };
    let good = match host {
        [b'[', address @ .., b']'] => is_ipv6(address),
        _ => is_reg_name(host),
    };
    good.then(|| Authority { host: host.to_ascii_lowercase(), port })
}

/// `reg-name = *( unreserved / pct-encoded / sub-delims )` (RFC 3986, section 3.2.2), but not empty, and without
/// the comma that joins two.
fn is_reg_name(host: &[u8]) -> bool {
    let mut at = 0;
    while at < host.len() {
        match host[at] {
            b'%' => match host.get(at + 1..at + 3) {
                Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => at += 3,
                _ => return false,
            },
            byte if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+;=".contains(&byte) => at += 1,
            _ => return false,
        }
    }
    !host.is_empty()
}

/// `IPv6address` (RFC 3986, section 3.2.2): eight groups, or fewer around one `::`.
fn is_ipv6(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    match text.split_once("::") {
        None => groups(text, true) == Some(8),
        Some((before, after)) => {
            let before = if before.is_empty() { Some(0) } else { groups(before, false) };
            let after = if after.is_empty() { Some(0) } else { groups(after, true) };
            before.zip(after).is_some_and(|(before, after)| before + after <= 7)
        }
    }
}

/// How many groups of 16 bits they are; an address of IPv4 may be the last two.
fn groups(text: &str, may_end_in_ipv4: bool) -> Option<usize> {
    let pieces: Vec<&str> = text.split(':').collect();
    let mut count = 0;
    for (index, piece) in pieces.iter().enumerate() {
        let is_hex = piece.bytes().all(|byte| byte.is_ascii_hexdigit());
        count += match piece {
            _ if is_hex && (1..=4).contains(&piece.len()) => 1,
            _ if may_end_in_ipv4 && index + 1 == pieces.len() && is_ipv4(piece) => 2,
            _ => return None,
        };
    }
    Some(count)
}

/// `IPv4address = dec-octet "." dec-octet "." dec-octet "." dec-octet`
fn is_ipv4(text: &str) -> bool {
    let is_octet = |octet: &str| {
        let plain = octet == "0" || !octet.starts_with('0');
        plain && octet.len() <= 3 && decimal(octet.as_bytes()).is_some_and(|octet| octet <= 255)
    };
    text.split('.').count() == 4 && text.split('.').all(is_octet)
}

/// Whether the target has a form that the method takes, and names no other server than `host` does, if there is
/// one. Stricter than the RFC: the host in a target is not percent-encoded, and a path has no grave accent.
pub fn is_good(method: &str, target: &[u8], host: Option<&Authority>) -> bool {
    let agrees = |authority: &Authority, default: Option<u64>| {
        host.is_none_or(|host| {
            host.host == authority.host && host.port.or(default) == authority.port.or(default)
        })
    };
    if method == "CONNECT" {
        let named = authority(target).filter(|named| named.port.is_some() && !target.contains(&b'%'));
        return named.is_some_and(|named| agrees(&named, named.port));
    }
    if target == b"*" {
        return method == "OPTIONS";
    }
    if target.starts_with(b"/") {
        return is_path(target);
    }
    for (scheme, default) in [("http://", 80), ("https://", 443)] {
        if target.to_ascii_lowercase().starts_with(scheme.as_bytes()) {
            let rest = &target[scheme.len()..];
            let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
            let named = authority(&rest[..end]).filter(|_| !rest[..end].contains(&b'%'));
            return is_path(&rest[end..]) && named.is_some_and(|named| agrees(&named, Some(default)));
        }
    }
    false
}

fn is_path(target: &[u8]) -> bool {
    !target.split(|byte| *byte == b'?').next().unwrap_or_default().contains(&b'`')
}

/// The target as whoever acts on it sees it: the scheme in lower case, and no path being `/`.
pub fn normal(target: &str) -> String {
    let Some((scheme, rest)) = target.split_once("://").filter(|_| !target.starts_with('/')) else {
        return target.to_owned();
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let slash = if rest[end..].starts_with('/') { "" } else { "/" };
    format!("{}://{}{slash}{}", scheme.to_ascii_lowercase(), &rest[..end], &rest[end..])
}
