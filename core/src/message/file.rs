//! A file that the driver holds open.
//!
//! The rule: one operation is in flight at a time, and a future that is dropped loses nothing: what was asked
//! for is finished, and its answer kept, before the next operation begins.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

use crate::effect::{
    self, Answer, Effect, FILE_CHUNK, FileAnswer, FileError, FileErrorKind, FileHandle, FileOp, Metadata,
    OpenMode,
};
use crate::session::scope::Scope;

/// An open file, read and written in order from its start. It is closed when it is dropped.
pub struct File {
    scope: Arc<Scope>,
    handle: FileHandle,
    metadata: Metadata,
    position: u64,
    in_flight: Option<InFlight>,
}

enum InFlight {
    Read(Answer<Result<FileAnswer, FileError>>),
    Write(Answer<Result<FileAnswer, FileError>>, u64),
}

fn ask(scope: &Scope, operation: FileOp) -> Answer<Result<FileAnswer, FileError>> {
    let (reply, answer) = effect::reply();
    scope.ask(Effect::File(operation, reply));
    answer
}

async fn answered(answer: &mut Answer<Result<FileAnswer, FileError>>) -> Result<FileAnswer, FileError> {
    answer
        .await
        .unwrap_or_else(|unanswered| Err(FileError::new(FileErrorKind::Unsupported, unanswered.to_string())))
}

fn unexpected(answer: &FileAnswer) -> FileError {
    FileError::new(FileErrorKind::Other, format!("the driver gave an answer that does not fit: {answer:?}"))
}

impl File {
    pub(crate) async fn open(scope: Arc<Scope>, path: PathBuf, mode: OpenMode) -> Result<Self, FileError> {
        match answered(&mut ask(&scope, FileOp::Open(path, mode))).await? {
            FileAnswer::Opened(handle, metadata) => {
                Ok(Self { scope, handle, metadata, position: 0, in_flight: None })
            }
            other => Err(unexpected(&other)),
        }
    }

    /// What was known of the file when it was opened.
    pub fn metadata(&self) -> Metadata {
        self.metadata
    }

    /// Where the next operation begins, in bytes from the file's start.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Lets the next operation begin at `position`, once one that is in flight is over.
    ///
    /// # Errors
    ///
    /// That of a write that was in flight.
    pub async fn seek(&mut self, position: u64) -> Result<(), FileError> {
        self.settle().await?;
        self.position = position;
        Ok(())
    }

    /// The next bytes, at most 64 KiB; empty at the end of the file.
    ///
    /// # Errors
    ///
    /// [`FileError`], with its kind.
    pub async fn read(&mut self) -> Result<Bytes, FileError> {
        if let Some(InFlight::Write(..)) = self.in_flight {
            self.settle().await?;
        }
        if self.in_flight.is_none() {
            let file = self.handle.clone();
            let operation = FileOp::Read { file, offset: self.position, length: FILE_CHUNK };
            self.in_flight = Some(InFlight::Read(ask(&self.scope, operation)));
        }
        let Some(InFlight::Read(answer)) = &mut self.in_flight else { return Ok(Bytes::new()) };
        let answer = answered(answer).await;
        self.in_flight = None;
        match answer? {
            FileAnswer::Data(data) => {
                self.position += data.len() as u64;
                Ok(data)
            }
            other => Err(unexpected(&other)),
        }
    }

    /// Writes all of `data`, in pieces of at most 64 KiB. Dropped half-way, it has written whole pieces, and
    /// [`position`](Self::position) tells, after the next operation, how many bytes.
    ///
    /// # Errors
    ///
    /// [`FileError`], with its kind; also that of an earlier write whose future was dropped.
    pub async fn write(&mut self, mut data: Bytes) -> Result<(), FileError> {
        self.settle().await?;
        while !data.is_empty() {
            let piece = data.split_to(data.len().min(FILE_CHUNK));
            let length = piece.len() as u64;
            let file = self.handle.clone();
            let operation = FileOp::Write { file, offset: self.position, data: piece };
            self.in_flight = Some(InFlight::Write(ask(&self.scope, operation), length));
            self.settle().await?;
        }
        Ok(())
    }

    /// Waits for what is in flight. The bytes of a read are not taken: the position stays before them.
    async fn settle(&mut self) -> Result<(), FileError> {
        let (answer, written) = match &mut self.in_flight {
            None => return Ok(()),
            Some(InFlight::Read(answer)) => (answered(answer).await.map(|_| ()), 0),
            Some(InFlight::Write(answer, length)) => {
                let length = *length;
                (answered(answer).await.map(|_| ()), length)
            }
        };
        let was_write = matches!(self.in_flight.take(), Some(InFlight::Write(..)));
        if was_write {
            answer?;
        }
        self.position += written;
        Ok(())
    }
}
