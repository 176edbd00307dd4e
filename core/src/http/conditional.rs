//! Requests under conditions: whether the client has it already, and whether it is still what the client means.
//!
//! The rule: the conditions are judged in the order of RFC 9110, section 13.2.2, and one that cannot be read never lets
//! through what it might have held back: `If-Match` fails by it, the others say nothing.
//!
//! ```text
//! If-Match / If-None-Match               = "*" / entity-tag *( "," entity-tag )     RFC 9110, sections 13.1.1, 13.1.2
//! If-Modified-Since / If-Unmodified-Since = HTTP-date                               RFC 9110, sections 13.1.3, 13.1.4
//! If-Range                               = entity-tag / HTTP-date                   RFC 9110, section 13.1.5
//! ```

use std::time::Duration;

use http::header::{
    HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE,
};
use http::{HeaderMap, Method};

use super::date;
use super::etag::{Comparison, ETag, is_listed, is_settled, telling};
use super::range::{self, Selection};

const FIELDS: [HeaderName; 6] =
    [IF_MATCH, IF_UNMODIFIED_SINCE, IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_RANGE, RANGE];

/// What tells one content of a resource from another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    etag: Option<ETag>,
    /// In seconds since the Unix epoch, as `Last-Modified` has it.
    modified: Option<u64>,
    /// Whether no two contents share that second.
    is_settled: bool,
}

impl Validators {
    /// Those of a content with the tag `etag`, last changed at `modified`, which is looked at at `now`, both since the
    /// Unix epoch. What is there at all is enough. A time of change within a second of the epoch is none: files have it
    /// that tell no time.
    pub fn new(etag: Option<ETag>, modified: Option<Duration>, now: Duration) -> Self {
        let modified = modified.and_then(telling);
        let whole_second = modified.map(|at| Duration::from_secs(at.as_secs().saturating_add(1)));
        Self {
            etag,
            modified: modified.map(|at| at.as_secs()),
            is_settled: whole_second.is_some_and(|end| is_settled(end, now)),
        }
    }
}

/// What the conditions of a request say of a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// They hold, or there are none: the request is answered.
    Holds,
    /// The client has it already: 304.
    NotModified,
    /// It is not what the client means: 412.
    Failed,
}

/// The conditions of a request, and the `Range` that depends on them.
///
/// ```
/// use bakestone::http::{Conditional, ETag, Precondition, Validators};
/// use bakestone::{HeaderMap, HeaderValue, Method};
/// use std::time::Duration;
///
/// let mut headers = HeaderMap::new();
/// headers.insert("if-none-match", HeaderValue::from_static(r#""old", "new""#));
/// let conditional = Conditional::new(&Method::GET, &headers);
/// let validators = |tag| Validators::new(ETag::strong(tag), None, Duration::ZERO);
/// assert_eq!(conditional.check(&validators("new")), Precondition::NotModified);
/// assert_eq!(conditional.check(&validators("newer")), Precondition::Holds);
/// ```
#[derive(Clone, Debug)]
pub struct Conditional {
    method: Method,
    fields: HeaderMap,
}

impl Conditional {
    /// The conditions among the fields of a request. Those that are no condition are not kept.
    pub fn new(method: &Method, headers: &HeaderMap) -> Self {
        let mut fields = HeaderMap::new();
        for name in FIELDS {
            for value in headers.get_all(&name) {
                fields.append(name.clone(), value.clone());
            }
        }
        Self { method: method.clone(), fields }
    }

    /// Whether the request is to be answered, where there is such a content (RFC 9110, section 13.2.2).
    pub fn check(&self, validators: &Validators) -> Precondition {
        let holds = match self.list(&IF_MATCH) {
            Some(list) => is_listed(&list, validators.etag.as_ref(), Comparison::Strong),
            None => self.is_unmodified_since(validators).unwrap_or(true),
        };
        if !holds {
            return Precondition::Failed;
        }
        let only_reads = self.method == Method::GET || self.method == Method::HEAD;
        let is_known = match self.list(&IF_NONE_MATCH) {
            Some(list) => is_listed(&list, validators.etag.as_ref(), Comparison::Weak),
            None => only_reads && self.is_known_since(validators),
        };
        match (is_known, only_reads) {
            (false, _) => Precondition::Holds,
            (true, true) => Precondition::NotModified,
            (true, false) => Precondition::Failed,
        }
    }

    /// What `Range` selects of a content of `length` bytes: the whole for other methods than GET (RFC 9110, section
    /// 14.2), and where `If-Range` tells that the client holds parts of another content.
    pub fn select(&self, validators: &Validators, length: u64) -> Selection {
        match self.only(&RANGE) {
            Some(field) if self.method == Method::GET && self.may_continue(validators) => {
                range::select(field, length)
            }
            _ => Selection::Whole,
        }
    }

    fn is_unmodified_since(&self, validators: &Validators) -> Option<bool> {
        let since = self.date(&IF_UNMODIFIED_SINCE)?;
        validators.modified.map(|modified| modified <= since)
    }

    fn is_known_since(&self, validators: &Validators) -> bool {
        let since = self.date(&IF_MODIFIED_SINCE);
        since.zip(validators.modified).is_some_and(|(since, modified)| modified <= since)
    }

    /// Whether `If-Range` is not there, or names this very content.
    fn may_continue(&self, validators: &Validators) -> bool {
        if !self.fields.contains_key(IF_RANGE) {
            return true;
        }
        if let Some(tag) = self.only(&IF_RANGE).and_then(ETag::parse) {
            return validators.etag.as_ref().is_some_and(|own| own.matches_strongly(&tag));
        }
        // A date must be exact, and only one that cannot be shared by two contents will do.
        let since = self.date(&IF_RANGE);
        validators.is_settled && since.is_some() && since == validators.modified
    }

    /// The fields of this name as one list; `None` if there are none.
    fn list(&self, name: &HeaderName) -> Option<Vec<u8>> {
        let fields: Vec<&[u8]> = self.fields.get_all(name).iter().map(|field| field.as_bytes()).collect();
        (!fields.is_empty()).then(|| fields.join(&b","[..]))
    }

    /// The value of a field that is there once.
    fn only(&self, name: &HeaderName) -> Option<&str> {
        let mut fields = self.fields.get_all(name).iter();
        let field = fields.next()?;
        field.to_str().ok().filter(|_| fields.next().is_none())
    }

    /// The date that a field holds, in seconds since the Unix epoch.
    fn date(&self, name: &HeaderName) -> Option<u64> {
        date::parse(self.only(name)?).map(|date| date.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::Precondition::{Failed, Holds, NotModified};
    use super::*;

    const DAY: u64 = 784_111_777;
    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const EARLIER: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const BEFORE_THE_EPOCH: &str = "Fri, 01 Jan 1960 00:00:00 GMT";
    const LATER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

    /// Names and values.
    type Fields<'a> = &'a [(&'static str, &'a str)];

    fn conditional(method: &str, fields: Fields<'_>) -> Conditional {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers.append("host", HeaderValue::from_static("a"));
        Conditional::new(&method.parse().unwrap(), &headers)
    }

    fn validators(tag: &str) -> Validators {
        let modified = Duration::from_secs(DAY) + Duration::from_millis(900);
        Validators::new(ETag::parse(tag), Some(modified), Duration::MAX)
    }

    /// In the order of the first four steps. What nginx (a) and Go's `net/http` (b) do stands beside it where that is
    /// something else.
    #[test]
    fn s37_the_order_of_the_conditions() {
        let table: &[(&str, Fields<'_>, Precondition)] = &[
            ("GET", &[], Holds),
            ("PUT", &[], Holds),
            // 1: If-Match.
            ("GET", &[("if-match", r#""v""#)], Holds),
            ("GET", &[("if-match", r#""u", "v""#)], Holds),
            ("GET", &[("if-match", r#""u""#), ("if-match", r#""v""#)], Holds), // b: 412
            ("GET", &[("if-match", "*")], Holds),
            ("GET", &[("if-match", r#""u""#)], Failed),
            ("PUT", &[("if-match", r#""u""#)], Failed),
            ("GET", &[("if-match", r#"W/"v""#)], Failed),
            ("GET", &[("if-match", "v")], Failed),
            ("GET", &[("if-match", "")], Failed),
            // 2: If-Unmodified-Since, unless there is an If-Match.
            ("GET", &[("if-unmodified-since", DATE)], Holds),
            ("GET", &[("if-unmodified-since", LATER)], Holds),
            ("GET", &[("if-unmodified-since", EARLIER)], Failed),
            ("DELETE", &[("if-unmodified-since", EARLIER)], Failed),
            ("PUT", &[("if-unmodified-since", BEFORE_THE_EPOCH)], Failed),
            ("GET", &[("if-match", r#""v""#), ("if-unmodified-since", EARLIER)], Holds),
            ("GET", &[("if-unmodified-since", "yesterday")], Holds),
            ("GET", &[("if-unmodified-since", EARLIER), ("if-unmodified-since", EARLIER)], Holds),
            // 3: If-None-Match.
            ("GET", &[("if-none-match", r#""v""#)], NotModified),
            ("HEAD", &[("if-none-match", r#"W/"v""#)], NotModified),
            ("GET", &[("if-none-match", r#""u", "v""#)], NotModified),
            ("GET", &[("if-none-match", "*")], NotModified),
            ("PUT", &[("if-none-match", "*")], Failed),
            ("POST", &[("if-none-match", r#""v""#)], Failed),
            ("GET", &[("if-none-match", r#""u""#)], Holds),
            ("GET", &[("if-none-match", "v")], Holds),
            // 4: If-Modified-Since, of GET and HEAD, unless there is an If-None-Match.
            ("GET", &[("if-modified-since", DATE)], NotModified),
            ("HEAD", &[("if-modified-since", LATER)], NotModified), // a: only the very date, by default
            ("GET", &[("if-modified-since", EARLIER)], Holds),
            ("GET", &[("if-modified-since", BEFORE_THE_EPOCH)], Holds),
            ("PUT", &[("if-modified-since", DATE)], Holds),
            ("GET", &[("if-modified-since", "Sunday, 06-Nov-94 08:49:37 GMT")], NotModified),
            ("GET", &[("if-modified-since", "Sun Nov  6 08:49:37 1994")], NotModified),
            ("GET", &[("if-modified-since", "784111777")], Holds),
            ("GET", &[("if-none-match", r#""u""#), ("if-modified-since", DATE)], Holds),
            ("GET", &[("if-none-match", r#""v""#), ("if-modified-since", EARLIER)], NotModified),
            // Both ends at once.
            ("GET", &[("if-match", r#""v""#), ("if-none-match", r#""v""#)], NotModified),
            ("GET", &[("if-match", r#""u""#), ("if-none-match", r#""v""#)], Failed),
            ("GET", &[("if-unmodified-since", DATE), ("if-modified-since", DATE)], NotModified),
        ];
        for (method, fields, expected) in table {
            let found = conditional(method, fields).check(&validators(r#""v""#));
            assert_eq!(found, *expected, "{method} {fields:?}");
        }
    }

    #[test]
    fn s37_what_has_no_validators() {
        let none = Validators::default();
        for (name, value, expected) in [
            ("if-match", r#""v""#, Failed),
            ("if-match", "*", Holds),
            ("if-none-match", r#""v""#, Holds),
            ("if-none-match", "*", NotModified),
            ("if-modified-since", DATE, Holds),
            ("if-unmodified-since", EARLIER, Holds),
        ] {
            assert_eq!(conditional("GET", &[(name, value)]).check(&none), expected, "{name}: {value}");
        }
        let weak = validators(r#"W/"v""#);
        assert_eq!(conditional("GET", &[("if-match", r#"W/"v""#)]).check(&weak), Failed);
        assert_eq!(conditional("GET", &[("if-none-match", r#""v""#)]).check(&weak), NotModified);
    }

    #[test]
    fn a_time_that_files_have_whatever_befell_them_is_no_validator() {
        for (modified, expected) in [(0, Holds), (1, Holds), (2, NotModified)] {
            let validators = Validators::new(None, Some(Duration::from_secs(modified)), Duration::MAX);
            let found = conditional("GET", &[("if-modified-since", DATE)]).check(&validators);
            assert_eq!(found, expected, "{modified}");
        }
    }

    #[test]
    fn s37_ranges_of_what_the_client_holds_the_rest_of() {
        let strong = validators(r#""v""#);
        let young =
            Validators::new(ETag::weak("v"), Some(Duration::from_secs(DAY)), Duration::from_secs(DAY + 2));
        let (part, whole) = (range::select("bytes=2-4", 10), Selection::Whole);
        let table: &[(&str, Fields<'_>, &Validators, &Selection)] = &[
            ("GET", &[], &strong, &part),
            ("HEAD", &[], &strong, &whole), // b: 206
            ("PUT", &[], &strong, &whole),
            ("GET", &[("range", "bytes=0-1")], &strong, &whole),
            ("GET", &[("if-range", r#""v""#)], &strong, &part),
            ("GET", &[("if-range", r#""u""#)], &strong, &whole),
            ("GET", &[("if-range", r#"W/"v""#)], &strong, &whole),
            ("GET", &[("if-range", r#"W/"v""#)], &young, &whole), // a: 206
            ("GET", &[("if-range", r#""v""#)], &young, &whole),
            ("GET", &[("if-range", DATE)], &strong, &part),
            ("GET", &[("if-range", DATE)], &young, &whole), // a, b: 206
            ("GET", &[("if-range", LATER)], &strong, &whole),
            ("GET", &[("if-range", EARLIER)], &strong, &whole),
            ("GET", &[("if-range", BEFORE_THE_EPOCH)], &strong, &whole),
            ("GET", &[("if-range", r#""v""#), ("if-range", r#""v""#)], &strong, &whole),
            ("GET", &[("if-range", "*")], &strong, &whole),
            ("GET", &[("if-range", "v")], &strong, &whole),
        ];
        for (method, fields, validators, expected) in table {
            let fields = [&[("range", "bytes=2-4")], *fields].concat();
            let found = conditional(method, &fields).select(validators, 10);
            assert_eq!(found, **expected, "{method} {fields:?}");
        }
    }
}
