//! A folder of the real file system.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use bakestone::effect::{FileAnswer, FileError, FileErrorKind, FileHandle, FileOp, Metadata, OpenMode};

use super::temporaries::{Temporaries, Unnamed};
use super::{Files, check_chunk, check_path, error, open_below};

/// The files below one folder, and no others.
///
/// A path is taken relative to the folder, or it begins with the folder. One that climbs out, by `..` or by a
/// symbolic link, is [`FileErrorKind::PermissionDenied`]. That guards a test against its own mistakes; it is
/// no guard against someone who swaps links while it runs.
#[derive(Clone, Debug)]
pub struct FolderFiles {
    root: PathBuf,
    temporaries: Temporaries,
}

/// What a [`FileHandle`] of this source holds.
struct Opened {
    file: Mutex<File>,
    unnamed: Unnamed,
}

impl FolderFiles {
    /// The files below `folder`.
    ///
    /// # Errors
    ///
    /// What the operating system says if there is no such folder.
    pub fn new(folder: impl AsRef<Path>) -> io::Result<Self> {
        let root = fs::canonicalize(folder)?;
        if !root.is_dir() {
            return Err(io::Error::new(io::ErrorKind::NotADirectory, "not a folder"));
        }
        Ok(Self { root, temporaries: Temporaries::default() })
    }

    /// How many files without a name are open: a test asserts that none is left.
    pub fn temporaries(&self) -> usize {
        self.temporaries.count()
    }

    /// Where `path` lies, once it is sure that it lies below the folder.
    fn confine(&self, path: &Path) -> Result<PathBuf, FileError> {
        check_path(path)?;
        let inside = path.strip_prefix(&self.root).unwrap_or(path);
        let tame = |part| matches!(part, Component::Normal(_) | Component::CurDir);
        let full = self.root.join(inside);
        if !inside.components().all(tame) || !self.leads_inside(&full) {
            return Err(error(FileErrorKind::PermissionDenied, format!("{path:?} lies outside the folder")));
        }
        Ok(full)
    }

    /// Whether the nearest thing on the way to `full` that exists is below the folder.
    fn leads_inside(&self, full: &Path) -> bool {
        for place in full.ancestors() {
            // A link that leads nowhere is judged as outside: to open it for writing would make its target.
            if fs::symlink_metadata(place).is_ok() {
                return fs::canonicalize(place).is_ok_and(|place| place.starts_with(&self.root));
            }
        }
        false
    }

    fn open(&self, path: &Path, mode: OpenMode) -> Result<FileAnswer, FileError> {
        let path = self.confine(path)?;
        let mut options = OpenOptions::new();
        let options = match mode {
            OpenMode::Read => options.read(true),
            OpenMode::CreateNew => options.read(true).write(true).create_new(true),
            OpenMode::Truncate => options.read(true).write(true).create(true).truncate(true),
            _ => return Err(error(FileErrorKind::Unsupported, "a folder does not open so")),
        };
        // Some systems open a directory for reading without a word.
        if mode != OpenMode::CreateNew && path.is_dir() {
            return Err(error(FileErrorKind::IsADirectory, format!("{path:?} is a directory")));
        }
        let file = options.open(path).map_err(failed)?;
        opened(file, Unnamed::default())
    }

    /// A file that is made and unlinked at once.
    fn open_temporary(&self, folder: Option<&Path>) -> Result<FileAnswer, FileError> {
        let folder = folder.map_or_else(|| Ok(self.root.clone()), |folder| self.confine(folder))?;
        let file = unlinked(&folder).map_err(failed)?;
        opened(file, self.temporaries.begin())
    }

    /// The copy takes the name first and then gets its content, since nobody looks in between.
    fn persist(&self, file: &FileHandle, path: &Path) -> Result<FileAnswer, FileError> {
        let opened = own(file)?;
        opened.unnamed.name(|| {
            let path = self.confine(path)?;
            let mut named = new_file(&path).map_err(failed)?;
            let mut file = opened.file.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(failure) = file.rewind().and_then(|()| io::copy(&mut *file, &mut named)) {
                fs::remove_file(path).map_err(failed)?;
                return Err(failed(failure));
            }
            *file = named;
            Ok(())
        })?;
        Ok(FileAnswer::Done)
    }

    fn open_below(
        &self,
        root: &Path,
        path: &Path,
        symlinks: bool,
    ) -> Result<(FileHandle, Metadata), FileError> {
        let root = fs::canonicalize(self.confine(root)?).map_err(failed)?;
        let place = root.join(path);
        let below = place.ancestors().take_while(|place| **place != root);
        let has_links = below.clone().any(|place| place.is_symlink());
        let leads_out = !fs::canonicalize(&place).map_err(failed)?.starts_with(&root);
        if leads_out || (has_links && !symlinks) {
            return Err(error(FileErrorKind::NotFound, format!("{path:?} leads over a symbolic link")));
        }
        match fs::metadata(&place).map_err(failed)?.file_type() {
            kind if kind.is_dir() => {
                Err(error(FileErrorKind::IsADirectory, format!("{path:?} is a directory")))
            }
            kind if !kind.is_file() => Err(error(FileErrorKind::NotFound, format!("{path:?} is no file"))),
            _ => {
                let file = File::open(&place).map_err(failed)?;
                let metadata = known(&file.metadata().map_err(failed)?);
                let opened = Opened { file: Mutex::new(file), unnamed: Unnamed::default() };
                Ok((FileHandle::new(opened), metadata))
            }
        }
    }
}

impl Files for FolderFiles {
    fn answer(&mut self, op: FileOp) -> Result<FileAnswer, FileError> {
        match op {
            FileOp::Open(path, mode) => self.open(&path, mode),
            FileOp::OpenBelow { roots, paths, symlinks } => {
                open_below(&roots, &paths, |root, path| self.open_below(root, path, symlinks))
            }
            FileOp::Metadata(path) => {
                let metadata = fs::metadata(self.confine(&path)?).map_err(failed)?;
                Ok(FileAnswer::Metadata(known(&metadata)))
            }
            FileOp::Read { file, offset, length } => read(&file, offset, length),
            FileOp::Write { file, offset, data } => {
                check_chunk(data.len())?;
                at(&file, offset, |file| file.write_all(&data)).map(|()| FileAnswer::Done)
            }
            FileOp::Rename(from, to) => {
                fs::rename(self.confine(&from)?, self.confine(&to)?).map_err(failed)?;
                Ok(FileAnswer::Done)
            }
            FileOp::Remove(path) => {
                let path = self.confine(&path)?;
                if path.is_dir() {
                    return Err(error(FileErrorKind::IsADirectory, format!("{path:?} is a directory")));
                }
                fs::remove_file(path).map_err(failed)?;
                Ok(FileAnswer::Done)
            }
            FileOp::OpenTemporary(folder) => self.open_temporary(folder.as_deref()),
            FileOp::Persist { file, path } => self.persist(&file, &path),
            _ => Err(error(FileErrorKind::Unsupported, "a folder does not do this")),
        }
    }
}

fn opened(file: File, unnamed: Unnamed) -> Result<FileAnswer, FileError> {
    let metadata = known(&file.metadata().map_err(failed)?);
    Ok(FileAnswer::Opened(FileHandle::new(Opened { file: Mutex::new(file), unnamed }), metadata))
}

fn own(file: &FileHandle) -> Result<&Opened, FileError> {
    file.downcast().ok_or_else(|| error(FileErrorKind::Other, "the file was opened by another source"))
}

fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).open(path)
}

/// A new file of `folder` that has no name any more.
fn unlinked(folder: &Path) -> io::Result<File> {
    /// Names that stand for a moment, so that only other tests in the same folder can have taken some.
    const NAMES: usize = 1000;
    let mut taken = io::ErrorKind::AlreadyExists.into();
    for number in 0..NAMES {
        let path = folder.join(format!(".temporary-{}-{number}", std::process::id()));
        match new_file(&path) {
            Ok(file) => return fs::remove_file(path).map(|()| file),
            Err(failure) if failure.kind() == io::ErrorKind::AlreadyExists => taken = failure,
            Err(failure) => return Err(failure),
        }
    }
    Err(taken)
}

fn read(file: &FileHandle, offset: u64, length: usize) -> Result<FileAnswer, FileError> {
    check_chunk(length)?;
    let mut data = Vec::new();
    at(file, offset, |file| file.take(length as u64).read_to_end(&mut data))?;
    Ok(FileAnswer::Data(data.into()))
}

fn at<T>(
    file: &FileHandle,
    offset: u64,
    work: impl FnOnce(&mut File) -> io::Result<T>,
) -> Result<T, FileError> {
    let mut file = own(file)?.file.lock().unwrap_or_else(PoisonError::into_inner);
    file.seek(SeekFrom::Start(offset)).and_then(|_| work(&mut file)).map_err(failed)
}

fn known(metadata: &fs::Metadata) -> Metadata {
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    match metadata.is_dir() {
        true => Metadata::directory(modified),
        false => Metadata::file(metadata.len(), modified),
    }
}

fn failed(failure: io::Error) -> FileError {
    let kind = match failure.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => FileErrorKind::NotFound,
        io::ErrorKind::PermissionDenied => FileErrorKind::PermissionDenied,
        io::ErrorKind::AlreadyExists => FileErrorKind::AlreadyExists,
        io::ErrorKind::IsADirectory => FileErrorKind::IsADirectory,
        io::ErrorKind::InvalidInput => FileErrorKind::InvalidPath,
        io::ErrorKind::StorageFull => FileErrorKind::StorageFull,
        io::ErrorKind::Unsupported => FileErrorKind::Unsupported,
        _ => FileErrorKind::Other,
    };
    error(kind, failure.to_string())
}
