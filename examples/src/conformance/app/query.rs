//! Plain numbers in the query.
//!
//! The rule: what is not there has its default, and what is there is a number within its bound or a 400. Nothing
//! is decoded, since digits need no escape.

use std::fmt::Display;
use std::str::FromStr;

use bakestone::{Error, Result, StatusCode, Uri};

/// The number that the query gives for `name`, the first if it gives several; `default` if it gives none.
///
/// # Errors
///
/// 400 for what is not made of digits alone, and for more than `most`.
pub(super) fn number<T>(uri: &Uri, name: &str, default: T, most: T) -> Result<T>
where
    T: FromStr + PartialOrd + Display,
{
    let pairs = uri.query().unwrap_or_default().split('&');
    let mut values = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let Some((_, value)) = values.find(|(key, _)| *key == name) else { return Ok(default) };
    // A sign is no digit, and a `+` would be a space.
    let digits = Some(value).filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()));
    match digits.and_then(|digits| digits.parse().ok()) {
        Some(number) if number <= most => Ok(number),
        _ => Err(out_of_range(name, most)),
    }
}

/// The error of a number that is none, or too large. The value is the client's, and stays out.
pub(super) fn out_of_range(name: &str, most: impl Display) -> Error {
    Error::new(StatusCode::BAD_REQUEST, format!("`{name}` must be a whole number of at most {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_its_default_or_a_400() {
        let cases = [
            ("/", Some(7)),
            ("/?", Some(7)),
            ("/?other=1", Some(7)),
            ("/?xn=1&n=2", Some(2)),
            ("/?n=0", Some(0)),
            ("/?n=007&n=8", Some(7)),
            ("/?n=100", Some(100)),
            ("/?n=101", None),
            ("/?n=18446744073709551616", None),
            ("/?n", None),
            ("/?n=", None),
            ("/?n=+1", None),
            ("/?n=-1", None),
            ("/?n=1.5", None),
            ("/?n=%31", None),
        ];
        for (target, expected) in cases {
            let found = number(&Uri::from_static(target), "n", 7u64, 100);
            assert_eq!(found.as_ref().ok(), expected.as_ref(), "{target}");
            if let Err(error) = found {
                assert_eq!(error.status(), StatusCode::BAD_REQUEST);
                assert_eq!(error.message(), "`n` must be a whole number of at most 100");
            }
        }
    }
}
