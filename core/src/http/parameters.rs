//! Parameters of a field's value: plain ones, and the extended ones that hold any text.
//!
//! The rule: a parameter that is malformed is passed over, alone. What is extended is decoded once, after all of the
//! field was cut, so that nothing in it separates anything.
//!
//! ```text
//! parameters = *( OWS ";" OWS [ name "=" ( token / quoted-string ) ] )          RFC 9110, section 5.6.6
//! extended   = name "*=" charset "'" [ language ] "'" value-chars               RFC 8187, section 3.2.1
//! sections   = name "*" section [ "*" ] "=" ( token / quoted-string )           RFC 2231, sections 3 and 4.1
//! section    = "0" / ( %x31-39 *DIGIT )        ; all from 0 on, each once, in any order, no more than 100
//! charset    = "UTF-8" / "ISO-8859-1"          ; in any case; that of section 0 is that of all
//! value-chars = *( "%" HEXDIG HEXDIG / attr-char )
//! ```

use std::borrow::Cow;

use super::percent::escape;

/// What surrounds a parameter, and may stand on both sides of its `;`.
pub(crate) const OWS: [char; 2] = [' ', '\t'];

/// Sections of one value that are put together.
const MOST_SECTIONS: usize = 100;

/// A parameter as it was written, without its quotes.
#[derive(Clone, Debug)]
pub(super) struct Parameter<'a> {
    pub(super) name: &'a str,
    pub(super) value: Cow<'a, str>,
    is_quoted: bool,
}

/// The parameters of a text, which begins behind the first `;`.
#[derive(Clone, Debug)]
pub(super) struct Parameters<'a>(Option<&'a str>);

impl<'a> Parameters<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self(Some(text))
    }
}

impl<'a> Iterator for Parameters<'a> {
    type Item = Parameter<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (_, parameter, rest) = first(self.0?);
            self.0 = rest;
            if parameter.is_some() {
                return parameter;
            }
        }
    }
}

/// How often a parameter is there.
pub(crate) enum Occurrence<'a> {
    Never,
    /// Once, and well-formed.
    Once(Cow<'a, str>),
    /// Malformed, or more than once: readers disagree about what it says.
    Unclear,
}

/// The plain parameter `name`, in any case.
pub(super) fn only<'a>(text: &'a str, name: &str) -> Occurrence<'a> {
    let (mut rest, mut found) = (Some(text), Occurrence::Never);
    while let Some(text) = rest {
        let (written, parameter, after) = first(text);
        rest = after;
        if written.eq_ignore_ascii_case(name) {
            found = match (found, parameter) {
                (Occurrence::Never, Some(parameter)) => Occurrence::Once(parameter.value),
                _ => return Occurrence::Unclear,
            };
        }
    }
    found
}

/// What stands as the name of the first parameter of `text`, the parameter if it is well-formed, and what is behind its
/// `;`.
fn first(text: &str) -> (&str, Option<Parameter<'_>>, Option<&str>) {
    let equals = text.find(['=', ';']).filter(|&at| text[at..].starts_with('='));
    let Some(equals) = equals else {
        let (piece, rest) = cut(text);
        return (piece.trim_matches(OWS), None, rest);
    };
    let (name, after) = (text[..equals].trim_start_matches(OWS), &text[equals + 1..]);
    let (value, is_quoted, rest) = match after.strip_prefix('"') {
        Some(quoted) => {
            let (value, after) = quoted_string(quoted);
            let (junk, rest) = cut(after);
            (value.filter(|_| junk.trim_matches(OWS).is_empty()), true, rest)
        }
        None => {
            let (value, rest) = cut(after);
            let value = value.trim_end_matches(OWS);
            (is_token(value).then_some(Cow::Borrowed(value)), false, rest)
        }
    };
    let parameter = value.filter(|_| is_token(name)).map(|value| Parameter { name, value, is_quoted });
    (name.trim_end_matches(OWS), parameter, rest)
}

/// What is before the first `;`, and what is after it.
fn cut(text: &str) -> (&str, Option<&str>) {
    text.split_once(';').map_or((text, None), |(before, after)| (before, Some(after)))
}

/// The content of a quoted-string whose first quote is gone, and what is after its last; `None` if there is no last one,
/// or a control character before it (RFC 9110, section 5.6.4).
pub(crate) fn quoted_string(text: &str) -> (Option<Cow<'_, str>>, &str) {
    let mut unescaped = String::new();
    let mut is_sound = true;
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        let character = match character {
            '"' => {
                let value = match unescaped.len() == at {
                    true => Cow::Borrowed(&text[..at]),
                    false => Cow::Owned(unescaped),
                };
                return (is_sound.then_some(value), &text[at + 1..]);
            }
            '\\' => characters.next().map(|(_, escaped)| escaped),
            other => Some(other),
        };
        is_sound &= character.is_none_or(|character| character == '\t' || !character.is_ascii_control());
        unescaped.extend(character);
    }
    (None, "")
}

pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// The value of the parameter `name`, in any case: the extended one before that in sections, and that before the plain
/// one, the first of each that is well-formed.
pub(super) fn value<'a>(parameters: Parameters<'a>, name: &str) -> Option<Cow<'a, str>> {
    let (mut plain, mut extended, mut sections) = (None, None, Vec::new());
    for Parameter { name: own, value, is_quoted } in parameters {
        match Form::of(own, name) {
            Some(Form::Plain) => plain = plain.or(Some(value)),
            Some(Form::Extended) if !is_quoted => extended = extended.or_else(|| ext_value(&value)),
            // One more than there may be is enough to know it.
            Some(Form::Section { number, is_encoded }) if sections.len() <= MOST_SECTIONS => {
                sections.push(Section { number, value, is_encoded, is_quoted });
            }
            _ => {}
        }
    }
    extended.or_else(|| joined(sections)).map(Cow::Owned).or(plain)
}

/// What a parameter is to the name that is asked for.
enum Form {
    Plain,
    Extended,
    Section { number: usize, is_encoded: bool },
}

impl Form {
    fn of(own: &str, asked: &str) -> Option<Self> {
        let (start, rest) = own.split_at_checked(asked.len())?;
        if !start.eq_ignore_ascii_case(asked) {
            return None;
        }
        let Some(section) = rest.strip_prefix('*') else { return rest.is_empty().then_some(Self::Plain) };
        if section.is_empty() {
            return Some(Self::Extended);
        }
        let (number, is_encoded) =
            section.strip_suffix('*').map_or((section, false), |number| (number, true));
        let is_decimal = number.bytes().all(|byte| byte.is_ascii_digit());
        if !is_decimal || (number.len() > 1 && number.starts_with('0')) {
            return None;
        }
        Some(Self::Section { number: number.parse().ok()?, is_encoded })
    }
}

/// A part of a value.
struct Section<'a> {
    number: usize,
    value: Cow<'a, str>,
    /// Whether its name ends with `*`.
    is_encoded: bool,
    is_quoted: bool,
}

/// The value of all sections; `None` if there are none, or one is missing, twice there or malformed.
fn joined(mut sections: Vec<Section<'_>>) -> Option<String> {
    sections.sort_by_key(|section| section.number);
    let are_all = sections.iter().enumerate().all(|(place, section)| place == section.number);
    let (first, others) = sections.split_first().filter(|_| are_all && sections.len() <= MOST_SECTIONS)?;
    if !first.is_encoded {
        let is_plain = others.iter().all(|section| !section.is_encoded);
        let text: String = sections.iter().map(|section| &*section.value).collect();
        let is_sound = !text.contains(|character: char| character.is_control() && character != '\t');
        return (is_plain && is_sound).then_some(text);
    }
    let (charset, encoded) = charset(&first.value).filter(|_| !first.is_quoted)?;
    let mut bytes = Vec::new();
    push_decoded(encoded, &mut bytes)?;
    for Section { value, is_encoded, is_quoted, .. } in others {
        match (is_encoded, is_quoted) {
            (true, true) => return None,
            (true, false) => push_decoded(value, &mut bytes)?,
            // Only ASCII is the same in both character sets.
            (false, _) if !value.is_ascii() => return None,
            (false, _) => bytes.extend_from_slice(value.as_bytes()),
        }
    }
    charset.decode(bytes)
}

/// The text of an extended value.
pub(crate) fn ext_value(text: &str) -> Option<String> {
    let (charset, encoded) = charset(text)?;
    let mut bytes = Vec::new();
    push_decoded(encoded, &mut bytes)?;
    charset.decode(bytes)
}

#[derive(Clone, Copy)]
enum Charset {
    Utf8,
    Latin1,
}

/// The character set that `text` begins with, and what is behind the language.
fn charset(text: &str) -> Option<(Charset, &str)> {
    let (charset, rest) = text.split_once('\'')?;
    let (language, encoded) = rest.split_once('\'')?;
    if !language.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return None;
    }
    match charset {
        utf8 if utf8.eq_ignore_ascii_case("utf-8") => Some((Charset::Utf8, encoded)),
        latin1 if latin1.eq_ignore_ascii_case("iso-8859-1") => Some((Charset::Latin1, encoded)),
        _ => None,
    }
}

impl Charset {
    /// The text that `bytes` are; `None` if they are none, or one with control characters: no value needs those, and
    /// whoever writes it into a field or a path again would be harmed.
    fn decode(self, bytes: Vec<u8>) -> Option<String> {
        let text = match self {
            Self::Utf8 => String::from_utf8(bytes).ok()?,
            Self::Latin1 => bytes.into_iter().map(char::from).collect(),
        };
        (!text.contains(char::is_control)).then_some(text)
    }
}

/// Decodes value-chars; `None` if there is anything else.
fn push_decoded(text: &str, bytes: &mut Vec<u8>) -> Option<()> {
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let (byte, after) = match byte {
            b'%' => escape(after)?,
            _ if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) => (byte, after),
            _ => return None,
        };
        bytes.push(byte);
        rest = after;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn title(text: &str) -> Option<String> {
        value(Parameters::new(text), "title").map(Cow::into_owned)
    }

    #[test]
    fn r10_extended_values() {
        for (text, expected) in [
            ("title*=UTF-8''%e2%82%ac%20rates", Some("€ rates")),
            ("TITLE*=utf-8'en-GB'%c2%a3", Some("£")),
            ("title*=iso-8859-1'en'%A3%20rates", Some("£ rates")),
            ("title*=UTF-8''plain", Some("plain")),
            ("title*=UTF-8''", Some("")),
            ("title=plain; title*=UTF-8''%c3%a9", Some("é")),
            ("title*=UTF-8''%c3%a9; title=plain", Some("é")),
            ("title*=UTF-8''a; title*=UTF-8''b", Some("a")),
            ("title*=UTF-8''%00; title*=UTF-8''b", Some("b")),
            ("title*=UTF-8''%0d%0aX:1; title=plain", Some("plain")),
            ("title*=ISO-8859-1''%85; title=plain", Some("plain")),
            ("title*=UTF-8''%ff; title=plain", Some("plain")),
            ("title*=UTF-8''%c3; title=plain", Some("plain")),
            ("title*=UTF-8''%zz; title=plain", Some("plain")),
            ("title*=UTF-8''a'b; title=plain", Some("plain")),
            ("title*=UTF-8''a*b; title=plain", Some("plain")),
            ("title*=UTF-8'a; title=plain", Some("plain")),
            ("title*0=a; title*1=\"b\u{9e}\"; title=plain", Some("plain")),
            ("title*0=a; title*1=\"b\tc\"; title=plain", Some("ab\tc")),
            ("title*=UTF-8'e_n'a; title=plain", Some("plain")),
            ("title*=''a; title=plain", Some("plain")),
            ("title*=KOI8-R''%c1; title=plain", Some("plain")),
            ("title*=plain; title=plain", Some("plain")),
            ("title*=\"UTF-8''quoted\"; title=plain", Some("plain")),
            ("title*=\"UTF-8''quoted\"", None),
            ("title*=UTF-16''%00a", None),
            ("title**=UTF-8''a", None),
            ("titles*=UTF-8''a", None),
            ("tit*=UTF-8''a", None),
        ] {
            assert_eq!(title(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn r10_values_in_sections() {
        for (text, expected) in [
            ("title*0=a; title*1=b", Some("ab")),
            ("title*1=b; Title*0=\"a; \"", Some("a; b")),
            ("title*0*=us-ascii'en'a", None),
            ("title*0*=UTF-8''%e2%82; title*1*=%ac; title*2=\" %41\"", Some("€ %41")),
            ("title*0*=iso-8859-1''%e9; title*1*=%e9", Some("éé")),
            ("title*0*=iso-8859-1''%e9; title*1=\"é\"", None),
            ("title*0=a; title*1*=%41; title=plain", Some("plain")),
            ("title*0=a; title*2=c; title=plain", Some("plain")),
            ("title*0=a; title*0=b; title=plain", Some("plain")),
            ("title*1=b; title=plain", Some("plain")),
            ("title*00=a; title=plain", Some("plain")),
            ("title*0=a; title*01=b", Some("a")),
            ("title*0=a; title*+1=b", Some("a")),
            ("title*0*=\"UTF-8''a\"; title=plain", Some("plain")),
            ("title*0*=UTF-8''a; title*1*=UTF-8''b; title=plain", Some("plain")),
            ("title*0*=UTF-8''%0a; title=plain", Some("plain")),
            ("title*0=a; title*99999999999999999999999=b", Some("a")),
            ("title=plain; title*0=sections; title*=UTF-8''extended", Some("extended")),
            ("title=plain; title*0=sections", Some("sections")),
        ] {
            assert_eq!(title(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn sections_have_a_bound() {
        let sections = |count| (0..count).map(|number| format!("title*{number}=x;")).collect::<String>();
        assert_eq!(title(&sections(100)), Some("x".repeat(100)));
        assert_eq!(title(&sections(101)), None);
        assert_eq!(title(&sections(100_000)), None);
    }
}
