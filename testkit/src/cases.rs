//! Wire cases: what a client sends and what must come back, written as text that a person reads.
//!
//! The rule: a case says what happens, and nothing of how it is tried. It holds however its bytes are cut,
//! whatever follows them, and on every driver; `testkit/cases/README.md` tells how a case is written.
//!
//! ````
//! use bakestone_testkit::cases;
//!
//! let text = r"
//! ### A request is answered
//!
//! RFC 9110, section 9.3.1: nothing is special here. Traps: 19.
//!
//! ```request
//! GET /cake HTTP/1.1
//! Host: example.com
//!
//! ```
//!
//! ```answer
//! 200
//! body is GET /cake and no content
//! open
//! ```
//! ";
//! let cases = cases::parse("doc.md", text)?;
//! assert_eq!(cases[0].traps, [19]);
//! let ways = cases::run(&cases[0], 0).expect("the server is right");
//! assert!(ways > 30);
//! # Ok::<(), cases::ParseError>(())
//! ````

mod answer;
mod difference;
mod parse;
mod run;
mod service;

use std::path::Path;

use bakestone::{Leniency, Limits};

pub use difference::{Difference, Failure};
pub use parse::{ParseError, Trap, parse, parse_traps};
pub use run::{Way, check_half, cut_at_random, run};
pub use service::{app, limits};

/// A request that is right, and what it is answered with: it follows a case wherever the connection stays open.
pub const NEXT: &str = "GET /next HTTP/1.1\r\nHost: example.com\r\n\r\n";

/// The content of the answer to [`NEXT`].
pub const NEXT_ANSWER: &str = "GET /next and no content";

/// One case: what is sent on a new connection, and what must come back.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Case {
    /// The file it stands in.
    pub file: String,
    /// The line of its heading.
    pub line: usize,
    /// Its heading.
    pub title: String,
    /// The numbers of the traps that it is about.
    pub traps: Vec<u32>,
    /// What the server takes in this case although it is not well-formed.
    pub leniency: Leniency,
    /// What is said on the connection, in turns.
    pub turns: Vec<Turn>,
}

impl Case {
    /// The limits that its server has: [those of all cases](limits), with the leniency of this one.
    pub fn limits(&self) -> Limits {
        let mut limits = limits();
        limits.leniency = self.leniency;
        limits
    }

    /// How many bytes the client sends.
    pub fn length(&self) -> usize {
        self.turns.iter().map(|turn| turn.request.len()).sum()
    }

    /// What becomes of the connection in the end.
    pub fn end(&self) -> End {
        self.turns.last().map_or(End::Open, |turn| turn.end)
    }
}

/// What the client sends at a time, and what comes back to it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Turn {
    /// The bytes that are sent.
    pub request: Vec<u8>,
    /// The answers that come back, in order.
    pub answers: Vec<Answer>,
    /// What becomes of the connection.
    pub end: End,
}

/// One answer, as far as it is told.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Fields that must be there with this value, several lines of one name joined with `, `; or, without a
    /// value, must not be there.
    pub fields: Vec<(String, Option<Vec<u8>>)>,
    /// The content, decoded.
    pub content: Content,
    /// The trailer fields: these and no others.
    pub trailers: Vec<(String, Vec<u8>)>,
}

/// The content of an answer, as far as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Nothing is told of it.
    Untold,
    /// No byte follows the head, whatever its fields say.
    None,
    /// Exactly this.
    Is(Vec<u8>),
    /// This, and then anything.
    Begins(Vec<u8>),
    /// Anything with this in it.
    Has(Vec<u8>),
}

/// What becomes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It takes the next request.
    Open,
    /// The server has said all and has sent its FIN.
    Closed,
    /// The server has reset it, so that its message looks cut.
    Reset,
    /// The request is not whole yet: the server waits for the rest, and if none comes nothing has succeeded.
    Waits,
    /// It belongs to another protocol.
    Tunnel,
}

impl End {
    const NAMES: [(&'static str, Self); 5] = [
        ("open", Self::Open),
        ("closed", Self::Closed),
        ("reset", Self::Reset),
        ("waits", Self::Waits),
        ("tunnel", Self::Tunnel),
    ];

    /// What a client sees of it: whether the connection is there, closed or reset.
    pub fn seen(self) -> Self {
        match self {
            Self::Open | Self::Waits | Self::Tunnel => Self::Open,
            Self::Closed | Self::Reset => self,
        }
    }
}

/// All cases of the files that end in `.md` in `folder`, by the name of the file.
///
/// # Errors
///
/// A file that cannot be read, or is not written as a case is.
pub fn read(folder: impl AsRef<Path>) -> Result<Vec<Case>, ParseError> {
    let folder = folder.as_ref();
    let unreadable =
        |error: std::io::Error| ParseError::new(&folder.display().to_string(), 0, error.to_string());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            files.push(path);
        }
    }
    files.sort();
    let mut cases = Vec::new();
    for path in files {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).map_err(unreadable)?;
        cases.extend(parse(&name, &text)?);
    }
    Ok(cases)
}
