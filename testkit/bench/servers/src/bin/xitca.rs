//! xitca-web, with one worker.
//!
//! The rule: what its documentation shows, with extractors.

use std::io;
use std::path::Path;
use std::pin::pin;

use bakestone_bench_servers::forms::{self, FILE, hold, save};
use bakestone_bench_servers::{BACKLOG, Flags, HELLO, IDLE, PAGE, message, record, seconds, user_post};
use futures_util::TryStreamExt;
use http_multipart::Multipart;
use serde_json::Value;
use tokio::task::spawn_blocking;
use xitca_web::App;
use xitca_web::body::{RequestBody, ResponseBody, StreamDataBody};
use xitca_web::error::{Error, ErrorStatus};
use xitca_web::handler::body::Body;
use xitca_web::handler::handler_service;
use xitca_web::handler::html::Html;
use xitca_web::handler::json::Json;
use xitca_web::handler::params::Params;
use xitca_web::handler::query::Query;
use xitca_web::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use xitca_web::http::{Method, Request, WebResponse};
use xitca_web::route::{get, post, put};
use xitca_web::service::file::ServeDir;

type Bytes = StreamDataBody<RequestBody>;

async fn plaintext() -> &'static str {
    HELLO
}

async fn json() -> Json<std::collections::BTreeMap<&'static str, &'static str>> {
    Json(message())
}

async fn html() -> (Html<&'static str>, (HeaderName, HeaderValue)) {
    (Html(PAGE), (HeaderName::from_static("x-time"), seconds().into()))
}

async fn params(Params((id, post)): Params<(String, String)>) -> String {
    user_post(&id, &post)
}

async fn api(
    Params(numbers): Params<(u64, u64)>,
    Query(query): Query<Vec<(String, String)>>,
    headers: &HeaderMap,
    Json(data): Json<Value>,
) -> Result<Json<Value>, Error> {
    if !headers.contains_key(AUTHORIZATION) {
        return Err(Error::from(ErrorStatus::from(xitca_web::http::StatusCode::UNAUTHORIZED)));
    }
    Ok(Json(record(numbers, query, &data)))
}

async fn echo(headers: &HeaderMap, Body(body): Body<RequestBody>) -> WebResponse {
    let mut response = WebResponse::new(ResponseBody::boxed(body));
    if let Some(media_type) = headers.get(CONTENT_TYPE) {
        response.headers_mut().insert(CONTENT_TYPE, media_type.clone());
    }
    response
}

/// Whatever went wrong was the client's.
fn bad(_: impl std::fmt::Debug) -> Error {
    Error::from(ErrorStatus::bad_request())
}

/// The parser of a form; xitca-web's own extractor keeps the end of the body to itself, and the connection is closed.
fn form<'a>(headers: &HeaderMap, body: &'a mut Bytes) -> Result<Multipart<&'a mut Bytes>, Error> {
    let mut request = Request::new(());
    *request.method_mut() = Method::POST;
    *request.headers_mut() = headers.clone();
    http_multipart::multipart(&request, body).map_err(bad)
}

/// Reads what stands behind the form.
async fn finish(body: &mut Bytes) -> Result<(), Error> {
    while body.try_next().await.map_err(bad)?.is_some() {}
    Ok(())
}

async fn count(headers: &HeaderMap, Body(body): Body<RequestBody>) -> Result<Json<Value>, Error> {
    let (mut body, mut parts) = (Bytes::new(body), Vec::new());
    let mut form = pin!(form(headers, &mut body)?);
    while let Some(mut field) = form.try_next().await.map_err(bad)? {
        let mut size = 0;
        while let Some(piece) = field.try_next().await.map_err(bad)? {
            size += piece.len();
        }
        let media_type = field.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        parts.push(forms::part(field.name(), field.file_name(), media_type, size));
    }
    finish(&mut body).await?;
    Ok(Json(forms::parts(parts)))
}

async fn upload(headers: &HeaderMap, Body(body): Body<RequestBody>) -> Result<String, Error> {
    let (mut body, mut file) = (Bytes::new(body), None);
    let mut form = pin!(form(headers, &mut body)?);
    while let Some(mut field) = form.try_next().await.map_err(bad)? {
        let is_wanted = field.name() == Some(FILE);
        let mut bytes = Vec::new();
        while let Some(piece) = field.try_next().await.map_err(bad)? {
            hold(&mut bytes, &piece).map_err(bad)?;
        }
        file = file.or(is_wanted.then_some(bytes));
    }
    finish(&mut body).await?;
    let file = file.ok_or_else(|| bad("no file"))?;
    spawn_blocking(move || save(&file)).await.map_err(bad)?.map_err(bad)
}

fn main() -> io::Result<()> {
    let flags = Flags::from_arguments();
    // It looks for the whole path of a request, `/static` included.
    let above = flags.root.parent().map(Path::to_path_buf).unwrap_or_default();
    App::new()
        .at("/plaintext", get(handler_service(plaintext)))
        .at("/json", get(handler_service(json)))
        .at("/html", get(handler_service(html)))
        .at("/users/{id}/posts/{post}", get(handler_service(params)))
        .at("/api/users/{user}/records/{record}", put(handler_service(api)))
        .at("/echo", handler_service(echo))
        .at("/multipart-count", post(handler_service(count)))
        .at("/upload", post(handler_service(upload)))
        .at("/static", ServeDir::new(above))
        .serve()
        .keep_alive_timeout(IDLE)
        .worker_threads(1)
        .backlog(BACKLOG)
        .bind(flags.address)?
        .run()
        .wait()
}
