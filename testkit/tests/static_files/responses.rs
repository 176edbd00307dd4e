//! One file as a response: its fields, conditions and ranges.

use bakestone::header::{self, HeaderName};
use bakestone::http::ETag;
use bakestone::machine::ConnectionInfo;
use bakestone::message::FileResponse;
use bakestone::{Bytes, HeaderValue, IntoResponse, Request, Result, any, get};

use super::*;

const DIGITS: &str = "0123456789";
const LATER: &str = "Mon, 01 Jan 2024 00:00:00 GMT";
const EARLIER: &str = "Sat, 30 Dec 2023 23:00:00 GMT";

async fn digits(request: Request) -> Result<FileResponse> {
    request.file("digits.txt").await
}

fn app() -> AppService {
    built(App::new().route("/digits", get(digits)).route("/any", any(digits)))
}

fn files() -> MemoryFiles {
    memory(&[("digits.txt", DIGITS), ("folder/a", ""), ("empty", "")])
}

/// What is asked of `/digits`.
fn of_digits(line: &str, fields: &[(&str, &str)]) -> Seen {
    ask(app(), &files(), line, fields)
}

#[test]
fn s31_s36_the_fields_of_a_file() {
    for line in ["GET /digits", "HEAD /digits"] {
        let seen = of_digits(line, &[]);
        assert_eq!(seen.status, 200);
        for (name, value) in [
            ("content-length", "10"),
            ("content-type", "text/plain; charset=utf-8"),
            ("last-modified", CHANGED_TEXT),
            ("accept-ranges", "bytes"),
            ("x-content-type-options", "nosniff"),
            ("content-range", ""),
            ("content-disposition", ""),
            ("transfer-encoding", ""),
        ] {
            assert_eq!(seen.field(name), value, "{line}: {name}");
        }
        assert!(ETag::parse(seen.field("etag")).is_some_and(|tag| !tag.is_weak()), "{}", seen.head);
        assert_eq!(seen.body, if line.starts_with("GET") { DIGITS } else { "" });
    }
}

#[test]
fn s31_a_file_that_was_just_changed_has_a_weak_tag() {
    let files = MemoryFiles::new();
    files.insert_modified("digits.txt", DIGITS, Duration::from_secs(1_704_067_200));
    let mut wire = on_wire(app(), files.clone());
    let young = Seen::parse(&wire.feed(request("GET /digits", &[])).take_text());
    assert!(young.field("etag").starts_with("W/\""), "{}", young.head);
    let date = young.field("last-modified");
    // No part may be put together with what the client has of it, neither by the tag nor by the date.
    for validator in [young.field("etag"), date] {
        let part = wire.feed(request("GET /digits", &[("Range", "bytes=0-1"), ("If-Range", validator)]));
        assert_eq!(Seen::parse(&part.take_text()).status, 200, "{validator}");
    }
    wire.advance(Duration::from_secs(3));
    let known = wire.feed(request("GET /digits", &[("If-None-Match", young.field("etag"))]));
    let settled = Seen::parse(&known.take_text());
    assert_eq!(settled.status, 200);
    assert!(settled.field("etag").starts_with('"'), "{}", settled.head);
    for validator in [settled.field("etag"), date] {
        let part = wire.feed(request("GET /digits", &[("Range", "bytes=0-1"), ("If-Range", validator)]));
        assert_eq!(Seen::parse(&part.take_text()).status, 206, "{validator}");
    }
    // What has no time of change has no tag either.
    let seen = ask(app(), &MemoryFiles::new().with("digits.txt", DIGITS), "GET /digits", &[]);
    assert_eq!((seen.field("etag"), seen.field("last-modified")), ("", ""));
}

#[test]
fn s31_a_time_that_tells_nothing_is_no_validator() {
    let files = MemoryFiles::new();
    for (modified, has_validators) in [(0, false), (1, false), (2, true)] {
        files.insert_modified("digits.txt", DIGITS, Duration::from_secs(modified));
        let seen = ask(app(), &files, "GET /digits", &[]);
        for name in ["etag", "last-modified"] {
            assert_eq!(!seen.field(name).is_empty(), has_validators, "{modified}: {name}");
        }
        let known = ask(app(), &files, "GET /digits", &[("If-Modified-Since", LATER)]);
        assert_eq!(known.status, if has_validators { 304 } else { 200 }, "{modified}");
    }
}

#[test]
fn s31_a_time_that_is_still_to_come_is_sent_as_that_of_the_message() {
    const NEXT_CENTURY: Duration = Duration::from_secs(4_102_444_800);
    let handler = async |request: Request| match request.raw_path() {
        "/file" => request.file("digits.txt").await,
        _ => Ok(FileResponse::from(Bytes::from(DIGITS)).with_modified(NEXT_CENTURY).for_request(&request)),
    };
    let service = built(App::new().route(["/file", "/bytes"], get(handler)));
    let files = MemoryFiles::new();
    files.insert_modified("digits.txt", DIGITS, NEXT_CENTURY);
    for line in ["GET /file", "GET /bytes"] {
        let seen = ask(service.clone(), &files, line, &[]);
        assert_eq!(seen.field("last-modified"), seen.field("date"), "{line}");
        assert!(!seen.field("date").is_empty());
        // That date was made up for the message: nothing is known by it.
        for (condition, status) in [("If-Modified-Since", 206), ("If-Range", 200)] {
            let fields = [(condition, seen.field("date")), ("Range", "bytes=0-0")];
            assert_eq!(ask(service.clone(), &files, line, &fields).status, status, "{line} {condition}");
        }
    }
}

#[test]
fn s30_what_is_not_there_is_404() {
    for (path, status) in [("nothing", 404), ("folder", 404), ("a\0b", 404), ("empty", 200)] {
        let service = built(
            App::new().route("/", get(move |request: Request| async move { request.file(path).await })),
        );
        let seen = ask(service, &files(), "GET /", &[]);
        assert_eq!(seen.status, status, "{path:?}");
        assert!(!seen.body.contains(path) || path.is_empty(), "{}", seen.body);
    }
}

#[test]
fn s37_conditions() {
    let tag = of_digits("GET /digits", &[]).field("etag").to_owned();
    let weak = format!("W/{tag}");
    for (line, fields, status) in [
        ("GET /digits", &[("If-None-Match", &*tag)][..], 304),
        ("GET /digits", &[("If-None-Match", &*weak)], 304),
        ("HEAD /digits", &[("If-None-Match", &*tag)], 304),
        ("GET /digits", &[("If-None-Match", "\"other\"")], 200),
        ("GET /digits", &[("If-None-Match", "*")], 304),
        ("GET /digits", &[("If-Match", &*tag)], 200),
        ("GET /digits", &[("If-Match", "\"other\"")], 412),
        ("HEAD /digits", &[("If-Match", "\"other\"")], 412),
        ("GET /digits", &[("If-Modified-Since", CHANGED_TEXT)], 304),
        ("GET /digits", &[("If-Modified-Since", LATER)], 304),
        ("GET /digits", &[("If-Modified-Since", EARLIER)], 200),
        ("GET /digits", &[("If-Unmodified-Since", CHANGED_TEXT)], 200),
        ("GET /digits", &[("If-Unmodified-Since", EARLIER)], 412),
        ("GET /digits", &[("If-None-Match", "\"other\""), ("If-Modified-Since", LATER)], 200),
        ("GET /digits", &[("If-None-Match", &*tag), ("Range", "bytes=0-1")], 304),
        ("GET /digits", &[("If-Match", "\"other\""), ("Range", "bytes=90-")], 412),
        ("GET /digits", &[("If-Range", &*tag), ("Range", "bytes=0-1")], 206),
        ("GET /digits", &[("If-Range", "\"other\""), ("Range", "bytes=0-1")], 200),
        ("GET /digits", &[("If-Range", "\"other\""), ("Range", "bytes=90-")], 200),
        // What else a handler does with a method is over by the time that it has a file.
        ("POST /any", &[("If-None-Match", "*"), ("Range", "bytes=0-1")], 200),
        ("POST /any", &[("If-Match", "\"other\"")], 200),
    ] {
        let seen = of_digits(line, fields);
        assert_eq!(seen.status, status, "{line} {fields:?}");
        if status == 304 {
            assert_eq!((seen.field("etag"), &*seen.body), (&*tag, ""), "{line} {fields:?}");
            for absent in ["last-modified", "content-type", "content-length", "accept-ranges"] {
                assert_eq!(seen.field(absent), "", "{absent} in {}", seen.head);
            }
        }
    }
}

#[test]
fn s37_single_ranges() {
    for (range, status, content_range, body) in [
        ("bytes=0-0", 206, "bytes 0-0/10", "0"),
        ("bytes=2-4", 206, "bytes 2-4/10", "234"),
        ("bytes=7-", 206, "bytes 7-9/10", "789"),
        ("bytes=-3", 206, "bytes 7-9/10", "789"),
        ("bytes=0-", 206, "bytes 0-9/10", DIGITS),
        ("bytes=2-4,5-6", 206, "bytes 2-6/10", "23456"),
        ("bytes=10-", 416, "bytes */10", "Range Not Satisfiable"),
        ("bytes=-0", 416, "bytes */10", "Range Not Satisfiable"),
        ("bytes=4-2", 200, "", DIGITS),
        ("lines=0-1", 200, "", DIGITS),
    ] {
        let seen = of_digits("GET /digits", &[("Range", range)]);
        assert_eq!((seen.status, seen.field("content-range")), (status, content_range), "{range}");
        assert_eq!(seen.body, body, "{range}");
        assert_eq!(seen.field("content-length"), body.len().to_string(), "{range}");
        if status == 206 {
            assert!(!seen.field("etag").is_empty() && !seen.field("last-modified").is_empty());
            assert_eq!(seen.field("content-type"), "text/plain; charset=utf-8");
        }
        let head = of_digits("HEAD /digits", &[("Range", range)]);
        assert_eq!((head.status, head.field("content-length")), (200, "10"), "HEAD {range}");
    }
    let twice = of_digits("GET /digits", &[("Range", "bytes=0-1"), ("Range", "bytes=2-3")]);
    assert_eq!((twice.status, &*twice.body), (200, DIGITS));
    let service = built(App::new().route("/", get(async |request: Request| request.file("empty").await)));
    assert_eq!(ask(service, &files(), "GET /", &[("Range", "bytes=0-")]).status, 200);
}

/// The parts of a `multipart/byteranges`: `Content-Type`, `Content-Range` and bytes of each.
fn parts(seen: &Seen) -> Vec<(String, String, String)> {
    let boundary = seen.field("content-type").strip_prefix("multipart/byteranges; boundary=").unwrap();
    let body = seen.body.strip_suffix(&format!("\r\n--{boundary}--\r\n")).unwrap();
    let delimiter = format!("\r\n--{boundary}\r\n");
    let parts = body.split(&delimiter).skip(1);
    let part = |part: &str| {
        let (head, bytes) = part.split_once("\r\n\r\n").unwrap();
        let (media_type, range) = head.split_once("\r\n").unwrap();
        let media_type = media_type.strip_prefix("content-type: ").unwrap();
        (media_type.to_owned(), range.strip_prefix("content-range: ").unwrap().to_owned(), bytes.to_owned())
    };
    parts.map(part).collect()
}

#[test]
fn s37_several_ranges() {
    let seen = of_digits("GET /digits", &[("Range", "bytes=8-9, 0-1, 4-4, 1-2, 90-")]);
    let text = "text/plain; charset=utf-8".to_owned();
    let expected = [("bytes 8-9/10", "89"), ("bytes 0-2/10", "012"), ("bytes 4-4/10", "4")];
    let expected = expected.map(|(range, bytes)| (text.clone(), range.to_owned(), bytes.to_owned()));
    assert_eq!((seen.status, seen.field("content-range")), (206, ""));
    assert_eq!(parts(&seen), expected);
    assert_eq!(seen.field("content-length"), seen.body.len().to_string());
    // Whoever wrote the file could not foresee the boundary.
    let boundaries = [1, 2].map(|seed| {
        let mut connection = ConnectionInfo::default();
        connection.seed = seed;
        let mut wire = Wire::connected(Session::new(app()), connection);
        wire.files(files()).feed(request("GET /digits", &[("Range", "bytes=0-0,9-9")]));
        Seen::parse(&wire.take_text()).field("content-type").to_owned()
    });
    assert_ne!(boundaries[0], boundaries[1]);
    let many = |count: usize| {
        let ranges: Vec<String> = (0..count).map(|at| format!("{}-{}", at * 2, at * 2)).collect();
        format!("bytes={}", ranges.join(","))
    };
    let long = MemoryFiles::new();
    long.insert_modified("digits.txt", DIGITS.repeat(10), CHANGED);
    for (count, status) in [(16, 206), (17, 200)] {
        let seen = ask(app(), &long, "GET /digits", &[("Range", &many(count))]);
        assert_eq!(seen.status, status, "{count} ranges");
        if status == 206 {
            assert_eq!(parts(&seen).len(), count);
        }
    }
}

#[test]
fn s32_s33_s34_names_and_fields_by_hand() {
    let handler = async |request: Request| {
        let file = request.file("digits.txt").await?;
        Ok::<_, bakestone::Error>(match request.raw_path() {
            "/attachment" => file.attachment("na\u{ef}ve \"1\".csv"),
            "/inline" => file.inline("a.pdf"),
            "/unknown" => file.named("a.unknown"),
            _ => file
                .with_header("content-type".parse().unwrap(), HeaderValue::from_static("text/x-digits"))
                .with_header("etag".parse().unwrap(), HeaderValue::from_static("\"mine\""))
                .with_header("last-modified".parse().unwrap(), HeaderValue::from_static(EARLIER)),
        })
    };
    let paths = ["/attachment", "/inline", "/unknown", "/fields"];
    let service = built(App::new().route(paths, get(handler)));
    let field =
        |path, name: &str| ask(service.clone(), &files(), &format!("GET {path}"), &[]).field(name).to_owned();
    for (path, name, expected) in [
        (
            "/attachment",
            "content-disposition",
            "attachment; filename=\"na_ve _1_.csv\"; filename*=UTF-8''na%C3%AFve%20%221%22.csv",
        ),
        ("/attachment", "content-type", "text/csv; charset=utf-8"),
        ("/inline", "content-disposition", "inline; filename=\"a.pdf\"; filename*=UTF-8''a.pdf"),
        ("/inline", "content-type", "application/pdf"),
        ("/unknown", "content-type", "application/octet-stream"),
        ("/fields", "content-type", "text/x-digits"),
        ("/fields", "etag", "\"mine\""),
        ("/fields", "last-modified", EARLIER),
    ] {
        assert_eq!(field(path, name), expected, "{path}: {name}");
    }
    let known = ask(service.clone(), &files(), "GET /fields", &[("If-None-Match", "\"mine\"")]);
    assert_eq!((known.status, known.field("etag")), (304, "\"mine\""));
}

#[test]
fn s31_s37_the_validators_that_are_sent_are_those_that_are_judged() {
    type Change = fn(FileResponse) -> FileResponse;
    fn by_hand(file: FileResponse, name: HeaderName, value: &'static str) -> FileResponse {
        file.with_header(name, HeaderValue::from_static(value))
    }
    let by_itself = of_digits("GET /digits", &[]).field("etag").to_owned();
    let table: &[(Change, &str, &str)] = &[
        (|file| file, &by_itself, CHANGED_TEXT),
        (|file| by_hand(file, header::ETAG, "\"one\""), "\"one\"", CHANGED_TEXT),
        (|file| by_hand(file, header::ETAG, "W/\"one\""), "W/\"one\"", CHANGED_TEXT),
        (
            |file| by_hand(file, header::ETAG, "\"one\"").with_etag(ETag::strong("two").unwrap()),
            "\"two\"",
            CHANGED_TEXT,
        ),
        (
            |file| by_hand(file.with_etag(ETag::strong("two").unwrap()), header::ETAG, "\"one\""),
            "\"one\"",
            CHANGED_TEXT,
        ),
        (|file| by_hand(file, header::ETAG, "no tag"), "", CHANGED_TEXT),
        (|file| by_hand(file, header::LAST_MODIFIED, EARLIER), &by_itself, EARLIER),
        (|file| by_hand(file, header::LAST_MODIFIED, "yesterday"), &by_itself, ""),
        (
            |file| by_hand(file, header::LAST_MODIFIED, EARLIER).with_modified(CHANGED),
            &by_itself,
            CHANGED_TEXT,
        ),
        (|file| by_hand(by_hand(file, header::ETAG, ""), header::LAST_MODIFIED, ""), "", ""),
    ];
    for (at, &(change, etag, modified)) in table.iter().enumerate() {
        let handler = move |request: Request| async move { request.file("digits.txt").await.map(change) };
        let service = built(App::new().route("/", get(handler)));
        let seen = |fields: &[(&str, &str)]| ask(service.clone(), &files(), "GET /", fields);
        let whole = seen(&[]);
        assert_eq!((whole.field("etag"), whole.field("last-modified")), (etag, modified), "row {at}");
        let of_itself = if etag == by_itself { 304 } else { 200 };
        assert_eq!(seen(&[("If-None-Match", &by_itself)]).status, of_itself, "row {at}");
        let known = seen(&[("If-Modified-Since", CHANGED_TEXT)]);
        assert_eq!(known.status, if modified.is_empty() { 200 } else { 304 }, "row {at}");
        if known.status == 304 {
            let alone = if etag.is_empty() { modified } else { "" };
            assert_eq!((known.field("etag"), known.field("last-modified")), (etag, alone), "row {at}");
        }
        let early = if modified == CHANGED_TEXT { 412 } else { 200 };
        assert_eq!(seen(&[("If-Unmodified-Since", EARLIER)]).status, early, "row {at}");
        if !etag.is_empty() {
            assert_eq!(seen(&[("If-None-Match", etag)]).status, 304, "row {at}");
        }
    }
}

#[test]
fn s34_s37_fields_by_hand_go_out_with_every_answer() {
    const FIELDS: [(HeaderName, &str); 9] = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::VARY, "origin"),
        (header::CONTENT_SECURITY_POLICY, "sandbox"),
        (header::CACHE_CONTROL, "max-age=60"),
        (header::CONTENT_LOCATION, "/digits.txt"),
        (header::CONTENT_DISPOSITION, "attachment"),
        (header::CONTENT_TYPE, "text/x-digits"),
        (header::CONTENT_LANGUAGE, "la"),
        (header::CONTENT_ENCODING, "roman"),
    ];
    let handler = async |request: Request| {
        let by_hand = |file: FileResponse, (name, value): (HeaderName, &'static str)| {
            file.with_header(name, HeaderValue::from_static(value))
        };
        request.file("digits.txt").await.map(|file| FIELDS.into_iter().fold(file, by_hand))
    };
    let service = built(App::new().route("/", get(handler)));
    for (asked, status, count) in [
        (("Accept", "*/*"), 200, 9),
        (("Range", "bytes=0-0"), 206, 9),
        (("If-None-Match", "*"), 304, 6),
        (("If-Match", "\"other\""), 412, 3),
        (("Range", "bytes=10-"), 416, 3),
    ] {
        let seen = ask(service.clone(), &files(), "GET /", &[asked]);
        assert_eq!(seen.status, status, "{asked:?}");
        for (at, (name, value)) in FIELDS.into_iter().enumerate() {
            let is_there = seen.head.lines().any(|line| line == format!("{name}: {value}"));
            assert_eq!(is_there, at < count, "{status}: {name}");
        }
    }
    // One part is a part of what is coded; several would be a multipart, which is not.
    let several = ask(service, &files(), "GET /", &[("Range", "bytes=0-0,9-9")]);
    assert_eq!((several.status, &*several.body), (200, DIGITS));
    assert_eq!((several.field("content-encoding"), several.field("content-range")), ("roman", ""));
}

#[test]
fn content_in_memory_is_a_file_too() {
    let handler = async |request: Request| {
        FileResponse::from(Bytes::from_static(b"0123456789")).attachment("digits.bin").for_request(&request)
    };
    let service = built(App::new().route("/", get(handler)));
    let with = |fields: &[(&str, &str)]| ask(service.clone(), &MemoryFiles::new(), "GET /", fields);
    assert_eq!(with(&[("Range", "bytes=2-4")]).body, "234");
    assert_eq!(with(&[("Range", "bytes=20-")]).status, 416);
    let several = with(&[("Range", "bytes=0-0,9-9")]);
    assert_eq!(parts(&several).into_iter().map(|(_, _, bytes)| bytes).collect::<String>(), "09");
    let tag = with(&[]).field("etag").to_owned();
    assert_eq!(with(&[("If-None-Match", &tag)]).status, 304);
}

#[test]
fn a_file_without_a_request_is_sent_whole() {
    let handler = async |context: bakestone::Context| FileResponse::open(&context, "digits.txt").await;
    let service = built(App::new().route("/", get(handler)));
    let seen = ask(service, &files(), "GET /", &[("Range", "bytes=0-1"), ("If-None-Match", "*")]);
    assert_eq!((seen.status, &*seen.body), (200, DIGITS));
    assert!(FileResponse::from(Bytes::new()).into_response().is_ok());
}
