//! A service that does whatever a handler can do.

use std::time::Duration;

use bakestone::{
    Body, Error, HeaderMap, HeaderValue, IntoResponse, Request, Response, Result, StatusCode, header,
};

/// One handler for every kind of exchange; the path says which.
pub(crate) async fn every(mut request: Request) -> Result<Response> {
    let context = request.context().clone();
    match request.raw_path() {
        "/buffer" => Ok(Response::new(request.bytes().await?.len().to_string())),
        "/echo" => Ok(Response::new(request.into_body())),
        "/sleep" => {
            context.sleep(Duration::from_secs(3)).await;
            Ok(Response::new("slept"))
        }
        "/endless" => Ok(Response::new(Body::from_fn(|_| {
            std::task::Poll::Ready(Some(Ok(bakestone::Bytes::from_static(&[b'x'; 5000]))))
        }))),
        "/write" => {
            let mut response = request.respond(StatusCode::OK, HeaderMap::new())?;
            for piece in 0..5 {
                response.write(format!("piece {piece}\n")).await?;
                context.sleep(Duration::from_millis(10)).await;
            }
            response.finish().await?.into_response()
        }
        "/abandon" => {
            let mut response = request.respond(StatusCode::OK, HeaderMap::new())?;
            response.write("half").await?;
            context.sleep(Duration::from_millis(10)).await;
            Err(Error::internal())
        }
        "/upgrade" => {
            let mut headers = HeaderMap::new();
            headers.insert(header::UPGRADE, HeaderValue::from_static("echo"));
            let mut tunnel = request.respond(StatusCode::SWITCHING_PROTOCOLS, headers)?;
            while let Some(data) = request.chunk().await? {
                tunnel.write(data).await?;
            }
            tunnel.finish().await?.into_response()
        }
        "/panic" => panic!("on purpose"),
        "/drain" => {
            context.draining().await;
            Ok(Response::new("drained"))
        }
        "/blocking" => Ok(Response::new(context.blocking(|| "done").await?)),
        _ => Ok(Response::new("hello")),
    }
}
