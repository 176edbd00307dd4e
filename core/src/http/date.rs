//! Dates, as fields carry them.
//!
//! The rule: a date is formatted once for the second in which it is used, however many messages that serves.

use std::fmt;
use std::io::Write;
use std::time::{Duration, SystemTime};

/// The last second that has four digits for its year: 9999-12-31T23:59:59Z.
const LAST_SECOND: u64 = 253_402_300_799;

/// Bytes of an IMF-fixdate: all have the same length.
const LENGTH: usize = 29;

/// How far apart years are that have the same days: a cycle of the Gregorian calendar is 400 of them, and whole weeks.
const SAME_DAYS: u16 = 2000;

/// A point in time as an IMF-fixdate (RFC 9110, section 5.6.7), formatted and ready for `Date`.
///
/// ```
/// use bakestone::http::HttpDate;
/// use std::time::Duration;
///
/// let mut date = HttpDate::new(Duration::from_secs(784_111_777));
/// assert_eq!(date.as_str(), "Sun, 06 Nov 1994 08:49:37 GMT");
/// assert!(!date.refresh(Duration::from_millis(784_111_777_900)));
/// assert!(date.refresh(Duration::from_secs(784_111_778)));
/// assert_eq!(date.to_string(), "Sun, 06 Nov 1994 08:49:38 GMT");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HttpDate {
    second: u64,
    text: [u8; LENGTH],
}

impl HttpDate {
    /// The date that is `wall` after the Unix epoch, in whole seconds.
    ///
    /// The form has room for four digits of a year, so a later time is taken for the last second of 9999.
    pub fn new(wall: Duration) -> Self {
        let second = wall.as_secs().min(LAST_SECOND);
        let mut text = *b"Thu, 01 Jan 1970 00:00:00 GMT";
        let date = httpdate::HttpDate::from(SystemTime::UNIX_EPOCH + Duration::from_secs(second));
        // Writing to a slice fails only past its end, and every IMF-fixdate is as long as the first.
        let _ = write!(&mut text[..], "{date}");
        Self { second, text }
    }

    /// Moves the date to `wall` after the Unix epoch; whether the text is another now.
    ///
    /// It formats only when the second changed, so it may be called for every message.
    pub fn refresh(&mut self, wall: Duration) -> bool {
        let changed = wall.as_secs().min(LAST_SECOND) != self.second;
        if changed {
            *self = Self::new(wall);
        }
        changed
    }

    /// The text, as bytes: always 29 of them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        // The text is ASCII by construction; the fallback is never taken.
        std::str::from_utf8(&self.text).unwrap_or_default()
    }
}

impl Default for HttpDate {
    /// The Unix epoch.
    fn default() -> Self {
        Self::new(Duration::ZERO)
    }
}

impl fmt::Display for HttpDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for HttpDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpDate({self})")
    }
}

/// The time since the Unix epoch of a date in any of its three forms (RFC 9110, section 5.6.7); `None` if it is malformed,
/// or a day that never was. What was before the epoch is taken for it.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let since =
        |text: &str| httpdate::parse_http_date(text).ok()?.duration_since(SystemTime::UNIX_EPOCH).ok();
    since(text).or_else(|| since(&long_after(text)?).map(|_| Duration::ZERO))
}

/// The same date so much later that the parser takes its year, if that is before the epoch and has four digits.
fn long_after(text: &str) -> Option<String> {
    let place = match text.len() {
        LENGTH => 12..16,
        // The form of asctime, in which the year is last.
        24 => 20..24,
        _ => return None,
    };
    let digits = text.get(place.clone()).filter(|year| year.bytes().all(|byte| byte.is_ascii_digit()))?;
    let year = digits.parse().ok().filter(|year: &u16| *year < 1970)?;
    Some(format!("{}{}{}", text.get(..place.start)?, year + SAME_DAYS, text.get(place.end..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s37_dates_in_three_forms_and_before_the_epoch() {
        for (text, expected) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(784_111_777)),
            ("Sun Nov  6 08:49:37 1994", Some(784_111_777)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Wed, 31 Dec 1969 23:59:59 GMT", Some(0)),
            ("Fri, 01 Jan 1960 00:00:00 GMT", Some(0)),
            ("Fri Jan  1 00:00:00 1960", Some(0)),
            ("Mon, 01 Jan 1601 00:00:00 GMT", Some(0)),
            ("Sat, 01 Jan 0000 00:00:00 GMT", Some(0)),
            ("Mon, 29 Feb 1960 00:00:00 GMT", Some(0)),
            ("Sun, 29 Feb 1959 00:00:00 GMT", None),
            ("Thu, 01 Jan 1960 00:00:00 GMT", None),
            ("Fri, 01 Jan 1960 24:00:00 GMT", None),
            ("Tue, 01 Jan 0960 00:00:00 GMT", Some(0)),
            ("Tue, 01 Jan +960 00:00:00 GMT", None),
            ("Fri, 01 Jan 1960 00:00:00 CET", None),
            ("\u{20ac}\u{20ac}\u{20ac}\u{20ac}\u{20ac}\u{20ac}\u{20ac}\u{20ac}", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(parse(text).map(|since| since.as_secs()), expected, "{text}");
        }
    }

    #[test]
    fn known_dates() {
        let known = [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (LAST_SECOND, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ];
        for (second, text) in known {
            assert_eq!(HttpDate::new(Duration::from_secs(second)).as_str(), text);
        }
    }

    #[test]
    fn no_duration_is_too_long() {
        let last = HttpDate::new(Duration::from_secs(LAST_SECOND));
        assert_eq!(HttpDate::new(Duration::MAX), last);
        assert_eq!(HttpDate::new(Duration::from_secs(LAST_SECOND + 1)), last);
        let mut date = last;
        assert!(!date.refresh(Duration::MAX));
    }

    #[test]
    fn a_clock_set_back_is_followed() {
        let mut date = HttpDate::new(Duration::from_secs(100));
        assert!(date.refresh(Duration::from_secs(40)));
        assert_eq!(date, HttpDate::new(Duration::from_secs(40)));
    }
}
