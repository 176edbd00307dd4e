//! The parameters of the path as an argument.

use std::borrow::Cow;

use http::StatusCode;

use super::extract::{FromParts, Requirements};
use super::state::States;
use crate::error::{Error, Result};
use crate::message::Request;
use crate::router::Params;

/// The parameters of the path, in its order: `Path<T>` is the first, `Path<(A, B)>` the first two, and so on up
/// to eight. Where names serve better, take [`Params`].
///
/// A value that is no `T` is 400, with a message that names the parameter; but 404 where the pattern
/// has a type of its own (`{id:int}`), since the path then is none of the route's. A route of which a
/// path has fewer parameters is not built; as `Option<Path<T>>` they may be missing.
///
/// ```
/// use bakestone::{App, Path, Text, get};
///
/// async fn record(Path((user, record)): Path<(String, u32)>) -> Text<String> {
///     Text(format!("record {record} of {user}"))
/// }
///
/// assert!(App::new().route("/users/{user}/records/{record:int}", get(record)).build().is_ok());
/// assert!(App::new().route("/users/{user}", get(record)).build().is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Path<T>(pub T);

/// What [`Path`] holds: one [`FromParam`], or a tuple of up to eight.
#[diagnostic::on_unimplemented(
    message = "`Path<{Self}>` cannot be made of a path's parameters",
    label = "neither a `FromParam` nor a tuple of up to eight of them",
    note = "implement `FromParam` for `{Self}`, or take `Params` and look up the parameters by name"
)]
pub trait FromParams: Sized {
    /// How many parameters it takes.
    const COUNT: usize;

    /// Makes it of the first [`COUNT`](Self::COUNT) parameters.
    ///
    /// # Errors
    ///
    /// What the client gets: 400 or 404, as [`Path`] says.
    fn from_params(params: &Params) -> Result<Self>;
}

/// A value that one parameter of a path may be.
///
/// ```
/// use bakestone::app::FromParam;
/// use std::borrow::Cow;
///
/// enum Shelf { Upper, Lower }
///
/// impl FromParam for Shelf {
///     const EXPECTED: &'static str = "`upper` or `lower`";
///
///     fn from_param(value: Cow<'_, str>) -> Option<Self> {
///         match &*value {
///             "upper" => Some(Shelf::Upper),
///             "lower" => Some(Shelf::Lower),
///             _ => None,
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made of a parameter of the path",
    label = "this does not implement `FromParam`",
    note = "strings, `char`, `bool`, integers and floating-point numbers do; implement it for a type of your own"
)]
pub trait FromParam: Sized {
    /// What the client is told to send: "the path's `id` must be" and this.
    const EXPECTED: &'static str;

    /// The value of this text, which is decoded; `None` if it is none.
    fn from_param(value: Cow<'_, str>) -> Option<Self>;
}

impl FromParam for String {
    const EXPECTED: &'static str = "text";

    fn from_param(value: Cow<'_, str>) -> Option<Self> {
        Some(value.into_owned())
    }
}

macro_rules! parsed {
    ($($expected:literal: $($type:ty),*;)*) => {$($(
        impl FromParam for $type {
            const EXPECTED: &'static str = $expected;

            fn from_param(value: Cow<'_, str>) -> Option<Self> {
                value.parse().ok()
            }
        }
    )*)*};
}

parsed! {
    "a whole number in range": u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize;
    "a number": f32, f64;
    "`true` or `false`": bool;
    "one character": char;
}

#[diagnostic::do_not_recommend]
impl<T: FromParam> FromParams for T {
    const COUNT: usize = 1;

    fn from_params(params: &Params) -> Result<Self> {
        param(params, 0)
    }
}

macro_rules! tuples {
    ($($count:literal: $($type:ident $index:literal),*;)*) => {$(
        impl<$($type: FromParam),*> FromParams for ($($type,)*) {
            const COUNT: usize = $count;

            fn from_params(params: &Params) -> Result<Self> {
                Ok(($(param::<$type>(params, $index)?,)*))
            }
        }
    )*};
}

tuples! {
    1: A 0;
    2: A 0, B 1;
    3: A 0, B 1, C 2;
    4: A 0, B 1, C 2, D 3;
    5: A 0, B 1, C 2, D 3, E 4;
    6: A 0, B 1, C 2, D 3, E 4, F 5;
    7: A 0, B 1, C 2, D 3, E 4, F 5, G 6;
    8: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7;
}

fn param<T: FromParam>(params: &Params, index: usize) -> Result<T> {
    let Some((name, value, typed)) = params.value(index) else {
        // Only where nothing was required, or outside of any route.
        let missing =
            format!("the route has {} parameters, and number {} is needed", params.len(), index + 1);
        return Err(Error::with_source(StatusCode::INTERNAL_SERVER_ERROR, missing));
    };
    T::from_param(value).ok_or_else(|| match typed {
        true => Error::not_found(),
        // The name is the application's own. The value is the client's, and stays out.
        false => {
            let message = format!("the path's `{name}` must be {}", T::EXPECTED);
            Error::new(StatusCode::BAD_REQUEST, message)
        }
    })
}

impl<T: FromParams> FromParts for Path<T> {
    fn from_parts(request: &mut Request, _: &States) -> Result<Self> {
        T::from_params(request.params()).map(Self)
    }

    fn requirements(requirements: &mut Requirements) {
        requirements.params(T::COUNT);
    }
}
