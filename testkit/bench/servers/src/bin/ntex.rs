//! ntex on its own runtime, with one worker.
//!
//! The rule: what its documentation shows, with extractors.

use std::io;

use bakestone_bench_servers::{BACKLOG, Flags, HELLO, PAGE, message, record, seconds, user_post};
use ntex::http::header::{AUTHORIZATION, CONTENT_TYPE};
use ntex::web::types::{Json, Path, Payload, Query};
use ntex::web::{self, App, HttpRequest, HttpResponse};
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

fn main() -> io::Result<()> {
    let flags = Flags::from_arguments();
    let app = async || {
        App::new()
            .route("/plaintext", web::get().to(plaintext))
            .route("/json", web::get().to(json))
            .route("/html", web::get().to(html))
            .route("/users/{id}/posts/{post}", web::get().to(params))
            .route("/api/users/{user}/records/{record}", web::put().to(api))
            .route("/echo", web::to(echo))
    };
    let serve = async move {
        web::server(app).workers(1).backlog(BACKLOG.cast_signed()).bind(flags.address)?.run().await
    };
    ntex::rt::System::new("bench", ntex::rt::DefaultRuntime).block_on(serve)
}
