//! A file that came with a form.
//!
//! The rule: it vanishes with its value unless it was given a path; and a path never shows half a file.

use std::fmt;
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};

use crate::effect::{FILE_CHUNK, FileError};
use crate::error::{LimitExceeded, Result};
use crate::http::MediaType;
use crate::message::{Body, Context, File, Part};
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
    Stored(File),
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

    /// How much of it is in memory, in bytes.
    pub(super) fn in_memory(&self) -> usize {
        match &self.content {
            Content::Memory(bytes) => bytes.len(),
            Content::Stored(_) => 0,
        }
    }

    /// Where [`FormOptions::upload_to`](crate::message::FormOptions::upload_to) put it.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The whole content, at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// [`LimitExceeded`] (413) of a longer file, before anything is read; [`FileError`].
    pub async fn read(&self, limit: usize) -> Result<Bytes> {
        if self.size > limit as u64 {
            return Err(LimitExceeded::new("buffered_body_bytes", limit as u64, self.size).into());
        }
        let mut file = match &self.content {
            Content::Memory(bytes) => return Ok(bytes.clone()),
            Content::Stored(file) => file.again(),
        };
        let mut whole = BytesMut::with_capacity(usize::try_from(self.size).unwrap_or(0));
        loop {
            let piece = file.read().await?;
            if piece.is_empty() {
                return Ok(whole.freeze());
            }
            whole.extend_from_slice(&piece);
        }
    }

    /// The content as a body, read piece by piece: to go through it, or to send it.
    pub fn into_body(self) -> Body {
        match self.content {
            Content::Memory(bytes) => bytes.into(),
            Content::Stored(file) => file.into_body(self.size),
        }
    }

    /// Copies it into a new file at `path`, which is there once it is complete.
    ///
    /// # Errors
    ///
    /// [`FileError`]: of [`AlreadyExists`](crate::effect::FileErrorKind::AlreadyExists), if there is a file; nothing
    /// is left of what was copied.
    pub async fn copy_to(&self, path: impl Into<PathBuf>) -> Result<(), FileError> {
        let path = path.into();
        let mut target = self.context.open_temporary(folder_of(&path)).await?;
        match &self.content {
            Content::Memory(bytes) => target.write(bytes.clone()).await?,
            Content::Stored(file) => copy(file.again(), &mut target).await?,
        }
        target.persist(path).await
    }

    /// Gives it a name of its own: a new file at `path`, which is there once it is complete.
    ///
    /// # Errors
    ///
    /// As [`copy_to`](Self::copy_to). Where one occurs the file is gone.
    pub async fn persist(mut self, path: impl Into<PathBuf>) -> Result<(), FileError> {
        match &mut self.content {
            Content::Stored(file) if self.path.is_none() => file.persist(path.into()).await,
            _ => self.copy_to(path).await,
        }
    }
}

async fn copy(mut from: File, to: &mut File) -> Result<(), FileError> {
    loop {
        let piece = from.read().await?;
        if piece.is_empty() {
            return Ok(());
        }
        to.write(piece).await?;
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

/// A file on its way in.
pub(super) struct Receiving<'a> {
    pub(super) context: &'a Context,
    /// How much of it may stay in memory, in bytes.
    pub(super) memory: usize,
    /// Where it goes if it does not stay there; the driver's own temporary folder if nowhere.
    pub(super) folder: Option<&'a Path>,
}

impl Receiving<'_> {
    /// Reads `part` to its end.
    pub(super) async fn receive(self, mut part: Part<'_>, path: Option<PathBuf>) -> Result<UploadedFile> {
        let mut file = match &path {
            Some(path) => Some(self.context.open_temporary(folder_of(path)).await?),
            None => None,
        };
        let (mut pending, mut size) = (BytesMut::new(), 0);
        while let Some(piece) = part.chunk().await? {
            size += piece.len() as u64;
            pending.extend_from_slice(&piece);
            let full = match &file {
                None => size > self.memory as u64,
                Some(_) => pending.len() >= FILE_CHUNK,
            };
            if full {
                let mut stored = match file.take() {
                    Some(stored) => stored,
                    None => self.context.open_temporary(self.folder.map(Path::to_owned)).await?,
                };
                stored.write(pending.split().freeze()).await?;
                file = Some(stored);
            }
        }
        let content = match file {
            None => Content::Memory(pending.freeze()),
            Some(mut stored) => {
                stored.write(pending.freeze()).await?;
                Content::Stored(stored)
            }
        };
        Ok(UploadedFile { head: part.into_head(), size, content, path, context: self.context.clone() })
    }
}

/// Gives the files of a form their paths: all of them, or none.
pub(super) async fn persist_all(files: &mut [UploadedFile], context: &Context) -> Result<(), FileError> {
    let mut named = Named { paths: Vec::new(), current: None, context };
    for uploaded in files {
        let Some(path) = uploaded.path.clone() else { continue };
        let content = std::mem::replace(&mut uploaded.content, Content::Memory(Bytes::new()));
        let Content::Stored(mut file) = content else { continue };
        // From here on the only thing in flight is the taking of the name.
        file.settle().await?;
        let (file, path) = named.current.insert((file, path));
        let persisted = file.persist(&*path).await;
        let current = named.current.take();
        persisted?;
        if let Some((file, path)) = current {
            uploaded.content = Content::Stored(file);
            named.paths.push(path);
        }
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
        // Whether the last one got its name is only known when the driver has answered, and then this is gone.
        let cleaning = self.context.spawn(move |context| async move {
            let mut unwanted = unwanted;
            if let Some((mut file, path)) = current {
                unwanted.extend(file.settle().await.is_ok().then_some(path));
            }
            for path in unwanted {
                context.remove(path).await?;
            }
            Ok::<(), FileError>(())
        });
        if cleaning.is_err() {
            paths.into_iter().for_each(|path| self.context.remove_unheard(path));
        }
    }
}
