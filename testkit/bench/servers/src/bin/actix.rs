//! actix-web, with one worker.
//!
//! The rule: what its documentation shows, with extractors.

use std::io;

use actix_files::Files;
use actix_multipart::Multipart;
use actix_web::error::{Error, ErrorBadRequest};
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, ContentType};
use actix_web::web::{self, Bytes, Json, Path, PayloadConfig, Query};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use bakestone_bench_servers::forms::{self, FILE, hold, save};
use bakestone_bench_servers::{BACKLOG, Flags, HELLO, IDLE, PAGE, message, record, seconds, user_post};
use futures_util::TryStreamExt;
use serde_json::Value;

/// The longest body that is read.
const LIMIT: usize = 16 << 20;

async fn plaintext() -> &'static str {
    HELLO
}

async fn json() -> HttpResponse {
    HttpResponse::Ok().json(message())
}

async fn html() -> HttpResponse {
    HttpResponse::Ok().insert_header(("x-time", seconds())).content_type(ContentType::html()).body(PAGE)
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
    HttpResponse::Ok().json(record(path.into_inner(), query.into_inner(), &data))
}

/// The body is read whole: a connection whose body were sent back as it comes would be closed behind the answer.
async fn echo(request: HttpRequest, body: Bytes) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    if let Some(media_type) = request.headers().get(CONTENT_TYPE) {
        response.insert_header((CONTENT_TYPE, media_type));
    }
    response.body(body)
}

async fn count(mut form: Multipart) -> Result<Json<Value>, Error> {
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
    Ok(Json(forms::parts(parts)))
}

async fn upload(mut form: Multipart) -> Result<String, Error> {
    while let Some(mut field) = form.try_next().await? {
        if field.name() == Some(FILE) {
            let mut file = Vec::new();
            while let Some(piece) = field.try_next().await? {
                hold(&mut file, &piece)?;
            }
            return Ok(web::block(move || save(&file)).await??);
        }
    }
    Err(ErrorBadRequest("no file"))
}

fn main() -> io::Result<()> {
    let flags = Flags::from_arguments();
    let root = flags.root;
    let app = move || {
        App::new()
            .app_data(PayloadConfig::new(LIMIT))
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
    let server = HttpServer::new(app).workers(1).backlog(BACKLOG).tcp_nodelay(true).keep_alive(IDLE);
    let server = server.bind(flags.address)?;
    actix_web::rt::System::new().block_on(server.run())
}
