//! Which codings of a content a client takes, as `Accept-Encoding` carries them.
//!
//! The rule: a field that is malformed anywhere says nothing, as if it had not been sent; and without one the content
//! goes out as it is, which every client takes. The old names `x-gzip` and `x-compress` mean what the new ones do (RFC
//! 9110, sections 8.4.1.1 and 8.4.1.3).
//!
//! ```text
//! Accept-Encoding = [ codings [ weight ] *( OWS "," OWS codings [ weight ] ) ]     RFC 9110, section 12.5.3
//! codings         = content-coding / "identity" / "*"
//! weight          = OWS ";" OWS "q=" qvalue
//! ```

use super::accept::thousandths;
use super::parameters::{OWS, is_token};

/// The codings that a client takes, and how gladly (RFC 9110, section 12.5.3).
///
/// ```
/// use bakestone::http::AcceptEncoding;
///
/// let accept = AcceptEncoding::parse("gzip;q=0.8, br").ok_or("malformed")?;
/// assert_eq!((accept.weight("br"), accept.weight("gzip"), accept.weight("zstd")), (1000, 800, 0));
/// assert_eq!(accept.order(&["zstd", "gzip", "br"]), ["br", "gzip", "identity"]);
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcceptEncoding<'a>(&'a str);

impl<'a> AcceptEncoding<'a> {
    /// The preferences that `field` holds; `None` if it is malformed. An empty one takes what has no coding.
    ///
    /// A request with several fields has one list, whose parts are joined with commas.
    pub fn parse(field: &'a str) -> Option<Self> {
        field.split(',').all(|element| is_empty(element) || parse(element).is_some()).then_some(Self(field))
    }

    /// How gladly `coding` is taken, in thousandths: 0 if it is not. `identity`, which means none, is taken unless the
    /// field says otherwise, as the last resort.
    pub fn weight(&self, coding: &str) -> u16 {
        let is_identity = coding.eq_ignore_ascii_case("identity");
        self.named(coding).or_else(|| self.named("*")).unwrap_or(u16::from(is_identity))
    }

    /// Those of `offers` that the client takes, `identity` among them, from the most to the least wanted; what it wants
    /// alike in the order of the offers, with `identity` last. `identity` is there even if the client refuses it: there
    /// may be nothing else.
    pub fn order<'o>(&self, offers: &[&'o str]) -> Vec<&'o str> {
        let mut taken: Vec<&str> = offers.iter().copied().filter(|offer| self.weight(offer) > 0).collect();
        taken.push("identity");
        taken.sort_by_key(|coding| std::cmp::Reverse(self.weight(coding)));
        taken
    }

    /// The weight that stands with `coding` itself; the first if there are several.
    fn named(&self, coding: &str) -> Option<u16> {
        let mut named = self.0.split(',').filter_map(parse);
        named
            .find(|(name, _)| new_name(name).eq_ignore_ascii_case(new_name(coding)))
            .map(|(_, weight)| weight)
    }
}

/// The name of a coding that has an old one too.
fn new_name(coding: &str) -> &str {
    const OLD: [(&str, &str); 2] = [("x-gzip", "gzip"), ("x-compress", "compress")];
    let known = OLD.into_iter().find(|(old, _)| coding.eq_ignore_ascii_case(old));
    known.map_or(coding, |(_, new)| new)
}

fn is_empty(element: &str) -> bool {
    element.trim_matches(OWS).is_empty()
}

/// A coding, with its weight in thousandths.
fn parse(element: &str) -> Option<(&str, u16)> {
    let (coding, weight) =
        element.split_once(';').map_or((element, None), |(coding, rest)| (coding, Some(rest)));
    let coding = Some(coding.trim_matches(OWS)).filter(|coding| is_token(coding))?;
    let Some(weight) = weight else { return Some((coding, 1000)) };
    let (name, value) = weight.trim_matches(OWS).split_once('=')?;
    if !name.eq_ignore_ascii_case("q") {
        return None;
    }
    Some((coding, thousandths(value)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s37_the_best_of_several() {
        for (field, expected) in [
            ("gzip, deflate, br, zstd", "br zstd gzip identity"),
            ("GZIP", "gzip identity"),
            ("x-gzip", "gzip identity"),
            ("X-GZip;q=0.5, br", "br gzip identity"),
            ("x-gzip;q=0, *", "br zstd identity"),
            ("x-br", "identity"),
            ("gzip;q=1.0, br;q=0.5", "gzip br identity"),
            ("gzip ; q=0.5 , br ;Q=0.5", "br gzip identity"),
            ("gzip;q=0, *;q=0.1", "br zstd identity"),
            ("*", "br zstd gzip identity"),
            ("*;q=0", "identity"),
            ("identity", "identity"),
            ("identity, gzip;q=0.5", "identity gzip"),
            ("identity;q=0, gzip", "gzip identity"),
            ("", "identity"),
            (", ,", "identity"),
            ("compress", "identity"),
            ("br;q=0.001", "br identity"),
        ] {
            let order = AcceptEncoding::parse(field).unwrap().order(&["br", "zstd", "gzip"]);
            assert_eq!(order.join(" "), expected, "{field:?}");
        }
    }

    #[test]
    fn what_is_malformed_says_nothing() {
        for field in [
            "g zip",
            "gzip;",
            "gzip;q",
            "gzip;q=",
            "gzip;q=2",
            "gzip;x=1",
            "gzip;q=0.1;q=0.2",
            ";q=1",
            "br, (gzip)",
        ] {
            assert_eq!(AcceptEncoding::parse(field), None, "{field:?}");
        }
    }
}
