//! ntex on its own runtime, with one worker.
//!
//! The rule: what its documentation shows, with extractors.

use std::io;

use bakestone_bench_servers::forms::{self, FILE, hold, save};
use bakestone_bench_servers::{BACKLOG, Flags, HELLO, IDLE, PAGE, message, record, seconds, user_post};
use futures_util::TryStreamExt;
use ntex::SharedCfg;
use ntex::http::HttpServiceConfig;
use ntex::http::header::{AUTHORIZATION, CONTENT_TYPE};
use ntex::time::Seconds;
use ntex::web::error::ErrorBadRequest;
use ntex::web::types::{Json, Path, Payload, Query};
use ntex::web::{self, App, Error, HttpRequest, HttpResponse};
use ntex_files::Files;
use ntex_multipart::{Multipart, MultipartError};
use serde_json::Value;

async fn plaintext() -> &'static str {
    HELLO
}

async fn json() -> HttpResponse {
    HttpResponse::Ok().json(&message())
}

async fn html() -> HttpResponse {
    HttpResponse::Ok().header("x-time", seconds()).content_type("text/html; charset=utf-8").body(PAGE)
}

async fn params(path: Path<(String, String)>) -> String {
    user_post(&path.0, &path.1)
}

async fn api(
    path: Path<(u64, u64)>,
    query: Query<Vec<(String, String)>>,
    request: HttpRequest,
    data: Json<Value>,
) -> HttpResponse {
    if !request.headers().contains_key(AUTHORIZATION) {
        return HttpResponse::Unauthorized().finish();
    }
    HttpResponse::Ok().json(&record(path.into_inner(), query.into_inner(), &data))
}

async fn echo(request: HttpRequest, body: Payload) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    if let Some(media_type) = request.headers().get(CONTENT_TYPE) {
        response.header(CONTENT_TYPE, media_type);
    }
    response.streaming(body)
}

/// Whatever went wrong was the client's.
fn bad(error: impl std::fmt::Display + std::fmt::Debug + 'static) -> Error {
    ErrorBadRequest(error).into()
}

async fn count(mut form: Multipart) -> Result<HttpResponse, MultipartError> {
    let mut parts = Vec::new();
    while let Some(mut field) = form.try_next().await? {
        let mut size = 0;
        while let Some(piece) = field.try_next().await? {
            size += piece.len();
        }
        let filename = field.content_disposition().and_then(|disposition| disposition.get_filename());
        let media_type = field.content_type().map(AsRef::as_ref);
        parts.push(forms::part(field.name(), filename, media_type, size));
    }
    Ok(HttpResponse::Ok().json(&forms::parts(parts)))
}

async fn upload(mut form: Multipart) -> Result<String, Error> {
    while let Some(mut field) = form.try_next().await.map_err(bad)? {
        if field.name() == Some(FILE) {
            let mut file = Vec::new();
            while let Some(piece) = field.try_next().await.map_err(bad)? {
                hold(&mut file, &piece).map_err(bad)?;
            }
            return web::block(move || save(&file)).await.map_err(bad);
        }
    }
    Err(bad("no file"))
}

fn main() -> io::Result<()> {
    let flags = Flags::from_arguments();
    let root = flags.root;
    let app = async move || {
        App::new()
            .route("/plaintext", web::get().to(plaintext))
            .route("/json", web::get().to(json))
            .route("/html", web::get().to(html))
            .route("/users/{id}/posts/{post}", web::get().to(params))
            .route("/api/users/{user}/records/{record}", web::put().to(api))
            .route("/echo", web::to(echo))
            .route("/multipart-count", web::post().to(count))
            .route("/upload", web::post().to(upload))
            .service(Files::new("/static", &root))
    };
    let http = HttpServiceConfig::new().set_keepalive(Seconds(IDLE.as_secs() as u16));
    let config = SharedCfg::new("bench").add(http);
    let serve = async move {
        web::server(app)
            .config(config)
            .workers(1)
            .backlog(BACKLOG.cast_signed())
            .bind(flags.address)?
            .run()
            .await
    };
    ntex::rt::System::new("bench", ntex::rt::DefaultRuntime).block_on(serve)
}
