//! Entity tags, as `ETag`, `If-Match`, `If-None-Match` and `If-Range` carry them.
//!
//! The rule: a tag is strong only where two contents can never share it; what is compared byte for byte, as ranges are
//! put together, asks for that.
//!
//! ```text
//! entity-tag = [ "W/" ] DQUOTE *( %x21 / %x23-7E / obs-text ) DQUOTE       RFC 9110, section 8.8.3
//! If-Match   = "*" / [ entity-tag *( OWS "," OWS entity-tag ) ]            RFC 9110, sections 13.1.1 and 13.1.2
//! ```

use std::fmt;
use std::time::Duration;

use http::HeaderValue;

/// How long a file must have been left alone before its time of change tells two contents apart: the coarsest clock of
/// a file system in use, that of FAT, has this step.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// The last time of change that says nothing: builds that give the same bytes each time set the first second of the epoch,
/// or the next, for all files and for good.
const LAST_MUTE: Duration = Duration::from_secs(1);

/// An entity tag (RFC 9110, section 8.8.3): what tells one content of a resource from another.
///
/// ```
/// use bakestone::http::ETag;
///
/// let (strong, weak) = (ETag::strong("v1").ok_or("no tag")?, ETag::weak("v1").ok_or("no tag")?);
/// assert_eq!((strong.to_string(), weak.to_string()), (r#""v1""#.to_owned(), r#"W/"v1""#.to_owned()));
/// assert!(weak.matches_weakly(&strong));
/// assert!(!weak.matches_strongly(&weak));
/// assert_eq!(ETag::strong("two words"), None);
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ETag {
    tag: String,
    is_weak: bool,
}

impl ETag {
    /// A tag that no two contents share, not even for a moment; `None` if `tag` has a space, a quote, or what is not
    /// visible ASCII.
    pub fn strong(tag: impl Into<String>) -> Option<Self> {
        let tag = tag.into();
        let is_tag = tag.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
        is_tag.then_some(Self { tag, is_weak: false })
    }

    /// A tag that contents share which are as good as the same; `None` as for [`strong`](Self::strong).
    pub fn weak(tag: impl Into<String>) -> Option<Self> {
        Self::strong(tag).map(|tag| Self { is_weak: true, ..tag })
    }

    /// The tag that a field holds, quotes and all; `None` if that is not one tag.
    pub fn parse(field: &str) -> Option<Self> {
        let (found, rest) = first(field.as_bytes())?;
        let tag = std::str::from_utf8(found.tag).ok()?;
        let parsed = if found.is_weak { Self::weak(tag) } else { Self::strong(tag) };
        parsed.filter(|_| rest.is_empty())
    }

    /// The tag of a file that has `length` bytes, was last changed at `modified`, and is looked at at `now`, both since
    /// the Unix epoch.
    ///
    /// It is strong, unless the file was changed in the last two seconds: another change might then leave the length
    /// and the time as they are (RFC 9110, section 8.8.1). So long it is weak, and another tag than later. It stays weak
    /// for a time within a second of the epoch, which files have that tell no time.
    pub fn of_file(length: u64, modified: Duration, now: Duration) -> Self {
        let tag = format!("{:x}-{length:x}", modified.as_nanos());
        match telling(modified).is_some() && is_settled(modified, now) {
            true => Self { tag, is_weak: false },
            false => Self { tag: tag + "-new", is_weak: true },
        }
    }

    /// The strong tag of a content: its length, and its hash (FNV-1a), which tells apart what was not made to collide.
    pub fn of_content(content: &[u8]) -> Self {
        Self { tag: format!("{:x}-{:x}", fnv(content), content.len()), is_weak: false }
    }

    /// The same tag for the content in another coding, which has bytes of its own.
    pub(crate) fn in_coding(self, coding: &str) -> Self {
        Self { tag: format!("{}-{coding}", self.tag), ..self }
    }

    /// What stands between the quotes.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// Whether contents that are only as good as the same may share it.
    pub fn is_weak(&self) -> bool {
        self.is_weak
    }

    /// Whether both are strong and the same: the contents are, byte for byte (RFC 9110, section 8.8.3.2).
    pub fn matches_strongly(&self, other: &Self) -> bool {
        !self.is_weak && self == other
    }

    /// Whether both are the same, weak or not.
    pub fn matches_weakly(&self, other: &Self) -> bool {
        self.tag == other.tag
    }

    /// The tag as a field's value.
    pub fn to_header_value(&self) -> HeaderValue {
        // A tag holds visible ASCII only.
        HeaderValue::try_from(self.to_string()).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\"{}\"", if self.is_weak { "W/" } else { "" }, self.tag)
    }
}

/// The time of a change, unless it is one that files have whatever befell them.
pub(crate) fn telling(modified: Duration) -> Option<Duration> {
    Some(modified).filter(|modified| *modified > LAST_MUTE)
}

/// Whether a file that was changed at `modified` can no longer change without a trace in that time.
pub(crate) fn is_settled(modified: Duration, now: Duration) -> bool {
    now >= modified.saturating_add(SETTLED_AFTER)
}

/// FNV-1a with 64 bits.
pub(crate) fn fnv(content: &[u8]) -> u64 {
    content
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A tag in a list.
struct Found<'a> {
    tag: &'a [u8],
    is_weak: bool,
}

/// What `If-Match` or `If-None-Match` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Strong,
    Weak,
}

/// Whether a list of tags names `tag`; `*` names any content. A list that is malformed ends there, so that it names less
/// and never more.
pub(super) fn is_listed(list: &[u8], tag: Option<&ETag>, comparison: Comparison) -> bool {
    if list.trim_ascii() == b"*" {
        return true;
    }
    let Some(tag) = tag.filter(|tag| comparison == Comparison::Weak || !tag.is_weak) else { return false };
    let mut rest = list;
    while let Some((found, after)) = first(rest) {
        let comparable = comparison == Comparison::Weak || !found.is_weak;
        if comparable && found.tag == tag.tag.as_bytes() {
            return true;
        }
        rest = after;
    }
    false
}

/// The first tag of a list, and what is after it and its comma.
fn first(list: &[u8]) -> Option<(Found<'_>, &[u8])> {
    // An element may be empty (RFC 9110, section 5.6.1.2).
    let start = list.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b','))?;
    let text = &list[start..];
    let (is_weak, quoted) = text.strip_prefix(b"W/").map_or((false, text), |quoted| (true, quoted));
    let content = quoted.strip_prefix(b"\"")?;
    let end = content.iter().position(|byte| *byte == b'"')?;
    let (tag, rest) = (&content[..end], content[end + 1..].trim_ascii_start());
    let rest = if rest.is_empty() { rest } else { rest.strip_prefix(b",")? };
    Some((Found { tag, is_weak }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s31_tags_are_quoted() {
        for (field, expected) in [
            (r#""xyzzy""#, Some((false, "xyzzy"))),
            (r#"W/"xyzzy""#, Some((true, "xyzzy"))),
            (r#""""#, Some((false, ""))),
            (r#" "a" "#, Some((false, "a"))),
            (r#"w/"xyzzy""#, None),
            ("xyzzy", None),
            (r#""xyzzy"#, None),
            (r#""a", "b""#, None),
            (r#""a" b"#, None),
            (r#""a b""#, None),
            ("", None),
            ("*", None),
        ] {
            let parsed = ETag::parse(field);
            let found = parsed.as_ref().map(|tag| (tag.is_weak(), tag.tag()));
            assert_eq!(found, expected, "{field}");
            if let Some(tag) = parsed {
                assert_eq!(tag.to_header_value(), field.trim());
            }
        }
    }

    #[test]
    fn the_comparisons_of_the_rfc() {
        // RFC 9110, section 8.8.3.2.
        for (one, other, strong, weak) in [
            (r#"W/"1""#, r#"W/"1""#, false, true),
            (r#"W/"1""#, r#"W/"2""#, false, false),
            (r#"W/"1""#, r#""1""#, false, true),
            (r#""1""#, r#""1""#, true, true),
        ] {
            let (left, right) = (ETag::parse(one).unwrap(), ETag::parse(other).unwrap());
            assert_eq!(left.matches_strongly(&right), strong, "{one} {other}");
            assert_eq!(left.matches_weakly(&right), weak, "{one} {other}");
            assert_eq!(is_listed(other.as_bytes(), Some(&left), Comparison::Strong), strong, "{one} {other}");
            assert_eq!(is_listed(other.as_bytes(), Some(&left), Comparison::Weak), weak, "{one} {other}");
        }
    }

    #[test]
    fn lists_of_tags() {
        let tag = ETag::strong("b").unwrap();
        for (list, expected) in [
            (r#""a", "b", "c""#, true),
            (r#""a","b""#, true),
            (r#", ,"b" ,"#, true),
            (r#"W/"a", "b""#, true),
            ("*", true),
            (" * ", true),
            ("*, \"x\"", false),
            (r#""a" "b""#, false),
            (r#""a", b, "b""#, false),
            (r#""a, "b""#, false),
            ("\"\u{e9}\", \"b\"", true),
            ("b", false),
            ("", false),
        ] {
            assert_eq!(is_listed(list.as_bytes(), Some(&tag), Comparison::Strong), expected, "{list}");
        }
        assert!(is_listed(b"*", None, Comparison::Strong));
        assert!(!is_listed(br#""b""#, None, Comparison::Weak));
    }

    #[test]
    fn a_file_that_was_just_changed_has_a_weak_tag_of_its_own() {
        let changed = Duration::new(1000, 5);
        for (now, is_weak) in [(0, true), (1000, true), (1002, true), (1003, false), (9000, false)] {
            let tag = ETag::of_file(7, changed, Duration::from_secs(now));
            assert_eq!(tag.is_weak(), is_weak, "{now}");
            let settled = ETag::of_file(7, changed, Duration::MAX);
            assert_eq!(tag.matches_weakly(&settled), !is_weak);
        }
        let later = Duration::MAX;
        for (mute, is_weak) in [(0, true), (1, true), (2, false)] {
            assert_eq!(ETag::of_file(7, Duration::from_secs(mute), later).is_weak(), is_weak, "{mute}");
        }
        let tags = [
            ETag::of_file(7, changed, later),
            ETag::of_file(8, changed, later),
            ETag::of_file(7, Duration::new(1000, 6), later),
            ETag::of_file(7, changed, later).in_coding("gzip"),
            ETag::of_content(b"hello"),
            ETag::of_content(b"hellp"),
        ];
        for (at, tag) in tags.iter().enumerate() {
            assert!(ETag::parse(&tag.to_string()).is_some_and(|parsed| parsed == *tag));
            assert!(!tags[..at].contains(tag), "{tag}");
        }
    }
}
