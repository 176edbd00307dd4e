//! axum, with its own `serve`.

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use tokio::net::TcpListener;

use super::handlers;

pub(super) async fn serve(listener: TcpListener) -> std::io::Result<()> {
    let app = Router::new()
        .route("/fields", get(handlers::fields::<Body>))
        .route("/unread", get(handlers::unread::<Body>).post(handlers::unread::<Body>))
        .route("/early", post(handlers::early::<Body>))
        .route("/written", post(handlers::written::<Body>))
        .route("/back", post(handlers::back::<Body>))
        .route("/status/{code}", get(handlers::status::<Body>))
        .route("/split", get(handlers::split::<Body>))
        .route("/close", get(handlers::close::<Body>))
        .route("/stream", get(handlers::streamed::<Body>))
        .route("/short", get(handlers::short::<Body>))
        .route("/long", get(handlers::long::<Body>))
        .route("/trailers", get(handlers::trailers::<Body>))
        .route("/upgrade", get(handlers::upgrade::<Body>).post(handlers::upgrade::<Body>))
        .fallback(handlers::understood::<Body>);
    axum::serve(listener, app).await
}
