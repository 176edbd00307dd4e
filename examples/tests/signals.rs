//! What signals do to a process that serves, that serves again, and that serves no more.
//!
//! It has a `main` of its own, since its child is the same program: a signal belongs to a whole process.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

use bakestone::{App, Text, get};
use bakestone_std::{ServeError, Server};

const RUNTIMES: [&str; 3] = ["tokio", "smol", "std"];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [mark, runtime, what] = &words[..] {
        if mark == "--child" {
            child(runtime, what);
            return ExitCode::SUCCESS;
        }
    }
    for runtime in RUNTIMES {
        a_second_server_drains_like_the_first(runtime);
        after_the_server_a_signal_ends_the_process(runtime);
        what_failed_to_start_leaves_nothing_behind(runtime);
    }
    say(&format!("test result: ok. {} passed; 0 failed", 3 * RUNTIMES.len()));
    ExitCode::SUCCESS
}

/// Tells whoever listens, the parent or the reader, how far it is.
#[allow(clippy::print_stdout, reason = "it is how it speaks")]
fn say(line: &str) {
    println!("{line}");
    std::io::stdout().flush().expect("the parent listens");
}

fn run(runtime: &str, server: Server) -> Result<(), ServeError> {
    let app = App::new().route("/", get(|| Text("hello")));
    match runtime {
        "tokio" => bakestone_tokio::run(app, server),
        "smol" => bakestone_smol::run(app, server),
        _ => bakestone_std::run(app, server),
    }
}

/// How many descriptors and threads this process has.
fn held() -> (usize, usize) {
    let count = |path| std::fs::read_dir(path).expect("a folder of the process").count();
    (count("/proc/self/fd"), count("/proc/self/task"))
}

fn child(runtime: &str, what: &str) {
    let server = || Server::new().address("127.0.0.1:0").on_ready(|_| say("ready"));
    match what {
        "twice" => {
            let first = server();
            let handle = first.handle();
            thread::spawn(move || {
                thread::sleep(Duration::from_millis(100));
                handle.abort();
            });
            run(runtime, first).expect("it served");
            run(runtime, server()).expect("it served again");
            say("drained");
        }
        "after" => {
            let first = server();
            first.handle().shutdown();
            run(runtime, first).expect("it served");
            say("ready");
            thread::sleep(Duration::from_secs(60));
        }
        _ => {
            let taken = Server::new().address("127.0.0.1:0").bind().expect("a free port");
            let address = taken.local_addr().expect("an address");
            let fail = || run(runtime, Server::new().address(&address)).expect_err("the port is taken");
            drop(fail());
            let before = held();
            (0..20).for_each(|_| drop(fail()));
            // A runtime may set up its own few in the meantime; what is left behind is left behind each time.
            let now = held();
            assert!(
                now.0 < before.0 + 20 && now.1 < before.1 + 20,
                "descriptors and threads: {before:?}, {now:?}"
            );
            say("held");
        }
    }
}

struct Process(Child, BufReader<std::process::ChildStdout>);

impl Process {
    fn start(runtime: &str, what: &str) -> Self {
        let program = std::env::current_exe().expect("a path");
        let child = Command::new(program).args(["--child", runtime, what]).stdout(Stdio::piped()).spawn();
        let mut child = child.expect("it starts");
        let output = child.stdout.take().expect("it is piped");
        Self(child, BufReader::new(output))
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.1.read_line(&mut line).expect("a line");
        line.trim().to_owned()
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.0.id())]).status();
        assert!(sent.expect("a shell").success());
    }
}

/// The first server's thread took the second one's signal for one too many, and let it end the process.
fn a_second_server_drains_like_the_first(runtime: &str) {
    let mut process = Process::start(runtime, "twice");
    assert_eq!((process.hear(), process.hear()), ("ready".to_owned(), "ready".to_owned()), "{runtime}");
    process.signal("TERM");
    assert_eq!(process.hear(), "drained", "{runtime}");
    assert_eq!(process.0.wait().expect("an end").code(), Some(0), "{runtime}");
}

/// The signals were swallowed, though nobody served any more.
fn after_the_server_a_signal_ends_the_process(runtime: &str) {
    let mut process = Process::start(runtime, "after");
    assert_eq!(process.hear(), "ready", "{runtime}");
    process.signal("TERM");
    assert_eq!(process.0.wait().expect("an end").code(), None, "{runtime}: it was ended by the signal");
}

/// Each server that did not start left a thread and two descriptors.
fn what_failed_to_start_leaves_nothing_behind(runtime: &str) {
    let mut process = Process::start(runtime, "fail");
    assert_eq!(process.hear(), "held", "{runtime}");
    assert_eq!(process.0.wait().expect("an end").code(), Some(0), "{runtime}");
}
