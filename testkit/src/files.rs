//! Where a [`Wire`](crate::Wire) takes its files from: a map in memory, or a folder.
//!
//! The rule: a source is as strict as the strictest driver, so that what passes here passes on all of them; but a map in
//! memory has no folders to be made, since a folder there is whatever a file lies in.

mod folder;
mod memory;
mod temporaries;

use std::path::{Component, Path, PathBuf};

use bakestone::effect::{FILE_CHUNK, FileAnswer, FileError, FileErrorKind, FileHandle, FileOp, Metadata};

pub use folder::FolderFiles;
pub use memory::MemoryFiles;

/// A source of files that answers at once.
///
/// A closure is one too, for a file system that fails just so.
///
/// ```
/// use bakestone::effect::{FileError, FileErrorKind, FileOp};
/// use bakestone_testkit::Files;
/// use std::path::PathBuf;
///
/// let mut full = |_: FileOp| Err(FileError::new(FileErrorKind::StorageFull, "no room"));
/// assert!(full.answer(FileOp::Metadata(PathBuf::from("a"))).is_err());
/// ```
pub trait Files {
    /// Does `op`, here and now.
    fn answer(&mut self, op: FileOp) -> Result<FileAnswer, FileError>;
}

impl<F: FnMut(FileOp) -> Result<FileAnswer, FileError>> Files for F {
    fn answer(&mut self, op: FileOp) -> Result<FileAnswer, FileError> {
        self(op)
    }
}

fn error(kind: FileErrorKind, message: impl Into<String>) -> FileError {
    FileError::new(kind, message)
}

/// Core promises never to ask for more than a chunk, and a driver may rely on it.
fn check_chunk(length: usize) -> Result<(), FileError> {
    if length > FILE_CHUNK {
        return Err(error(
            FileErrorKind::Other,
            format!("{length} bytes in one operation, more than FILE_CHUNK"),
        ));
    }
    Ok(())
}

/// The longest name that the usual file systems hold, in bytes.
const NAME_MAX: usize = 255;

fn check_path(path: &Path) -> Result<(), FileError> {
    let fits = |name: &std::ffi::OsStr| {
        let name = name.as_encoded_bytes();
        name.len() <= NAME_MAX && !name.contains(&0)
    };
    if path.as_os_str().is_empty() || !path.iter().all(fits) {
        return Err(error(FileErrorKind::InvalidPath, format!("{path:?} is no path")));
    }
    Ok(())
}

/// The first file that `open` opens of `paths` below `roots`, as [`FileOp::OpenBelow`] asks for it; a path that is not
/// made of names alone is not tried.
fn open_below(
    roots: &[PathBuf],
    paths: &[PathBuf],
    mut open: impl FnMut(&Path, &Path) -> Result<(FileHandle, Metadata), FileError>,
) -> Result<FileAnswer, FileError> {
    let mut found = None;
    for root in roots {
        for (index, path) in paths.iter().enumerate() {
            let named = path.components().all(|part| matches!(part, Component::Normal(_)));
            if path.as_os_str().is_empty() {
                found = Some(error(FileErrorKind::IsADirectory, "it is the folder itself"));
            }
            if !named || check_path(path).is_err() {
                continue;
            }
            match open(root, path) {
                Ok((file, metadata)) => return Ok(FileAnswer::OpenedBelow(file, metadata, index)),
                Err(failure) => match failure.kind {
                    FileErrorKind::NotFound | FileErrorKind::InvalidPath => {}
                    FileErrorKind::PermissionDenied => found = found.or(Some(failure)),
                    FileErrorKind::IsADirectory => found = Some(failure),
                    _ => return Err(failure),
                },
            }
        }
    }
    Err(found.unwrap_or_else(|| error(FileErrorKind::NotFound, "there is no such file below the folder")))
}
