//! A file that came with a form.
//!
//! The rule: it vanishes with its value unless it was given a path; and a path never shows half a file.

use std::fmt;
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};

use crate::effect::{FILE_CHUNK, FileError, FileErrorKind};
use crate::error::Result;
use crate::http::MediaType;
use crate::message::{Body, BodyError, Context, File, Part};
use crate::multipart::PartHead;

/// A file of a form: small ones in memory, others in a temporary file without a name, or at the path that
/// [`FormOptions::upload_to`](crate::message::FormOptions::upload_to) gave.
pub struct UploadedFile {
    head: PartHead,
    size: u64,
    content: Content,
    path: Option<PathBuf>,
    context: Context,
}

enum Content {
    Memory(Bytes),
    Stored(Stored),
}

/// Where a file begins in one that may hold others too.
struct Stored {
    file: File,
    begin: u64,
    alone: bool,
}

impl UploadedFile {
    /// What the part says of itself.
    pub fn head(&self) -> &PartHead {
        &self.head
    }

    /// The name of the form's field.
    pub fn name(&self) -> &str {
        self.head.name()
    }

    /// The name of the file as the client gave it. It may be any text: `../../etc/passwd`, or nothing.
    pub fn filename(&self) -> Option<&str> {
        self.head.filename()
    }

    /// The name of the file without what would make it more than the name of a file in a folder: see
    /// [`PartHead::safe_filename`].
    pub fn safe_filename(&self) -> Option<String> {
        self.head.safe_filename()
    }

    /// The media type that the client says the file is of. It may say anything.
    pub fn content_type(&self) -> Option<MediaType<'_>> {
        self.head.content_type()
    }

    /// How many bytes it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether a form with an input for a file was sent without one: a browser sends an empty name and no content.
    pub fn is_empty(&self) -> bool {
        self.size == 0 && self.filename().unwrap_or_default().is_empty()
    }

    /// Where [`FormOptions::upload_to`](crate::message::FormOptions::upload_to) put it.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The whole content, at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// [`LimitExceeded`](crate::error::LimitExceeded) (413) of a longer file, before anything is read; what reading
    /// [`stream`](Self::stream) fails with.
    pub async fn read(&self, limit: usize) -> Result<Bytes> {
        Ok(self.stream().bytes(limit).await?)
    }

    /// The content as a body, read piece by piece: to go through it, or to send it.
    pub fn stream(&self) -> Body {
        match &self.content {
            Content::Memory(bytes) => bytes.clone().into(),
            Content::Stored(stored) => stored.file.again(stored.begin).into_body(self.size),
        }
    }

    /// Copies it into a new file at `path`, which is there once it is complete. It may be done even if the future is
    /// dropped.
    ///
    /// # Errors
    ///
    /// [`FileError`]: of [`AlreadyExists`](crate::effect::FileErrorKind::AlreadyExists), if there is a file; nothing
    /// is left of what was copied.
    pub async fn copy_to(&self, path: impl Into<PathBuf>) -> Result<(), FileError> {
        let path = path.into();
        self.copy(&path).await?.persist(path).await
    }

    /// A copy without a name, where a file at `path` will be.
    async fn copy(&self, path: &Path) -> Result<File, FileError> {
        let mut copy = self.context.open_temporary(folder_of(path)).await?;
        let mut content = self.stream();
        while let Some(piece) = content.chunk().await.map_err(failed)? {
            copy.write(piece).await?;
        }
        Ok(copy)
    }

    /// Gives it a name of its own: a new file at `path`, which is there once it is complete. It may be done even if the
    /// future is dropped.
    ///
    /// # Errors
    ///
    /// As [`copy_to`](Self::copy_to). Where one occurs the file is gone.
    pub async fn persist(mut self, path: impl Into<PathBuf>) -> Result<(), FileError> {
        match &mut self.content {
            Content::Stored(stored) if stored.alone && self.path.is_none() => stored.file.persist(path).await,
            _ => self.copy_to(path).await,
        }
    }
}

/// Why the content could not be read.
fn failed(error: BodyError) -> FileError {
    let other = |error: &dyn fmt::Display| FileError::new(FileErrorKind::Other, error.to_string());
    match error {
        BodyError::Source(source) => source.downcast().map_or_else(|source| other(&source), |error| *error),
        error => other(&error),
    }
}

/// The folder of `path`, so that a file can get that name without being copied.
fn folder_of(path: &Path) -> Option<PathBuf> {
    let parent = path.parent()?;
    Some(if parent.as_os_str().is_empty() { PathBuf::from(".") } else { parent.to_owned() })
}

impl fmt::Debug for UploadedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadedFile")
            .field("head", &self.head)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// The files of one form on their way in.
pub(super) struct Receiving<'a> {
    context: &'a Context,
    /// How much may still stay in memory, in bytes.
    memory: usize,
    /// Where it goes if it does not stay there; the driver's own temporary folder if nowhere.
    folder: Option<PathBuf>,
    /// How many may still have a file without others in it.
    alone: usize,
    /// The one that the others share.
    shared: Option<File>,
}

/// A process has few descriptors, and a form may have many files: past so many that are on the disk they share one.
const FILES_ALONE: usize = 8;

impl<'a> Receiving<'a> {
    pub(super) fn new(context: &'a Context, memory: usize, folder: Option<PathBuf>) -> Self {
        Self { context, memory, folder, alone: FILES_ALONE, shared: None }
    }

    /// Reads `part` to its end. Its file is to be at `path`, but is not yet.
    pub(super) async fn receive(
        &mut self,
        mut part: Part<'_>,
        path: Option<PathBuf>,
    ) -> Result<UploadedFile> {
        let (mut stored, mut pending, mut size) = (None::<Stored>, BytesMut::new(), 0);
        while let Some(piece) = part.chunk().await? {
            size += piece.len() as u64;
            pending.extend_from_slice(&piece);
            if stored.is_none() && size > self.memory as u64 {
                stored = Some(self.store(path.as_deref()).await?);
            }
            if let Some(stored) = stored.as_mut().filter(|_| pending.len() >= FILE_CHUNK) {
                stored.file.write(pending.split().freeze()).await?;
            }
        }
        let content = match stored {
            None => {
                self.memory -= pending.len();
                Content::Memory(pending.freeze())
            }
            Some(mut stored) => {
                stored.file.write(pending.freeze()).await?;
                Content::Stored(self.share(stored))
            }
        };
        Ok(UploadedFile { head: part.into_head(), size, content, path, context: self.context.clone() })
    }

    /// A place for a file that is too large for the memory.
    async fn store(&mut self, path: Option<&Path>) -> Result<Stored, FileError> {
        let alone = self.alone > 0;
        self.alone = self.alone.saturating_sub(1);
        let file = match self.shared.take().filter(|_| !alone) {
            Some(shared) => shared,
            None => {
                let folder = path.filter(|_| alone).and_then(folder_of);
                self.context.open_temporary(folder.or_else(|| self.folder.clone())).await?
            }
        };
        Ok(Stored { begin: file.position(), file, alone })
    }

    /// Keeps a file that the next ones share.
    fn share(&mut self, stored: Stored) -> Stored {
        if stored.alone {
            return stored;
        }
        let file = stored.file.again(stored.begin);
        self.shared = Some(stored.file);
        Stored { file, ..stored }
    }
}

/// Gives the files of a form their paths: all of them, or none.
pub(super) async fn persist_all(files: &mut [UploadedFile], context: &Context) -> Result<(), FileError> {
    let mut named = Named { paths: Vec::new(), current: None, context };
    for uploaded in files {
        let Some(path) = uploaded.path.clone() else { continue };
        let mut file = match &uploaded.content {
            Content::Stored(stored) if stored.alone => stored.file.again(0),
            _ => uploaded.copy(&path).await?,
        };
        // From here on the only thing in flight is the taking of the name.
        file.settle().await?;
        let (file, path) = named.current.insert((file, path));
        let persisted = file.persist(&*path).await;
        let current = named.current.take();
        persisted?;
        named.paths.extend(current.map(|(_, path)| path));
    }
    named.paths.clear();
    Ok(())
}

/// The files that have their names already, and the one that is about to get it; unless all get theirs, they lose them
/// again.
struct Named<'a> {
    paths: Vec<PathBuf>,
    current: Option<(File, PathBuf)>,
    context: &'a Context,
}

impl Drop for Named<'_> {
    fn drop(&mut self) {
        let (paths, current) = (std::mem::take(&mut self.paths), self.current.take());
        if paths.is_empty() && current.is_none() {
            return;
        }
        let unwanted = paths.clone();
        let cleaning = self.context.spawn(move |context| async move {
            let mut removed = Ok(());
            for path in unwanted {
                // Somebody may have moved one of them meanwhile, and the others go all the same.
                removed = removed.and(context.remove(path).await);
            }
            // Whether the last one got its name is only known when the driver has answered.
            if let Some((mut file, path)) = current {
                if file.settle().await.is_ok() {
                    removed = removed.and(context.remove(path).await);
                }
            }
            removed
        });
        if cleaning.is_err() {
            // Nobody is there to wait for what is in flight.
            paths.into_iter().for_each(|path| self.context.remove_unheard(path));
        }
    }
}
