//! actix-web, with its own server. It tells a handler nothing of trailers, sends none, and switches to no protocol
//! but WebSocket.

use std::convert::Infallible;
use std::net::TcpListener;

use actix_web::body::SizedStream;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderMap, HeaderValue, LOCATION};
use actix_web::web::{self, Bytes, Payload, PayloadConfig};
use actix_web::{App, FromRequest, HttpRequest, HttpResponse, HttpServer};
use futures_util::{Stream, StreamExt, stream};

use super::service;

pub(super) fn serve(listener: TcpListener) -> std::io::Result<()> {
    let app = || {
        App::new()
            .app_data(PayloadConfig::new(service::BUFFERED))
            .route("/fields", web::to(fields))
            .route("/unread", web::to(unread))
            .route("/early", web::to(early))
            .route("/written", web::to(written))
            .route("/back", web::to(back))
            .route("/status/{code}", web::to(status))
            .route("/split", web::to(split))
            .route("/close", web::to(close))
            .route("/stream", web::to(streamed))
            .route("/short", web::to(short))
            .route("/long", web::to(long))
            .route("/trailers", web::to(trailers))
            .default_service(web::to(any))
    };
    let server = HttpServer::new(app).workers(2).disable_signals().listen(listener)?;
    actix_web::rt::System::new().block_on(server.run())
}

fn lines(map: &HeaderMap) -> impl Iterator<Item = (&str, &[u8])> {
    map.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
}

fn pieces(pieces: &'static [&'static str]) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::iter(pieces).map(|piece| Ok(Bytes::from_static(piece.as_bytes())))
}

/// Any path without a handler of its own.
async fn any(request: HttpRequest, payload: Payload) -> actix_web::Result<HttpResponse> {
    if let Some(status) = service::turned_away(request.method().as_str()) {
        let status = StatusCode::from_u16(status).unwrap_or_default();
        return Ok(HttpResponse::build(status).insert_header((ALLOW, service::ALLOWED)).finish());
    }
    let content = Bytes::from_request(&request, &mut payload.into_inner()).await?;
    let target = request.uri().to_string();
    let text = service::understood(request.method().as_str(), &target, &content, std::iter::empty());
    Ok(HttpResponse::Ok().body(text))
}

async fn fields(request: HttpRequest) -> String {
    service::fields(lines(request.headers()))
}

async fn unread(request: HttpRequest) -> String {
    format!("{} unread", request.uri())
}

/// Answers at once, and reads the content afterwards.
async fn early(mut payload: Payload) -> HttpResponse {
    actix_web::rt::spawn(async move { while payload.next().await.is_some() {} });
    HttpResponse::Ok().streaming(pieces(&["early"]))
}

async fn written() -> HttpResponse {
    HttpResponse::Ok().streaming(pieces(&["written"]))
}

async fn back(payload: Payload) -> HttpResponse {
    HttpResponse::Ok().streaming(payload)
}

async fn status(request: HttpRequest) -> HttpResponse {
    let code = request.match_info().get("code").unwrap_or_default();
    match StatusCode::from_bytes(&service::decoded(code)) {
        Ok(status) => HttpResponse::build(status).body("some content"),
        Err(_) => HttpResponse::InternalServerError().body("no status"),
    }
}

async fn split(request: HttpRequest) -> HttpResponse {
    match HeaderValue::from_bytes(&service::decoded(request.query_string())) {
        Ok(value) => HttpResponse::Ok().insert_header((LOCATION, value)).body("whole"),
        Err(_) => HttpResponse::InternalServerError().body("no value"),
    }
}

async fn close() -> HttpResponse {
    HttpResponse::Ok().force_close().body("bye")
}

async fn streamed() -> HttpResponse {
    HttpResponse::Ok().streaming(pieces(&["one", "", "two"]))
}

/// Announces 10 bytes, and sends four.
async fn short() -> HttpResponse {
    HttpResponse::Ok().body(SizedStream::new(10, pieces(&["four"])))
}

/// Announces 3 bytes, and sends four.
async fn long() -> HttpResponse {
    HttpResponse::Ok().body(SizedStream::new(3, pieces(&["four"])))
}

async fn trailers() -> HttpResponse {
    HttpResponse::Ok().streaming(pieces(&["sum"]))
}
