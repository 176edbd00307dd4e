//! What a figure was measured on.
//!
//! The rule: what the system does not tell is left out, and never guessed.

use std::fs;
use std::process::{Command, Stdio};

/// One line: the day, the machine, the system, and the compiler.
pub(crate) fn describe() -> String {
    let cores = std::thread::available_parallelism().map(|cores| format!("{cores} cores")).ok();
    let processor = read("/proc/cpuinfo");
    let kernel = read("/proc/sys/kernel/osrelease").map(|release| format!("Linux {}", release.trim()));
    let parts = [
        say("date", &["-u", "+%F"]),
        cores,
        processor.as_deref().and_then(model),
        processor.as_deref().filter(|text| is_virtual(text)).map(|_| "virtual machine".to_owned()),
        kernel,
        say("rustc", &["--version"]),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// How many threads wanted a processor in the last minute, to see whether the machine was otherwise idle.
pub(crate) fn load() -> String {
    let load = read("/proc/loadavg");
    load.as_deref().and_then(|text| text.split(' ').next()).unwrap_or("unknown").to_owned()
}

/// Keeps this process to a core, so that a client within it and the servers do not take each other's time.
pub(crate) fn stay_on(core: u32) -> Result<(), String> {
    let id = std::process::id().to_string();
    let mut command = Command::new("taskset");
    command.args(["--all-tasks", "--cpu-list", "--pid", &core.to_string(), &id]).stdout(Stdio::null());
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("taskset: {status}")),
        Err(error) => Err(format!("taskset: {error}")),
    }
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// The first line that a command writes.
fn say(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().next().map(str::to_owned)
}

fn model(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find_map(|line| line.strip_prefix("model name"))?;
    Some(line.trim_start_matches([' ', '\t', ':']).to_owned())
}

fn is_virtual(cpuinfo: &str) -> bool {
    let flags = cpuinfo.lines().find(|line| line.starts_with("flags")).unwrap_or_default();
    flags.split_whitespace().any(|flag| flag == "hypervisor")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_read() {
        let text = "processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: fpu hypervisor sse\n";
        assert_eq!((model(text).as_deref(), is_virtual(text)), (Some("Some CPU"), true));
        assert_eq!((model("processor: 0\n"), is_virtual("flags : fpu\n")), (None, false));
    }
}
