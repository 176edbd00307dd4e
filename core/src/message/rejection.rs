//! An extractor's "no".
//!
//! The rule: it says what to send instead, in the application's words. What the client sent is not repeated.

use std::any::type_name;
use std::borrow::Cow;
use std::fmt;

use http::StatusCode;

/// Why an argument could not be made of a request: where, which field, and what it must be.
///
/// It becomes an [`Error`](crate::Error) with its [`status`](Self::status) and its text. A handler that would
/// rather answer by itself takes a `Result<T, Rejection>`.
///
/// ```
/// use bakestone::{Query, Rejection, Text};
///
/// async fn page(page: Result<Query<Vec<(String, u8)>>, Rejection>) -> Text<String> {
///     match page {
///         Ok(Query(pairs)) => Text(format!("{} pairs", pairs.len())),
///         Err(rejection) => Text(format!("{}: {rejection}", rejection.code())),
///     }
/// }
/// # let _ = bakestone::get(page);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Rejection(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    reason: Reason,
    argument: &'static str,
    place: &'static str,
    field: Option<Cow<'static, str>>,
    expected: Cow<'static, str>,
    found: Option<&'static str>,
    detail: Option<String>,
}

/// What kind of "no" a [`Rejection`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// A field that is needed is not there: 400.
    Missing,
    /// A value is not what it must be: 400.
    Invalid,
    /// There is a field that has no place there: 400.
    Unknown,
    /// The body is not well-formed: 400.
    Malformed,
    /// The body is of another media type: 415.
    ContentType,
    /// A parameter of the path is out of the range of its route: 404.
    NotFound,
    /// The argument can never be made of such a request, whatever the client sends: 500.
    Misuse,
}

impl Reason {
    fn status(self) -> StatusCode {
        match self {
            Self::Missing | Self::Invalid | Self::Unknown | Self::Malformed => StatusCode::BAD_REQUEST,
            Self::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Misuse => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::Missing => "missing-value",
            Self::Invalid => "invalid-value",
            Self::Unknown => "unknown-field",
            Self::Malformed => "malformed-body",
            Self::ContentType => "unsupported-content-type",
            Self::NotFound => "not-found",
            Self::Misuse => "misuse",
        }
    }
}

impl Rejection {
    /// A rejection of the argument `T`, found in `place` ("query", say), which must be `expected`.
    pub fn new<T>(reason: Reason, place: &'static str, expected: impl Into<Cow<'static, str>>) -> Self {
        let (argument, expected) = (type_name::<T>(), expected.into());
        let inner = Inner { reason, argument, place, field: None, expected, found: None, detail: None };
        Self(Box::new(inner))
    }

    /// The same, told of the field of this name. The name must not be one that the client made up.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<Cow<'static, str>>) -> Self {
        self.0.field = Some(field.into());
        self
    }

    /// The same, with what was found, as a kind of thing: "is empty". It must not hold what the client sent.
    #[must_use]
    pub fn with_found(mut self, found: &'static str) -> Self {
        self.0.found = Some(found);
        self
    }

    /// The same, with more for the logs; there it may hold what the client sent.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// What kind of "no" it is.
    pub fn reason(&self) -> Reason {
        self.0.reason
    }

    /// The status that it stands for.
    pub fn status(&self) -> StatusCode {
        self.0.reason.status()
    }

    /// A name of the reason that stays the same from version to version.
    pub fn code(&self) -> &'static str {
        self.0.reason.code()
    }

    /// The type of the argument.
    pub fn argument(&self) -> &'static str {
        self.0.argument
    }

    /// The part of the request that was looked at: "path", "query", "form", "header", "body" ...
    pub fn place(&self) -> &'static str {
        self.0.place
    }

    /// The name of the field, where it is one that the application knows.
    pub fn field(&self) -> Option<&str> {
        self.0.field.as_deref()
    }

    /// What it must be; empty where the reason says all.
    pub fn expected(&self) -> &str {
        &self.0.expected
    }

    /// More for the logs. Unlike the rest it may hold what the client sent.
    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// Whether its text is meant for the client.
    pub(crate) fn is_told(&self) -> bool {
        !matches!(self.0.reason, Reason::NotFound | Reason::Misuse)
    }

    fn subject(&self) -> String {
        match (&self.0.field, self.0.reason) {
            (Some(field), _) => format!("the {}'s `{field}`", self.0.place),
            (None, Reason::Invalid | Reason::Missing) => format!("a value of the {}", self.0.place),
            (None, _) => format!("the {}", self.0.place),
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (subject, Inner { expected, argument, place, .. }) = (self.subject(), &*self.0);
        match self.0.reason {
            Reason::Missing => write!(f, "{subject} is missing")?,
            Reason::Invalid | Reason::ContentType => write!(f, "{subject} must be {expected}")?,
            Reason::Unknown => write!(f, "{subject} may hold {expected}")?,
            Reason::Malformed => write!(f, "{subject} is malformed: {expected}")?,
            Reason::NotFound => write!(f, "{subject} is out of range")?,
            Reason::Misuse => write!(f, "`{argument}` cannot be made of the {place}: {expected}")?,
        }
        match self.0.found {
            Some(found) => write!(f, ", and {found}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Rejection {}
