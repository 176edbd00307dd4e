//! What a client does about a redirect.
//!
//! The rule: the method and the content go on as browsers let them (Fetch Standard, section 4.4, "HTTP-redirect fetch"; RFC
//! 9110, section 15.4). What is for one origin is not told to another; and a redirect to a server that is not the test's is
//! the response.
//!
//! | status | method | content |
//! |---|---|---|
//! | 301, 302 | GET in place of POST, else as it is | goes with the method |
//! | 303 | GET; HEAD stays | none where the method changes |
//! | 307, 308 | as it is | as it is; what was streamed is gone, and then the redirect is the response |

use bakestone::header::HeaderName;
use bakestone::machine::Address;
use bakestone::{Bytes, HeaderMap, Method, StatusCode, header};

use super::Client;
use super::request::ClientRequest;
use super::response::ClientResponse;
use super::url::Url;

/// What is needed to send a request once more.
pub(super) struct Plan {
    pub(super) client: Client,
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    pub(super) without: Vec<HeaderName>,
    pub(super) cookies: Vec<(String, String)>,
    /// The content, where it is still there.
    pub(super) body: Option<Bytes>,
    pub(super) peer: Option<Address>,
    /// How many more redirects are followed.
    pub(super) redirects: usize,
    pub(super) read_ahead: usize,
    /// Where redirects came from.
    pub(super) history: Vec<Url>,
}

impl Plan {
    /// The request that `response` leads to, if it is to be followed.
    pub(super) fn follow(&mut self, response: &ClientResponse) -> Option<ClientRequest> {
        let location = response.headers.get(header::LOCATION)?;
        let from = response.url();
        let to = from.resolve(&String::from_utf8_lossy(location.as_bytes()))?;
        let method = self.method_after(response.status)?;
        let is_served = to.host() == from.host() || to.host() == self.client.base_url().host();
        if self.redirects == 0 || !is_served {
            return None;
        }
        if method == self.method {
            self.body.as_ref()?;
        } else {
            self.forget_content();
        }
        if to.origin() != from.origin() {
            self.headers.remove(header::AUTHORIZATION);
            self.headers.remove(header::PROXY_AUTHORIZATION);
            self.headers.remove(header::COOKIE);
            self.headers.remove(header::HOST);
            self.cookies.clear();
        }
        self.redirects -= 1;
        self.history.push(from.clone());
        self.method = method.clone();
        Some(ClientRequest::redirected(self, method, to, response.timeout()))
    }

    fn forget_content(&mut self) {
        self.body = Some(Bytes::new());
        let named = [
            header::CONTENT_ENCODING,
            header::CONTENT_LANGUAGE,
            header::CONTENT_LOCATION,
            header::CONTENT_TYPE,
        ];
        for name in named.iter().chain([&header::CONTENT_LENGTH, &header::EXPECT]) {
            self.headers.remove(name);
        }
    }

    fn method_after(&self, status: StatusCode) -> Option<Method> {
        match status.as_u16() {
            301 | 302 if self.method == Method::POST => Some(Method::GET),
            303 if self.method != Method::HEAD => Some(Method::GET),
            301 | 302 | 303 | 307 | 308 => Some(self.method.clone()),
            _ => None,
        }
    }
}
