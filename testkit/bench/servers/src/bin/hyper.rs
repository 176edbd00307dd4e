//! hyper, with a `match` for a router.
//!
//! The rule: one thread, and whatever hyper's own benchmarks switch on.

use std::convert::Infallible;
use std::io;

use bakestone_bench_servers::forms::{self, FILE, hold, save};
use bakestone_bench_servers::{Flags, HELLO, PAGE, TEXT, message, record, seconds, user_post};
use http_body_util::{BodyDataStream, BodyExt, Either, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use multer::Multipart;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::task::{LocalSet, spawn_blocking};

type Answer = Response<Either<Full<Bytes>, Incoming>>;

fn answer(media_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut response = Response::new(Either::Left(Full::new(body.into())));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

fn refuse(status: StatusCode) -> Answer {
    let mut response = answer(TEXT, "");
    *response.status_mut() = status;
    response
}

fn json(value: &impl serde::Serialize) -> Answer {
    serde_json::to_vec(value)
        .map_or_else(|_| refuse(StatusCode::INTERNAL_SERVER_ERROR), |body| answer("application/json", body))
}

fn html() -> Answer {
    let mut response = answer("text/html; charset=utf-8", PAGE);
    response.headers_mut().insert(HeaderName::from_static("x-time"), seconds().into());
    response
}

/// The segments of `/users/{id}/posts/{post}`.
fn segments<'a>(path: &'a str, before: &str, between: &str) -> Option<(&'a str, &'a str)> {
    let (first, rest) = path.strip_prefix(before)?.split_once('/')?;
    let second = rest.strip_prefix(between)?.strip_prefix('/')?;
    (!second.contains('/')).then_some((first, second))
}

async fn api(user: u64, number: u64, request: Request<Incoming>) -> Answer {
    if !request.headers().contains_key(AUTHORIZATION) {
        return refuse(StatusCode::UNAUTHORIZED);
    }
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await else { return refuse(StatusCode::BAD_REQUEST) };
    let data = serde_json::from_slice(&body.to_bytes());
    let query = serde_urlencoded::from_str(head.uri.query().unwrap_or_default());
    match (query, data) {
        (Ok(query), Ok(data)) => json(&record((user, number), query, &data)),
        _ => refuse(StatusCode::BAD_REQUEST),
    }
}

fn echo(request: Request<Incoming>) -> Answer {
    let (mut head, body) = request.into_parts();
    let mut response = Response::new(Either::Right(body));
    if let Some(media_type) = head.headers.remove(CONTENT_TYPE) {
        response.headers_mut().insert(CONTENT_TYPE, media_type);
    }
    response
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn form(request: Request<Incoming>) -> Result<Multipart<'static>, Failure> {
    let media_type = request.headers().get(CONTENT_TYPE).ok_or("no media type")?;
    let boundary = multer::parse_boundary(media_type.to_str()?)?;
    Ok(Multipart::new(BodyDataStream::new(request.into_body()), boundary))
}

async fn count(request: Request<Incoming>) -> Result<Answer, Failure> {
    let (mut form, mut parts) = (form(request)?, Vec::new());
    while let Some(mut field) = form.next_field().await? {
        let mut size = 0;
        while let Some(piece) = field.chunk().await? {
            size += piece.len();
        }
        let media_type = field.content_type().map(AsRef::as_ref);
        parts.push(forms::part(field.name(), field.file_name(), media_type, size));
    }
    Ok(json(&forms::parts(parts)))
}

async fn upload(request: Request<Incoming>) -> Result<Answer, Failure> {
    let mut form = form(request)?;
    while let Some(mut field) = form.next_field().await? {
        if field.name() == Some(FILE) {
            let mut file = Vec::new();
            while let Some(piece) = field.chunk().await? {
                hold(&mut file, &piece)?;
            }
            return Ok(answer(TEXT, spawn_blocking(move || save(&file)).await??));
        }
    }
    Err("no file".into())
}

/// The answer, or that the request was bad.
fn or_refuse(result: Result<Answer, Failure>) -> Answer {
    result.unwrap_or_else(|_| refuse(StatusCode::BAD_REQUEST))
}

async fn route(request: Request<Incoming>) -> Result<Answer, Infallible> {
    let path = request.uri().path();
    Ok(match (request.method(), path) {
        (&Method::GET, "/plaintext") => answer(TEXT, HELLO),
        (&Method::GET, "/json") => json(&message()),
        (&Method::GET, "/html") => html(),
        (_, "/echo") => echo(request),
        (&Method::POST, "/multipart-count") => or_refuse(count(request).await),
        (&Method::POST, "/upload") => or_refuse(upload(request).await),
        (&Method::GET, _) => match segments(path, "/users/", "posts") {
            Some((id, post)) => answer(TEXT, user_post(id, post)),
            None => refuse(StatusCode::NOT_FOUND),
        },
        (&Method::PUT, _) => match segments(path, "/api/users/", "records") {
            Some((user, record)) => match (user.parse(), record.parse()) {
                (Ok(user), Ok(record)) => api(user, record, request).await,
                _ => refuse(StatusCode::NOT_FOUND),
            },
            None => refuse(StatusCode::NOT_FOUND),
        },
        _ => refuse(StatusCode::NOT_FOUND),
    })
}

async fn serve(flags: Flags) -> io::Result<()> {
    let listener = TcpListener::from_std(flags.listen()?)?;
    let mut http = http1::Builder::new();
    http.pipeline_flush(true);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let connection = http.serve_connection(TokioIo::new(stream), service_fn(route));
        // A connection that breaks is the client's business.
        tokio::task::spawn_local(async move { connection.await.ok() });
    }
}

fn main() -> io::Result<()> {
    let flags = Flags::from_arguments();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, serve(flags))
}
