//! How an error looks to its client.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::message::{Asked, Response};

/// The response for an error that no handler renders.
pub(super) fn render(error: Arc<Error>, _asked: Option<&Asked>, _debug: bool) -> Response {
    let response = error.to_response();
    note(error, response)
}

/// The response for an error that a handler rendered: it keeps the error's status unless it sets one, and the
/// fields that go with it. A handler that fails gives way to a bare 500.
pub(super) fn finish(error: Arc<Error>, rendered: Result<Response>) -> Response {
    let Ok(mut response) = rendered else {
        return note(error, Error::internal().to_response());
    };
    if response.status == http::StatusCode::OK {
        response.status = error.status();
    }
    for name in error.headers().keys() {
        if !response.headers.contains_key(name) {
            for value in error.headers().get_all(name) {
                response.headers.append(name, value.clone());
            }
        }
    }
    note(error, response)
}

/// Leaves the error where middleware, and tests, find it.
fn note(error: Arc<Error>, mut response: Response) -> Response {
    response.extensions.insert(error);
    response
}
