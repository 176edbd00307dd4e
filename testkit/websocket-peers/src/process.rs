//! What the system tells about a process: the time that it had a processor, its memory; and where it may run.
//!
//! The rule: it only reads `/proc`, and a process that is not there is an error, never a zero.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

/// The memory of a process, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Memory {
    /// What it has of the machine's memory now.
    pub(crate) resident: u64,
    /// The most that `resident` has ever been.
    pub(crate) peak: u64,
}

/// The time that all threads of process `id` have had a processor, in user space and in the kernel.
pub(crate) fn processor_time(id: u32) -> Result<Duration, String> {
    let path = format!("/proc/{id}/task");
    let mut sum = Duration::ZERO;
    for thread in fs::read_dir(&path).map_err(|error| format!("{path}: {error}"))? {
        let path = thread.map_err(|error| error.to_string())?.path().join("schedstat");
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        sum += first_number(&text).map(Duration::from_nanos).ok_or_else(|| format!("{text:?} is odd"))?;
    }
    Ok(sum)
}

/// The memory of process `id`.
pub(crate) fn memory(id: u32) -> Result<Memory, String> {
    let path = format!("/proc/{id}/status");
    let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    parse_memory(&text).ok_or_else(|| format!("{path} is odd: {text}"))
}

fn parse_memory(text: &str) -> Option<Memory> {
    let bytes = |name: &str| {
        let kibibytes = text.lines().find_map(|line| first_number(line.strip_prefix(name)?))?;
        Some(kibibytes << 10)
    };
    Some(Memory { resident: bytes("VmRSS:")?, peak: bytes("VmHWM:")? })
}

fn first_number(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

/// Lets process `id` run on one processor only, where there is `taskset`, and more than one.
pub(crate) fn pin(id: u32, processor: usize) -> bool {
    let mut command = Command::new("taskset");
    command.args(["-a", "-c", "-p", &processor.to_string(), &id.to_string()]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_found_by_name() {
        let status = "Name:\techo\nVmPeak:\t 9 kB\nVmHWM:\t   41 kB\nVmRSS:\t   39 kB\n";
        assert_eq!(parse_memory(status), Some(Memory { resident: 39 << 10, peak: 41 << 10 }));
        assert_eq!(parse_memory("Name:\tzombie\n"), None);
    }

    #[test]
    fn this_process_is_there_and_another_is_not() {
        assert!(processor_time(std::process::id()).unwrap() > Duration::ZERO);
        assert!(memory(std::process::id()).unwrap().resident > 0);
        // Above any id that Linux gives.
        assert!(processor_time(u32::MAX).is_err() && memory(u32::MAX).is_err());
    }
}
