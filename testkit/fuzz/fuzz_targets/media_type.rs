//! A media type, as a naive reader of its grammar reads it (RFC 9110, sections 5.6.4, 5.6.6 and 8.3.1); what is
//! printed is read as the same. The same text as an `Accept`, which weighs its own offers and others.
//!
//! Extended parameters (RFC 8187) hold no control characters, and one that is decoded wins over a plain one.
#![no_main]

use bakestone::http::{Accept, MediaType};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let read = MediaType::parse(&text);
    let seen = read.as_ref().map(|read| {
        let parameters = read.parameters().map(|(name, value)| (name.to_owned(), value.into_owned()));
        (read.essence().to_owned(), parameters.collect())
    });
    assert_eq!(seen, naive(&text));
    if let Some(read) = &read {
        same_when_printed(read);
        decoded(read);
    }
    weigh(&text);
});

fn same_when_printed(read: &MediaType<'_>) {
    let printed = read.to_string();
    let again = MediaType::parse(&printed).expect("what was printed is a media type");
    assert_eq!(again.to_string(), printed);
    assert_eq!(again.essence(), read.essence());
    for (name, _) in read.parameters() {
        assert_eq!(again.parameter(name), read.parameter(name), "{name} of {printed}");
    }
}

fn decoded(read: &MediaType<'_>) {
    for (name, _) in read.parameters() {
        let base = name.split('*').next().unwrap_or_default();
        let plain =
            read.parameters().find(|(other, _)| other.eq_ignore_ascii_case(base)).map(|(_, value)| value);
        let is_extended = |other: &str| {
            let start = other.get(..base.len());
            other[base.len().min(other.len())..].starts_with('*')
                && start.is_some_and(|start| start.eq_ignore_ascii_case(base))
        };
        let found = read.parameter(base);
        match read.parameters().any(|(other, _)| is_extended(other)) {
            false => assert_eq!(found, plain),
            true if found != plain => {
                let found = found.expect("an extended value takes nothing away");
                assert!(
                    !found.contains(|character| char::is_control(character) && character != '\t'),
                    "{found:?}"
                );
            }
            true => {}
        }
    }
}

fn weigh(text: &str) {
    let Some(accept) = Accept::parse(text) else { return };
    let offers = ["text/html", "text/plain;charset=utf-8", "application/json", "a/b"];
    let best = accept.best(&offers);
    let weights = offers.map(|offer| accept.weight(offer));
    assert!(weights.iter().all(|weight| *weight <= 1000));
    match best {
        Some(best) => assert!(weights[best] > 0 && weights.iter().all(|weight| *weight <= weights[best])),
        None => assert_eq!(weights, [0; 4]),
    }
}

type Read = (String, Vec<(String, String)>);

fn naive(text: &str) -> Option<Read> {
    let (essence, mut rest) = match text.find(';') {
        Some(at) => (&text[..at], &text[at..]),
        None => (text, ""),
    };
    let essence = essence.trim_matches([' ', '\t']).to_ascii_lowercase();
    let halves: Vec<&str> = essence.split('/').collect();
    if halves.len() != 2 || !halves.iter().all(|half| is_token(half)) {
        return None;
    }
    let mut parameters = Vec::new();
    while let Some(piece) = rest.strip_prefix(';') {
        let end = end(piece);
        parameters.extend(parameter(piece[..end].trim_matches([' ', '\t'])));
        rest = &piece[end..];
    }
    Some((essence, parameters))
}

/// Where a parameter ends: at the `;` that stands in no quoted-string. One begins right after the first `=`.
fn end(piece: &str) -> usize {
    let (mut equals, mut is_quoted, mut is_escaped) = (false, false, false);
    let mut before = ' ';
    for (at, character) in piece.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' if is_quoted => is_quoted = false,
            '"' if before == '=' && !equals => (equals, is_quoted) = (true, true),
            ';' if !is_quoted => return at,
            _ if before == '=' => equals = true,
            _ => {}
        }
        before = character;
    }
    piece.len()
}

fn parameter(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once('=')?;
    let value = match value.strip_prefix('"') {
        Some(quoted) => unquoted(quoted)?,
        None => is_token(value).then(|| value.to_owned())?,
    };
    is_token(name).then(|| (name.to_owned(), value))
}

/// The text of a quoted-string whose first quote is gone and whose last one is the end.
fn unquoted(quoted: &str) -> Option<String> {
    let (mut value, mut characters) = (String::new(), quoted.chars());
    loop {
        match characters.next()? {
            '"' => return characters.next().is_none().then_some(value),
            '\\' => value.push(characters.next()?),
            other => value.push(other),
        }
        if value.ends_with(is_control) {
            return None;
        }
    }
}

/// What no value holds, quoted or decoded.
fn is_control(character: char) -> bool {
    character.is_ascii_control() && character != '\t'
}

fn is_token(text: &str) -> bool {
    let is_tchar =
        |character: char| character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character);
    !text.is_empty() && text.chars().all(is_tchar)
}
