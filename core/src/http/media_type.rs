//! Media types, as `Content-Type` carries them (RFC 9110, section 8.3.1).
//!
//! ```text
//! media-type = type "/" subtype *( OWS ";" OWS [ name "=" ( token / quoted-string ) ] )
//! ```

use std::borrow::Cow;

/// A media type: its type and subtype, and its parameters.
///
/// ```
/// use bakestone::http::MediaType;
///
/// let media_type = MediaType::parse(r#"Text/HTML; Charset="utf-8""#).ok_or("no media type")?;
/// assert_eq!(media_type.essence(), "text/html");
/// assert_eq!(media_type.parameter("charset").as_deref(), Some("utf-8"));
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Debug)]
pub struct MediaType<'a> {
    essence: Cow<'a, str>,
    parameters: &'a str,
}

impl<'a> MediaType<'a> {
    /// The media type that `field` holds; `None` where it does not begin with a type and a subtype.
    ///
    /// Parameters are looked at when they are asked for.
    pub fn parse(field: &'a str) -> Option<Self> {
        let (essence, parameters) = field.split_once(';').unwrap_or((field, ""));
        let essence = essence.trim_matches(OWS);
        let (kind, subtype) = essence.split_once('/')?;
        if !is_token(kind) || !is_token(subtype) {
            return None;
        }
        let essence = match essence.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => Cow::Owned(essence.to_ascii_lowercase()),
            false => Cow::Borrowed(essence),
        };
        Some(Self { essence, parameters })
    }

    /// The type and the subtype, in lower case: `text/html`.
    pub fn essence(&self) -> &str {
        &self.essence
    }

    pub(crate) fn into_essence(self) -> Cow<'a, str> {
        self.essence
    }

    /// Whether it is JSON: `application/json`, or a type with the suffix `+json` (RFC 6839, section 3.1).
    pub fn is_json(&self) -> bool {
        self.essence == "application/json" || self.essence.ends_with("+json")
    }

    /// The value of the parameter `name`, in any case, without its quotes; the first if there are several.
    /// Malformed parameters are passed over.
    pub fn parameter(&self, name: &str) -> Option<Cow<'a, str>> {
        let mut rest = Some(self.parameters);
        while let Some(text) = rest {
            let parameter = Parameter::first(text);
            if parameter.name.eq_ignore_ascii_case(name) && parameter.value.is_some() {
                return parameter.value;
            }
            rest = parameter.rest;
        }
        None
    }
}

/// What surrounds a parameter, and may stand on both sides of its `;`.
pub(super) const OWS: [char; 2] = [' ', '\t'];

struct Parameter<'a> {
    name: &'a str,
    /// `None` if it is malformed.
    value: Option<Cow<'a, str>>,
    /// What is after its `;`.
    rest: Option<&'a str>,
}

impl<'a> Parameter<'a> {
    fn first(text: &'a str) -> Self {
        let equals = text.find(['=', ';']).filter(|&at| text[at..].starts_with('='));
        let Some(equals) = equals else {
            let (name, rest) = cut(text);
            return Self { name, value: None, rest };
        };
        let (name, after) = (text[..equals].trim_start_matches(OWS), &text[equals + 1..]);
        match after.strip_prefix('"') {
            Some(quoted) => {
                let (value, after) = quoted_string(quoted);
                let (junk, rest) = cut(after);
                Self { name, value: value.filter(|_| junk.trim_matches(OWS).is_empty()), rest }
            }
            None => {
                let (value, rest) = cut(after);
                let value = value.trim_matches(OWS);
                Self { name, value: is_token(value).then_some(Cow::Borrowed(value)), rest }
            }
        }
    }
}

/// What is before the first `;`, and what is after it.
fn cut(text: &str) -> (&str, Option<&str>) {
    text.split_once(';').map_or((text, None), |(before, after)| (before, Some(after)))
}

/// The content of a quoted-string whose first quote is gone, and what is after its last; `None` without one.
pub(super) fn quoted_string(text: &str) -> (Option<Cow<'_, str>>, &str) {
    let mut unescaped = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' if unescaped.len() == at => return (Some(Cow::Borrowed(&text[..at])), &text[at + 1..]),
            '"' => return (Some(Cow::Owned(unescaped)), &text[at + 1..]),
            '\\' => unescaped.extend(characters.next().map(|(_, escaped)| escaped)),
            other => unescaped.push(other),
        }
    }
    (None, "")
}

pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r09_r10_r11_types_and_parameters() {
        for (field, essence, charset) in [
            ("text/html", Some("text/html"), None),
            (" Text/HTML ;x=y", Some("text/html"), None),
            ("a/b;charset=utf-8", Some("a/b"), Some("utf-8")),
            ("a/b ;\tCharSet=UTF-8 ", Some("a/b"), Some("UTF-8")),
            (r#"a/b; x="a;charset=no"; charset="\u\"8""#, Some("a/b"), Some("u\"8")),
            (r#"a/b; charset="""#, Some("a/b"), Some("")),
            ("a/b; charset=1; charset=2", Some("a/b"), Some("1")),
            ("a/b; charset; charset=2", Some("a/b"), Some("2")),
            ("a/b;; ;charset=2;", Some("a/b"), Some("2")),
            ("a/b; charset=", Some("a/b"), None),
            ("a/b; charset=a b", Some("a/b"), None),
            (r#"a/b; charset="open"#, Some("a/b"), None),
            (r#"a/b; charset="x"y"#, Some("a/b"), None),
            ("a/b; charset =x", Some("a/b"), None),
            ("", None, None),
            ("text", None, None),
            ("/html", None, None),
            ("text/", None, None),
            ("te xt/html", None, None),
            ("text/html/x", None, None),
        ] {
            let parsed = MediaType::parse(field);
            assert_eq!(parsed.as_ref().map(MediaType::essence), essence, "{field}");
            let found = parsed.and_then(|parsed| parsed.parameter("charset"));
            assert_eq!(found.as_deref(), charset, "{field}");
        }
    }

    #[test]
    fn json_by_name_and_by_suffix() {
        for (field, expected) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/problem+json", true),
            ("text/json", false),
            ("application/jsonx", false),
            ("text/plain; x=application/json", false),
        ] {
            assert_eq!(MediaType::parse(field).is_some_and(|parsed| parsed.is_json()), expected, "{field}");
        }
    }
}
