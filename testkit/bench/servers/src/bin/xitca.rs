//! xitca-web, with one worker.
//!
//! The rule: what its documentation shows, with extractors.

use std::io;

use bakestone_bench_servers::{BACKLOG, Flags, HELLO, PAGE, message, record, seconds, user_post};
use serde_json::Value;
use xitca_web::App;
use xitca_web::body::{RequestBody, ResponseBody};
use xitca_web::error::{Error, ErrorStatus};
use xitca_web::handler::body::Body;
use xitca_web::handler::handler_service;
use xitca_web::handler::html::Html;
use xitca_web::handler::json::Json;
use xitca_web::handler::params::Params;
use xitca_web::handler::query::Query;
use xitca_web::http::WebResponse;
use xitca_web::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use xitca_web::route::{get, put};

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

fn main() -> io::Result<()> {
    let flags = Flags::from_arguments();
    App::new()
        .at("/plaintext", get(handler_service(plaintext)))
        .at("/json", get(handler_service(json)))
        .at("/html", get(handler_service(html)))
        .at("/users/{id}/posts/{post}", get(handler_service(params)))
        .at("/api/users/{user}/records/{record}", put(handler_service(api)))
        .at("/echo", handler_service(echo))
        .serve()
        .worker_threads(1)
        .backlog(BACKLOG)
        .bind(flags.address)?
        .run()
        .wait()
}
