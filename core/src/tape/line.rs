//! What one line of a tape says.
//!
//! The rule: a line is written in one way; [`parse`](super::parse) reads what this writes.

use std::fmt;

use bytes::Bytes;

use super::text::{escape_line, marked, time};
use crate::effect::{FileError, FileErrorKind, Metadata};
use crate::machine::Phase;

/// Something that happened in a step, or before it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Line {
    /// `>`: bytes came from the peer.
    Input(Bytes),
    /// `! fin`: the peer finished sending.
    Finished,
    /// `! gone`: the peer is gone.
    Gone,
    /// `! drain`: the server began to stop.
    Drain,
    /// `! waits`: so many bytes of output had not been taken yet. Without it all had.
    Waits(u64),
    /// `+`: the effect of this number was answered.
    Answer(u32, Answer),
    /// `~ wake`: the machine was woken, and not by an answer.
    Wake,
    /// `<`: bytes for the peer.
    Output(Bytes),
    /// `?`: the machine asked for this effect, the number of which is its place among all of the connection.
    Effect(u32, String),
    /// `=`: the machine came to this phase.
    Phase(Phase),
}

impl Line {
    /// Whether it is what the machine said, and not what it was told.
    pub fn is_outcome(&self) -> bool {
        matches!(self, Self::Output(_) | Self::Effect(..) | Self::Phase(_))
    }
}

/// What an effect was answered with. A file goes by a number, which is its place among all that were opened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// A file was opened; and which of several, where the first was asked for.
    Opened(u32, Option<usize>, Metadata),
    /// What is known of a path.
    Metadata(Metadata),
    /// Bytes of a file.
    Data(Bytes),
    /// The operation was done.
    Done,
    /// The operation failed.
    Failed(FileError),
    /// The blocking job ran.
    Ran,
    /// The driver dropped the effect.
    Unanswered,
}

/// The kinds of failure, by the names that they have here.
pub(super) const KINDS: [(&str, FileErrorKind); 8] = [
    ("NotFound", FileErrorKind::NotFound),
    ("PermissionDenied", FileErrorKind::PermissionDenied),
    ("AlreadyExists", FileErrorKind::AlreadyExists),
    ("IsADirectory", FileErrorKind::IsADirectory),
    ("InvalidPath", FileErrorKind::InvalidPath),
    ("StorageFull", FileErrorKind::StorageFull),
    ("Unsupported", FileErrorKind::Unsupported),
    ("Other", FileErrorKind::Other),
];

/// The phases, by the names that they have here.
pub(super) const PHASES: [(&str, Phase); 4] =
    [("open", Phase::Open), ("lingering", Phase::Lingering), ("abort", Phase::Abort), ("done", Phase::Done)];

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(bytes) => f.write_str(&marked("> ", bytes)),
            Self::Finished => f.write_str("! fin"),
            Self::Gone => f.write_str("! gone"),
            Self::Drain => f.write_str("! drain"),
            Self::Waits(count) => write!(f, "! waits {count}"),
            Self::Answer(number, answer) => write!(f, "+ {number} {answer}"),
            Self::Wake => f.write_str("~ wake"),
            Self::Output(bytes) => f.write_str(&marked("< ", bytes)),
            Self::Effect(number, what) => write!(f, "? {number} {}", escape_line(what.as_bytes())),
            Self::Phase(phase) => {
                let name = PHASES.iter().find(|(_, known)| known == phase).map_or("open", |(name, _)| name);
                write!(f, "= {name}")
            }
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opened(file, None, metadata) => write!(f, "opened {file}, {}", known(metadata)),
            Self::Opened(file, Some(index), metadata) => {
                write!(f, "opened {file} as {index}, {}", known(metadata))
            }
            Self::Metadata(metadata) => write!(f, "metadata {}", known(metadata)),
            Self::Data(bytes) => f.write_str(marked("data ", bytes).trim_end()),
            Self::Done => f.write_str("done"),
            Self::Failed(error) => {
                let name =
                    KINDS.iter().find(|(_, kind)| *kind == error.kind).map_or("Other", |(name, _)| name);
                write!(f, "failed {name}: {}", escape_line(error.message.as_bytes()))
            }
            Self::Ran => f.write_str("ran"),
            Self::Unanswered => f.write_str("unanswered"),
        }
    }
}

fn known(metadata: &Metadata) -> String {
    let size = match metadata.is_directory {
        true => "directory".to_owned(),
        false => format!("{} bytes", metadata.length),
    };
    match metadata.modified {
        Some(modified) => format!("{size}, modified {}", time(modified)),
        None => size,
    }
}
