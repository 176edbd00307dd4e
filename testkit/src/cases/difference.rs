//! What is to be said when a case fails.

use std::fmt;

use super::run::Way;
use super::{Case, End};
use crate::transcript::escape;

/// More bytes than this of one thing are shown by their beginning and their end.
const SHOWN: usize = 600;

/// How what came back differs from what must come back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// An answer is not there, or not whole.
    Missing {
        /// The answer's number, from 1.
        answer: usize,
        /// What there is of it.
        got: Vec<u8>,
        /// Whether nothing more can come.
        ended: bool,
    },
    /// An answer is no well-formed response.
    Malformed {
        /// The answer's number, from 1.
        answer: usize,
        /// What is wrong with it.
        what: String,
    },
    /// An answer breaks what holds for every response.
    Rule {
        /// The answer's number, from 1.
        answer: usize,
        /// What holds.
        rule: &'static str,
    },
    /// Another status.
    Status {
        /// The answer's number, from 1.
        answer: usize,
        /// What it must be.
        expected: u16,
        /// What it is.
        got: u16,
    },
    /// A field is not what it must be.
    Field {
        /// The answer's number, from 1.
        answer: usize,
        /// The field's name.
        name: String,
        /// What it must be; `None` if it must not be there.
        expected: Option<Vec<u8>>,
        /// What it is; `None` if it is not there.
        got: Option<Vec<u8>>,
    },
    /// Other content.
    Content {
        /// The answer's number, from 1.
        answer: usize,
        /// What is told of it.
        expected: Vec<u8>,
        /// What came.
        got: Vec<u8>,
    },
    /// Other trailer fields.
    Trailers {
        /// The answer's number, from 1.
        answer: usize,
        /// What they must be.
        expected: Vec<(String, Vec<u8>)>,
        /// What they are.
        got: Vec<(String, Vec<u8>)>,
    },
    /// More came than the answers that were told.
    Surplus(Vec<u8>),
    /// Another end of the connection.
    End {
        /// What it must be.
        expected: End,
        /// What is seen of it.
        got: End,
    },
    /// Something came that is not the same as when the bytes came whole.
    Unlike(Vec<u8>),
    /// The client finished in the middle of its request, and was told that all is well.
    Success(Vec<u8>),
}

impl Difference {
    /// Whether more bytes could mend it.
    pub fn may_be_mended(&self) -> bool {
        matches!(self, Self::Missing { ended: false, .. })
    }
}

fn shown(bytes: &[u8]) -> String {
    let text = match bytes.len() > SHOWN {
        true => {
            let (begin, end) = (&bytes[..SHOWN / 2], &bytes[bytes.len() - SHOWN / 2..]);
            format!("{}\n... {} bytes ...\n{}", escape(begin), bytes.len() - SHOWN, escape(end))
        }
        false => escape(bytes),
    };
    format!("\n    {}", text.trim_end().replace('\n', "\n    "))
}

fn fields(fields: &[(String, Vec<u8>)]) -> String {
    let fields: Vec<_> =
        fields.iter().map(|(name, value)| format!("{name}: {}", value.escape_ascii())).collect();
    if fields.is_empty() { "none".to_owned() } else { fields.join("; ") }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = |value: &Option<Vec<u8>>| match value {
            Some(value) => format!("`{}`", value.escape_ascii()),
            None => "absent".to_owned(),
        };
        match self {
            Self::Missing { answer, got, .. } if got.is_empty() => write!(f, "answer {answer} did not come"),
            Self::Missing { answer, got, .. } => write!(f, "answer {answer} is not whole:{}", shown(got)),
            Self::Malformed { answer, what } => write!(f, "answer {answer} is malformed: {what}"),
            Self::Rule { answer, rule } => write!(f, "answer {answer} breaks a rule: {rule}"),
            Self::Status { answer, expected, got } => {
                write!(f, "answer {answer} has the status {got}, and must have {expected}")
            }
            Self::Field { answer, name, expected, got } => {
                write!(f, "{name} of answer {answer} is {}, and must be {}", field(got), field(expected))
            }
            Self::Content { answer, expected, got } => {
                write!(f, "the content of answer {answer} is{}\n  and must be{}", shown(got), shown(expected))
            }
            Self::Trailers { answer, expected, got } => {
                write!(
                    f,
                    "the trailers of answer {answer} are {}, and must be {}",
                    fields(got),
                    fields(expected)
                )
            }
            Self::Surplus(bytes) => write!(f, "more came than was told:{}", shown(bytes)),
            Self::End { expected, got } => write!(f, "the connection is {got:?}, and must be {expected:?}"),
            Self::Unlike(whole) => {
                write!(f, "when the bytes came whole, something else came:{}", shown(whole))
            }
            Self::Success(bytes) => write!(f, "half a request was a success:{}", shown(bytes)),
        }
    }
}

impl std::error::Error for Difference {}

/// A case that failed: which, how its bytes were sent, what came back, and how that differs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Failure {
    /// Where the case stands, and its heading.
    pub case: String,
    /// How its bytes were sent.
    pub way: Way,
    /// The pieces in which they were sent.
    pub pieces: Vec<Vec<u8>>,
    /// What came back.
    pub received: Vec<u8>,
    /// How that differs.
    pub difference: Difference,
}

impl Failure {
    /// `case`, sent in `pieces`, failed.
    pub fn new(case: &Case, way: Way, pieces: &[&[u8]], received: &[u8], difference: Difference) -> Self {
        let pieces = pieces.iter().map(|piece| piece.to_vec()).collect();
        let case = format!("{}:{}: {}", case.file, case.line, case.title);
        Self { case, way, pieces, received: received.to_vec(), difference }
    }

    /// The pieces, with a mark where they were cut.
    fn sent(&self) -> String {
        let whole = self.pieces.concat();
        match self.pieces.len() {
            0..=8 => self.pieces.iter().map(|piece| shown(piece)).collect::<Vec<_>>().join("\n  -- then"),
            pieces => format!("{}\n  -- in {pieces} pieces", shown(&whole)),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { case, way, difference, received, .. } = self;
        write!(
            f,
            "{case}\n  {difference}\n  -- sent {way}:{}\n  -- came back:{}",
            self.sent(),
            shown(received)
        )
    }
}

impl std::error::Error for Failure {}
