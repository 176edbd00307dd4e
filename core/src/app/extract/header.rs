//! One field of the header as an argument.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::FromParts;
use crate::app::state::States;
use crate::error::Result;
use crate::message::{Reason, Rejection, Request};

/// A field of the request's header, as a type of the application's own: 400 if it is missing or is none. As
/// `Option<Header<T>>` it may be either.
///
/// All fields as they are come as [`HeaderMap`].
///
/// ```
/// use bakestone::app::FromHeader;
/// use bakestone::header::{HeaderName, HeaderValue};
/// use bakestone::{Header, Text, get};
///
/// struct RequestId(u64);
///
/// impl FromHeader for RequestId {
///     const NAME: HeaderName = HeaderName::from_static("x-request-id");
///     const EXPECTED: &'static str = "a whole number";
///
///     fn from_header(value: &HeaderValue) -> Option<Self> {
///         value.to_str().ok()?.parse().ok().map(Self)
///     }
/// }
///
/// async fn id(Header(id): Header<RequestId>) -> Text<String> {
///     Text(id.0.to_string())
/// }
/// # let _ = get(id);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header<T>(pub T);

/// A value that one field of a header may be.
#[diagnostic::on_unimplemented(
    message = "`Header<{Self}>` cannot be made of a header",
    label = "this does not implement `FromHeader`",
    note = "implement `FromHeader` for `{Self}`, or take a `HeaderMap` and look the field up by name"
)]
pub trait FromHeader: Sized {
    /// The field's name.
    const NAME: HeaderName;

    /// What the client is told to send: "the header's `x-id` must be" and this.
    const EXPECTED: &'static str;

    /// The value of this text; `None` if it is none.
    fn from_header(value: &HeaderValue) -> Option<Self>;

    /// The value of all the fields of this name, of which there is one at least: that of the only one by
    /// default, so that a field that is there twice is none.
    fn from_headers<'a>(mut values: impl Iterator<Item = &'a HeaderValue>) -> Option<Self> {
        let value = values.next()?;
        if values.next().is_some() {
            return None;
        }
        Self::from_header(value)
    }
}

fn find<T: FromHeader>(headers: &HeaderMap) -> Result<T, Rejection> {
    let no = |reason| {
        Rejection::new::<Header<T>>(reason, "header", T::EXPECTED).with_field(T::NAME.as_str().to_owned())
    };
    let name = T::NAME;
    if !headers.contains_key(&name) {
        return Err(no(Reason::Missing));
    }
    T::from_headers(headers.get_all(&name).iter()).ok_or_else(|| no(Reason::Invalid))
}

impl<T: FromHeader> FromParts for Header<T> {
    fn from_parts(request: &mut Request, _: &States) -> Result<Self> {
        Ok(Self(find(request.headers())?))
    }
}
