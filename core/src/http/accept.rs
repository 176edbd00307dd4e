//! What a client would rather have, as `Accept` carries it.
//!
//! The rule: a field that is malformed anywhere says nothing, as if it had not been sent.
//!
//! ```text
//! Accept      = [ media-range *( OWS "," OWS media-range ) ]     RFC 9110, section 12.5.1
//! media-range = ( "*/*" / type "/*" / type "/" subtype ) *( OWS ";" OWS [ parameter ] )
//! parameter   = token "=" ( token / quoted-string )
//! weight      = "q=" qvalue                                      a parameter, in any place
//! qvalue      = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )
//! ```

use std::borrow::Cow;
use std::cmp::Reverse;

use super::media_type::MediaType;
use super::parameters::{OWS, is_token, quoted_string};

/// The media types that a client takes, and how gladly (RFC 9110, section 12.5.1).
///
/// ```
/// use bakestone::http::Accept;
///
/// let accept = Accept::parse("text/html, application/*;q=0.9, */*;q=0.1").ok_or("malformed")?;
/// assert_eq!(accept.weight("application/json"), 900);
/// assert_eq!(accept.best(&["text/plain", "application/json"]), Some(1));
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accept<'a>(&'a str);

impl<'a> Accept<'a> {
    /// The preferences that `field` holds; `None` if it is malformed or names nothing.
    ///
    /// A request with several fields has one list, whose parts are joined with commas.
    pub fn parse(field: &'a str) -> Option<Self> {
        let mut ranges = Ranges(field).peekable();
        ranges.peek()?;
        ranges.all(|range| range.is_some()).then_some(Self(field))
    }

    /// How gladly `media_type` is taken, in thousandths: 0 if it is not.
    ///
    /// The most specific of the ranges that match it says so: its parameters count, and a range with parameters
    /// matches what has them all.
    pub fn weight(&self, media_type: &str) -> u16 {
        self.rank(media_type).map_or(0, |rank| rank.weight)
    }

    /// The place in `offers` of the media type that is taken most gladly; `None` if none of them is taken.
    ///
    /// Of those with the same weight it is the one that a more specific range names, then the one whose range
    /// stands first in the field, then the one that is offered first.
    pub fn best(&self, offers: &[&str]) -> Option<usize> {
        let ranked = offers.iter().enumerate().filter_map(|(place, offer)| Some((self.rank(offer)?, place)));
        ranked.max_by_key(|&(rank, place)| (rank, Reverse(place))).map(|(_, place)| place)
    }

    /// How `media_type` ranks; `None` if it is not taken.
    fn rank(&self, media_type: &str) -> Option<Rank> {
        let media_type = MediaType::parse(media_type)?;
        let ranks = Ranges(self.0).flatten().enumerate().filter_map(|(place, range)| {
            let specificity = range.specificity(&media_type)?;
            Some(Rank { weight: range.weight, specificity, place: Reverse(place) })
        });
        ranks.max_by_key(|rank| (rank.specificity, rank.weight, rank.place)).filter(|rank| rank.weight > 0)
    }
}

/// What the field says of one media type; the greater, the rather.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    weight: u16,
    specificity: (u8, usize),
    place: Reverse<usize>,
}

/// One of the ranges of a field.
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    /// Without the weight, which may stand among them.
    parameters: Vec<(&'a str, Cow<'a, str>)>,
    /// In thousandths.
    weight: u16,
}

impl<'a> Range<'a> {
    /// The first range of `text`, and what is after it; `None` if it is malformed.
    fn first(text: &'a str) -> Option<(Self, &'a str)> {
        let end = text.find([';', ',']).unwrap_or(text.len());
        let (essence, mut rest) = text.split_at(end);
        let (kind, subtype) = essence.trim_matches(OWS).split_once('/')?;
        if !is_token(kind) || !is_token(subtype) || (kind == "*" && subtype != "*") {
            return None;
        }
        let (mut parameters, mut weight) = (Vec::new(), None);
        while let Some(text) = rest.strip_prefix(';') {
            let (parameter, after) = first_parameter(text)?;
            match parameter {
                Some((name, value)) if name.eq_ignore_ascii_case("q") && weight.is_none() => {
                    weight = Some(thousandths(&value)?);
                }
                Some((name, _)) if name.eq_ignore_ascii_case("q") => return None,
                parameter => parameters.extend(parameter),
            }
            rest = after;
        }
        Some((Self { kind, subtype, parameters, weight: weight.unwrap_or(1000) }, rest))
    }

    /// How closely it describes `media_type`; `None` if it does not match it.
    fn specificity(&self, media_type: &MediaType<'_>) -> Option<(u8, usize)> {
        let (kind, subtype) = media_type.essence().split_once('/')?;
        let named = match (self.kind, self.subtype) {
            ("*", "*") => 0,
            (own, "*") if own.eq_ignore_ascii_case(kind) => 1,
            (own, sub) if own.eq_ignore_ascii_case(kind) && sub.eq_ignore_ascii_case(subtype) => 2,
            _ => return None,
        };
        let has = |(name, value): &(&str, Cow<'_, str>)| {
            media_type.parameter(name).is_some_and(|own| own.eq_ignore_ascii_case(value))
        };
        self.parameters.iter().all(has).then_some((named, self.parameters.len()))
    }
}

/// The ranges of a text; one that is malformed is `None`, and the last.
struct Ranges<'a>(&'a str);

impl<'a> Iterator for Ranges<'a> {
    type Item = Option<Range<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        // An element may be empty (RFC 9110, section 5.6.1.2).
        let text = self.0.trim_start_matches([' ', '\t', ',']);
        if text.is_empty() {
            return None;
        }
        let Some((range, rest)) = Range::first(text) else {
            self.0 = "";
            return Some(None);
        };
        self.0 = rest;
        Some(Some(range))
    }
}

/// A parameter's name and value.
type Parameter<'a> = (&'a str, Cow<'a, str>);

/// The first parameter of `text`, which may be empty, and what is after it from `;` or `,` on; `None` if it is
/// malformed.
fn first_parameter(text: &str) -> Option<(Option<Parameter<'_>>, &str)> {
    let text = text.trim_start_matches(OWS);
    if at_end(text) {
        return Some((None, text));
    }
    let (name, after) = text.split_once('=').filter(|(name, _)| is_token(name))?;
    let (value, rest) = match after.strip_prefix('"') {
        Some(quoted) => {
            let (value, rest) = quoted_string(quoted);
            (value?, rest.trim_start_matches(OWS))
        }
        None => {
            let (value, rest) = after.split_at(after.find([';', ',']).unwrap_or(after.len()));
            (Cow::Borrowed(Some(value.trim_end_matches(OWS)).filter(|value| is_token(value))?), rest)
        }
    };
    at_end(rest).then_some((Some((name, value)), rest))
}

fn at_end(text: &str) -> bool {
    text.is_empty() || text.starts_with([';', ','])
}

/// A `qvalue` in thousandths.
pub(super) fn thousandths(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(3);
    match (whole, digits.fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'))) {
        ("0", thousandths) => Some(thousandths),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFERS: [&str; 4] = ["text/plain", "text/html", "application/json", "image/png"];

    #[test]
    fn the_example_of_the_rfc() {
        let field = "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, \
                     text/plain;format=fixed;q=0.4, */*;q=0.5";
        let accept = Accept::parse(field).unwrap();
        for (media_type, weight) in [
            ("text/plain;format=flowed", 1000),
            ("text/plain", 700),
            ("text/html", 300),
            ("image/jpeg", 500),
            ("text/plain;format=fixed", 400),
            ("text/html;level=3", 300),
            ("no media type", 0),
        ] {
            assert_eq!(accept.weight(media_type), weight, "{media_type}");
        }
    }

    #[test]
    fn the_best_of_several() {
        let chrome = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,\
                      */*;q=0.8,application/signed-exchange;v=b3;q=0.7";
        for (field, best) in [
            (chrome, Some("text/html")),
            ("*/*", Some("text/plain")),
            ("TEXT/*", Some("text/plain")),
            ("application/*", Some("application/json")),
            ("image/avif,image/webp,*/*;q=0.8", Some("text/plain")),
            ("application/json, text/plain, */*", Some("application/json")),
            ("text/plain, application/json", Some("text/plain")),
            ("text/*, application/json", Some("application/json")),
            ("*/*;q=0.9, image/png;q=0.8", Some("text/plain")),
            ("*/*;q=0.1, image/png;Q=0.2", Some("image/png")),
            ("text/plain;q=0, */*;q=0.001", Some("text/html")),
            ("text/html;q=0.5, text/html;q=0.7, image/png;q=0.6", Some("text/html")),
            (r#"text/html;level="1", image/png;q=0.2"#, Some("image/png")),
            (r#"a/b;x="\",;" ; q=1 ,, ,image/png ; q=0.5;;"#, Some("image/png")),
            ("*/*;q=0", None),
            ("audio/ogg", None),
        ] {
            let found = Accept::parse(field).unwrap().best(&OFFERS).map(|place| OFFERS[place]);
            assert_eq!(found, best, "{field}");
        }
        assert_eq!(Accept::parse("*/*").unwrap().best(&[]), None);
    }

    #[test]
    fn what_is_malformed_says_nothing() {
        for field in [
            "",
            " ",
            ", ,",
            "text",
            "text/",
            "/html",
            "*",
            "*/html",
            "te xt/html",
            "text/html text/plain",
            "text/html;q",
            "text/html;q=",
            "text/html;q=.2",
            "text/html;q=2",
            "text/html;q=1.001",
            "text/html;q=0.0001",
            "text/html;q=-1",
            "text/html;q=0,5",
            "text/html;q=1;q=1",
            "text/html;a = b",
            "text/html;=b",
            "text/html;a=b c",
            r#"text/html;a="b"#,
            r#"text/html;a="b"c"#,
            "text/html;a=\"\x01\"",
            "text/html, image/png, *; q=.2",
            "text/html;é=1",
        ] {
            assert_eq!(Accept::parse(field), None, "{field:?}");
        }
    }

    #[test]
    fn a_long_field_is_read_once() {
        let field = "a/b;x=\"y\",".repeat(100_000);
        assert_eq!(Accept::parse(&field).unwrap().best(&["text/html"]), None);
        assert_eq!(Accept::parse(&"a/b;x;".repeat(100_000)), None);
    }
}
