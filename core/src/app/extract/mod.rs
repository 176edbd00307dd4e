//! What a handler's arguments are made of.
//!
//! The rule: an argument says beforehand what it needs of the application and of the route, so that what can
//! never work is found when the application is built.

mod header;
mod last_event_id;
mod values;

use std::any::{TypeId, type_name};
use std::future::ready;

use bytes::Bytes;
use http::{HeaderMap, Method, Uri, Version};
use serde_core::de::DeserializeOwned;

pub use header::{FromHeader, Header};
pub use last_event_id::LastEventId;
pub(super) use values::rejection;
pub use values::{Cookies, Extension, Form, Query};

use super::deserialize::{Unfit, unfit};
use super::state::States;
use crate::error::{Error, Result};
use crate::message::{Body, Context, FormData, Multipart, Rejection, Request};
use crate::router::Params;

/// An argument that is made of the request without its body. Any argument of a handler may be one.
///
/// | argument | what it is | else |
/// |---|---|---|
/// | [`Path<T>`](super::Path) | the parameters of the path | 400, 404 |
/// | [`Query<T>`], [`Cookies`] | the query, the cookies | 400 |
/// | [`Header<T>`], `HeaderMap` | one field of the header, all of them | 400 |
/// | [`LastEventId`] | the last event that a client of [events](crate::Sse) has got | 400 |
/// | [`State<T>`](super::State), [`Extension<T>`] | what the application shares, what middleware attached | 500 |
/// | `Method`, `Uri`, `Version`, [`Params`], [`Context`] | what [`Request`] gives under these names | |
///
/// `Option<E>` is `None` where `E` would have failed, and needs nothing of the application; `Result<E>` hands
/// the failure to the handler, and so does `Result<E, Rejection>` one that is a [`Rejection`].
///
/// ```
/// use bakestone::app::{FromParts, States};
/// use bakestone::{Error, Request, Result, StatusCode};
///
/// struct Key(String);
///
/// impl FromParts for Key {
///     fn from_parts(request: &mut Request, _: &States) -> Result<Self> {
///         let key = request.headers().get("x-key").and_then(|key| key.to_str().ok());
///         key.map(|key| Key(key.to_owned()))
///             .ok_or_else(|| Error::new(StatusCode::UNAUTHORIZED, "the field x-key is needed"))
///     }
/// }
///
/// async fn open(key: Key) -> StatusCode {
///     if key.0 == "sesame" { StatusCode::OK } else { StatusCode::FORBIDDEN }
/// }
/// # let _ = bakestone::get(open);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made of a request without its body",
    label = "this is no argument for a handler, unless perhaps as its last",
    note = "implement `FromParts` for it; what takes the body (`Request`, `Bytes`, `String`, `Json<T>`, `Form<T>`, `FormData`, `Multipart`, `Body`) comes last"
)]
pub trait FromParts: Sized {
    /// Makes it of the request. The body is to be left where it is: it is the last argument's.
    ///
    /// # Errors
    ///
    /// What the client gets in place of the handler's response.
    fn from_parts(request: &mut Request, states: &States) -> Result<Self>;

    /// Says what it needs; nothing by default.
    fn requirements(requirements: &mut Requirements) {
        let _ = requirements;
    }
}

/// An argument that takes the request, body and all: the last one of a handler.
///
/// | argument | what it is | else |
/// |---|---|---|
/// | [`Request`], [`Body`] | the request, its body as it arrives | |
/// | `Bytes`, `String` | the whole body | 413, 400 |
/// | `Json<T>` | the whole body as JSON | 415, 413, 400 |
/// | [`Form<T>`], [`FormData`] | the whole body as a form, with its files | 415, 413, 400 |
/// | [`Multipart`] | a form part by part, as it arrives | 415, 413, 400 |
///
/// Everything that implements [`FromParts`] is one too. `M` only tells the cases apart; it is inferred, and an
/// implementation leaves it out.
///
/// ```
/// use bakestone::app::{FromRequest, States};
/// use bakestone::{Request, Result, Text};
///
/// struct Lines(Vec<String>);
///
/// impl FromRequest for Lines {
///     async fn from_request(mut request: Request, _: &States) -> Result<Self> {
///         Ok(Lines(request.text().await?.lines().map(str::to_owned).collect()))
///     }
/// }
///
/// async fn count(lines: Lines) -> Text<String> {
///     Text(lines.0.len().to_string())
/// }
/// # let _ = bakestone::post(count);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made of a request",
    label = "this is no argument for a handler",
    note = "a handler takes `Path<T>`, `Query<T>`, `State<T>`, `Header<T>`, `Method`, `Context` or what else implements `FromParts`, and as its last argument also what implements `FromRequest`; no argument is a reference",
    note = "the `T` of a `Path`, `Query`, `Form` or `Json` implements `serde::Deserialize`, and borrows nothing; that of a `State` is `Clone`; an `UploadedFile` comes out of a `FormData`, or is a field of the `T` of a `Form`"
)]
pub trait FromRequest<M = ViaRequest>: Sized {
    /// Makes it of the request.
    ///
    /// # Errors
    ///
    /// What the client gets in place of the handler's response.
    fn from_request(request: Request, states: &States) -> impl Future<Output = Result<Self>> + Send;

    /// Says what it needs; nothing by default.
    fn requirements(requirements: &mut Requirements) {
        let _ = requirements;
    }
}

/// Marks what takes the whole request.
#[derive(Debug)]
pub enum ViaRequest {}

/// Marks what leaves the body alone.
#[derive(Debug)]
pub enum ViaParts {}

#[diagnostic::do_not_recommend]
impl<T: FromParts + Send> FromRequest<ViaParts> for T {
    fn from_request(mut request: Request, states: &States) -> impl Future<Output = Result<Self>> + Send {
        ready(T::from_parts(&mut request, states))
    }

    fn requirements(requirements: &mut Requirements) {
        T::requirements(requirements);
    }
}

/// Says where a path with parameters of these names does not fit.
type Judge = fn(&[&str]) -> Option<Unfit>;

/// What a handler's arguments need of the application and of the route; looked at when it is built.
#[derive(Debug, Default)]
pub struct Requirements {
    pub(super) states: Vec<(TypeId, &'static str)>,
    params: usize,
    typed: Vec<Judge>,
}

impl Requirements {
    /// A state of type `T` is needed.
    pub fn state<T: Send + Sync + 'static>(&mut self) {
        let needed = (TypeId::of::<T>(), type_name::<T>());
        if !self.states.contains(&needed) {
            self.states.push(needed);
        }
    }

    /// Every path of the route must have `count` parameters at least.
    pub fn params(&mut self, count: usize) {
        self.params = self.params.max(count);
    }

    /// Every path of the route must have the parameters that a `T` takes: as [`Path`](super::Path) says.
    pub fn path<T: DeserializeOwned>(&mut self) {
        self.typed.push(unfit::<T>);
    }

    /// Where a path with parameters of these names does not fit.
    pub(super) fn of_path(&self, names: &[&str]) -> Vec<Unfit> {
        let counted = Some(Unfit::Needs(self.params)).filter(|_| names.len() < self.params);
        let mut unfit: Vec<Unfit> =
            self.typed.iter().filter_map(|judge| judge(names)).chain(counted).collect();
        unfit.dedup();
        unfit
    }
}

impl<T: FromParts> FromParts for Option<T> {
    fn from_parts(request: &mut Request, states: &States) -> Result<Self> {
        Ok(T::from_parts(request, states).ok())
    }
}

impl<T: FromParts> FromParts for Result<T, Error> {
    fn from_parts(request: &mut Request, states: &States) -> Result<Self> {
        Ok(T::from_parts(request, states))
    }

    fn requirements(requirements: &mut Requirements) {
        T::requirements(requirements);
    }
}

impl<T: FromParts> FromParts for Result<T, Rejection> {
    fn from_parts(request: &mut Request, states: &States) -> Result<Self> {
        T::from_parts(request, states).map_or_else(rejected, |value| Ok(Ok(value)))
    }

    fn requirements(requirements: &mut Requirements) {
        T::requirements(requirements);
    }
}

/// What is no rejection is not for the handler to judge.
fn rejected<T>(error: Error) -> Result<Result<T, Rejection>> {
    match error.downcast_ref::<Rejection>() {
        Some(rejection) => Ok(Err(rejection.clone())),
        None => Err(error),
    }
}

impl<T: FromRequest> FromRequest for Result<T, Rejection> {
    async fn from_request(request: Request, states: &States) -> Result<Self> {
        T::from_request(request, states).await.map_or_else(rejected, |value| Ok(Ok(value)))
    }

    fn requirements(requirements: &mut Requirements) {
        T::requirements(requirements);
    }
}

impl<T: FromRequest> FromRequest for Option<T> {
    async fn from_request(request: Request, states: &States) -> Result<Self> {
        Ok(T::from_request(request, states).await.ok())
    }
}

impl<T: FromRequest> FromRequest for Result<T, Error> {
    async fn from_request(request: Request, states: &States) -> Result<Self> {
        Ok(T::from_request(request, states).await)
    }

    fn requirements(requirements: &mut Requirements) {
        T::requirements(requirements);
    }
}

macro_rules! parts {
    ($($part:ty => |$request:ident| $value:expr),* $(,)?) => {$(
        impl FromParts for $part {
            fn from_parts($request: &mut Request, _: &States) -> Result<Self> {
                Ok($value)
            }
        }
    )*};
}

parts! {
    Method => |request| request.method().clone(),
    Uri => |request| request.uri().clone(),
    Version => |request| request.version(),
    HeaderMap => |request| request.headers().clone(),
    Params => |request| request.params().clone(),
    Context => |request| request.context().clone(),
}

impl FromRequest for Request {
    fn from_request(request: Request, _: &States) -> impl Future<Output = Result<Self>> + Send {
        ready(Ok(request))
    }
}

impl FromRequest for Body {
    fn from_request(request: Request, _: &States) -> impl Future<Output = Result<Self>> + Send {
        ready(Ok(request.into_body()))
    }
}

impl FromRequest for Bytes {
    /// The whole body; see [`Request::bytes`].
    async fn from_request(mut request: Request, _: &States) -> Result<Self> {
        Ok(request.bytes().await?)
    }
}

impl FromRequest for String {
    /// The whole body as text; see [`Request::text`].
    async fn from_request(request: Request, _: &States) -> Result<Self> {
        Ok(request.into_text().await?)
    }
}

impl FromRequest for FormData {
    /// The body as a form, with its files; see [`Request::form`].
    async fn from_request(mut request: Request, _: &States) -> Result<Self> {
        request.form().await
    }
}

impl FromRequest for Multipart {
    /// The parts of the body as they arrive; see [`Request::multipart`].
    fn from_request(mut request: Request, _: &States) -> impl Future<Output = Result<Self>> + Send {
        ready(request.multipart())
    }
}
