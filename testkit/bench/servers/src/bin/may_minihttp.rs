//! may_minihttp, with one worker and a `match` for a router.
//!
//! The rule: what its examples show. A `Server` field is built into it.

use std::io::{self, Read};

use bakestone_bench_servers::{Flags, HELLO, PAGE, message, record, seconds, user_post};
use bytes::BufMut;
use may_minihttp::{HttpServer, HttpService, Request, Response};

/// The size of a coroutine's stack, in words of the processor.
const STACK: usize = 0x2000;

#[derive(Clone)]
struct Bench;

const JSON: &str = "Content-Type: application/json";
const TEXT: &str = "Content-Type: text/plain; charset=utf-8";

/// The segments of `/users/{id}/posts/{post}`.
fn segments<'a>(path: &'a str, before: &str, between: &str) -> Option<(&'a str, &'a str)> {
    let (first, rest) = path.strip_prefix(before)?.split_once('/')?;
    let second = rest.strip_prefix(between)?.strip_prefix('/')?;
    (!second.contains('/')).then_some((first, second))
}

fn refuse(response: &mut Response<'_>, code: usize, reason: &'static str) {
    response.status_code(code, reason);
}

fn html(response: &mut Response<'_>) {
    // A field that is not known before is one that has to live for ever.
    thread_local! {
        static TIME: std::cell::Cell<(u64, &'static str)> = const { std::cell::Cell::new((0, "")) };
    }
    let now = seconds();
    if TIME.get().0 != now {
        TIME.set((now, format!("x-time: {now}").leak()));
    }
    response.header("Content-Type: text/html; charset=utf-8").header(TIME.get().1).body(PAGE);
}

/// Numbers of the path, and the query behind it.
fn api(request: Request<'_, '_, '_>, response: &mut Response<'_>) -> io::Result<()> {
    let (path, query) = request.path().split_once('?').unwrap_or((request.path(), ""));
    let numbers = segments(path, "/api/users/", "records")
        .and_then(|(user, record)| Some((user.parse().ok()?, record.parse().ok()?)));
    let Some(numbers) = numbers else {
        refuse(response, 404, "Not Found");
        return Ok(());
    };
    if !request.headers().iter().any(|field| field.name.eq_ignore_ascii_case("authorization")) {
        refuse(response, 401, "Unauthorized");
        return Ok(());
    }
    let query = serde_urlencoded::from_str(query).map_err(io::Error::other)?;
    let mut body = Vec::new();
    request.body().read_to_end(&mut body)?;
    let data = serde_json::from_slice(&body)?;
    response.header(JSON);
    serde_json::to_writer(response.body_mut().writer(), &record(numbers, query, &data))?;
    Ok(())
}

impl HttpService for Bench {
    fn call(&mut self, request: Request<'_, '_, '_>, response: &mut Response<'_>) -> io::Result<()> {
        match (request.method(), request.path()) {
            ("GET", "/plaintext") => response.header(TEXT).body(HELLO),
            ("GET", "/json") => {
                response.header(JSON);
                serde_json::to_writer(response.body_mut().writer(), &message())?;
            }
            ("GET", "/html") => html(response),
            (_, "/echo") => {
                let mut body = Vec::new();
                request.body().read_to_end(&mut body)?;
                response.header("Content-Type: application/octet-stream").body_vec(body);
            }
            ("GET", path) => match segments(path, "/users/", "posts") {
                Some((id, post)) => response.header(TEXT).body_vec(user_post(id, post).into_bytes()),
                None => refuse(response, 404, "Not Found"),
            },
            ("PUT", _) => api(request, response)?,
            _ => refuse(response, 404, "Not Found"),
        }
        Ok(())
    }
}

fn main() -> io::Result<()> {
    let flags = Flags::from_arguments();
    may::config().set_workers(1).set_pool_capacity(1000).set_stack_size(STACK);
    HttpServer(Bench).start(flags.address)?.wait();
    Ok(())
}
