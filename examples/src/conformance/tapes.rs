//! Connections over real sockets, recorded by the server, and replayed in memory byte for byte.
//!
//! The rule: what is replayed is what some client did, and no test knows in what pieces its bytes came.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use bakestone::session::Event;
use bakestone::tape::Recording;
use bakestone::{App, Bytes, Html, get, post};
use bakestone_std::Server;
use bakestone_testkit::tape;
use bakestone_tokio::TapeFolder;

use crate::app::{self, NativeSleep};
use crate::{FIXTURES, Runtime};

/// How long a client may take to start and to do what it is to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks for a stream of events, for a large answer, and then says that it is over.
const PAGE: &str = "<!doctype html><title>tapes</title><script>
const events = new EventSource('/sse-ticks?n=3&ms=100');
events.onerror = async () => {
  events.close();
  await (await fetch('/big?size=300000')).text();
  await fetch('/over', { method: 'POST', body: 'x'.repeat(70000) });
};
</script>";

/// The table, and a page that asks for it.
fn bakery() -> App {
    let native = NativeSleep(Arc::new(|context, time| Box::pin(context.sleep(time))));
    app::app(native, Path::new("uploads"), Path::new(FIXTURES))
        .route("/page", get(|| Html(PAGE)))
        .route("/over", post(|body: Bytes| body.len().to_string()))
}

/// A folder of the test's own.
fn scratch(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("bakestone-tapes-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    folder
}

/// A server that records, and hears what was asked of it.
struct Site {
    address: String,
    asked: Receiver<String>,
}

impl Site {
    /// Waits until this was answered.
    fn has_answered(&self, target: &str) {
        while self.asked.recv_timeout(PATIENCE).expect("the client goes on") != target {}
    }
}

/// Lets `act` ask, and replays what was recorded meanwhile; the tapes.
fn replayed(name: &str, runtime: Runtime, act: impl FnOnce(&Site)) -> Vec<String> {
    let folder = scratch(&format!("{name}-{runtime:?}"));
    let (sender, asked) = channel();
    let sender = Mutex::new(sender);
    let observer = move |event: &Event<'_>| {
        if let Event::RequestEnded(record) = event {
            // A test that has failed listens no more.
            let _ = sender.lock().expect("nobody panics with it").send(record.target.to_string());
        }
    };
    let recording = Recording::new(TapeFolder::new(&folder).expect("a folder")).bytes(16 << 20);
    let server = Server::new().address("127.0.0.1:0").observer(Arc::new(observer)).record(recording);
    let server = server.bind().expect("a free port");
    let (address, handle) = (server.local_addrs()[0].to_string(), server.handle());
    let serving = thread::spawn(move || crate::run(runtime, bakery(), server));
    act(&Site { address, asked });
    handle.shutdown();
    serving.join().expect("no panic").expect("it served");

    let files = fs::read_dir(&folder).expect("the folder").map(|file| file.expect("a file").path());
    let texts = files.map(|file| replay(&file)).collect();
    fs::remove_dir_all(folder).expect("the folder goes");
    texts
}

fn replay(file: &PathBuf) -> String {
    let text = fs::read_to_string(file).expect("a tape");
    assert!(text.ends_with("# end\n"), "{text}");
    tape::replay(file, bakery()).unwrap_or_else(|error| panic!("{error}\n{text}"));
    text
}

fn count(tapes: &[String], what: &str) -> usize {
    tapes.iter().map(|tape| tape.matches(what).count()).sum()
}

/// Asks in pieces, and reads nothing while the server writes more than a socket holds.
fn talk(site: &Site) {
    let mut client = TcpStream::connect(&site.address).expect("it listens");
    client.set_read_timeout(Some(PATIENCE)).expect("a socket");
    let ask = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: a\r\nCookie: secret=1\r\n\r\n");
    let first = ask("/sleep/30") + &ask("/file") + &ask("/sse-ticks?n=3&ms=20") + "GET /pl";
    client.write_all(first.as_bytes()).expect("it reads");
    site.has_answered("/sse-ticks?n=3&ms=20");
    let rest =
        "aintext HTTP/1.1\r\nHost: a\r\n\r\n".to_owned() + &ask("/big?size=8000000") + &ask("/error/panic");
    client.write_all(rest.as_bytes()).expect("it reads");
    site.has_answered("/plaintext");
    // The server is to meet a socket that is full.
    thread::sleep(Duration::from_millis(50));
    client.shutdown(Shutdown::Write).expect("a socket");
    client.read_to_end(&mut Vec::new()).expect("all of it");
}

#[test]
fn what_a_client_does_over_a_socket_is_replayed_in_memory() {
    for runtime in [Runtime::Tokio, Runtime::Smol, Runtime::Std] {
        let tapes = replayed("talk", runtime, talk);
        assert_eq!(tapes.len(), 1, "{runtime:?}");
        let begin = &tapes[0][..2_000];
        assert!(tapes[0].contains("! waits ") && tapes[0].contains("+ 1 opened "), "{runtime:?}\n{begin}");
        assert!(!tapes[0].contains("secret"), "{runtime:?}\n{begin}");
    }
}

/// Asks for a file, and does nothing more until it is there.
fn wait_for_a_file(site: &Site) {
    let mut client = TcpStream::connect(&site.address).expect("it listens");
    client.set_read_timeout(Some(Duration::from_secs(5))).expect("a socket");
    client.write_all(b"GET /file HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").expect("it reads");
    client.read_to_end(&mut Vec::new()).expect("an answer, though nothing else happens");
}

#[test]
fn a_client_that_only_waits_is_answered_by_a_server_that_records() {
    for runtime in [Runtime::Tokio, Runtime::Smol, Runtime::Std] {
        assert_eq!(replayed("wait", runtime, wait_for_a_file).len(), 1, "{runtime:?}");
    }
}

/// `curl` and Chromium, which not every machine has.
#[test]
#[ignore = "it needs curl and Chromium"]
fn what_curl_and_chromium_do_is_replayed_in_memory() {
    let tapes = replayed("curl", Runtime::Tokio, |site| {
        let url = |target: &str| format!("http://{}{target}", site.address);
        let form = ["--data-binary", "@-", "--header", "expect: 100-continue"];
        let mut curl = Command::new("curl")
            .args(["--silent", "--show-error", "--fail", "--output", "/dev/null"])
            .args([url("/page"), "--next".into(), "--silent".into(), url("/sse-ticks?n=4&ms=50")])
            .args(["--next", "--silent", &url("/file?name=digits.txt"), "--next", "--silent"])
            .args(form)
            .arg(url("/echo"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("curl is installed");
        let mut body = curl.stdin.take().expect("it is piped");
        body.write_all(&b"flour ".repeat(20_000)).expect("curl reads it");
        drop(body);
        assert!(curl.wait().expect("it ends").success());
    });
    assert!(count(&tapes, "> GET /page HTTP/1.1") == 1 && count(&tapes, "100 Continue") == 1, "{tapes:#?}");

    let profile = scratch("profile");
    let tapes = replayed("chromium", Runtime::Tokio, |site| {
        let mut chromium = Command::new("chromium")
            .args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-dev-shm-usage",
            ])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(format!("http://{}/page", site.address))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("Chromium is installed as `chromium`");
        site.has_answered("/over");
        let _ = chromium.kill();
        let _ = chromium.wait();
    });
    let _ = fs::remove_dir_all(profile);
    assert!(
        count(&tapes, "> GET /page HTTP/1.1") == 1 && count(&tapes, "> POST /over HTTP/1.1") == 1,
        "{tapes:#?}"
    );
    assert!(count(&tapes, "event: tick") >= 3, "{tapes:#?}");
}
