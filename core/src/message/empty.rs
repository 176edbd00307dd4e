//! The response without content.

use http::StatusCode;

use crate::error::Result;
use crate::message::{IntoResponse, Response};

/// 204 No Content (RFC 9110, section 15.3.5): it is done, and there is nothing to tell. `()` is JSON's `null`, with 200.
///
/// ```
/// use bakestone::{IntoResponse, StatusCode};
/// use bakestone::message::Empty;
///
/// let response = Empty.into_response().unwrap();
/// assert_eq!(response.status, StatusCode::NO_CONTENT);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Empty;

impl IntoResponse for Empty {
    fn into_response(self) -> Result<Response> {
        Ok(Response::empty(StatusCode::NO_CONTENT))
    }
}
