//! Why a form is refused.
//!
//! The rule: an error says what is wrong, in which part, at which byte, and past which number; so it names a cause
//! that somebody can act on.

use std::fmt;
use std::sync::Arc;

use ::http::StatusCode;

use crate::error::LimitExceeded;

/// A form, or its boundary, that is refused.
///
/// ```
/// use bakestone::multipart::{Boundary, Decoder, ErrorKind, Limits};
/// use bytes::Bytes;
///
/// let mut decoder = Decoder::new(&Boundary::new("b")?, Limits::default());
/// decoder.push(Bytes::from("--b\r\nContent-Disposition: form-data; name=\"cake\"\r\n\r\nbara"));
/// decoder.end();
/// let error = std::iter::from_fn(|| Some(decoder.next())).find_map(Result::err).ok_or("it is whole")?;
/// assert_eq!((error.kind(), error.part(), error.offset()), (ErrorKind::Truncated, Some("cake"), 56));
/// assert_eq!(error.to_string(), r#"the form ends before its last boundary (in the part "cake", at byte 56)"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
// Behind a pointer, since every event of a decoder has room for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Arc<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    kind: ErrorKind,
    part: Option<String>,
    part_index: Option<usize>,
    offset: u64,
    limit: Option<LimitExceeded>,
}

impl Error {
    pub(super) fn new(kind: ErrorKind, offset: u64) -> Self {
        Self(Inner { kind, part: None, part_index: None, offset, limit: None }.into())
    }

    /// The limit `name`, whose value is `value`, was passed. How much more had come by then is the network's affair, so
    /// what was seen is the first that is too many.
    pub(super) fn limit_exceeded(name: &'static str, value: u64, offset: u64) -> Self {
        let limit = Some(LimitExceeded::new(name, value, value.saturating_add(1)));
        Self(Inner { kind: ErrorKind::LimitExceeded, part: None, part_index: None, offset, limit }.into())
    }

    pub(super) fn in_part(mut self, index: usize, name: Option<&str>) -> Self {
        let inner = Arc::make_mut(&mut self.0);
        (inner.part, inner.part_index) = (name.map(str::to_owned), Some(index));
        self
    }

    /// What is wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The name of the part, if it is known by then.
    pub fn part(&self) -> Option<&str> {
        self.0.part.as_deref()
    }

    /// Which part it is, from 0; `None` before the first and behind the last one.
    pub fn part_index(&self) -> Option<usize> {
        self.0.part_index
    }

    /// Where, in bytes from the body's first byte; 0 if it is the boundary itself.
    pub fn offset(&self) -> u64 {
        self.0.offset
    }

    /// The limit that was passed, if the [kind](Self::kind) is [`ErrorKind::LimitExceeded`].
    pub fn limit(&self) -> Option<LimitExceeded> {
        self.0.limit
    }

    /// The kind's stable name, such as `"truncated-form"`.
    pub fn code(&self) -> &'static str {
        self.0.kind.code()
    }

    /// The status to answer with: 413 for a limit, else 400.
    pub fn status(&self) -> StatusCode {
        self.0.kind.status()
    }
}

/// More of a part's name is not told.
const TOLD: usize = 64;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.limit {
            Some(limit) => write!(f, "{limit} (")?,
            None => write!(f, "{} (", self.0.kind)?,
        }
        match (&self.0.part, self.0.part_index) {
            (Some(name), _) if name.chars().nth(TOLD).is_none() => write!(f, "in the part {name:?}, ")?,
            (Some(name), _) => {
                let begin: String = name.chars().take(TOLD).collect();
                write!(f, "in the part {begin:?}..., ")?;
            }
            (None, Some(index)) => write!(f, "in part {}, ", index.saturating_add(1))?,
            (None, None) => {}
        }
        write!(f, "at byte {})", self.0.offset)
    }
}

impl std::error::Error for Error {}

/// One row a kind: name, status, code, text, source.
macro_rules! kinds {
    ($($name:ident $status:ident $code:literal $text:literal $section:literal;)+) => {
        /// What is wrong with a form.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $(#[doc = concat!("`", $code, "`: ", $text, " (", $section, ").")] $name,)+
        }

        impl ErrorKind {
            /// Every kind, in the order of a form's parts.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The stable name, in kebab case.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// The status with which a server answers.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)+ }
            }
        }

        impl fmt::Display for ErrorKind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$name => $text,)+ })
            }
        }
    };
}

kinds! {
    MissingBoundary BAD_REQUEST "missing-boundary" "the content type names no boundary" "RFC 7578, section 4.1";
    InvalidBoundary BAD_REQUEST "invalid-boundary" "the boundary is empty, too long, or holds what none may hold" "RFC 2046, section 5.1.1";
    LimitExceeded PAYLOAD_TOO_LARGE "limit-exceeded" "the form is larger than a limit allows" "RFC 9110, section 15.5.14";
    Truncated BAD_REQUEST "truncated-form" "the form ends before its last boundary" "RFC 2046, section 5.1.1";
    NoPart BAD_REQUEST "form-without-part" "the first boundary that is found is the last one, and something stands before it" "RFC 2046, section 5.1.1";
    PaddingTooLong BAD_REQUEST "boundary-padding-too-long" "more than 64 spaces and tabs follow a boundary" "RFC 2046, section 5.1.1";
    BareCr BAD_REQUEST "part-bare-cr" "a CR in the head of a part is not followed by LF" "RFC 2046, section 5.1";
    BareLf BAD_REQUEST "part-bare-lf" "a line in the head of a part ends with LF alone" "RFC 2046, section 5.1";
    FoldedField BAD_REQUEST "part-folded-field" "a line in the head of a part begins with whitespace" "RFC 7578, section 4.8";
    InvalidFieldName BAD_REQUEST "part-invalid-field-name" "a field name in the head of a part is not a token" "RFC 9110, section 5.1";
    MissingColon BAD_REQUEST "part-missing-colon" "a line in the head of a part has no colon" "RFC 9110, section 5";
    InvalidFieldValue BAD_REQUEST "part-invalid-field-value" "a field value in the head of a part holds a control character" "RFC 9110, section 5.5";
    RepeatedField BAD_REQUEST "part-repeated-field" "Content-Disposition or Content-Type is given more than once in a part" "RFC 7578, section 4.8";
    MissingDisposition BAD_REQUEST "part-missing-disposition" "a part has no Content-Disposition" "RFC 7578, section 4.2";
    NotFormData BAD_REQUEST "part-not-form-data" "the Content-Disposition of a part is not form-data" "RFC 7578, section 4.2";
    MalformedDisposition BAD_REQUEST "part-malformed-disposition" "the Content-Disposition of a part is malformed" "RFC 6266, section 4.1";
    RepeatedParameter BAD_REQUEST "part-repeated-parameter" "a part is given a name or a file name more than once" "RFC 6266, section 4.1";
    ExtendedName BAD_REQUEST "part-extended-name" "a part is named by `name*`, or in numbered pieces" "RFC 7578, section 4.2";
    MalformedFilename BAD_REQUEST "part-malformed-filename" "the `filename*` of a part is malformed" "RFC 8187, section 3.2.1";
    MissingName BAD_REQUEST "part-missing-name" "a part has no name" "RFC 7578, section 4.2";
}
