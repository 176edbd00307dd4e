//! Effects on their way through a recorder: out with a number, back with an answer that is written down.
//!
//! The rule: an answer reaches the machine in a step, and only in one, so that the tape says before which step it came.

use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;

use super::line::{Answer, Line};
use super::redact::Redactor;
use crate::effect::{
    self, BlockingError, Delivery, Effect, FileAnswer, FileError, FileHandle, FileOp, Job, Reply,
};

/// More files than this at a time have no numbers in what is asked of them.
const FILES: usize = 64;

type FileResult = Result<FileAnswer, FileError>;

/// The effects of one connection.
#[derive(Default)]
pub(super) struct Effects {
    asked: u32,
    pending: Vec<(u32, Pending)>,
    opened: u32,
    /// The files that were opened last: where each is, and its number.
    files: Vec<(usize, u32)>,
}

/// What waits for its answer.
enum Pending {
    File(Reply<FileResult>, effect::Answer<FileResult>),
    Job {
        answer: effect::Answer<Result<Option<Delivery>, BlockingError>>,
        /// Of one that the driver drops, the machine hears in a step, and not where it is dropped.
        _job: KeptJob,
    },
}

type KeptJob = Arc<Mutex<Option<Job>>>;

fn take(job: &KeptJob) -> Option<Job> {
    job.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// An answer that came, and is not told yet.
pub(super) enum Arrived {
    File(Reply<FileResult>, FileResult),
    Job(Delivery),
    Dropped,
}

impl Effects {
    /// Whether every effect was answered.
    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Puts another effect in the place of `effect`, whose answer comes here first, and wakes; and the line that says it.
    pub(super) fn ask(&mut self, effect: Effect, cx: &mut Context<'_>) -> (Effect, Line) {
        self.asked += 1;
        let what = self.describe(&effect);
        let (effect, mut pending) = match effect {
            Effect::File(op, reply) => {
                let (own, answer) = effect::reply();
                (Effect::File(op, own), Pending::File(reply, answer))
            }
            Effect::Blocking(job) => {
                let job = Arc::new(Mutex::new(Some(job)));
                let own = job.clone();
                let (effect, answer) = effect::blocking(move || take(&own).map(Job::work));
                (effect, Pending::Job { answer, _job: job })
            }
        };
        // A driver that has handed the effect on steps again only if it is woken: this leaves the waker.
        let _ = pending.poll(cx);
        self.pending.push((self.asked, pending));
        (effect, Line::Effect(self.asked, what))
    }

    /// The answers that have come, with the numbers of their effects.
    pub(super) fn arrived(&mut self, cx: &mut Context<'_>) -> Vec<(u32, Arrived)> {
        if self.pending.is_empty() {
            return Vec::new();
        }
        let mut arrived = Vec::new();
        for (number, mut pending) in std::mem::take(&mut self.pending) {
            match pending.poll(cx) {
                Poll::Pending => self.pending.push((number, pending)),
                Poll::Ready(answer) => arrived.push((number, pending.with(answer))),
            }
        }
        arrived
    }

    /// What the tape says of an answer.
    pub(super) fn note(&mut self, arrived: &Arrived, redactor: &Redactor) -> Answer {
        match arrived {
            Arrived::Job(_) => Answer::Ran,
            Arrived::Dropped => Answer::Unanswered,
            Arrived::File(_, Err(error)) => Answer::Failed(error.clone()),
            Arrived::File(_, Ok(answer)) => match answer {
                FileAnswer::Opened(file, metadata) => Answer::Opened(self.opened(file), None, *metadata),
                FileAnswer::OpenedBelow(file, metadata, index) => {
                    Answer::Opened(self.opened(file), Some(*index), *metadata)
                }
                FileAnswer::Metadata(metadata) => Answer::Metadata(*metadata),
                FileAnswer::Data(data) => {
                    let mut data = data.to_vec();
                    redactor.data(&mut data);
                    Answer::Data(Bytes::from(data))
                }
                FileAnswer::Done => Answer::Done,
            },
        }
    }

    /// A file gets its number.
    fn opened(&mut self, file: &FileHandle) -> u32 {
        self.opened += 1;
        if self.files.len() == FILES {
            self.files.remove(0);
        }
        self.files.push((file.address(), self.opened));
        self.opened
    }

    fn describe(&self, effect: &Effect) -> String {
        let op = match effect {
            Effect::Blocking(_) => return "blocking job".to_owned(),
            Effect::File(op, _) => op,
        };
        let mut text = describe(op);
        if let FileOp::Read { file, .. } | FileOp::Write { file, .. } | FileOp::Persist { file, .. } = op {
            // The place of a file that was closed may be another's now: the last one counts.
            let known = self.files.iter().rev().find(|(address, _)| *address == file.address());
            _ = match known {
                Some((_, number)) => write!(text, " of file {number}"),
                None => write!(text, " of a file"),
            };
        }
        text
    }
}

impl Pending {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Outcome>> {
        match self {
            Self::File(_, answer) => Pin::new(answer).poll(cx).map(|answer| answer.ok().map(Outcome::File)),
            Self::Job { answer, .. } => Pin::new(answer)
                .poll(cx)
                .map(|answer| answer.ok().and_then(Result::ok).flatten().map(Outcome::Job)),
        }
    }

    fn with(self, outcome: Option<Outcome>) -> Arrived {
        match (self, outcome) {
            (Self::File(reply, _), Some(Outcome::File(result))) => Arrived::File(reply, result),
            (_, Some(Outcome::Job(delivery))) => Arrived::Job(delivery),
            _ => Arrived::Dropped,
        }
    }
}

/// What a driver sent.
enum Outcome {
    File(FileResult),
    Job(Delivery),
}

impl Arrived {
    /// Tells the machine. What was dropped is told by that.
    pub(super) fn deliver(self) {
        match self {
            Self::File(reply, result) => reply.send(result),
            Self::Job(delivery) => delivery(),
            Self::Dropped => {}
        }
    }
}

/// A file operation in a line: the data of a write is left out.
///
/// ```
/// use bakestone::effect::FileOp;
/// use bakestone::tape::describe;
///
/// assert_eq!(describe(&FileOp::Remove("a.txt".into())), "remove a.txt");
/// ```
pub fn describe(op: &FileOp) -> String {
    match op {
        FileOp::Open(path, mode) => format!("open {} ({mode:?})", path.display()),
        FileOp::OpenBelow { roots, paths, .. } => format!("open the first of {paths:?} below {roots:?}"),
        FileOp::Metadata(path) => format!("metadata of {}", path.display()),
        FileOp::Read { offset, length, .. } => format!("read {length} bytes at {offset}"),
        FileOp::Write { offset, data, .. } => format!("write {} bytes at {offset}", data.len()),
        FileOp::Rename(from, to) => format!("rename {} to {}", from.display(), to.display()),
        FileOp::Remove(path) => format!("remove {}", path.display()),
        FileOp::OpenTemporary(None) => "open a temporary file".into(),
        FileOp::OpenTemporary(Some(path)) => format!("open a temporary file in {}", path.display()),
        FileOp::Persist { path, .. } => format!("persist as {}", path.display()),
    }
}
