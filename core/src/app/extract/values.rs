//! Queries, forms and cookies as arguments.

use std::any::type_name;

use serde_core::de::DeserializeOwned;

use super::{FromParts, FromRequest};
use crate::app::deserialize::{self, Misfit, Problem};
use crate::app::state::States;
use crate::error::{Error, Result};
use crate::message::{FormData, MultiMap, Reason, Rejection, Request};

/// The query, as a type of the application's own.
///
/// `T` is a struct whose fields are the names, a map, a sequence of pairs, or [`MultiMap`], which takes
/// everything. Of a field:
///
/// | type | value |
/// |---|---|
/// | numbers, `char` | its text; of floating-point numbers only finite ones |
/// | `bool` | `true`, `on`, `1`, `yes`; `false`, `off`, `0`, `no` |
/// | `String` | any, the empty one too |
/// | an enum without values | the name of a variant |
/// | `Option<T>` | `None` where there is none, and where it is empty |
/// | `Vec<T>` | all values of the name; any other type takes a name that occurs once |
///
/// A field that is not there is refused unless it is an `Option` or has a `#[serde(default)]`. That holds for
/// `bool` and `Vec` too: a checkbox that is not ticked sends nothing. `#[serde(flatten)]` is not supported.
///
/// What does not fit is 400, and the text names the field and what it must be: a [`Rejection`].
///
/// ```
/// use bakestone::{Query, Text, get};
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Search {
///     q: String,
///     page: Option<u32>,
///     #[serde(default)]
///     kind: Vec<String>,
/// }
///
/// async fn search(Query(search): Query<Search>) -> Text<String> {
///     Text(format!("{}, page {}, {:?}", search.q, search.page.unwrap_or(1), search.kind))
/// }
/// # let _ = get(search);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromParts for Query<T> {
    fn from_parts(request: &mut Request, _: &States) -> Result<Self> {
        let value = deserialize::from_fields(&request.query());
        value.map(Self).map_err(|misfit| rejection::<Self>("query", misfit).into())
    }
}

/// The body as a form, `application/x-www-form-urlencoded` or `multipart/form-data`, as a type of the application's own:
/// as [`Query`] says. A field of a struct may be an [`UploadedFile`](crate::UploadedFile), and an `Option` or a `Vec` of
/// them; a map or a sequence takes no files. An input for a file that was left empty counts as none.
///
/// Another content type, or none, is 415; more fields or bytes than the limits allow are 413: as
/// [`Request::form`] says. [`FormData`](crate::FormData) needs no type.
///
/// ```
/// use bakestone::{Form, StatusCode, UploadedFile, post};
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct SignUp {
///     name: String,
///     #[serde(default)]
///     newsletter: bool,
///     portrait: Option<UploadedFile>,
/// }
///
/// async fn sign_up(Form(form): Form<SignUp>) -> StatusCode {
///     let size = form.portrait.map_or(0, |portrait| portrait.size());
///     if form.name.is_empty() || size > 100_000 { StatusCode::BAD_REQUEST } else { StatusCode::CREATED }
/// }
/// # let _ = post(sign_up);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Form<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Form<T> {
    async fn from_request(mut request: Request, _: &States) -> Result<Self> {
        request.form().await?.into_type().map(Self)
    }
}

impl FormData {
    /// The form as a type of the application's own: as [`Form<T>`](crate::Form) is, for a form that was read with
    /// options.
    ///
    /// # Errors
    ///
    /// A [`Rejection`](crate::Rejection) (400) that names the field and what it must be.
    pub fn into_type<T: DeserializeOwned>(self) -> Result<T> {
        deserialize::from_form(self).map_err(|misfit| rejection::<Form<T>>("form", misfit).into())
    }
}

/// The cookies of the request; see [`Request::cookies`].
///
/// ```
/// use bakestone::{Cookies, Text, get};
///
/// async fn who(Cookies(cookies): Cookies) -> Text<String> {
///     Text(cookies.get("session").unwrap_or("nobody").to_owned())
/// }
/// # let _ = get(who);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cookies(pub MultiMap);

impl FromParts for Cookies {
    fn from_parts(request: &mut Request, _: &States) -> Result<Self> {
        Ok(Self(request.cookies()))
    }
}

/// A value that middleware attached to the request: one of its [extensions](Request::extensions).
///
/// Without it the answer is 500, and the cause names the type; as `Option<Extension<T>>` it may be missing.
///
/// ```
/// use bakestone::{Extension, Text, get};
///
/// #[derive(Clone)]
/// struct User(String);
///
/// async fn me(Extension(user): Extension<User>) -> Text<String> {
///     Text(user.0)
/// }
/// # let _ = get(me);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extension<T>(pub T);

impl<T: Clone + Send + Sync + 'static> FromParts for Extension<T> {
    fn from_parts(request: &mut Request, _: &States) -> Result<Self> {
        request.extensions().get::<T>().cloned().map(Self).ok_or_else(|| {
            let missing = format!("no middleware attached an extension of type `{}`", type_name::<T>());
            Error::internal().with_source(missing)
        })
    }
}

#[cfg(feature = "json")]
impl<T: DeserializeOwned> FromRequest for crate::message::Json<T> {
    /// The whole body as JSON; see [`Request::json`]. Another content type than `application/json` or one
    /// with the suffix `+json`, or none, is 415, so that no form of another site can send it.
    async fn from_request(mut request: Request, _: &States) -> Result<Self> {
        if !request.media_type().is_some_and(|media_type| media_type.is_json()) {
            let expected = "`application/json`";
            return Err(Rejection::new::<Self>(Reason::ContentType, "content type", expected).into());
        }
        request.json().await.map(Self)
    }
}

/// The rejection of the argument `A`, made of `place`.
pub(in crate::app) fn rejection<A>(place: &'static str, misfit: Misfit) -> Rejection {
    let Misfit { field, problem } = misfit;
    let new = |reason, expected| Rejection::new::<A>(reason, place, expected);
    let rejection = match problem {
        Problem::Wrong { expected, found } => new(Reason::Invalid, expected).with_found(found.in_words()),
        Problem::Missing => new(Reason::Missing, "".into()),
        Problem::Unknown { expected } => new(Reason::Unknown, expected.into()),
        Problem::NotFound => new(Reason::NotFound, "".into()),
        Problem::Custom(detail) => new(Reason::Invalid, "of the needed form".into()).with_detail(detail),
        Problem::Unsupported(what) => new(Reason::Misuse, what),
        Problem::TooFew(needed) => {
            new(Reason::Misuse, format!("{needed} parameters are needed, and the route has fewer").into())
        }
    };
    match field {
        Some(field) => rejection.with_field(field),
        None => rejection,
    }
}
