//! What is left of a request once the handler has it.
//!
//! The rule: it is noted once, before the handler is called, and only what the rendering of an error needs.

use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue, Method, Uri};

/// What a request asked for: enough to render an error in the form that its client reads.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Asked {
    /// The method.
    pub method: Method,
    /// The target, as it was sent.
    pub uri: Uri,
    /// The first `Accept` field (RFC 9110, section 12.5.1).
    pub accept: Option<HeaderValue>,
}

impl Asked {
    /// A note of a request with this method, target and header fields.
    pub fn new(method: &Method, uri: &Uri, headers: &HeaderMap) -> Self {
        Self { method: method.clone(), uri: uri.clone(), accept: headers.get(ACCEPT).cloned() }
    }
}
