//! The sources of files answer as any driver does, both the same.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::path::{Path, PathBuf};

use bakestone::effect::{FILE_CHUNK, FileAnswer, FileErrorKind, FileHandle, FileOp, OpenMode};
use bakestone_testkit::{Files, FolderFiles, MemoryFiles};
use bytes::Bytes;

/// A folder of this test's own, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(path.join("inside/sub")).unwrap();
        std::fs::write(path.join("outside.txt"), "secret").unwrap();
        std::fs::write(path.join("inside/sub/a.txt"), "hello").unwrap();
        Self(path)
    }

    fn files(&self) -> FolderFiles {
        FolderFiles::new(self.0.join("inside")).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn kind(files: &mut impl Files, op: FileOp) -> FileErrorKind {
    files.answer(op).unwrap_err().kind
}

fn open(files: &mut impl Files, path: &str, mode: OpenMode) -> FileHandle {
    match files.answer(FileOp::Open(path.into(), mode)) {
        Ok(FileAnswer::Opened(file, _)) => file,
        other => panic!("{path}: {other:?}"),
    }
}

fn read(files: &mut impl Files, file: &FileHandle, offset: u64, length: usize) -> Bytes {
    match files.answer(FileOp::Read { file: file.clone(), offset, length }) {
        Ok(FileAnswer::Data(data)) => data,
        other => panic!("{other:?}"),
    }
}

fn write(file: &FileHandle, offset: u64, data: &'static [u8]) -> FileOp {
    FileOp::Write { file: file.clone(), offset, data: Bytes::from_static(data) }
}

/// What both sources do with `sub/a.txt`, which holds `hello`.
fn behaves(files: &mut impl Files) {
    use FileErrorKind::*;
    use OpenMode::*;
    let file = open(files, "sub/a.txt", Read);
    assert_eq!(read(files, &file, 1, 3), "ell");
    assert_eq!(read(files, &file, 4, 100), "o");
    assert_eq!(read(files, &file, 5, 100), "");
    assert_eq!(read(files, &file, 500, 100), "");
    assert!(files.answer(write(&file, 0, b"x")).is_err());
    assert_eq!(kind(files, FileOp::Read { file: file.clone(), offset: 0, length: FILE_CHUNK + 1 }), Other);

    let Ok(FileAnswer::Metadata(known)) = files.answer(FileOp::Metadata("sub/a.txt".into())) else {
        panic!()
    };
    assert_eq!((known.length, known.is_directory), (5, false));
    let Ok(FileAnswer::Metadata(known)) = files.answer(FileOp::Metadata("sub".into())) else { panic!() };
    assert!(known.is_directory);

    assert_eq!(kind(files, FileOp::Open("nothing".into(), Read)), NotFound);
    assert_eq!(kind(files, FileOp::Open("sub/a.txt/b".into(), Read)), NotFound);
    assert_eq!(kind(files, FileOp::Open("sub".into(), Read)), IsADirectory);
    assert_eq!(kind(files, FileOp::Open("sub".into(), Truncate)), IsADirectory);
    assert_eq!(kind(files, FileOp::Open("sub/a.txt".into(), CreateNew)), AlreadyExists);
    assert_eq!(kind(files, FileOp::Open("sub/\0".into(), Read)), InvalidPath);
    assert_eq!(kind(files, FileOp::Open("x".repeat(300).into(), Read)), InvalidPath);
    assert_eq!(kind(files, FileOp::Metadata("nothing".into())), NotFound);
    assert_eq!(kind(files, FileOp::Remove("nothing".into())), NotFound);
    assert_eq!(kind(files, FileOp::Remove("sub".into())), IsADirectory);
    assert_eq!(kind(files, FileOp::Rename("nothing".into(), "b".into())), NotFound);

    let new = open(files, "new", CreateNew);
    files.answer(write(&new, 2, b"cd")).unwrap();
    files.answer(write(&new, 0, b"ab")).unwrap();
    assert_eq!(read(files, &new, 0, 10), "abcd");
    files.answer(FileOp::Rename("new".into(), "sub/a.txt".into())).unwrap();
    assert_eq!(kind(files, FileOp::Open("new".into(), Read)), NotFound);
    let replaced = open(files, "sub/a.txt", Read);
    assert_eq!(read(files, &replaced, 0, 10), "abcd");
    drop(open(files, "sub/a.txt", Truncate));
    assert_eq!(read(files, &replaced, 0, 10), "");
    files.answer(FileOp::Remove("sub/a.txt".into())).unwrap();
    assert_eq!(kind(files, FileOp::Metadata("sub/a.txt".into())), NotFound);
}

#[test]
fn files_in_memory() {
    behaves(&mut MemoryFiles::new().with("sub/a.txt", "hello"));
}

#[test]
fn files_in_a_folder() {
    let folder = Folder::new("files_in_a_folder");
    behaves(&mut folder.files());
}

#[test]
fn memory_that_is_full() {
    let mut files = MemoryFiles::new();
    files.limit_room(3);
    let file = open(&mut files, "a", OpenMode::Truncate);
    files.answer(write(&file, 0, b"abc")).unwrap();
    assert_eq!(kind(&mut files, write(&file, 1, b"xyz")), FileErrorKind::StorageFull);
    assert_eq!(kind(&mut files, write(&file, u64::MAX, b"xyz")), FileErrorKind::StorageFull);
    assert_eq!(files.get("a").as_deref(), Some(&b"abc"[..]));
}

#[test]
fn nothing_climbs_out_of_a_folder() {
    let folder = Folder::new("nothing_climbs_out");
    let mut files = folder.files();
    let outside = folder.0.join("outside.txt");
    let mut paths =
        vec!["../outside.txt".into(), "sub/../../outside.txt".into(), outside.clone(), "/etc/hosts".into()];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&outside, folder.0.join("inside/link")).unwrap();
        std::os::unix::fs::symlink(&folder.0, folder.0.join("inside/up")).unwrap();
        std::os::unix::fs::symlink(folder.0.join("made"), folder.0.join("inside/dangling")).unwrap();
        paths.extend(["link".into(), "up/outside.txt".into(), "up/made".into(), "dangling".into()]);
    }
    for path in paths {
        for mode in [OpenMode::Read, OpenMode::CreateNew, OpenMode::Truncate] {
            let failure = kind(&mut files, FileOp::Open(path.clone(), mode));
            assert_eq!(failure, FileErrorKind::PermissionDenied, "{path:?}, {mode:?}");
        }
    }
    assert_eq!(std::fs::read_to_string(outside).unwrap(), "secret");
    assert!(!folder.0.join("made").exists());
    let absolute = folder
        .files()
        .answer(FileOp::Metadata(std::fs::canonicalize(&folder.0).unwrap().join("inside/sub/a.txt")));
    assert!(absolute.is_ok());
}
