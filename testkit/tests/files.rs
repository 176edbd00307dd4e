//! The sources of files answer as any driver does, both the same.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use bakestone::effect::{FILE_CHUNK, FileAnswer, FileError, FileErrorKind, FileHandle, FileOp, OpenMode};
use bakestone::machine::Machine;
use bakestone::{Bytes, Error, Request, Result, Session, StatusCode, Text};
use bakestone_testkit::{Files, FolderFiles, MemoryFiles, Wire};

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

    let below = |paths: &[&str]| FileOp::OpenBelow {
        roots: ["nowhere".into(), "sub".into(), "sub/a.txt".into()].into(),
        paths: paths.iter().map(PathBuf::from).collect(),
        symlinks: false,
    };
    match files.answer(below(&["../sub/a.txt", "a.txt.br", "a.txt"])) {
        Ok(FileAnswer::OpenedBelow(file, known, 2)) => {
            assert_eq!(known.length, 5);
            assert_eq!(read(files, &file, 0, 10), "hello");
            assert!(files.answer(write(&file, 0, b"x")).is_err());
        }
        other => panic!("{other:?}"),
    }
    for path in ["../sub/a.txt", "a.txt/b", "b", "\0", "/sub/a.txt", &"x".repeat(300)] {
        assert_eq!(kind(files, below(&[path])), NotFound, "{path:?}");
    }

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

fn temporary(files: &mut impl Files, folder: Option<&str>) -> FileHandle {
    match files.answer(FileOp::OpenTemporary(folder.map(PathBuf::from))) {
        Ok(FileAnswer::Opened(file, metadata)) if metadata.length == 0 => file,
        other => panic!("{folder:?}: {other:?}"),
    }
}

fn persist(file: &FileHandle, path: &str) -> FileOp {
    FileOp::Persist { file: file.clone(), path: path.into() }
}

/// What both sources do with files without a name; `sub/a.txt` is there.
fn forgets<F: Files>(mut files: F, open_now: impl Fn(&F) -> usize, paths: impl Fn(&F) -> Vec<PathBuf>) {
    use FileErrorKind::*;
    let there = ["sub/a.txt"].map(PathBuf::from);
    let (lost, kept) = (temporary(&mut files, None), temporary(&mut files, Some("sub")));
    for (file, data) in [(&lost, b"lost"), (&kept, b"kept")] {
        files.answer(write(file, 2, data)).unwrap();
    }
    assert_eq!(read(&mut files, &lost, 0, 10), "\0\0lost");
    assert_eq!((open_now(&files), paths(&files)), (2, there.to_vec()));
    drop(lost);
    assert_eq!((open_now(&files), paths(&files)), (1, there.to_vec()));

    for (path, expected) in [
        ("sub/a.txt", AlreadyExists),
        ("sub", AlreadyExists),
        ("sub/a.txt/b", NotFound),
        ("sub/\0", InvalidPath),
        ("", InvalidPath),
    ] {
        assert_eq!(kind(&mut files, persist(&kept, path)), expected, "{path:?}");
    }
    assert_eq!((open_now(&files), paths(&files)), (1, there.to_vec()));
    files.answer(persist(&kept, "sub/b.txt")).unwrap();
    files.answer(write(&kept, 0, b"is ")).unwrap();
    assert_eq!(kind(&mut files, persist(&kept, "sub/c.txt")), Unsupported);
    drop(kept);
    assert_eq!(
        (open_now(&files), paths(&files)),
        (0, ["sub/a.txt", "sub/b.txt"].map(PathBuf::from).to_vec())
    );
    let named = open(&mut files, "sub/b.txt", OpenMode::Read);
    assert_eq!(read(&mut files, &named, 0, 10), "is ept");
    assert_eq!(kind(&mut files, persist(&named, "sub/c.txt")), Unsupported);
    assert_eq!(kind(&mut files, persist(&FileHandle::new(()), "sub/c.txt")), Other);
    assert_eq!(kind(&mut files, FileOp::OpenTemporary(Some("sub/a.txt".into()))), NotFound);
    assert_eq!(open_now(&files), 0);
}

#[test]
fn files_without_a_name_in_memory() {
    let files = MemoryFiles::new().with("sub/a.txt", "hello");
    forgets(files, MemoryFiles::temporaries, MemoryFiles::paths);
}

#[test]
fn files_without_a_name_in_a_folder() {
    let folder = Folder::new("files_without_a_name");
    let inside = folder.0.join("inside");
    let paths = |_: &FolderFiles| {
        let mut paths: Vec<PathBuf> = ["", "sub"]
            .iter()
            .flat_map(|below| std::fs::read_dir(inside.join(below)).unwrap())
            .map(|entry| entry.unwrap().path())
            .filter(|path| !path.is_dir())
            .map(|path| path.strip_prefix(&inside).unwrap().into())
            .collect();
        paths.sort();
        paths
    };
    forgets(folder.files(), FolderFiles::temporaries, paths);
    let mut files = folder.files();
    let file = temporary(&mut files, None);
    for failure in [FileOp::OpenTemporary(Some("..".into())), persist(&file, "../climbed")] {
        assert_eq!(kind(&mut files, failure), FileErrorKind::PermissionDenied);
    }
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
    #[cfg(unix)]
    for (path, without, with) in [
        ("a.txt", true, true),
        ("same", false, true),
        ("here/a.txt", false, true),
        ("../link", false, false),
        ("out", false, false),
    ] {
        let sub = folder.0.join("inside/sub");
        for (link, target) in [("same", "a.txt"), ("here", "."), ("out", "../../outside.txt")] {
            let _ = std::os::unix::fs::symlink(target, sub.join(link));
        }
        for (symlinks, expected) in [(false, without), (true, with)] {
            let op = FileOp::OpenBelow { roots: ["sub".into()].into(), paths: vec![path.into()], symlinks };
            assert_eq!(files.answer(op).is_ok(), expected, "{path}, {symlinks}");
        }
    }
    assert_eq!(std::fs::read_to_string(outside).unwrap(), "secret");
    assert!(!folder.0.join("made").exists());
    let absolute = folder
        .files()
        .answer(FileOp::Metadata(std::fs::canonicalize(&folder.0).unwrap().join("inside/sub/a.txt")));
    assert!(absolute.is_ok());
}

// Files of handlers.

const SECOND: Duration = Duration::from_secs(1);

fn post(target: &str, length: usize) -> String {
    format!("POST /{target} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n")
}

/// Keeps the body under the path of the request.
async fn save(mut request: Request) -> Result<StatusCode> {
    let mut file = request.context().open_temporary(Some("uploads".into())).await?;
    while let Some(data) = request.chunk().await? {
        file.write(data).await?;
    }
    file.persist(format!("uploads{}", request.path())).await?;
    // It is read and written on as before.
    file.write(Bytes::from_static(b"!")).await?;
    file.seek(0).await?;
    assert!(file.read().await?.starts_with(b"xx"));
    Ok(StatusCode::CREATED)
}

type Saving = Wire<Box<dyn Machine>>;

fn saving(files: &MemoryFiles) -> Saving {
    let mut wire: Saving = Wire::new(Box::new(Session::new(save)));
    wire.files(files.clone());
    wire
}

#[test]
fn an_upload_has_a_name_once_it_is_whole() {
    let files = MemoryFiles::new();
    let mut wire = saving(&files);
    wire.feed(post("a", 100_000));
    wire.feed("x".repeat(99_999));
    assert_eq!((files.temporaries(), files.paths().len()), (1, 0));
    wire.feed("x");
    assert!(wire.take_text().starts_with("HTTP/1.1 201 "));
    assert_eq!((files.temporaries(), files.get("uploads/a").map(|bytes| bytes.len())), (0, Some(100_001)));
}

/// Nor does a client learn what the files are called.
#[test]
fn an_upload_that_fails_leaves_nothing() {
    fn taken(wire: &mut Saving, files: &MemoryFiles) {
        files.insert("uploads/a", "mine");
        wire.feed("x".repeat(50));
    }
    fn full(wire: &mut Saving, files: &MemoryFiles) {
        files.limit_room(99);
        wire.feed("x".repeat(50));
    }
    type Mishap = fn(&mut Saving, &MemoryFiles);
    let mishaps: [(&str, Mishap, &str, &[u8]); 5] = [
        ("taken", taken, "HTTP/1.1 500 Internal", b"mine"),
        ("full", full, "HTTP/1.1 507 Insufficient Storage", b""),
        ("cut", |wire, _| _ = wire.finish(), "HTTP/1.1 400 ", b""),
        ("gone", |wire, _| _ = wire.reset(), "", b""),
        ("slow", |wire, _| _ = wire.advance(60 * SECOND), "HTTP/1.1 408 ", b""),
    ];
    for (name, mishap, expected, left) in mishaps {
        let files = MemoryFiles::new();
        let mut wire = saving(&files);
        wire.feed(post("a", 100)).feed("x".repeat(50));
        assert_eq!(files.temporaries(), 1, "{name}");
        mishap(&mut wire, &files);
        let answer = wire.take_text();
        assert!(answer.starts_with(expected), "{name}: {answer}");
        assert!(!answer.contains("uploads"), "{name}: {answer}");
        let found = files.get("uploads/a").unwrap_or_default();
        assert_eq!((files.temporaries(), &found[..]), (0, left), "{name}");
    }
}

/// What a handler no longer waits for is done and known of before the next operation.
#[test]
fn a_name_that_nobody_waits_for_is_settled_first() {
    async fn impatient(request: Request) -> Result<Text<String>> {
        let context = request.context();
        let mut file = context.open_temporary(None).await?;
        file.write(Bytes::from_static(b"whole")).await?;
        assert!(context.timeout(SECOND, file.persist("a")).await.is_err());
        let next: Result<(), FileError> = match &*request.path() {
            "/write" => file.write(Bytes::from_static(b"!")).await,
            "/read" => file.read().await.map(drop),
            "/seek" => file.seek(0).await,
            _ => file.persist("b").await,
        };
        Ok(Text(format!("{:?}", next.err().map(|error| error.kind))))
    }
    for (target, taken, expected, left) in [
        ("write", false, "None", "whole!"),
        ("read", false, "None", "whole"),
        ("seek", false, "None", "whole"),
        ("persist", false, "Some(Unsupported)", "whole"),
        ("write", true, "Some(AlreadyExists)", "mine"),
        ("read", true, "Some(AlreadyExists)", "mine"),
        ("seek", true, "Some(AlreadyExists)", "mine"),
        ("persist", true, "Some(AlreadyExists)", "mine"),
    ] {
        let files = MemoryFiles::new();
        if taken {
            files.insert("a", "mine");
        }
        let mut wire = Wire::new(Session::new(impatient));
        wire.files(files.clone()).hold_effects(true).feed(post(target, 0));
        // The file is opened, and written.
        wire.answer_held().answer_held().advance(SECOND);
        assert_eq!(wire.held().len(), 1, "{target}: the next operation waits");
        wire.hold_effects(false).answer_held();
        let answer = wire.take_text();
        assert!(answer.ends_with(&format!("\r\n\r\n{expected}")), "{target}, {taken}: {answer}");
        assert_eq!(files.get("a").as_deref(), Some(left.as_bytes()), "{target}, {taken}");
        assert_eq!((files.temporaries(), files.paths().len()), (0, 1), "{target}, {taken}");
    }
}

/// A file that is not as it was meant to be gets no name.
#[test]
fn a_lost_write_comes_before_a_name() {
    let files = MemoryFiles::new();
    files.limit_room(3);
    let mut wire = Wire::new(Session::new(async |request: Request| {
        let context = request.context();
        let mut file = context.open_temporary(None).await?;
        assert!(context.timeout(SECOND, file.write(Bytes::from_static(b"long"))).await.is_err());
        let failure = file.persist("a").await.err().map(|error| error.kind);
        Ok::<_, Error>(Text(format!("{failure:?} {}", file.position())))
    }));
    wire.files(files.clone()).hold_effects(true).feed(post("", 0));
    wire.answer_held().advance(SECOND).hold_effects(false).answer_held();
    assert!(wire.take_text().ends_with("\r\n\r\nSome(StorageFull) 0"));
    assert_eq!((files.temporaries(), files.paths().len()), (0, 0));
}

#[test]
fn a_driver_without_such_files_says_so() {
    let mut wire = Wire::new(Session::new(async |request: Request| {
        let context = request.context();
        let kinds = [
            context.open_temporary(None).await.err().map(|error| error.kind),
            context.metadata("a").await.err().map(|error| error.kind),
            context.rename("a", "b").await.err().map(|error| error.kind),
            context.remove("a").await.err().map(|error| error.kind),
        ];
        assert_eq!(kinds, [Some(FileErrorKind::Unsupported); 4]);
    }));
    // Without a source of files each effect is dropped.
    wire.feed(post("", 0));
    assert!(wire.take_text().starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_handler_asks_about_renames_and_removes() {
    let files = MemoryFiles::new().with("a", "hello").with("sub/c", "");
    let mut wire = Wire::new(Session::new(async |request: Request| {
        let context = request.context();
        let known = context.metadata("a").await?;
        assert_eq!((known.length, known.is_directory), (5, false));
        assert!(context.metadata("sub").await?.is_directory);
        context.rename("a", "b").await?;
        let missing = context.metadata("a").await.err().map(|error| error.kind);
        assert_eq!(missing, Some(FileErrorKind::NotFound));
        context.remove("sub/c").await
    }));
    wire.files(files.clone()).feed(post("", 0));
    assert!(wire.take_text().starts_with("HTTP/1.1 200 "));
    assert_eq!(files.paths(), [PathBuf::from("b")]);
}
