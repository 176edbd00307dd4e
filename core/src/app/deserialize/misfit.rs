//! Why names and values are no value of a type.

use std::borrow::Cow;
use std::fmt;

use serde_core::de::{self, Expected, Unexpected};

/// What is wrong, and with which field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misfit {
    /// A name that the application knows: a field of its type, or a parameter of its path.
    pub(crate) field: Option<Cow<'static, str>>,
    pub(crate) problem: Problem,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The value must be something else.
    Wrong {
        /// What it must be.
        expected: Cow<'static, str>,
        /// What kind of thing it is.
        found: Found,
    },
    /// There is no value.
    Missing,
    /// There are names that the type has not.
    Unknown {
        /// Those that it has.
        expected: String,
    },
    /// The path has fewer parameters than are taken: so many are needed.
    TooFew(usize),
    /// The value's converter has spoken for a value that is out of range: the path is none of the route's.
    NotFound,
    /// The type's own words, which may hold the client's.
    Custom(String),
    /// Names and values can never be such a type.
    Unsupported(Cow<'static, str>),
}

/// The kind of thing that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing is between the name and the next one.
    Blank,
    /// Some text.
    Text,
    /// The name occurs more than once.
    Several,
    /// A file.
    File,
}

impl Found {
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Blank => "is empty",
            Self::Text => "is something else",
            Self::Several => "is there more than once",
            Self::File => "is a file",
        }
    }
}

impl Misfit {
    pub(crate) fn new(problem: Problem) -> Self {
        Self { field: None, problem }
    }

    pub(crate) fn wrong(expected: impl Into<Cow<'static, str>>, found: Found) -> Self {
        Self::new(Problem::Wrong { expected: expected.into(), found })
    }

    pub(crate) fn unsupported(what: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Problem::Unsupported(what.into()))
    }

    /// The same misfit, told of `field` unless it is told of another.
    pub(crate) fn of(mut self, field: Option<impl Into<Cow<'static, str>>>) -> Self {
        self.field = self.field.or_else(|| field.map(Into::into));
        self
    }

    /// A value was found that the type does not take. Values of the client's are text, or what text was parsed
    /// to; anything else is a shape, which is the type's affair.
    fn unexpected(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = expected.to_string();
        match found {
            Unexpected::Str("") | Unexpected::Bytes(b"") => Self::wrong(expected, Found::Blank),
            Unexpected::Map | Unexpected::Seq | Unexpected::Enum | Unexpected::UnitVariant => {
                Self::unsupported(format!("names and values cannot be {expected}"))
            }
            _ => Self::wrong(expected, Found::Text),
        }
    }
}

impl de::Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(Problem::Custom(message.to_string()))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::unexpected(found, expected)
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::unexpected(found, expected)
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::wrong(expected.to_string(), Found::Several)
    }

    fn unknown_variant(found: &str, expected: &'static [&'static str]) -> Self {
        let found = if found.is_empty() { Found::Blank } else { Found::Text };
        Self::wrong(one_of(expected), found)
    }

    fn unknown_field(_: &str, expected: &'static [&'static str]) -> Self {
        let expected = match expected {
            [] => "no field".to_owned(),
            names => format!("only {}", one_of(names)),
        };
        Self::new(Problem::Unknown { expected })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Problem::Missing).of(Some(field))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::wrong("one value", Found::Several).of(Some(field))
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of {:?}", self.problem, self.field)
    }
}

impl std::error::Error for Misfit {}

fn one_of(names: &[&str]) -> String {
    match names {
        [] => "nothing".to_owned(),
        [only] => format!("`{only}`"),
        [first, .., last] => {
            let between: String =
                names[1..names.len() - 1].iter().map(|name| format!(", `{name}`")).collect();
            format!("`{first}`{between} or `{last}`")
        }
    }
}
