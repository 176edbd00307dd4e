//! A file that the driver holds open.
//!
//! The rule: one operation is in flight at a time, and a future that is dropped loses nothing: what was asked
//! for is finished, and its answer kept, before the next operation begins.

use std::fmt;
use std::future::poll_fn;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use crate::effect::{
    self, Answer, Effect, FILE_CHUNK, FileAnswer, FileError, FileErrorKind, FileHandle, FileOp, Metadata,
    OpenMode, Unanswered,
};
use crate::message::Body;
use crate::message::file_body::{self, Content, Piece};
use crate::session::scope::Asking;

/// An open file, read and written in order from its start. It is closed when it is dropped.
pub struct File {
    asking: Asking,
    handle: FileHandle,
    metadata: Metadata,
    position: u64,
    in_flight: Option<InFlight>,
    /// It has no name, so the last handle frees what it holds.
    unnamed: bool,
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File")
            .field("metadata", &self.metadata)
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

enum InFlight {
    Read(Answer<Result<FileAnswer, FileError>>),
    /// What changes the file, and how many bytes it writes.
    Change(Answer<Result<FileAnswer, FileError>>, u64),
}

pub(super) fn ask(asking: &Asking, operation: FileOp) -> Answer<Result<FileAnswer, FileError>> {
    let (reply, answer) = effect::reply();
    asking.ask(Effect::File(operation, reply));
    answer
}

async fn answered(answer: &mut Answer<Result<FileAnswer, FileError>>) -> Result<FileAnswer, FileError> {
    answer.await.unwrap_or_else(unsupported)
}

fn unsupported(unanswered: Unanswered) -> Result<FileAnswer, FileError> {
    Err(FileError::new(FileErrorKind::Unsupported, unanswered.to_string()))
}

fn unexpected(answer: &FileAnswer) -> FileError {
    FileError::new(FileErrorKind::Other, format!("the driver gave an answer that does not fit: {answer:?}"))
}

/// Does what is answered by [`FileAnswer::Done`].
pub(crate) async fn change(asking: &Asking, operation: FileOp) -> Result<(), FileError> {
    match answered(&mut ask(asking, operation)).await? {
        FileAnswer::Done => Ok(()),
        other => Err(unexpected(&other)),
    }
}

/// What is known of a path.
pub(crate) async fn metadata(asking: &Asking, path: PathBuf) -> Result<Metadata, FileError> {
    match answered(&mut ask(asking, FileOp::Metadata(path))).await? {
        FileAnswer::Metadata(metadata) => Ok(metadata),
        other => Err(unexpected(&other)),
    }
}

impl File {
    pub(crate) async fn open(asking: Asking, path: PathBuf, mode: OpenMode) -> Result<Self, FileError> {
        Self::opened(asking, FileOp::Open(path, mode)).await
    }

    pub(crate) async fn open_temporary(asking: Asking, folder: Option<PathBuf>) -> Result<Self, FileError> {
        let mut file = Self::opened(asking, FileOp::OpenTemporary(folder)).await?;
        file.unnamed = true;
        Ok(file)
    }

    async fn opened(asking: Asking, operation: FileOp) -> Result<Self, FileError> {
        match answered(&mut ask(&asking, operation)).await? {
            FileAnswer::Opened(handle, metadata) => {
                Ok(Self { asking, handle, metadata, position: 0, in_flight: None, unnamed: false })
            }
            other => Err(unexpected(&other)),
        }
    }

    /// Opens, for reading, the first of `paths` below `roots`; and which it is.
    pub(super) async fn open_below(
        asking: Asking,
        roots: Arc<[PathBuf]>,
        paths: Vec<PathBuf>,
        symlinks: bool,
    ) -> Result<(Self, usize), FileError> {
        match answered(&mut ask(&asking, FileOp::OpenBelow { roots, paths, symlinks })).await? {
            FileAnswer::OpenedBelow(handle, metadata, index) => {
                let file = Self { asking, handle, metadata, position: 0, in_flight: None, unnamed: false };
                Ok((file, index))
            }
            other => Err(unexpected(&other)),
        }
    }

    pub(super) fn asking(&self) -> &Asking {
        &self.asking
    }

    /// Asks for at most `length` bytes from `position`, unless something is in flight.
    pub(super) fn read_ahead(&mut self, position: u64, length: usize) {
        if self.in_flight.is_none() {
            self.position = position;
            let operation = FileOp::Read { file: self.handle.clone(), offset: position, length };
            self.in_flight = Some(InFlight::Read(ask(&self.asking, operation)));
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
    /// That of a write, or of taking a name, that was in flight.
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
        poll_fn(|cx| self.poll_read(FILE_CHUNK, cx)).await
    }

    /// As [`read`](Self::read), at most `length` bytes unless a longer reading is in flight already.
    pub(super) fn poll_read(
        &mut self,
        length: usize,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Bytes, FileError>> {
        if let Some(InFlight::Change(..)) = self.in_flight {
            ready!(self.poll_settle(cx))?;
        }
        let (asking, handle, offset) = (&self.asking, &self.handle, self.position);
        let in_flight = self.in_flight.get_or_insert_with(|| {
            InFlight::Read(ask(asking, FileOp::Read { file: handle.clone(), offset, length }))
        });
        let answer = ready!(in_flight.poll(cx));
        self.in_flight = None;
        Poll::Ready(match answer? {
            FileAnswer::Data(data) => {
                self.position += data.len() as u64;
                Ok(data)
            }
            other => Err(unexpected(&other)),
        })
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
            self.in_flight = Some(InFlight::Change(ask(&self.asking, operation), length));
            self.settle().await?;
        }
        Ok(())
    }

    /// Gives a [temporary](crate::Context::open_temporary) file this name. It is read and written on as before, and
    /// stays when it is dropped.
    ///
    /// What is there already is never replaced, and nothing is seen under the name before all of the file is. A
    /// file in the file system of `path` only gets a name; one in another is copied. Its permissions are those of
    /// any new file. That the bytes survive a loss of power is not promised: no driver syncs them.
    ///
    /// # Errors
    ///
    /// [`FileError`], with its kind: [`FileErrorKind::AlreadyExists`] if `path` is taken,
    /// [`FileErrorKind::Unsupported`] if the file has a name; also that of an earlier write whose future was
    /// dropped, and then nothing is asked for. The file is without a name as before, and `persist` may be tried
    /// again.
    pub async fn persist(&mut self, path: impl Into<PathBuf>) -> Result<(), FileError> {
        self.settle().await?;
        let operation = FileOp::Persist { file: self.handle.clone(), path: path.into() };
        self.in_flight = Some(InFlight::Change(ask(&self.asking, operation), 0));
        self.settle().await?;
        self.unnamed = false;
        Ok(())
    }

    /// The same open file, read from `position` on.
    pub(super) fn again(&self, position: u64) -> Self {
        Self {
            asking: self.asking.clone(),
            handle: self.handle.clone(),
            metadata: self.metadata,
            position,
            in_flight: None,
            unnamed: self.unnamed,
        }
    }

    /// The next `length` bytes as a body, read while it is sent. Of a file that turns out to be shorter it breaks off.
    ///
    /// ```
    /// use bakestone::effect::OpenMode;
    /// use bakestone::{Request, Response, Result};
    ///
    /// async fn price_list(request: Request) -> Result<Response> {
    ///     let file = request.context().open("prices.csv", OpenMode::Read).await?;
    ///     let length = file.metadata().length;
    ///     Ok(Response::new(file.into_body(length)))
    /// }
    /// ```
    pub fn into_body(self, length: u64) -> Body {
        let part = self.position..self.position.saturating_add(length);
        file_body::body(Content::File(self), vec![Piece::Part(part)])
    }

    /// Waits for what is in flight. The bytes of a read are not taken: the position stays before them.
    pub(super) async fn settle(&mut self) -> Result<(), FileError> {
        poll_fn(|cx| self.poll_settle(cx)).await
    }

    pub(super) fn poll_settle(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), FileError>> {
        let Some(in_flight) = &mut self.in_flight else { return Poll::Ready(Ok(())) };
        let answer = ready!(in_flight.poll(cx));
        Poll::Ready(match self.in_flight.take() {
            Some(InFlight::Change(_, written)) => answer.map(|_| self.position += written),
            _ => Ok(()),
        })
    }
}

impl Drop for File {
    /// To free a large file takes a system long enough to hold up an event loop.
    fn drop(&mut self) {
        if self.unnamed && self.handle.is_last() {
            let handle = self.handle.clone();
            let (freeing, _) = effect::blocking(move || drop(handle));
            self.asking.ask(freeing);
        }
    }
}

impl InFlight {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<FileAnswer, FileError>> {
        let (Self::Read(answer) | Self::Change(answer, _)) = self;
        Pin::new(answer).poll(cx).map(|answered| answered.unwrap_or_else(unsupported))
    }
}
