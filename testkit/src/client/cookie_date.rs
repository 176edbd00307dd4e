//! The dates of cookies, as user agents read them (RFC 6265bis, section 5.1.1).
//!
//! The rule: it is the algorithm, step by step. A date is a bag of tokens, of which the first that looks like a time, a
//! day, a month and a year is one; so it takes what no other reader of dates would.
//!
//! ```text
//! cookie-date  = *delimiter date-token-list *delimiter
//! delimiter    = %x09 / %x20-2F / %x3B-40 / %x5B-60 / %x7B-7E
//! time         = 1*2DIGIT ":" 1*2DIGIT ":" 1*2DIGIT [ non-digit *OCTET ]
//! day-of-month = 1*2DIGIT [ non-digit *OCTET ]
//! month        = ( "jan" / "feb" / ... / "dec" ) *OCTET
//! year         = 2*4DIGIT [ non-digit *OCTET ]
//! ```

use std::time::Duration;

const MONTHS: [&[u8]; 12] =
    [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];

/// The time since the Unix epoch; `None` if it is no date. What was before the epoch is taken for it.
pub(super) fn parse(text: &[u8]) -> Option<Duration> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in text.split(|byte| is_delimiter(*byte)).filter(|token| !token.is_empty()) {
        if time.is_none() {
            time = read_time(token);
            if time.is_some() {
                continue;
            }
        }
        if day.is_none() {
            day = digits(token, 1, 2);
            if day.is_some() {
                continue;
            }
        }
        if month.is_none() {
            let name = token.get(..3).unwrap_or_default().to_ascii_lowercase();
            month = MONTHS.iter().position(|month| *month == name);
            if month.is_some() {
                continue;
            }
        }
        year = year.or_else(|| digits(token, 2, 4));
    }
    since_epoch(year?, month?, day?, time?)
}

fn is_delimiter(byte: u8) -> bool {
    matches!(byte, 0x09 | 0x20..=0x2f | 0x3b..=0x40 | 0x5b..=0x60 | 0x7b..=0x7e)
}

/// From `least` to `most` digits, behind which there is no further one.
fn digits(token: &[u8], least: usize, most: usize) -> Option<u64> {
    let count = token.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count < least || count > most {
        return None;
    }
    std::str::from_utf8(&token[..count]).ok()?.parse().ok()
}

fn read_time(token: &[u8]) -> Option<[u64; 3]> {
    let mut fields = token.splitn(3, |byte| *byte == b':');
    let mut whole = || {
        let field = fields.next()?;
        digits(field, 1, 2).filter(|_| field.iter().all(u8::is_ascii_digit))
    };
    let (hour, minute) = (whole()?, whole()?);
    Some([hour, minute, digits(fields.next()?, 1, 2)?])
}

fn since_epoch(year: u64, month: usize, day: u64, [hour, minute, second]: [u64; 3]) -> Option<Duration> {
    let year = match year {
        70..=99 => year + 1900,
        0..=69 => year + 2000,
        year => year,
    };
    if year < 1601 || hour > 23 || minute > 59 || second > 59 || !(1..=days_of(year, month)).contains(&day) {
        return None;
    }
    let days_before = (1970..year).map(|year| if is_leap(year) { 366 } else { 365 }).sum::<u64>()
        + (0..month).map(|month| days_of(year, month)).sum::<u64>()
        + (day - 1);
    match year < 1970 {
        true => Some(Duration::ZERO),
        false => Some(Duration::from_secs(days_before * 86_400 + hour * 3_600 + minute * 60 + second)),
    }
}

fn is_leap(year: u64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of(year: u64, month: usize) -> u64 {
    match month {
        1 if is_leap(year) => 29,
        1 => 28,
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_that_servers_have_sent() {
        for (text, expected) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(784_111_777)),
            ("Sun Nov  6 08:49:37 1994", Some(784_111_777)),
            ("Sun, 18-Apr-2027 21:06:29 GMT", Some(1_808_082_389)),
            ("8:49:37 6 november 94", Some(784_111_777)),
            ("1994 Nov 06 08:49:37", Some(784_111_777)),
            ("94 Nov 06 08:49:37", None),
            ("06 Nov 1994 08:49:37x", Some(784_111_777)),
            ("06 Nov 1994 08:49", None),
            ("06 Nov 1994 08:49:377", None),
            ("06 Nov 1994 24:00:00", None),
            ("30 Feb 2000 00:00:00", None),
            ("29 Feb 2000 00:00:00", Some(951_782_400)),
            ("01 Jan 1969 00:00:00", Some(0)),
            ("01 Jan 1600 00:00:00", None),
            ("01 Jan 69 00:00:00", Some(3_124_224_000)),
            ("01 Jan 99999 00:00:00", None),
            ("", None),
        ] {
            assert_eq!(parse(text.as_bytes()), expected.map(Duration::from_secs), "{text}");
        }
    }
}
