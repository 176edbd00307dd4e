//! What a jar sends back of what servers have set, as data: `testkit/cases/cookies/jar.md`.

use std::time::Duration;

use bakestone_testkit::client::{CookieJar, Url};

const CASES: &str = include_str!("../../cases/cookies/jar.md");

/// 2011-01-01T00:00:00Z: the dates of the cases lie around it.
const NOW: Duration = Duration::from_secs(1_293_840_000);

/// The cases are in the second block: each its name and the URL that is asked for, `<` what was set, `>` what is sent.
fn cases() -> impl Iterator<Item = Vec<&'static str>> {
    let block = CASES.split("```").nth(3).unwrap().strip_prefix("jar\n").unwrap().trim_end();
    block.split("\n\n").map(|case| case.lines().filter(|line| !line.starts_with('#')).collect())
}

#[test]
fn z08_what_was_set_is_sent_where_it_belongs() {
    let base = Url::parse("http://home.example.org:8888/cookie-parser").unwrap();
    let mut failures = Vec::new();
    let mut count = 0;
    for case in cases() {
        let (name, url) = case[0].split_once(' ').unwrap();
        let mut jar = CookieJar::default();
        for field in case.iter().filter_map(|line| line.strip_prefix('<')) {
            jar.store(&base, &unescaped(field.strip_prefix(' ').unwrap_or(field)), NOW);
        }
        let sent = jar.field(&base.resolve(url).unwrap(), NOW);
        let expected = case.iter().find_map(|line| line.strip_prefix("> ")).map(unescaped);
        if sent.as_deref().map(str::as_bytes) != expected.as_deref() {
            let expected = expected.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            failures.push(format!("{name}: {expected:?}, but it sent {sent:?}"));
        }
        count += 1;
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(count, 222);
}

/// `\xNN`, `\\` and `\{` stand for a byte, `{a*100}` for a byte a hundred times.
fn unescaped(text: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), text);
    while let Some(first) = rest.chars().next() {
        if let Some(escaped) = rest.strip_prefix("\\x") {
            bytes.push(u8::from_str_radix(&escaped[..2], 16).unwrap());
            rest = &escaped[2..];
        } else if let Some(escaped) = rest.strip_prefix('\\') {
            bytes.push(escaped.as_bytes()[0]);
            rest = &escaped[1..];
        } else if let Some(repeated) = rest.strip_prefix('{') {
            let (repeated, after) = repeated.split_once('}').unwrap();
            let (byte, count) = repeated.split_once('*').unwrap();
            bytes.extend(byte.repeat(count.parse().unwrap()).bytes());
            rest = after;
        } else {
            bytes.extend_from_slice(first.encode_utf8(&mut [0; 4]).as_bytes());
            rest = &rest[first.len_utf8()..];
        }
    }
    bytes
}
