//! A file system in memory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bakestone::effect::{FileAnswer, FileError, FileErrorKind, FileHandle, FileOp, Metadata, OpenMode};
use bytes::Bytes;

use super::temporaries::{Temporaries, Unnamed};
use super::{Files, check_chunk, check_path, error, open_below};

/// Files in memory: paths and their bytes. A clone is another handle on the same files.
///
/// A directory is whatever a file lies in. A file that is open outlives its path, as on unix. There is no
/// clock here: a file knows when it was changed only if it was
/// [made with a time](MemoryFiles::insert_modified), and forgets it when it is written to.
///
/// ```
/// use bakestone_testkit::MemoryFiles;
///
/// let files = MemoryFiles::new().with("static/a.txt", "hello");
/// assert_eq!(files.get("static/a.txt").as_deref(), Some(&b"hello"[..]));
/// assert_eq!(files.get("static"), None);
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryFiles {
    tree: Arc<Mutex<Tree>>,
}

#[derive(Debug, Default)]
struct Tree {
    files: BTreeMap<PathBuf, Node>,
    /// How many bytes a single file may hold.
    room: Option<usize>,
    temporaries: Temporaries,
}

type Node = Arc<Mutex<Content>>;

#[derive(Debug, Default)]
struct Content {
    bytes: Vec<u8>,
    modified: Option<Duration>,
}

/// What a [`FileHandle`] of this source holds.
struct Opened {
    node: Node,
    writable: bool,
    unnamed: Unnamed,
}

/// A test that panicked elsewhere has not harmed the bytes here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MemoryFiles {
    /// No files.
    pub fn new() -> Self {
        Self::default()
    }

    /// These files and one more.
    #[must_use]
    pub fn with(self, path: impl Into<PathBuf>, bytes: impl Into<Vec<u8>>) -> Self {
        self.insert(path, bytes);
        self
    }

    /// Puts a file at `path`, in place of the one that is there.
    pub fn insert(&self, path: impl Into<PathBuf>, bytes: impl Into<Vec<u8>>) {
        self.put(path.into(), Content { bytes: bytes.into(), modified: None });
    }

    /// As [`insert`](Self::insert), last changed at `modified` after the Unix epoch.
    pub fn insert_modified(&self, path: impl Into<PathBuf>, bytes: impl Into<Vec<u8>>, modified: Duration) {
        self.put(path.into(), Content { bytes: bytes.into(), modified: Some(modified) });
    }

    /// From now on a file holds at most `bytes`; writing more is [`FileErrorKind::StorageFull`].
    pub fn limit_room(&self, bytes: usize) {
        lock(&self.tree).room = Some(bytes);
    }

    /// The bytes of the file at `path`.
    pub fn get(&self, path: impl AsRef<Path>) -> Option<Vec<u8>> {
        let node = lock(&self.tree).files.get(path.as_ref()).cloned()?;
        let bytes = lock(&node).bytes.clone();
        Some(bytes)
    }

    /// The paths of all files, in order.
    pub fn paths(&self) -> Vec<PathBuf> {
        lock(&self.tree).files.keys().cloned().collect()
    }

    /// How many files without a name are open: a test asserts that none is left.
    ///
    /// ```
    /// use bakestone::effect::FileOp;
    /// use bakestone_testkit::{Files, MemoryFiles};
    ///
    /// let mut files = MemoryFiles::new();
    /// let opened = files.answer(FileOp::OpenTemporary(None));
    /// assert_eq!((files.temporaries(), files.paths().len()), (1, 0));
    /// drop(opened);
    /// assert_eq!(files.temporaries(), 0);
    /// ```
    pub fn temporaries(&self) -> usize {
        lock(&self.tree).temporaries.count()
    }

    fn put(&self, path: PathBuf, content: Content) {
        lock(&self.tree).files.insert(path, Arc::new(Mutex::new(content)));
    }
}

impl Files for MemoryFiles {
    fn answer(&mut self, op: FileOp) -> Result<FileAnswer, FileError> {
        let mut tree = lock(&self.tree);
        match op {
            FileOp::Open(path, mode) => tree.open(path, mode),
            FileOp::OpenBelow { roots, paths, .. } => {
                open_below(&roots, &paths, |root, path| tree.find(&root.join(path)).map(opened_for_reading))
            }
            FileOp::Metadata(path) => tree.metadata(&path).map(FileAnswer::Metadata),
            FileOp::Read { file, offset, length } => read(&file, offset, length),
            FileOp::Write { file, offset, data } => write(&file, offset, &data, tree.room),
            FileOp::Rename(from, to) => tree.rename(&from, to),
            FileOp::Remove(path) => tree.remove(&path).map(|_| FileAnswer::Done),
            FileOp::OpenTemporary(folder) => tree.open_temporary(folder.as_deref()),
            FileOp::Persist { file, path } => tree.persist(&file, path),
            _ => Err(error(FileErrorKind::Unsupported, "files in memory do not do this")),
        }
    }
}

impl Tree {
    fn is_directory(&self, path: &Path) -> bool {
        self.files.keys().any(|file| file != path && file.starts_with(path))
    }

    /// The file at `path`, or why there is none.
    fn find(&self, path: &Path) -> Result<&Node, FileError> {
        check_path(path)?;
        if self.is_directory(path) {
            return Err(error(FileErrorKind::IsADirectory, format!("{path:?} is a directory")));
        }
        self.files.get(path).ok_or_else(|| error(FileErrorKind::NotFound, format!("there is no {path:?}")))
    }

    fn open(&mut self, path: PathBuf, mode: OpenMode) -> Result<FileAnswer, FileError> {
        let node = match (self.find(&path), mode) {
            (Ok(node), OpenMode::Read) => node.clone(),
            (Ok(_), OpenMode::CreateNew) => {
                return Err(error(FileErrorKind::AlreadyExists, format!("{path:?} is there already")));
            }
            (Ok(node), OpenMode::Truncate) => {
                *lock(node) = Content::default();
                node.clone()
            }
            (Err(failure), OpenMode::CreateNew | OpenMode::Truncate)
                if failure.kind == FileErrorKind::NotFound =>
            {
                self.files.entry(path).or_default().clone()
            }
            (Err(failure), _) => return Err(failure),
            (Ok(_), _) => return Err(error(FileErrorKind::Unsupported, "files in memory do not open so")),
        };
        let metadata = metadata(&node);
        let writable = mode != OpenMode::Read;
        let unnamed = Unnamed::default();
        Ok(FileAnswer::Opened(FileHandle::new(Opened { node, writable, unnamed }), metadata))
    }

    /// A folder need not be there, as it need not be for a new file.
    fn open_temporary(&mut self, folder: Option<&Path>) -> Result<FileAnswer, FileError> {
        if let Some(folder) = folder {
            self.check_folder(folder)?;
        }
        let (node, unnamed) = (Node::default(), self.temporaries.begin());
        let metadata = metadata(&node);
        Ok(FileAnswer::Opened(FileHandle::new(Opened { node, writable: true, unnamed }), metadata))
    }

    fn check_folder(&self, folder: &Path) -> Result<(), FileError> {
        check_path(folder)?;
        match folder.ancestors().find(|place| self.files.contains_key(*place)) {
            Some(place) => Err(error(FileErrorKind::NotFound, format!("{place:?} is no folder"))),
            None => Ok(()),
        }
    }

    fn persist(&mut self, file: &FileHandle, path: PathBuf) -> Result<FileAnswer, FileError> {
        let opened = opened(file)?;
        opened.unnamed.name(|| {
            check_path(&path)?;
            if self.is_directory(&path) || self.files.contains_key(&path) {
                return Err(error(FileErrorKind::AlreadyExists, format!("{path:?} is there already")));
            }
            match path.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => self.check_folder(folder)?,
                _ => {}
            }
            self.files.insert(path, opened.node.clone());
            Ok(())
        })?;
        Ok(FileAnswer::Done)
    }

    fn metadata(&self, path: &Path) -> Result<Metadata, FileError> {
        match self.find(path) {
            Ok(node) => Ok(metadata(node)),
            Err(failure) if failure.kind == FileErrorKind::IsADirectory => Ok(Metadata::directory(None)),
            Err(failure) => Err(failure),
        }
    }

    fn rename(&mut self, from: &Path, to: PathBuf) -> Result<FileAnswer, FileError> {
        match self.find(&to) {
            Err(failure) if failure.kind != FileErrorKind::NotFound => return Err(failure),
            _ => {}
        }
        let node = self.remove(from)?;
        self.files.insert(to, node);
        Ok(FileAnswer::Done)
    }

    fn remove(&mut self, path: &Path) -> Result<Node, FileError> {
        let node = self.find(path)?.clone();
        self.files.remove(path);
        Ok(node)
    }
}

fn opened_for_reading(node: &Node) -> (FileHandle, Metadata) {
    let opened = Opened { node: node.clone(), writable: false, unnamed: Unnamed::default() };
    (FileHandle::new(opened), metadata(node))
}

fn metadata(node: &Node) -> Metadata {
    let content = lock(node);
    Metadata::file(content.bytes.len() as u64, content.modified)
}

fn opened(file: &FileHandle) -> Result<&Opened, FileError> {
    file.downcast().ok_or_else(|| error(FileErrorKind::Other, "the file was opened by another source"))
}

fn read(file: &FileHandle, offset: u64, length: usize) -> Result<FileAnswer, FileError> {
    check_chunk(length)?;
    let content = lock(&opened(file)?.node);
    let from = usize::try_from(offset).unwrap_or(usize::MAX).min(content.bytes.len());
    let to = from.saturating_add(length).min(content.bytes.len());
    Ok(FileAnswer::Data(Bytes::copy_from_slice(&content.bytes[from..to])))
}

fn write(file: &FileHandle, offset: u64, data: &[u8], room: Option<usize>) -> Result<FileAnswer, FileError> {
    /// A hole is really filled with zeros here, so a stray offset must not eat the machine's memory.
    const MOST: usize = 1 << 30;
    check_chunk(data.len())?;
    let opened = opened(file)?;
    if !opened.writable {
        return Err(error(FileErrorKind::PermissionDenied, "the file was opened for reading"));
    }
    let from = usize::try_from(offset).unwrap_or(usize::MAX);
    let to = from.saturating_add(data.len());
    if to > room.unwrap_or(MOST) {
        return Err(error(FileErrorKind::StorageFull, "no room is left in memory"));
    }
    let mut content = lock(&opened.node);
    if content.bytes.len() < to {
        content.bytes.resize(to, 0);
    }
    content.bytes[from..to].copy_from_slice(data);
    content.modified = None;
    Ok(FileAnswer::Done)
}
