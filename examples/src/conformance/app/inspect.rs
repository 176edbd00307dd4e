//! The row that tells all that was understood of a request.

use bakestone::{Json, Request, Result, Version};
use serde_json::{Value, json};

use super::forms::Checksum;
use crate::profiles::pairs;

pub(super) async fn inspect(mut request: Request) -> Result<Json<Value>> {
    let mut checksum = Checksum::default();
    while let Some(piece) = request.chunk().await? {
        checksum.add(&piece);
    }
    let trailers = request.body().trailers().unwrap_or_default();
    let (length, digest) = checksum.finish();
    let version = match request.version() {
        Version::HTTP_10 => "1.0",
        _ => "1.1",
    };
    Ok(Json(json!({
        "method": request.method().as_str(),
        "path": request.path(),
        "raw_path": request.raw_path(),
        "raw_query": request.raw_query(),
        "query": request.query(),
        "headers": pairs(request.headers()),
        "cookies": request.cookies(),
        "http_version": version,
        "scheme": request.scheme(),
        "host": request.host(),
        "content_type": request.content_type(),
        "charset": request.charset(),
        "body_length": length,
        "body_sha256": digest,
        "trailers": pairs(&trailers),
    })))
}
