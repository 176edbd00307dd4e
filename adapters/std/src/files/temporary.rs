//! Files without a name, and how they get one.
//!
//! The rule: a name shows the whole file or nothing, and never in the place of what is there; whatever fails, and
//! whenever the process is killed, nothing is left that has no owner.
//!
//! Linux opens such a file without a name (`O_TMPFILE`, open(2)) and links the open file where it belongs. File
//! systems that cannot, such as NFS, and other systems get one that is made and unlinked at once; between the two
//! lies the only moment in which a killed process leaves something, and it is empty. Such a file, and one of another
//! file system, is copied when it gets its name.
//!
//! A named file has the permissions of any new one (0666 less the umask), as those that are opened by name have. They
//! say who else may read an upload, a server of static files for one, and the umask is where a system says that.
//!
//! Nothing is synced to the disk: a service that promises to survive a loss of power does that for its folders as
//! well, and all others would pay for it with each file.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use bakestone::effect::{FileAnswer, FileError, FileErrorKind, FileHandle};

use super::{describe, error};

/// What the handle of a file that began without a name holds.
pub(super) struct Temporary {
    pub(super) file: Mutex<File>,
    named: AtomicBool,
}

pub(super) fn open(folder: Option<PathBuf>) -> Result<FileAnswer, FileError> {
    let file = match folder {
        Some(folder) => tempfile::tempfile_in(folder),
        None => tempfile::tempfile(),
    };
    let file = file.map_err(error)?;
    let metadata = describe(&file.metadata().map_err(error)?);
    let file = Temporary { file: Mutex::new(file), named: AtomicBool::new(false) };
    Ok(FileAnswer::Opened(FileHandle::new(file), metadata))
}

pub(super) fn persist(file: &FileHandle, path: &Path) -> Result<FileAnswer, FileError> {
    let unsupported = |message| FileError::new(FileErrorKind::Unsupported, message);
    let temporary: &Temporary =
        file.downcast().ok_or_else(|| unsupported("the file is no temporary one of this driver"))?;
    let mut file = temporary.file.lock().unwrap_or_else(|poison| poison.into_inner());
    if temporary.named.load(Ordering::Relaxed) {
        return Err(unsupported("the file has a name already"));
    }
    if let Some(copy) = named(&file, path).map_err(error)? {
        *file = copy;
    }
    temporary.named.store(true, Ordering::Relaxed);
    Ok(FileAnswer::Done)
}

/// Gives `file` the name, or makes a copy of that name.
fn named(file: &File, path: &Path) -> io::Result<Option<File>> {
    if link(file, path)? {
        return Ok(None);
    }
    // It is no more than a guess, but saves a copy in vain.
    if fs::symlink_metadata(path).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    if let Some(copy) = linked_copy(file, path)? {
        return Ok(Some(copy));
    }
    renamed_copy(file, path).map(Some)
}

/// A copy that has no name until it is whole; `None` where that is not possible.
fn linked_copy(file: &File, path: &Path) -> io::Result<Option<File>> {
    let Some(copy) = unnamed(folder_of(path)?) else { return Ok(None) };
    copy_content(file, &copy)?;
    Ok(link(&copy, path)?.then_some(copy))
}

/// A copy under a name of its own beside `path`, which is removed on any failure, and then is renamed.
fn renamed_copy(file: &File, path: &Path) -> io::Result<File> {
    let permissions = Permissions::from_mode(0o666);
    let copy = tempfile::Builder::new().permissions(permissions).tempfile_in(folder_of(path)?)?;
    copy_content(file, copy.as_file())?;
    Ok(copy.persist_noclobber(path)?)
}

fn copy_content(mut from: &File, mut to: &File) -> io::Result<()> {
    io::Seek::rewind(&mut from)?;
    io::copy(&mut from, &mut to).map(|_| ())
}

fn folder_of(path: &Path) -> io::Result<&Path> {
    match path.parent() {
        None => Err(io::ErrorKind::NotFound.into()),
        Some(folder) if folder.as_os_str().is_empty() => Ok(Path::new(".")),
        Some(folder) => Ok(folder),
    }
}

/// A new file without a name, if the file system of `folder` has such.
#[cfg(target_os = "linux")]
fn unnamed(folder: &Path) -> Option<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let flags = i32::try_from(rustix::fs::OFlags::TMPFILE.bits()).ok()?;
    fs::OpenOptions::new().read(true).write(true).custom_flags(flags).open(folder).ok()
}

/// Gives an open file a name, as linkat(2) shows it; `false` where that is not possible.
#[cfg(target_os = "linux")]
fn link(file: &File, path: &Path) -> io::Result<bool> {
    use rustix::fs::{AtFlags, CWD, linkat};
    use rustix::io::Errno;
    use std::os::fd::AsRawFd;
    let source = format!("/proc/self/fd/{}", file.as_raw_fd());
    match linkat(CWD, source, CWD, path, AtFlags::SYMLINK_FOLLOW) {
        Ok(()) => Ok(true),
        // Another file system; one without links; a file that was unlinked, or no /proc; a sandbox.
        Err(Errno::XDEV | Errno::PERM | Errno::OPNOTSUPP | Errno::NOENT | Errno::ACCESS | Errno::NOSYS) => {
            Ok(false)
        }
        Err(failure) => Err(failure.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn unnamed(_: &Path) -> Option<File> {
    None
}

#[cfg(not(target_os = "linux"))]
fn link(_: &File, _: &Path) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bakestone::effect::{FILE_CHUNK, FileOp, OpenMode};
    use bytes::Bytes;
    use std::os::unix::fs::MetadataExt;

    use crate::files::run;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a folder")
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("the folder");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    fn opened(operation: FileOp) -> FileHandle {
        match run(operation) {
            Ok(FileAnswer::Opened(file, _)) => file,
            other => panic!("an unexpected answer: {other:?}"),
        }
    }

    fn open_in(folder: &Path) -> FileHandle {
        opened(FileOp::OpenTemporary(Some(folder.into())))
    }

    /// What systems without such files make.
    fn unlinked_in(folder: &Path) -> FileHandle {
        let file = tempfile::NamedTempFile::new_in(folder).expect("a file").into_file();
        FileHandle::new(Temporary { file: Mutex::new(file), named: AtomicBool::new(false) })
    }

    fn write(file: &FileHandle, offset: u64, data: &'static str) {
        let data = Bytes::from_static(data.as_bytes());
        run(FileOp::Write { file: file.clone(), offset, data }).expect("written");
    }

    fn kind(file: &FileHandle, path: impl Into<PathBuf>) -> Option<FileErrorKind> {
        run(FileOp::Persist { file: file.clone(), path: path.into() }).err().map(|error| error.kind)
    }

    /// The permissions of any new file.
    fn usual_mode() -> u32 {
        let folder = folder();
        drop(opened(FileOp::Open(folder.path().join("new"), OpenMode::CreateNew)));
        fs::metadata(folder.path().join("new")).expect("the file").mode()
    }

    #[test]
    fn nothing_is_left_of_a_file_that_got_no_name() {
        let folder = folder();
        for make in [open_in, unlinked_in] {
            let file = make(folder.path());
            write(&file, 3, "half of");
            assert!(names(folder.path()).is_empty(), "it has no name");
            let Ok(FileAnswer::Data(data)) = run(FileOp::Read { file, offset: 0, length: FILE_CHUNK }) else {
                panic!("it can be read")
            };
            assert_eq!(data, "\0\0\0half of");
        }
        assert!(names(folder.path()).is_empty(), "it is gone");
        drop(opened(FileOp::OpenTemporary(None)));
    }

    /// Linked where that is possible; copied where the file was unlinked, and where it is of another file system, as
    /// `/dev/shm` most often is.
    #[test]
    fn a_name_shows_the_whole_file() {
        let elsewhere = |_: &Path| match Path::new("/dev/shm").is_dir() {
            true => open_in(Path::new("/dev/shm")),
            false => open_in(&std::env::temp_dir()),
        };
        for make in [open_in, unlinked_in, elsewhere] {
            let folder = folder();
            let path = folder.path().join("saved");
            let file = make(folder.path());
            write(&file, 0, "the whole file");
            assert_eq!(kind(&file, &path), None);
            write(&file, 4, "WHOLE");
            assert_eq!(fs::read_to_string(&path).expect("the file"), "the WHOLE file");
            assert_eq!(fs::metadata(&path).expect("the file").mode(), usual_mode());
            assert_eq!(kind(&file, folder.path().join("again")), Some(FileErrorKind::Unsupported));
            drop(file);
            assert_eq!(names(folder.path()), ["saved"]);
        }
    }

    /// Each way of copying, whatever the file systems of this machine can do.
    #[test]
    fn every_copy_is_whole_and_replaces_nothing() {
        for copy in [|file: &File, path: &Path| renamed_copy(file, path).map(Some), linked_copy] {
            let folder = folder();
            let path = folder.path().join("saved");
            let mut file = tempfile::tempfile().expect("a file");
            io::Write::write_all(&mut file, b"the whole file").expect("written");
            // A file system may be without unnamed files; then nothing was done.
            if copy(&file, &path).expect("a copy").is_some() {
                assert_eq!(fs::read_to_string(&path).expect("the file"), "the whole file");
                assert_eq!(fs::metadata(&path).expect("the file").mode(), usual_mode());
                let taken = copy(&file, &path).err().map(|error| error.kind());
                assert_eq!(taken, Some(io::ErrorKind::AlreadyExists));
                assert_eq!(names(folder.path()), ["saved"]);
            }
        }
    }

    #[test]
    fn a_copy_that_fails_leaves_nothing() {
        let folder = folder();
        let path = folder.path().join("saved");
        let unreadable = folder.path().join("source");
        let file = fs::OpenOptions::new().write(true).create_new(true).open(&unreadable).expect("a file");
        io::Write::write_all(&mut &file, b"lost").expect("written");
        fs::remove_file(&unreadable).expect("removed");
        for copy in [named, linked_copy, |file: &File, path: &Path| renamed_copy(file, path).map(Some)] {
            assert!(!matches!(copy(&file, &path), Ok(Some(_))));
            assert!(names(folder.path()).is_empty());
        }
    }

    #[test]
    fn a_name_in_the_same_file_system_costs_no_copy() {
        let folder = folder();
        let path = folder.path().join("saved");
        // A file system may be without unnamed files.
        if let Some(file) = unnamed(folder.path()) {
            assert!(named(&file, &path).is_ok_and(|copy| copy.is_none()));
            let inode = |metadata: io::Result<fs::Metadata>| metadata.expect("the file").ino();
            assert_eq!(inode(fs::metadata(&path)), inode(file.metadata()));
        }
    }

    #[test]
    fn a_name_that_cannot_be_had_is_an_error_and_the_file_stays() {
        for make in [open_in, unlinked_in] {
            let folder = folder();
            let (taken, under) = (folder.path().join("taken"), folder.path().join("under"));
            fs::write(&taken, "mine").expect("a file");
            fs::create_dir(&under).expect("a folder");
            std::os::unix::fs::symlink("nowhere", folder.path().join("link")).expect("a link");
            let file = make(folder.path());
            write(&file, 0, "yours");
            for (path, expected) in [
                (taken.clone(), FileErrorKind::AlreadyExists),
                (under.clone(), FileErrorKind::AlreadyExists),
                (folder.path().join("link"), FileErrorKind::AlreadyExists),
                (folder.path().join("nowhere/saved"), FileErrorKind::NotFound),
                (taken.join("saved"), FileErrorKind::NotFound),
                (folder.path().join("a\0b"), FileErrorKind::InvalidPath),
                (folder.path().join("x".repeat(300)), FileErrorKind::InvalidPath),
                (PathBuf::new(), FileErrorKind::NotFound),
            ] {
                assert_eq!(kind(&file, &path), Some(expected), "{path:?}");
            }
            assert_eq!(names(folder.path()), ["link", "taken", "under"]);
            assert_eq!(fs::read_to_string(&taken).expect("the file"), "mine");
            assert_eq!(kind(&file, under.join("saved")), None);
            assert_eq!(fs::read_to_string(under.join("saved")).expect("the file"), "yours");
        }
    }

    #[test]
    fn only_a_temporary_file_gets_a_name() {
        let folder = folder();
        let file = opened(FileOp::Open(folder.path().join("named"), OpenMode::CreateNew));
        for file in [file, FileHandle::new("of another driver")] {
            assert_eq!(kind(&file, folder.path().join("other")), Some(FileErrorKind::Unsupported));
        }
        assert_eq!(names(folder.path()), ["named"]);
        for nowhere in ["nowhere", "named", "named/below"] {
            let failure = run(FileOp::OpenTemporary(Some(folder.path().join(nowhere)))).err();
            assert_eq!(failure.map(|error| error.kind), Some(FileErrorKind::NotFound), "{nowhere}");
        }
    }
}
