//! axum, on a runtime of one thread.
//!
//! The rule: what its documentation shows, with extractors and its own `serve`.

use std::io;

use axum::extract::{DefaultBodyLimit, Multipart, Path, Query, Request};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{any, get, post, put};
use axum::serve::ListenerExt;
use axum::{Json, Router};
use bakestone_bench_servers::forms::{self, FILE, hold, save};
use bakestone_bench_servers::{Flags, HELLO, PAGE, message, record, seconds, user_post};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::task::spawn_blocking;
use tower_http::services::ServeDir;

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

/// Whatever went wrong was the client's.
fn bad(_: impl std::error::Error) -> StatusCode {
    StatusCode::BAD_REQUEST
}

async fn count(mut form: Multipart) -> Result<Json<Value>, StatusCode> {
    let mut parts = Vec::new();
    while let Some(mut field) = form.next_field().await.map_err(bad)? {
        let mut size = 0;
        while let Some(piece) = field.chunk().await.map_err(bad)? {
            size += piece.len();
        }
        parts.push(forms::part(field.name(), field.file_name(), field.content_type(), size));
    }
    Ok(Json(forms::parts(parts)))
}

async fn upload(mut form: Multipart) -> Result<String, StatusCode> {
    while let Some(mut field) = form.next_field().await.map_err(bad)? {
        if field.name() == Some(FILE) {
            let mut file = Vec::new();
            while let Some(piece) = field.chunk().await.map_err(bad)? {
                hold(&mut file, &piece).map_err(bad)?;
            }
            return spawn_blocking(move || save(&file)).await.map_err(bad)?.map_err(bad);
        }
    }
    Err(StatusCode::BAD_REQUEST)
}

async fn serve(flags: Flags) -> io::Result<()> {
    let app = Router::new()
        .route("/plaintext", get(plaintext))
        .route("/json", get(json))
        .route("/html", get(html))
        .route("/users/{id}/posts/{post}", get(params))
        .route("/api/users/{user}/records/{record}", put(api))
        .route("/echo", any(echo))
        .route("/multipart-count", post(count).layer(DefaultBodyLimit::disable()))
        .route("/upload", post(upload))
        .nest_service("/static", ServeDir::new(&flags.root));
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
