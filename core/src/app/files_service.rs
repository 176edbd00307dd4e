//! Static files without an application.
//!
//! The rule: what is no file is somebody else's, whole and unread: the service behind gets the request as it came.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::header::ALLOW;
use http::{HeaderValue, Method, StatusCode};

use super::static_files::StaticFiles;
use super::static_path::decode;
use crate::error::{Error, Result};
use crate::message::{Asked, IntoResponse, Request, Response};
use crate::session::{Answer, IntoService, Service};

/// A [`Service`] that answers with a file where there is one below its prefix, and hands every other request to the
/// service behind it. [`StaticFiles::or`] makes it.
#[derive(Debug)]
pub struct FilesService<S> {
    files: Arc<StaticFiles>,
    /// Segments with `/` between them; empty if all paths are below it.
    prefix: String,
    behind: Arc<S>,
}

impl StaticFiles {
    /// The files as a service, below `prefix`, which matches whole segments as they read decoded, with or without a `/` at
    /// its start and end; and what answers where there is no file: on other paths, to other methods than `GET` and
    /// `HEAD`, and where an application would say 404.
    ///
    /// ```
    /// use bakestone::app::StaticFiles;
    /// use bakestone::{Request, StatusCode};
    ///
    /// let service = StaticFiles::folder("public").or("/static", |_: Request| StatusCode::NOT_FOUND);
    /// # let _ = service;
    /// ```
    pub fn or<M, S: IntoService<M>>(self, prefix: impl AsRef<str>, behind: S) -> FilesService<S::Service> {
        let prefix = prefix.as_ref();
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let prefix = prefix.strip_prefix('/').unwrap_or(prefix).to_owned();
        FilesService { files: Arc::new(self), prefix, behind: Arc::new(behind.into_service()) }
    }
}

/// What of `path` names a file below `prefix`, if it leads there: nothing if it is the prefix itself.
fn below<'a>(path: &'a str, prefix: &str) -> Option<Option<&'a str>> {
    let mut rest = path;
    for wanted in prefix.split_terminator('/') {
        let segments = rest.strip_prefix('/')?;
        let (segment, behind) = segments.split_at(segments.find('/').unwrap_or(segments.len()));
        if decode(segment)? != wanted {
            return None;
        }
        rest = behind;
    }
    match rest {
        "" => Some(None),
        rest => rest.strip_prefix('/').map(Some),
    }
}

fn reads(request: &Request) -> bool {
    request.method() == Method::GET || request.method() == Method::HEAD
}

/// What is left to do for a request.
#[allow(clippy::large_enum_variant, reason = "it is matched where it is made, and never stored")]
enum Outcome {
    Answered(Result<Response>),
    /// It is for the service behind.
    Passed(Request),
}

impl<S: Service> Service for FilesService<S> {
    type Response = Result<Response>;
    type Future = FilesOr<S>;

    fn call(&self, request: Request) -> FilesOr<S> {
        if !reads(&request) || below(request.raw_path(), &self.prefix).is_none() {
            return FilesOr(Way::Behind(Box::pin(self.behind.call(request))));
        }
        let (files, prefix) = (self.files.clone(), self.prefix.clone());
        let looking = async move {
            let raw = below(request.raw_path(), &prefix).flatten();
            match files.answer(&request, raw).await {
                Err(error) if error.status() == StatusCode::NOT_FOUND => Outcome::Passed(request),
                answered => Outcome::Answered(answered),
            }
        };
        FilesOr(Way::Looking(Box::pin(looking), self.behind.clone()))
    }

    fn fail(&self, error: Error, asked: Option<&Asked>) -> Answer<FilesOr<S>> {
        match self.behind.fail(error, asked) {
            Answer::Ready(response) => Answer::Ready(response),
            Answer::Future(future) => Answer::Future(FilesOr(Way::Behind(Box::pin(future)))),
        }
    }
}

/// The response of a [`FilesService`], on its way.
#[must_use = "it does nothing unless it is polled"]
pub struct FilesOr<S: Service>(Way<S>);

enum Way<S: Service> {
    Looking(Pin<Box<dyn Future<Output = Outcome> + Send>>, Arc<S>),
    Behind(Pin<Box<S::Future>>),
}

impl<S: Service> Future for FilesOr<S> {
    type Output = Result<Response>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Response>> {
        if let Way::Looking(looking, behind) = &mut self.0 {
            match ready!(looking.as_mut().poll(cx)) {
                Outcome::Answered(answer) => return Poll::Ready(answer),
                Outcome::Passed(request) => {
                    let future = Box::pin(behind.call(request));
                    self.0 = Way::Behind(future);
                }
            }
        }
        match &mut self.0 {
            Way::Behind(future) => future.as_mut().poll(cx).map(IntoResponse::into_response),
            Way::Looking(..) => Poll::Pending,
        }
    }
}

impl<S: Service> fmt::Debug for FilesOr<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Way::Looking(..) => "FilesOr(files)",
            Way::Behind(_) => "FilesOr(behind)",
        })
    }
}

impl Service for StaticFiles {
    type Response = Result<Response>;
    type Future = Pin<Box<dyn Future<Output = Result<Response>> + Send>>;

    /// The path names a file from its root on; other methods than `GET` and `HEAD` are 405.
    fn call(&self, request: Request) -> Self::Future {
        if !reads(&request) {
            let error = Error::from_status(StatusCode::METHOD_NOT_ALLOWED);
            let error = error.with_header(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return Box::pin(std::future::ready(Err(error)));
        }
        let files = self.clone();
        Box::pin(async move {
            let raw = below(request.raw_path(), "").flatten();
            files.answer(&request, raw).await
        })
    }
}
