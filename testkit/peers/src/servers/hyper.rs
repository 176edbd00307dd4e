//! hyper, as its guide sets up a server for HTTP/1.1.

use std::convert::Infallible;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use super::handlers::{self, Outgoing};

pub(super) async fn serve(listener: TcpListener) -> std::io::Result<()> {
    loop {
        let (socket, _) = listener.accept().await?;
        tokio::spawn(async move {
            // What goes wrong on a connection is seen by its client.
            let _ = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(socket), service_fn(answer))
                .with_upgrades()
                .await;
        });
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Outgoing>, Infallible> {
    Ok(match request.uri().path() {
        "/fields" => handlers::fields(request).await,
        "/unread" => handlers::unread(request).await,
        "/early" => handlers::early(request).await,
        "/written" => handlers::written(request).await,
        "/back" => handlers::back(request).await,
        "/split" => handlers::split(request).await,
        "/close" => handlers::close(request).await,
        "/stream" => handlers::streamed(request).await,
        "/short" => handlers::short(request).await,
        "/long" => handlers::long(request).await,
        "/trailers" => handlers::trailers(request).await,
        "/upgrade" => handlers::upgrade(request).await,
        path if path.starts_with("/status/") => handlers::status(request).await,
        _ => handlers::understood(request).await,
    })
}
