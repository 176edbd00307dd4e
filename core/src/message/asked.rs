//! What is left of a request once the handler has it.
//!
//! The rule: it is noted once, before the handler is called, and only what the rendering of an error needs.

use http::header::ACCEPT;
use http::{HeaderMap, Method, Uri};

use crate::h1::{FieldSection, ReceivedRequest};

/// What a request asked for: enough to render an error in the form that its client reads.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Asked {
    /// The method.
    pub method: Method,
    /// The target, as it was sent.
    pub uri: Uri,
    /// With the `Accept` fields, if no others.
    headers: FieldSection,
}

impl Asked {
    /// A note of a request with this method, target and header fields.
    pub fn new(method: &Method, uri: &Uri, headers: &HeaderMap) -> Self {
        let accept = headers.get_all(ACCEPT).into_iter().map(|value| (ACCEPT, value.clone()));
        let headers = FieldSection::from(HeaderMap::from_iter(accept));
        Self { method: method.clone(), uri: uri.clone(), headers }
    }

    pub(crate) fn of(head: &ReceivedRequest) -> Self {
        Self { method: head.method.clone(), uri: head.uri.clone(), headers: head.headers.clone() }
    }

    /// The `Accept` fields (RFC 9110, section 12.5.1): several are one list (section 5.3). `None` if there is none, or
    /// it is no text.
    pub fn accept(&self) -> Option<String> {
        self.headers.list(&ACCEPT)
    }
}
