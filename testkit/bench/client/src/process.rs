//! What the system tells about a process: memory, threads, descriptors.
//!
//! The rule: it only reads `/proc`, and a process that is not there is an error, never a zero.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

/// One tick of the times in `/proc/<pid>/stat`: Linux counts them for user space in hundredths of a second.
const TICK: Duration = Duration::from_millis(10);

/// The memory and the threads of a process, from `/proc/<pid>/status`. Sizes are in KiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// What of it is in memory.
    pub rss: u64,
    /// What of that no file holds.
    pub rss_anon: u64,
    /// The most that `rss` has ever been.
    pub peak: u64,
    /// How many threads it has.
    pub threads: u64,
}

/// One look at a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Memory and threads.
    pub status: Status,
    /// How many descriptors are open.
    pub fds: usize,
    /// How many of them are sockets.
    pub sockets: usize,
}

/// A process by its id.
#[derive(Clone, Copy, Debug)]
pub struct Process(pub u32);

impl Process {
    /// Looks at it now.
    pub fn sample(self) -> Result<Sample, String> {
        let text = fs::read_to_string(self.path("status")).map_err(|error| self.gone(&error))?;
        let status = parse_status(&text).ok_or_else(|| format!("/proc/{}/status is odd: {text}", self.0))?;
        let (fds, sockets) = self.descriptors().map_err(|error| self.gone(&error))?;
        Ok(Sample { status, fds, sockets })
    }

    /// How many descriptors it has open.
    pub fn fds(self) -> Result<usize, String> {
        fs::read_dir(self.path("fd")).map(Iterator::count).map_err(|error| self.gone(&error))
    }

    fn descriptors(self) -> io::Result<(usize, usize)> {
        let (mut all, mut sockets) = (0, 0);
        for entry in fs::read_dir(self.path("fd"))? {
            all += 1;
            // One that is closed between the two calls is none any more.
            let link = fs::read_link(entry?.path()).unwrap_or_default();
            sockets += usize::from(link.to_string_lossy().starts_with("socket:"));
        }
        Ok((all, sockets))
    }

    /// How many descriptors it may have open; `None` if that is not limited.
    pub fn fd_limit(self) -> Result<Option<usize>, String> {
        let text = fs::read_to_string(self.path("limits")).map_err(|error| self.gone(&error))?;
        Ok(parse_fd_limit(&text))
    }

    /// An error unless `count` descriptors more can be opened.
    pub fn has_room_for(self, count: usize) -> Result<(), String> {
        let (used, limit) = (self.fds()?, self.fd_limit()?);
        match limit {
            Some(limit) if used + count > limit => Err(format!(
                "process {} has {used} descriptors open and may have {limit}: no room for {count} more \
                 (ulimit -n)",
                self.0
            )),
            _ => Ok(()),
        }
    }

    /// Waits until at most `most` descriptors are open. How many there are in the end, and how long it took.
    pub fn wait_for_fds(self, most: usize, time: Duration) -> Result<(usize, Duration), String> {
        let began = Instant::now();
        loop {
            let fds = self.fds()?;
            if fds <= most || began.elapsed() >= time {
                return Ok((fds, began.elapsed()));
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until descriptors, threads and memory stand still for a second, or for `time`.
    pub fn settle(self, time: Duration) -> Result<Sample, String> {
        let began = Instant::now();
        let (mut last, mut since) = (self.sample()?, Instant::now());
        while since.elapsed() < Duration::from_secs(1) && began.elapsed() < time {
            thread::sleep(Duration::from_millis(100));
            let now = self.sample()?;
            if now != last {
                (last, since) = (now, Instant::now());
            }
        }
        Ok(last)
    }

    /// The time that all its threads have had a processor, also those that have ended.
    pub fn processor_time(self) -> Result<Duration, String> {
        let text = fs::read_to_string(self.path("stat")).map_err(|error| self.gone(&error))?;
        parse_processor_time(&text).ok_or_else(|| format!("/proc/{}/stat is odd: {text}", self.0))
    }

    fn path(self, name: &str) -> PathBuf {
        format!("/proc/{}/{name}", self.0).into()
    }

    fn gone(self, error: &io::Error) -> String {
        format!("the server (process {}) cannot be read: {error}", self.0)
    }
}

/// The line that stands over [`row`]s.
pub const HEADER: &str = "                          RSS KiB   anon KiB       fds   sockets   threads";

/// A sample as a line of a table.
pub fn row(name: &str, sample: &Sample) -> String {
    let Sample { status, fds, sockets } = sample;
    let Status { rss, rss_anon, threads, .. } = status;
    format!("{name:<22} {rss:>10} {rss_anon:>10} {fds:>9} {sockets:>9} {threads:>9}")
}

fn parse_status(text: &str) -> Option<Status> {
    let number = |name: &str| -> Option<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.split_whitespace().next()?.parse().ok()
    };
    Some(Status {
        rss: number("VmRSS")?,
        rss_anon: number("RssAnon")?,
        peak: number("VmHWM")?,
        threads: number("Threads")?,
    })
}

/// utime and stime, the fields 14 and 15; the name before them is in parentheses, and may hold anything.
fn parse_processor_time(text: &str) -> Option<Duration> {
    let (_, fields) = text.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(11);
    let (user, system): (u32, u32) = (times.next()?.parse().ok()?, times.next()?.parse().ok()?);
    Some(TICK * user.checked_add(system)?)
}

fn parse_fd_limit(text: &str) -> Option<usize> {
    let line = text.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "Name:\thello\nVmPeak:\t   999 kB\nVmHWM:\t    4100 kB\nVmRSS:\t    3964 kB\n\
                          RssAnon:\t     820 kB\nRssFile:\t    3144 kB\nThreads:\t12\n";

    #[test]
    fn a_status_is_read_by_name() {
        let wanted = Status { rss: 3964, rss_anon: 820, peak: 4100, threads: 12 };
        assert_eq!(parse_status(STATUS), Some(wanted));
    }

    #[test]
    fn a_status_without_memory_is_none() {
        assert_eq!(parse_status("Name:\tzombie\nState:\tZ (zombie)\nThreads:\t1\n"), None);
    }

    #[test]
    fn a_limit_is_the_soft_one() {
        let line =
            "Limit     Soft Limit   Hard Limit   Units\nMax open files            1024         4096  files\n";
        assert_eq!(parse_fd_limit(line), Some(1024));
        assert_eq!(parse_fd_limit("Max open files  unlimited unlimited files\n"), None);
    }

    #[test]
    fn the_times_are_found_behind_any_name() {
        let fields = "S 1 2 3 4 5 6 7 8 9 10 70 5 0 0 20";
        for (text, expected) in [
            (format!("17 (name) {fields}"), Some(Duration::from_millis(750))),
            (format!("17 (a) b (c) {fields}"), Some(Duration::from_millis(750))),
            ("17 (name) S 1".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(parse_processor_time(&text), expected, "{text}");
        }
    }

    #[test]
    fn this_process_is_there_and_another_is_not() {
        let here = Process(std::process::id());
        let before = here.sample().unwrap();
        assert!(before.status.rss > 0 && before.fds > 0 && before.status.peak >= before.status.rss);
        let _socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        assert!(here.sample().unwrap().sockets >= 1);
        // Above any id that Linux gives.
        assert!(Process(u32::MAX).sample().is_err());
    }
}
