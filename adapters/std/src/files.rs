//! The only code of Bakestone's that touches files: it answers [`Effect::File`] with `std::fs`.
//!
//! The rule: it blocks, so an event loop runs it in a pool; but on nobody, as a pipe would for its other end, so nothing
//! but a regular file is opened to be read; and it never panics, whatever the path.

#[cfg(feature = "temporary-files")]
mod temporary;

mod below;
#[cfg(all(target_os = "linux", any(feature = "serve", feature = "temporary-files")))]
mod cached;

use std::fs::{self, File, OpenOptions};
use std::io;
#[cfg(unix)]
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Mutex;
use std::time::SystemTime;

use bakestone::effect::{
    Effect, FILE_CHUNK, FileAnswer, FileError, FileErrorKind, FileHandle, FileOp, Metadata, OpenMode,
};
use bytes::Bytes;

/// Does what the effect asks for, here and now, and answers it. One that is not known is dropped, which the
/// asker sees as unsupported.
pub fn perform(effect: Effect) {
    match effect {
        Effect::File(operation, reply) => reply.send(run(operation)),
        Effect::Blocking(job) => job.run(),
        _ => {}
    }
}

/// Answers a read of what the operating system has in memory already, and gives anything else back. It never waits, so
/// that an event loop may try it before it asks a pool.
pub fn perform_at_once(effect: Effect) -> Option<Effect> {
    match effect {
        // It takes rustix, which is there for these.
        #[cfg(all(target_os = "linux", any(feature = "serve", feature = "temporary-files")))]
        Effect::File(FileOp::Read { file, offset, length }, reply) => {
            let data = own(&file).ok().and_then(|file| cached::read(file, offset, length.min(FILE_CHUNK)));
            let Some(data) = data else {
                return Some(Effect::File(FileOp::Read { file, offset, length }, reply));
            };
            reply.send(Ok(FileAnswer::Data(data)));
            None
        }
        other => Some(other),
    }
}

/// Does one operation on a file.
///
/// # Errors
///
/// What the operating system says, by its kind.
pub fn run(operation: FileOp) -> Result<FileAnswer, FileError> {
    match operation {
        FileOp::Open(path, mode) => open(&path, mode),
        FileOp::OpenBelow { roots, paths, symlinks } => below::open(&roots, &paths, symlinks),
        FileOp::Metadata(path) => Ok(FileAnswer::Metadata(describe(&fs::metadata(path).map_err(error)?))),
        FileOp::Read { file, offset, length } => read(&file, offset, length.min(FILE_CHUNK)),
        FileOp::Write { file, offset, data } => {
            let file = own(&file)?;
            at(file, offset, |mut file| io::Write::write_all(&mut file, &data)).map_err(error)?;
            Ok(FileAnswer::Done)
        }
        FileOp::Rename(from, to) => fs::rename(from, to).map(|()| FileAnswer::Done).map_err(error),
        FileOp::Remove(path) => fs::remove_file(path).map(|()| FileAnswer::Done).map_err(error),
        #[cfg(feature = "temporary-files")]
        FileOp::OpenTemporary(folder) => temporary::open(folder),
        #[cfg(feature = "temporary-files")]
        FileOp::Persist { file, path } => temporary::persist(&file, &path),
        other => Err(FileError::new(FileErrorKind::Unsupported, format!("not supported: {other:?}"))),
    }
}

fn open(path: &Path, mode: OpenMode) -> Result<FileAnswer, FileError> {
    let mut options = OpenOptions::new();
    options.read(true);
    match mode {
        OpenMode::Read => {
            // To open a device may set it going, so it is looked at before.
            check(&fs::metadata(path).map_err(error)?)?;
            #[cfg(unix)]
            // If a pipe was swapped in, nobody waits for its other end.
            OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK | libc::O_NOCTTY);
        }
        OpenMode::CreateNew => {
            options.write(true).create_new(true);
        }
        OpenMode::Truncate => {
            options.write(true).create(true).truncate(true);
        }
        other => {
            return Err(FileError::new(FileErrorKind::Unsupported, format!("not supported: {other:?}")));
        }
    }
    let file = options.open(path).map_err(error)?;
    let metadata = file.metadata().map_err(error)?;
    if mode == OpenMode::Read || metadata.is_dir() {
        check(&metadata)?;
    }
    Ok(FileAnswer::Opened(FileHandle::new(Mutex::new(file)), describe(&metadata)))
}

/// Whether it is a regular file. A pipe, a device or a socket is none that is there to be read.
fn check(metadata: &fs::Metadata) -> Result<(), FileError> {
    match metadata.file_type() {
        kind if kind.is_file() => Ok(()),
        kind if kind.is_dir() => Err(FileError::new(FileErrorKind::IsADirectory, "it is a directory")),
        _ => Err(FileError::new(FileErrorKind::NotFound, "it is no regular file")),
    }
}

fn read(file: &FileHandle, offset: u64, length: usize) -> Result<FileAnswer, FileError> {
    let mut data = vec![0; length];
    let mut filled = 0;
    let file = own(file)?;
    at(file, offset, |mut file| {
        while filled < length {
            match io::Read::read(&mut file, &mut data[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    })
    .map_err(error)?;
    data.truncate(filled);
    Ok(FileAnswer::Data(Bytes::from(data)))
}

/// Runs `work` with the file at `offset`. The lock keeps the position and the work together.
fn at(file: &Mutex<File>, offset: u64, work: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
    let file = file.lock().unwrap_or_else(|poison| poison.into_inner());
    io::Seek::seek(&mut &*file, io::SeekFrom::Start(offset))?;
    work(&file)
}

fn own(file: &FileHandle) -> Result<&Mutex<File>, FileError> {
    #[cfg(feature = "temporary-files")]
    if let Some(temporary) = file.downcast::<temporary::Temporary>() {
        return Ok(&temporary.file);
    }
    file.downcast().ok_or_else(|| FileError::new(FileErrorKind::Unsupported, "the file is of another driver"))
}

fn describe(metadata: &fs::Metadata) -> Metadata {
    let modified = metadata.modified().ok();
    let modified = modified.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
    match metadata.is_dir() {
        true => Metadata::directory(modified),
        false => Metadata::file(metadata.len(), modified),
    }
}

fn error(error: io::Error) -> FileError {
    let kind = match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => FileErrorKind::NotFound,
        io::ErrorKind::PermissionDenied => FileErrorKind::PermissionDenied,
        io::ErrorKind::AlreadyExists => FileErrorKind::AlreadyExists,
        io::ErrorKind::IsADirectory => FileErrorKind::IsADirectory,
        io::ErrorKind::InvalidInput => FileErrorKind::InvalidPath,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => FileErrorKind::StorageFull,
        // A name that is too long: this kind cannot be written down with the oldest compiler.
        kind if format!("{kind:?}") == "InvalidFilename" => FileErrorKind::InvalidPath,
        _ => FileErrorKind::Other,
    };
    FileError::new(kind, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(path: &Path, mode: OpenMode) -> Result<(FileHandle, Metadata), FileErrorKind> {
        match run(FileOp::Open(path.into(), mode)) {
            Ok(FileAnswer::Opened(file, metadata)) => Ok((file, metadata)),
            Ok(other) => panic!("an unexpected answer: {other:?}"),
            Err(error) => Err(error.kind),
        }
    }

    #[test]
    fn a_file_is_written_renamed_read_and_removed() {
        let folder = std::env::temp_dir().join(format!("bakestone-files-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let (first, second) = (folder.join("first"), folder.join("second"));

        let (file, metadata) = opened(&first, OpenMode::CreateNew).expect("a new file");
        assert_eq!(metadata.length, 0);
        run(FileOp::Write { file, offset: 2, data: Bytes::from_static(b"there") }).expect("written");
        assert_eq!(opened(&first, OpenMode::CreateNew).err(), Some(FileErrorKind::AlreadyExists));
        run(FileOp::Rename(first.clone(), second.clone())).expect("renamed");
        assert_eq!(opened(&first, OpenMode::Read).err(), Some(FileErrorKind::NotFound));

        let (file, metadata) = opened(&second, OpenMode::Read).expect("the file");
        assert_eq!(metadata.length, 7);
        for (offset, expected) in [(0, &b"\0\0there"[..]), (5, b"re"), (7, b""), (1 << 40, b"")] {
            match run(FileOp::Read { file: file.clone(), offset, length: FILE_CHUNK }) {
                Ok(FileAnswer::Data(data)) => assert_eq!(data, expected, "at {offset}"),
                other => panic!("an unexpected answer: {other:?}"),
            }
        }
        run(FileOp::Remove(second.clone())).expect("removed");
        assert_eq!(opened(&second, OpenMode::Read).err(), Some(FileErrorKind::NotFound));
        fs::remove_dir(&folder).expect("nothing is left");
    }

    #[test]
    fn what_is_no_file_is_an_error_with_its_kind() {
        let long = "x".repeat(5000);
        for (path, kind) in [
            ("/", FileErrorKind::IsADirectory),
            ("/nope/nope", FileErrorKind::NotFound),
            ("/dev/null/below", FileErrorKind::NotFound),
            ("a\0b", FileErrorKind::InvalidPath),
            (&long, FileErrorKind::InvalidPath),
        ] {
            assert_eq!(opened(Path::new(path), OpenMode::Read).err(), Some(kind), "{path:.20}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn s30_what_is_no_regular_file_is_not_there_and_keeps_nobody_waiting() {
        let folder = std::env::temp_dir().join(format!("bakestone-irregular-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let [pipe, socket, link] = ["pipe", "socket", "link"].map(|name| folder.join(name));
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.is_ok_and(|status| status.success()), "there is mkfifo everywhere");
        let _socket = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
        std::os::unix::fs::symlink(&pipe, &link).expect("a link");
        for path in [&*pipe, &socket, &link, Path::new("/dev/zero"), Path::new("/dev/null")] {
            assert_eq!(opened(path, OpenMode::Read).err(), Some(FileErrorKind::NotFound), "{path:?}");
        }
        fs::write(folder.join("file"), "text").expect("a file");
        fs::remove_file(&link).expect("a link less");
        std::os::unix::fs::symlink("file", &link).expect("a link");
        assert!(opened(&link, OpenMode::Read).is_ok(), "a link to a file is one");
        fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn a_full_disk_has_a_kind_of_its_own() {
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded] {
            assert_eq!(error(kind.into()).kind, FileErrorKind::StorageFull);
        }
        // Linux has a device that is always full.
        if cfg!(target_os = "linux") {
            let (file, _) = opened(Path::new("/dev/full"), OpenMode::Truncate).expect("the device");
            let full = run(FileOp::Write { file, offset: 0, data: Bytes::from_static(b"x") });
            assert_eq!(full.err().map(|error| error.kind), Some(FileErrorKind::StorageFull));
        }
    }

    #[cfg(not(feature = "temporary-files"))]
    #[test]
    fn temporary_files_are_a_feature() {
        let failure = run(FileOp::OpenTemporary(None)).err().map(|error| error.kind);
        assert_eq!(failure, Some(FileErrorKind::Unsupported));
    }

    #[test]
    fn a_file_of_another_driver_is_refused() {
        let operation = FileOp::Read { file: FileHandle::new("not mine"), offset: 0, length: 1 };
        assert_eq!(run(operation).err().map(|error| error.kind), Some(FileErrorKind::Unsupported));
    }
}
