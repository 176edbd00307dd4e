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

#[cfg(test)]
mod tests {
    use super::*;

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
