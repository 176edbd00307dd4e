//! actix-web, with one worker.
//!
//! The rule: what its documentation shows, with extractors.

use std::io;

use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, ContentType};
use actix_web::web::{self, Bytes, Json, Path, PayloadConfig, Query};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use bakestone_bench_servers::{BACKLOG, Flags, HELLO, PAGE, message, record, seconds, user_post};
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

fn main() -> io::Result<()> {
    let flags = Flags::from_arguments();
    let app = || {
        App::new()
            .app_data(PayloadConfig::new(LIMIT))
            .route("/plaintext", web::get().to(plaintext))
            .route("/json", web::get().to(json))
            .route("/html", web::get().to(html))
            .route("/users/{id}/posts/{post}", web::get().to(params))
            .route("/api/users/{user}/records/{record}", web::put().to(api))
            .route("/echo", web::to(echo))
    };
    let server = HttpServer::new(app).workers(1).backlog(BACKLOG).tcp_nodelay(true).bind(flags.address)?;
    actix_web::rt::System::new().block_on(server.run())
}
