//! Opening files below a folder, and none outside.
//!
//! The rule: a path is walked name by name, from a folder that is held open to the next, so that nobody who swaps a folder
//! for a symbolic link meanwhile can lead the walk out; and nothing but a regular file is ever read from.
//!
//! That takes `/proc`, which Linux has. Elsewhere each name is looked at before it is gone through, which holds for what
//! lies there, and not for what is swapped in between.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;

use bakestone::effect::{FileAnswer, FileError, FileErrorKind, FileHandle};

use super::{check, describe, error};

/// Answers [`FileOp::OpenBelow`](bakestone::effect::FileOp::OpenBelow).
pub(super) fn open(roots: &[PathBuf], paths: &[PathBuf], symlinks: bool) -> Result<FileAnswer, FileError> {
    let mut found = None;
    for root in roots {
        for (index, path) in paths.iter().enumerate() {
            let failure = match open_one(root, path, symlinks) {
                Ok(file) => return answer(file, index),
                Err(failure) => failure,
            };
            match failure.kind {
                FileErrorKind::IsADirectory => found = Some(failure),
                FileErrorKind::PermissionDenied => found = found.or(Some(failure)),
                FileErrorKind::NotFound | FileErrorKind::InvalidPath => {}
                _ => return Err(failure),
            }
        }
    }
    Err(found.unwrap_or_else(missing))
}

fn answer(file: File, index: usize) -> Result<FileAnswer, FileError> {
    let metadata = describe(&file.metadata().map_err(error)?);
    Ok(FileAnswer::OpenedBelow(FileHandle::new(Mutex::new(file)), metadata, index))
}

fn open_one(root: &Path, path: &Path, symlinks: bool) -> Result<File, FileError> {
    if names(path).is_none() {
        return Err(missing());
    }
    if !symlinks {
        return walk(root, path);
    }
    let (root, real) =
        (root.canonicalize().map_err(failed)?, root.join(path).canonicalize().map_err(failed)?);
    let below = real.strip_prefix(&root).map_err(|_| missing())?;
    // There is no link on that way but one that is swapped in now.
    walk(&root, below)
}

fn walk(root: &Path, path: &Path) -> Result<File, FileError> {
    // A root that links lead to may be one: it is not the client who named it.
    let names = names(path).unwrap_or_default();
    let Some((last, folders)) = names.split_last() else {
        return Err(FileError::new(FileErrorKind::IsADirectory, "it is the folder itself"));
    };
    let mut folder = Folder::root(root).map_err(failed)?;
    for name in folders {
        folder = folder.folder(name).map_err(failed)?;
    }
    folder.file(last)
}

/// The names of a relative path; `None` if it has anything else.
fn names(path: &Path) -> Option<Vec<&OsStr>> {
    let plain = |component| match component {
        // A colon would name a drive, or another stream of a file.
        Component::Normal(name) if !(cfg!(windows) && name.as_encoded_bytes().contains(&b':')) => Some(name),
        _ => None,
    };
    path.components().map(plain).collect()
}

/// A folder on the way.
enum Folder {
    /// Open: whatever becomes of its name, it is this one.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    Held(File),
    Named(PathBuf),
}

impl Folder {
    fn root(path: &Path) -> io::Result<Self> {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if has_proc() {
            return hold(path, 0).map(Self::Held);
        }
        Ok(Self::Named(path.to_owned()))
    }

    /// Where `name` is in it.
    fn place(&self, name: &OsStr) -> PathBuf {
        match self {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Self::Held(folder) => {
                let descriptor = std::os::fd::AsRawFd::as_raw_fd(folder);
                Path::new("/proc/self/fd").join(descriptor.to_string()).join(name)
            }
            Self::Named(path) => path.join(name),
        }
    }

    /// The folder `name` in it, which is no link.
    fn folder(&self, name: &OsStr) -> io::Result<Self> {
        let place = self.place(name);
        match self {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Self::Held(_) => hold(&place, libc::O_NOFOLLOW).map(Self::Held),
            Self::Named(_) if fs::symlink_metadata(&place)?.is_dir() => Ok(Self::Named(place)),
            Self::Named(_) => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// The regular file `name` in it.
    fn file(&self, name: &OsStr) -> Result<File, FileError> {
        let place = self.place(name);
        // To open a device may set it going, so it is looked at before.
        check(&fs::symlink_metadata(&place).map_err(failed)?)?;
        let mut options = OpenOptions::new();
        options.read(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::custom_flags(
            &mut options,
            // If a pipe was swapped in, nobody waits for its other end.
            libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY,
        );
        let file = options.open(&place).map_err(failed)?;
        check(&file.metadata().map_err(failed)?)?;
        Ok(file)
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn hold(path: &Path, flags: i32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let flags = flags | libc::O_PATH | libc::O_DIRECTORY;
    std::os::unix::fs::OpenOptionsExt::custom_flags(options.read(true), flags).open(path)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn has_proc() -> bool {
    static HAS_PROC: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *HAS_PROC.get_or_init(|| fs::metadata("/proc/self/fd").is_ok_and(|metadata| metadata.is_dir()))
}

/// A link where none may be, or a file for a folder, is no more than a name that is not there.
fn failed(failure: io::Error) -> FileError {
    #[cfg(unix)]
    if [libc::ELOOP, libc::ENOTDIR, libc::ENXIO].map(Some).contains(&failure.raw_os_error()) {
        return missing();
    }
    error(failure)
}

fn missing() -> FileError {
    FileError::new(FileErrorKind::NotFound, "there is no such file below the folder")
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use bakestone::effect::FileOp;

    use super::super::run;
    use super::*;

    /// A folder of this test's own, removed at its end.
    struct Tree(PathBuf);

    impl Tree {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("bakestone-below-{}-{name}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(path.join("root/sub")).expect("a folder");
            fs::create_dir_all(path.join("outside")).expect("a folder");
            for (file, text) in
                [("root/a", "a"), ("root/sub/b", "b"), ("outside/a", "secret"), ("outside/b", "secret")]
            {
                fs::write(path.join(file), text).expect("a file");
            }
            Self(path)
        }

        /// What the file holds, or why there is none.
        fn read(&self, path: &str, symlinks: bool) -> Result<String, FileErrorKind> {
            read(&[self.0.join("root")], &[path], symlinks).map(|(text, _)| text)
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn read(roots: &[PathBuf], paths: &[&str], symlinks: bool) -> Result<(String, usize), FileErrorKind> {
        let paths = paths.iter().map(PathBuf::from).collect();
        match run(FileOp::OpenBelow { roots: roots.into(), paths, symlinks }) {
            Ok(FileAnswer::OpenedBelow(file, metadata, index)) => {
                let length = metadata.length as usize;
                match run(FileOp::Read { file, offset: 0, length }) {
                    Ok(FileAnswer::Data(data)) => Ok((String::from_utf8_lossy(&data).into_owned(), index)),
                    other => panic!("an unexpected answer: {other:?}"),
                }
            }
            Ok(other) => panic!("an unexpected answer: {other:?}"),
            Err(failure) => Err(failure.kind),
        }
    }

    #[test]
    fn x06_x08_only_what_is_below() {
        use FileErrorKind::{IsADirectory, NotFound};
        let tree = Tree::new("only");
        let root = tree.0.join("root");
        symlink("a", root.join("link")).expect("a link");
        symlink("sub", root.join("linked")).expect("a link");
        symlink(root.join("sub/b"), root.join("absolute")).expect("a link");
        symlink("../outside", root.join("out")).expect("a link");
        symlink("../outside/a", root.join("secret")).expect("a link");
        symlink("loop", root.join("loop")).expect("a link");
        let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).expect("a socket");
        let absolute = root.join("a");
        let (long, deep) = ("x".repeat(300), "x/".repeat(3000));
        for (path, without, with) in [
            ("a", Ok("a"), Ok("a")),
            ("sub/b", Ok("b"), Ok("b")),
            ("sub", Err(IsADirectory), Err(IsADirectory)),
            ("", Err(IsADirectory), Err(IsADirectory)),
            ("nothing", Err(NotFound), Err(NotFound)),
            ("a/b", Err(NotFound), Err(NotFound)),
            ("link", Err(NotFound), Ok("a")),
            ("linked/b", Err(NotFound), Ok("b")),
            ("absolute", Err(NotFound), Ok("b")),
            ("out/a", Err(NotFound), Err(NotFound)),
            ("secret", Err(NotFound), Err(NotFound)),
            ("loop", Err(NotFound), Err(NotFound)),
            ("socket", Err(NotFound), Err(NotFound)),
            ("../outside/a", Err(NotFound), Err(NotFound)),
            ("sub/../a", Err(NotFound), Err(NotFound)),
            (&absolute.to_string_lossy(), Err(NotFound), Err(NotFound)),
            ("a\0b", Err(NotFound), Err(NotFound)),
            (&long, Err(NotFound), Err(NotFound)),
            (&deep, Err(NotFound), Err(NotFound)),
        ] {
            assert_eq!(tree.read(path, false), without.map(str::to_owned), "{path:.40} without links");
            assert_eq!(tree.read(path, true), with.map(str::to_owned), "{path:.40} with links");
        }
        // The root itself may be anywhere.
        symlink("root", tree.0.join("elsewhere")).expect("a link");
        for symlinks in [false, true] {
            let found = read(&[tree.0.join("elsewhere")], &["sub/b"], symlinks);
            assert_eq!(found, Ok(("b".to_owned(), 0)));
        }
    }

    #[test]
    fn x04_the_first_of_several() {
        let tree = Tree::new("several");
        let roots = [tree.0.join("missing"), tree.0.join("root"), tree.0.join("outside")];
        for (paths, expected) in [
            (&["a.br", "a"][..], Ok(("a", 1))),
            (&["b", "a"], Ok(("a", 1))),
            (&["b"], Ok(("secret", 0))),
            (&["sub", "c"], Err(FileErrorKind::IsADirectory)),
            (&["sub", "b"], Ok(("secret", 1))),
            (&["c"], Err(FileErrorKind::NotFound)),
            (&[], Err(FileErrorKind::NotFound)),
        ] {
            let found = read(&roots, paths, false);
            assert_eq!(found, expected.map(|(text, index)| (text.to_owned(), index)), "{paths:?}");
        }
    }

    #[test]
    fn a_pipe_keeps_nobody_waiting() {
        let tree = Tree::new("pipe");
        let pipe = tree.0.join("root/pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.is_ok_and(|status| status.success()), "there is mkfifo everywhere");
        assert_eq!(tree.read("pipe", false), Err(FileErrorKind::NotFound));
    }

    /// A folder is swapped for a link to another one, again and again, while files in it are asked for.
    #[test]
    fn x06_a_swapped_folder_leads_nowhere() {
        let tree = Tree::new("swapped");
        let (root, stop) = (tree.0.join("root"), Arc::new(AtomicBool::new(false)));
        symlink("../outside", root.join("evil")).expect("a link");
        let swapping = {
            let (root, stop) = (root.clone(), stop.clone());
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let swap =
                        |from: &str, to: &str| fs::rename(root.join(from), root.join(to)).expect("swapped");
                    swap("sub", "good");
                    swap("evil", "sub");
                    swap("sub", "evil");
                    swap("good", "sub");
                }
            })
        };
        let mut served = 0;
        for turn in 0..4000 {
            match tree.read("sub/b", turn % 2 == 1) {
                Ok(text) => {
                    assert_eq!(text, "b");
                    served += 1;
                }
                Err(kind) => assert_eq!(kind, FileErrorKind::NotFound),
            }
        }
        stop.store(true, Ordering::Relaxed);
        swapping.join().expect("it ends");
        assert!(served > 0);
    }
}
