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
    /// The `Accept` fields (RFC 9110, section 12.5.1), joined.
    pub accept: Option<HeaderValue>,
}

impl Asked {
    /// A note of a request with this method, target and header fields.
    pub fn new(method: &Method, uri: &Uri, headers: &HeaderMap) -> Self {
        Self { method: method.clone(), uri: uri.clone(), accept: joined(headers) }
    }
}

/// Several fields of the name are one list (RFC 9110, section 5.3); mostly there is one.
fn joined(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut fields = headers.get_all(ACCEPT).iter();
    let first = fields.next()?;
    let Some(second) = fields.next() else { return Some(first.clone()) };
    let all: Vec<&[u8]> = [first, second].into_iter().chain(fields).map(HeaderValue::as_bytes).collect();
    HeaderValue::from_bytes(&all.join(&b", "[..])).ok()
}
