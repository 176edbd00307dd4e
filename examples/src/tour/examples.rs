//! What there is to see.
//!
//! The rule: an example is shown with all of its source, and with nothing that it has not.

/// One example.
pub(crate) struct Example {
    /// Where it is mounted.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) words: &'static str,
    /// What runs it alone.
    pub(crate) command: &'static str,
    /// Paths below its mount, the first of which is shown; none of a program that is only its loop.
    pub(crate) paths: &'static [&'static str],
    /// Its files, by their names below `examples`.
    pub(crate) files: &'static [(&'static str, &'static str)],
}

/// The files of these names, with what is in them.
macro_rules! files {
    ($($name:literal),+) => { &[$(($name, include_str!(concat!("../../", $name)))),+] };
}

pub(crate) const EXAMPLES: &[Example] = &[
    Example {
        name: "hello",
        title: "Hello",
        command: "cargo run --bin hello",
        words: "The first program: routes, a parameter, and a body that is echoed as it arrives. It runs on tokio, on smol or on plain threads.",
        paths: &["hello/world", ""],
        files: files!["src/hello.rs"],
    },
    Example {
        name: "todo",
        title: "Todo",
        command: "cargo run --bin todo",
        words: "A small REST service: JSON in and out, a filter in the query, errors of its own, and a middleware that measures.",
        paths: &["todos", ""],
        files: files!["src/todo.rs"],
    },
    Example {
        name: "chat",
        title: "Chat",
        command: "cargo run --bin chat",
        words: "WebSockets with rooms. Open it twice; stop the server, and see both pages come back.",
        paths: &["room/kitchen", ""],
        files: files!["src/chat/app.rs", "src/chat/main.rs", "src/chat/page.html"],
    },
    Example {
        name: "ticker",
        title: "Ticker",
        command: "cargo run --bin ticker",
        words: "Server-sent events with a live page, which is told what it missed while the server was away.",
        paths: &[""],
        files: files!["src/ticker.rs", "src/ticker/page.html", "src/ticker/page.js"],
    },
    Example {
        name: "upload",
        title: "Upload",
        command: "cargo run --bin upload",
        words: "Several files at once, with a progress bar. They go to the disk as they arrive, under names of the server's own.",
        paths: &[""],
        files: files!["src/upload.rs", "src/upload/page.html", "src/upload/page.js"],
    },
    Example {
        name: "jobs",
        title: "Jobs",
        command: "cargo run --bin jobs",
        words: "Background jobs: a queue with a bound, tasks that outlive their requests, a page that follows them, and a sweep every ten seconds.",
        paths: &["", "jobs"],
        files: files!["src/jobs.rs", "src/jobs/page.html", "src/jobs/page.js"],
    },
    Example {
        name: "site",
        title: "Site",
        command: "cargo run --bin site",
        words: "A folder of files, with an index, a page for what is not there, and parts of files: move the slider of the sound.",
        paths: &["", "cakes/"],
        files: files!["src/site.rs", "site/index.html"],
    },
    Example {
        name: "json-lines",
        title: "JSON lines",
        command: "cargo run --bin json-lines",
        words: "Values streamed both ways, a line each: every line is answered before the next one comes.",
        paths: &["readings", ""],
        files: files!["src/json_lines.rs"],
    },
    Example {
        name: "time",
        title: "Time",
        command: "cargo run --bin time",
        words: "Deadlines of every kind, and tests in which five minutes take no time.",
        paths: &["", "tables/3", "kitchen?seconds=1"],
        files: files!["src/time.rs"],
    },
    Example {
        name: "shutdown",
        title: "Shutdown",
        command: "cargo run --bin shutdown",
        words: "How a server starts, and how it stops: whoever has asked is answered, and then all is undone in the other order.",
        paths: &["slow", ""],
        files: files!["src/shutdown.rs"],
    },
    Example {
        name: "replay",
        title: "Replay",
        command: "cargo run --bin replay",
        words: "Connections recorded as text; a test replays the one on which a customer met a bug.",
        paths: &["price?grams=250", ""],
        files: files!["src/replay.rs"],
    },
    Example {
        name: "proxy",
        title: "Proxy",
        command: "cargo run --bin proxy",
        words: "A reverse proxy on the other end of the same HTTP/1 core. Here it stands before this very server.",
        paths: &["hello/hello/world"],
        files: files!["src/proxy.rs"],
    },
    Example {
        name: "own-loop",
        title: "A loop of one's own",
        command: "cargo run --bin own-loop",
        words: "No adapter at all: the same application driven by blocking sockets, in some thirty lines.",
        paths: &[],
        files: files!["src/own_loop.rs"],
    },
    Example {
        name: "readiness-loop",
        title: "A readiness loop",
        command: "cargo run --bin readiness-loop",
        words: "One thread, many connections: the application driven by mio.",
        paths: &[],
        files: files![
            "src/readiness_loop/main.rs",
            "src/readiness_loop/serve.rs",
            "src/readiness_loop/timers.rs"
        ],
    },
    Example {
        name: "io-uring-loop",
        title: "A completion loop",
        command: "cargo run --manifest-path examples/io_uring_loop/Cargo.toml",
        words: "One thread again, and the kernel does the reading and the writing: the application driven by io_uring.",
        paths: &[],
        files: files!["io_uring_loop/src/main.rs", "io_uring_loop/src/serve.rs", "io_uring_loop/src/door.rs"],
    },
    Example {
        name: "activated",
        title: "Activated",
        command: "cargo run --bin activated",
        words: "A server that is started by the first client, with the listeners that a service manager hands over.",
        paths: &[],
        files: files!["src/activated.rs"],
    },
];
