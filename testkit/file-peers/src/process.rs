//! What the system tells about a process: the time that it had a processor.
//!
//! The rule: it only reads `/proc`, and a process that is not there is an error, never a zero.

use std::fs;
use std::time::Duration;

/// One tick of the times in `/proc/PID/stat`: Linux counts them for user space in hundredths of a second.
const TICK: Duration = Duration::from_millis(10);

/// The time that all threads of process `id` have had a processor, also those that have ended.
pub(crate) fn processor_time(id: u32) -> Result<Duration, String> {
    let path = format!("/proc/{id}/stat");
    let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    parse(&text).ok_or_else(|| format!("{path} is odd: {text}"))
}

/// utime and stime, the fields 14 and 15; the name before them is in parentheses, and may hold anything.
fn parse(text: &str) -> Option<Duration> {
    let (_, fields) = text.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(11);
    let (user, system): (u32, u32) = (times.next()?.parse().ok()?, times.next()?.parse().ok()?);
    Some(TICK * user.checked_add(system)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_are_found_behind_any_name() {
        let fields = "S 1 2 3 4 5 6 7 8 9 10 70 5 0 0 20";
        for (text, expected) in [
            (format!("17 (name) {fields}"), Some(Duration::from_millis(750))),
            (format!("17 (a) b (c) {fields}"), Some(Duration::from_millis(750))),
            ("17 (name) S 1".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(parse(&text), expected, "{text}");
        }
    }
}
