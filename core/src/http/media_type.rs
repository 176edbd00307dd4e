//! Media types, as `Content-Type` carries them (RFC 9110, section 8.3.1).
//!
//! The rule: a type that is malformed is none, and a parameter that is malformed takes nothing else with it.
//!
//! ```text
//! media-type = type "/" subtype *( OWS ";" OWS [ name "=" ( token / quoted-string ) ] )
//! ```

use std::borrow::Cow;
use std::fmt;

use super::parameters::{self, OWS, Occurrence, Parameter, Parameters, is_token};

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
    ///
    /// It is decoded where it is extended (RFC 8187), or in sections (RFC 2231, section 3), and these win over the
    /// plain one. Their character set is UTF-8 or ISO-8859-1, and any other is malformed, as is a text with control
    /// characters. In HTTP a parameter may be extended where its field says so: `filename*` of `Content-Disposition`
    /// (RFC 6266), `title*` of `Link` (RFC 8288); no registered parameter of a media type is. Sections, and extended
    /// parameters of media types, are those of mail that is passed on (RFC 2231). So what must be read as everybody
    /// else reads it, such as a `boundary`, is better found among the [`parameters`](Self::parameters).
    ///
    /// ```
    /// use bakestone::http::MediaType;
    ///
    /// let media_type = MediaType::parse("text/plain; title=euro; title*=UTF-8''%e2%82%ac").ok_or("no media type")?;
    /// assert_eq!(media_type.parameter("title").as_deref(), Some("€"));
    /// # Ok::<(), &str>(())
    /// ```
    pub fn parameter(&self, name: &str) -> Option<Cow<'a, str>> {
        parameters::value(Parameters::new(self.parameters), name)
    }

    /// The parameter `name`, in any case, as everybody else reads it: a plain one, that is there once.
    pub(crate) fn only(&self, name: &str) -> Occurrence<'a> {
        parameters::only(self.parameters, name)
    }

    /// The names and the values of all parameters, as they were written, but for the quotes: in their order, with
    /// duplicates, names in any case, and extended values not decoded. Malformed parameters are passed over.
    pub fn parameters(&self) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> + use<'a> {
        Parameters::new(self.parameters).map(|Parameter { name, value, .. }| (name, value))
    }
}

/// As the MIME Sniffing Standard writes it (section 4.5): in lower case, but for the values, which stand in quotes
/// where they must.
///
/// ```
/// use bakestone::http::MediaType;
///
/// let media_type = MediaType::parse(r#"Text/HTML ; Charset="utf-8"; x="a b" "#).ok_or("no media type")?;
/// assert_eq!(media_type.to_string(), r#"text/html;charset=utf-8;x="a b""#);
/// # Ok::<(), &str>(())
/// ```
impl fmt::Display for MediaType<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.essence)?;
        for (name, value) in self.parameters() {
            write!(f, ";{}=", name.to_ascii_lowercase())?;
            match is_token(&value) {
                true => f.write_str(&value)?,
                false => write!(f, "\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
