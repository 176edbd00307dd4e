//! A small site of files: `cargo run --bin site`, then <http://127.0.0.1:8000>, or
//!
//! ```console
//! curl -i -H 'Range: bytes=44-143' http://127.0.0.1:8000/sizzle.wav
//! curl -i -H 'Range: bytes=0-3,-10' http://127.0.0.1:8000/sizzle.wav
//! ```
//!
//! The rule: what is below the folder is there and nothing else; parts of files, and the question whether one has changed,
//! are the toolkit's work.

use bakestone::app::{Failure, StaticFiles};
use bakestone::{App, Error, HeaderValue, Html, header};
use bakestone_std::{ServeError, Server};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/site");

const NOT_FOUND: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Not found</title>
<h1>There is nothing behind the hedge</h1>
<p>Your browser knows the way back.</p>
"#;

fn not_found(_: Failure<Error>) -> Html<&'static str> {
    Html(NOT_FOUND)
}

/// The site below `folder`.
fn app_of(folder: &str) -> App {
    let files = StaticFiles::folder(folder)
        .index("index.html")
        // It may be kept, and is asked for again, which costs a 304.
        .cache_control(HeaderValue::from_static("no-cache"))
        .header(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'self'"));
    App::new().files("/", files).on_status(404, not_found)
}

pub(crate) fn app() -> App {
    app_of(FOLDER)
}

fn main() -> Result<(), ServeError> {
    let application = std::env::args().nth(1).map_or_else(app, |folder| app_of(&folder));
    let listening = |addresses: &[_]| eprintln!("listening on http://{}", addresses[0]);
    bakestone_tokio::run(application, Server::new().address("127.0.0.1:8000").on_ready(listening))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bakestone_testkit::{Client, FolderFiles};

    fn client() -> Client {
        Client::setup().files(FolderFiles::new(FOLDER).unwrap()).start(app())
    }

    #[test]
    fn a_part_of_a_file_is_that_part() {
        let client = client();
        let whole = client.get("/sizzle.wav").send().expect_status(200).bytes();
        let size = whole.len();
        for (range, status, content_range, part) in [
            ("bytes=0-3", 206, format!("bytes 0-3/{size}"), &whole[..4]),
            ("bytes=8-11", 206, format!("bytes 8-11/{size}"), &whole[8..12]),
            ("bytes=-5", 206, format!("bytes {}-{}/{size}", size - 5, size - 1), &whole[size - 5..]),
            ("bytes=64000-", 206, format!("bytes 64000-{}/{size}", size - 1), &whole[64_000..]),
            ("lines=1-2", 200, String::new(), &whole[..]),
        ] {
            let mut answer = client.get("/sizzle.wav").header("range", range).send();
            answer.expect_status(status).expect_header("content-type", "audio/wav");
            assert_eq!(
                answer.headers.get("content-range").map_or("", |field| field.to_str().unwrap()),
                content_range
            );
            assert_eq!(answer.bytes(), part, "{range}");
        }
        let mut beyond = client.get("/sizzle.wav").header("range", format!("bytes={size}-")).send();
        beyond.expect_status(416).expect_header("content-range", &format!("bytes */{size}"));
    }

    #[test]
    fn what_has_not_changed_is_not_sent_again() {
        let client = client();
        let etag = client.get("/").send().header("etag").to_owned();
        client.get("/").header("if-none-match", etag).send().expect_status(304).expect_empty();
    }

    #[test]
    fn each_address_leads_somewhere() {
        let client = client();
        for (path, status, told) in [
            ("/", 200, "cakes/"),
            ("/cakes/", 200, "Welsh cakes"),
            ("/cakes", 200, "Welsh cakes"),
            ("/style.css", 200, "color-scheme"),
            ("/behind/the/hedge", 404, "behind the hedge"),
            ("/../Cargo.toml", 404, "behind the hedge"),
            ("/%2e%2e/Cargo.toml", 404, "behind the hedge"),
        ] {
            client.get(path).send().expect_status(status).expect_contains(told);
        }
    }
}
