//! A folder of real files, over real sockets, on every driver: what the blocking pools of the runtimes do with it.

#[path = "../src/readiness_loop/serve.rs"]
mod readiness_loop;

#[allow(dead_code, reason = "made for more than is needed here")]
#[path = "drivers/host.rs"]
mod host;

use std::fs;
use std::path::{Path, PathBuf};

use bakestone::app::StaticFiles;
use bakestone::{App, Limits};

use host::{Driver, Host, text};

/// More than goes out in one piece.
const LENGTH: usize = 1_000_000;

/// A folder of this test's own, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("static-files");
        // That of a run that failed.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("public/sub")).expect("a folder");
        fs::write(folder.join("public/sub/digits.txt"), "0123456789").expect("a file");
        fs::write(folder.join("public/large"), (0..LENGTH).map(|at| at as u8).collect::<Vec<u8>>())
            .expect("a file");
        fs::write(folder.join("secret"), "secret").expect("a file");
        #[cfg(unix)]
        std::os::unix::fs::symlink("../secret", folder.join("public/link")).expect("a link");
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The answer to one request on a connection of its own.
fn ask(host: &Host, line: &str, fields: &str) -> (String, Vec<u8>) {
    let request = format!("{line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}\r\n");
    let answer = host.connect().exchange(request.into_bytes());
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a head");
    (text(&answer[..end]), answer[end + 4..].to_vec())
}

#[test]
fn s37_x06_a_folder_on_every_driver() {
    let folder = Folder::new();
    for driver in Driver::SOCKETS {
        let app = App::new().files("/static", StaticFiles::folder(folder.0.join("public")));
        let host = Host::start(driver, app, &Limits::default());
        for (line, fields, status, body) in [
            ("GET /static/sub/digits.txt", "", 200, "0123456789"),
            ("HEAD /static/sub/digits.txt", "", 200, ""),
            ("GET /static/sub/digits.txt", "Range: bytes=2-4\r\n", 206, "234"),
            ("GET /static/sub/digits.txt", "Range: bytes=10-\r\n", 416, "Range Not Satisfiable"),
            ("GET /static/sub/digits.txt", "If-None-Match: *\r\n", 304, ""),
            (
                "GET /static/sub/digits.txt",
                "If-Match: \"other\"\r\n",
                412,
                "it is not what the request presupposes",
            ),
            ("GET /static/sub", "", 404, "Not Found"),
            ("GET /static/link", "", 404, "Not Found"),
            ("GET /static/../secret", "", 404, "Not Found"),
            ("GET /static/..%2fsecret", "", 404, "Not Found"),
            ("POST /static/large", "Content-Length: 0\r\n", 405, "Method Not Allowed"),
        ] {
            let (head, found) = ask(&host, line, fields);
            assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{driver:?}: {line}, {fields}\n{head}");
            assert_eq!(text(&found), body, "{driver:?}: {line}, {fields}");
        }
        let whole: Vec<u8> = (0..LENGTH).map(|at| at as u8).collect();
        let (_, found) = ask(&host, "GET /static/large", "");
        assert!(found == whole, "{driver:?}: {} bytes", found.len());
        let (_, found) = ask(&host, "GET /static/large", "Range: bytes=70000-900000\r\n");
        assert!(found == whole[70_000..=900_000], "{driver:?}: {} bytes", found.len());
        host.shutdown();
        host.end();
    }
}
