//! axum, on a runtime of one thread.
//!
//! The rule: what its documentation shows, with extractors and its own `serve`.

use std::io;

use axum::extract::{Path, Query, Request};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{any, get, put};
use axum::serve::ListenerExt;
use axum::{Json, Router};
use bakestone_bench_servers::{Flags, HELLO, PAGE, message, record, seconds, user_post};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Builder;

async fn plaintext() -> &'static str {
    HELLO
}

async fn json() -> impl IntoResponse {
    Json(message())
}

async fn html() -> impl IntoResponse {
    ([(HeaderName::from_static("x-time"), HeaderValue::from(seconds()))], Html(PAGE))
}

async fn params(Path((id, post)): Path<(String, String)>) -> String {
    user_post(&id, &post)
}

async fn api(
    Path(numbers): Path<(u64, u64)>,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
    Json(data): Json<Value>,
) -> Result<Json<Value>, StatusCode> {
    if !headers.contains_key(AUTHORIZATION) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    Ok(Json(record(numbers, query, &data)))
}

async fn echo(request: Request) -> Response {
    let (mut head, body) = request.into_parts();
    let mut response = Response::new(body);
    if let Some(media_type) = head.headers.remove(CONTENT_TYPE) {
        response.headers_mut().insert(CONTENT_TYPE, media_type);
    }
    response
}

async fn serve(flags: Flags) -> io::Result<()> {
    let app = Router::new()
        .route("/plaintext", get(plaintext))
        .route("/json", get(json))
        .route("/html", get(html))
        .route("/users/{id}/posts/{post}", get(params))
        .route("/api/users/{user}/records/{record}", put(api))
        .route("/echo", any(echo));
    let listener = TcpListener::from_std(flags.listen()?)?.tap_io(|stream| {
        // One that is gone already is found out by reading from it.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, app).await
}

fn main() -> io::Result<()> {
    let flags = Flags::from_arguments();
    Builder::new_current_thread().enable_all().build()?.block_on(serve(flags))
}
