//! Ranges of bytes, as `Range` asks for them and `Content-Range` tells them.
//!
//! The rule: a field is read once and at most [`MAX_RANGES`] of its ranges are looked at; one that is malformed anywhere,
//! or asks for more, says nothing, as if it had not been sent (RFC 9110, section 14.2, allows that).
//!
//! ```text
//! Range        = "bytes" "=" range-spec *( OWS "," OWS range-spec )       RFC 9110, sections 14.1.1, 14.1.2 and 14.2
//! range-spec   = first-pos "-" [ last-pos ] / "-" suffix-length
//! Content-Range = "bytes" SP ( first-pos "-" last-pos "/" length / "*/" length )      RFC 9110, section 14.4
//! ```

use std::ops::Range;

use http::HeaderValue;

/// How many ranges one request may ask for. More are ignored, all of them: the client gets the whole.
pub const MAX_RANGES: usize = 16;

/// What a `Range` selects of a content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All of it: the field says nothing that is understood here.
    Whole,
    /// These parts, none of which is empty, overlaps another or touches it; in the order in which they were asked for.
    Parts(Vec<Range<u64>>),
    /// Nothing: every range begins behind the end. The answer is 416.
    Unsatisfiable,
}

/// What the value of a `Range` field selects of a content of `length` bytes.
///
/// Of an empty content it selects the whole, so that a client which resumes at its end is done.
///
/// ```
/// use bakestone::http::range::{Selection, select};
///
/// assert_eq!(select("bytes=0-4, 2-6, -1", 100), Selection::Parts(vec![0..7, 99..100]));
/// assert_eq!(select("bytes=100-", 100), Selection::Unsatisfiable);
/// assert_eq!(select("lines=1-2", 100), Selection::Whole);
/// ```
pub fn select(field: &str, length: u64) -> Selection {
    match field.split_once('=') {
        Some((unit, ranges)) if unit.trim_ascii().eq_ignore_ascii_case("bytes") => {
            select_of(ranges.split(','), length)
        }
        _ => Selection::Whole,
    }
}

fn select_of<'a>(elements: impl Iterator<Item = &'a str>, length: u64) -> Selection {
    let specs = elements.map(str::trim_ascii).filter(|element| !element.is_empty());
    let (mut parts, mut count) = (Vec::new(), 0);
    for spec in specs {
        count += 1;
        let Some(range) = parse(spec, length).filter(|_| count <= MAX_RANGES) else {
            return Selection::Whole;
        };
        if !range.is_empty() {
            add(&mut parts, range);
        }
    }
    match (count, length) {
        (0, _) | (_, 0) => Selection::Whole,
        _ if parts.is_empty() => Selection::Unsatisfiable,
        _ => Selection::Parts(parts),
    }
}

/// What a range-spec selects, which may be nothing; `None` if it is malformed.
fn parse(spec: &str, length: u64) -> Option<Range<u64>> {
    let (first, last) = spec.split_once('-')?;
    if first.is_empty() {
        return Some(length.saturating_sub(digits(last)?)..length);
    }
    let first = digits(first)?;
    let last = if last.is_empty() { u64::MAX } else { digits(last)? };
    (first <= last).then(|| first..last.saturating_add(1).min(length))
}

/// A number of any length; past what can be counted one is as good as another.
fn digits(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u64::MAX))
}

/// Puts `range` among the parts; it is merged with those that it overlaps or touches, in the place of the first of them.
fn add(parts: &mut Vec<Range<u64>>, range: Range<u64>) {
    let touches = |part: &Range<u64>| part.start <= range.end && range.start <= part.end;
    let Some(first) = parts.iter().position(touches) else { return parts.push(range) };
    let union = |all: Range<u64>, part: &Range<u64>| all.start.min(part.start)..all.end.max(part.end);
    let merged = parts.iter().filter(|part| touches(part)).fold(range.clone(), union);
    let mut place = 0..;
    parts.retain(|part| place.next() == Some(first) || !touches(part));
    if let Some(part) = parts.get_mut(first) {
        *part = merged;
    }
}

/// The `Content-Range` of a part, which is not empty, of a content of `length` bytes.
pub fn content_range(part: &Range<u64>, length: u64) -> HeaderValue {
    value(format!("bytes {}-{}/{length}", part.start, part.end.saturating_sub(1)))
}

/// The `Content-Range` of a 416: what the length is.
pub fn unsatisfied(length: u64) -> HeaderValue {
    value(format!("bytes */{length}"))
}

fn value(text: String) -> HeaderValue {
    // It is made of visible ASCII.
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("bytes */*"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parts, inclusive as they are written; `whole`, or `416`.
    fn selected(field: &str, length: u64) -> String {
        match select(field, length) {
            Selection::Whole => "whole".to_owned(),
            Selection::Unsatisfiable => "416".to_owned(),
            Selection::Parts(parts) => {
                let parts = parts.iter().map(|part| format!("{}-{}", part.start, part.end - 1));
                parts.collect::<Vec<_>>().join(" ")
            }
        }
    }

    #[test]
    fn s37_examples_of_the_rfc() {
        // RFC 9110, sections 14.1.2 and 14.2: of a content of 10,000 bytes.
        for (field, expected) in [
            ("bytes=0-499", "0-499"),
            ("bytes=500-999", "500-999"),
            ("bytes=-500", "9500-9999"),
            ("bytes=9500-", "9500-9999"),
            ("bytes=0-0,-1", "0-0 9999-9999"),
            ("bytes= 0-0, -2", "0-0 9998-9999"),
            ("bytes= 0-999, 4500-5499, -1000", "0-999 4500-5499 9000-9999"),
            ("bytes=500-600,601-999", "500-999"),
            ("bytes=500-700,601-999", "500-999"),
        ] {
            assert_eq!(selected(field, 10_000), expected, "{field}");
        }
    }

    /// What nginx (a) and Go's `net/http` (b) do stands beside it where that is something else.
    #[test]
    fn s37_ranges_of_ten_bytes() {
        for (field, expected) in [
            ("bytes=2-4", "2-4"),
            ("BYTES=2-4", "2-4"), // b: 416
            ("bytes=9-9", "9-9"),
            ("bytes=0-99", "0-9"),
            ("bytes=-99", "0-9"),
            ("bytes=5-99999999999999999999999999", "5-9"), // a, b: 416
            ("bytes=99999999999999999999999999-", "416"),
            ("bytes=10-", "416"),
            ("bytes=-0", "416"), // b: 206 without a byte
            ("bytes=10-,2-2", "2-2"),
            ("bytes=,, 1-1 ,,", "1-1"), // a: 416
            ("bytes=8-9,0-1", "8-9 0-1"),
            // What overlaps or touches is sent once; a, b: as often as it is asked for, or the whole, if that is shorter.
            ("bytes=4-5,0-1,1-4", "0-5"),
            ("bytes=8-9,0-1,3-4,1-3", "8-9 0-4"),
            ("bytes=0-9,0-9,0-9", "0-9"),
            ("bytes=0-,1-,2-", "0-9"),
            // Malformed, and so as if it were not there; a, b: 416, unless it is said.
            ("bytes=4-2", "whole"),
            ("bytes=1-2,4-2", "whole"), // a: 1-2
            ("bytes=a-b", "whole"),
            ("bytes=1", "whole"),
            ("bytes=-", "whole"),
            ("bytes=--1", "whole"),
            ("bytes=1--1", "whole"),
            ("bytes=+1-2", "whole"),  // b: 1-2
            ("bytes=1 - 2", "whole"), // a, b: 1-2
            ("bytes=0x1-2", "whole"),
            ("bytes=,", "whole"),   // b: the same
            ("bytes=", "whole"),    // a, b: the same
            ("", "whole"),          // a, b: the same
            ("bytes", "whole"),     // a: the same
            ("bytes 0-1", "whole"), // a: the same
            ("items=0-1", "whole"), // a: the same
        ] {
            assert_eq!(selected(field, 10), expected, "{field}");
        }
        for field in ["bytes=0-", "bytes=0-0", "bytes=-1", "bytes=-0", "bytes=5-"] {
            assert_eq!(selected(field, 0), "whole", "{field} of nothing");
        }
    }

    #[test]
    fn s37_sixteen_ranges_and_no_more() {
        let ranges = |count: u64| (0..count).map(|at| format!("{}-{}", at * 2, at * 2)).collect::<Vec<_>>();
        let field = |count| format!("bytes={}", ranges(count).join(","));
        assert_eq!(select(&field(16), 100), Selection::Parts((0..16).map(|at| at * 2..at * 2 + 1).collect()));
        assert_eq!(select(&field(17), 100), Selection::Whole);
        // Those that are out of reach count, too.
        assert_eq!(select(&field(17), 3), Selection::Whole);
    }

    /// The advisory of Starlette (CVE-2025-62727) was a field whose ranges took the square of their number to merge.
    #[test]
    fn starlette_range_parsing_is_linear() {
        for element in ["0-", "0-0", "-1", "99-", "", " ", "9-1"] {
            let mut taken = 0;
            let elements = std::iter::repeat_n(element, 1_000_000).inspect(|_| taken += 1);
            let selection = select_of(elements, 10);
            let expected = if element.trim().is_empty() { 1_000_000 } else { MAX_RANGES + 1 };
            assert_eq!(selection, Selection::Whole, "{element}");
            assert!(taken <= expected, "{element}: {taken}");
        }
    }

    #[test]
    fn what_is_selected_is_what_was_asked_for() {
        // Every pair of ranges of five bytes, against a set.
        let specs: Vec<String> =
            (0..5).flat_map(|first| (first..6).map(move |last| format!("{first}-{last}"))).collect();
        for one in &specs {
            for other in &specs {
                let Selection::Parts(parts) = select(&format!("bytes={one},{other}"), 5) else {
                    panic!("{one} {other}")
                };
                let bytes = |spec: &str| parse(spec, 5).unwrap();
                let wanted: Vec<u64> =
                    (0..5).filter(|at| bytes(one).contains(at) || bytes(other).contains(at)).collect();
                let mut found: Vec<u64> = parts.iter().cloned().flatten().collect();
                found.sort_unstable();
                assert_eq!(found, wanted, "{one} {other}");
            }
        }
    }

    #[test]
    fn content_ranges() {
        assert_eq!(content_range(&(42..1234), 1234), "bytes 42-1233/1234");
        assert_eq!(unsatisfied(1234), "bytes */1234");
    }
}
