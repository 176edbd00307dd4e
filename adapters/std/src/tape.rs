//! Tapes as files of a folder.
//!
//! The rule: no connection waits for the disk. One thread writes for all of them; what it has not written yet is bounded,
//! and so is what it writes in all. A disk that is full, or does not keep up, ends a tape and nothing else.

use std::fs::{File, OpenOptions, create_dir_all, read_dir};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};

use bakestone::tape::{Head, Sink, SinkError, Track};

/// The bytes of text that wait for the disk at most.
const WAITING: usize = 16 << 20;

/// The bytes of all tapes of a folder, unless [`TapeFolder::bytes`] says otherwise: 1 GiB.
const BYTES: u64 = 1 << 30;

/// A file counts for so many bytes at least, since it takes as much of a disk: that bounds how many there are.
const FILE: u64 = 4 << 10;

/// So many files may have the name that a tape was to have, and it still gets one.
const NAMES: u32 = 100;

/// A folder in which each tape is a file, `SECONDS-NUMBER.tape`: when it began, since the Unix epoch, to the millisecond,
/// and its number since the folder was opened. Where there is such a file already, `-2` and so on stands behind it.
///
/// Only the user that the server runs as may read them: what is not [hidden](bakestone::tape::Redaction) stands in
/// them. Nothing here removes them; one that somebody else removes ends there. On a disk that fails, or with a folder
/// that [holds](Self::bytes) what it may, recording stops for good, and the server's observer is told once. What is
/// left when the server ends is written before the last handle on the folder is gone.
#[derive(Debug)]
pub struct TapeFolder {
    folder: PathBuf,
    count: AtomicU64,
    disk: Arc<Disk>,
}

/// The thread that writes, and the way to it.
#[derive(Debug)]
struct Disk {
    queue: Option<Sender<Piece>>,
    thread: Option<JoinHandle<()>>,
    state: Arc<State>,
}

/// What is to be appended to a file.
#[derive(Debug)]
struct Piece {
    file: Arc<Name>,
    text: String,
}

/// The file of a tape.
#[derive(Debug)]
struct Name {
    /// Its path, but for what may have to follow it, and for the extension.
    stem: PathBuf,
    /// Its path, once it is made.
    path: OnceLock<PathBuf>,
    /// Somebody has removed it.
    gone: AtomicBool,
}

/// How the disk does.
#[derive(Debug, Default)]
struct State {
    /// The bytes of text that wait for it.
    waiting: AtomicUsize,
    /// The bytes of the folder's tapes, those that wait included.
    held: AtomicU64,
    /// The most that they may be.
    most: AtomicU64,
    /// It has failed.
    broken: AtomicBool,
    /// What it said, until somebody is told.
    reason: Mutex<Option<String>>,
}

impl TapeFolder {
    /// Keeps tapes in `folder`, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// That of making or reading the folder, or of starting the thread that writes.
    pub fn new(folder: impl Into<PathBuf>) -> io::Result<Self> {
        let folder = folder.into();
        create_dir_all(&folder)?;
        let (held, disk) = (held(&folder)?, Disk::start()?);
        disk.state.held.store(held, Ordering::Relaxed);
        let this = Self { folder, count: AtomicU64::new(0), disk: Arc::new(disk) };
        Ok(this.bytes(BYTES))
    }

    /// The tapes of the folder have at most so many bytes in all, those included that were there when it was opened. A
    /// file counts for at least 4 KiB, and one that is removed until the folder is opened again. 1 GiB unless something
    /// else is said.
    #[must_use]
    pub fn bytes(self, bytes: u64) -> Self {
        self.disk.state.most.store(bytes, Ordering::Relaxed);
        self
    }
}

/// The bytes of the tapes that are there.
fn held(folder: &Path) -> io::Result<u64> {
    let mut held = 0;
    for file in read_dir(folder)? {
        let file = file?;
        if file.path().extension().is_some_and(|extension| extension == "tape") {
            // One that is removed meanwhile takes no room.
            held += file.metadata().map_or(0, |metadata| metadata.len().max(FILE));
        }
    }
    Ok(held)
}

impl Disk {
    fn start() -> io::Result<Self> {
        let (queue, pieces) = channel();
        let state = Arc::new(State::default());
        let own = state.clone();
        let thread =
            thread::Builder::new().name("bakestone-tapes".into()).spawn(move || write(&pieces, &own))?;
        Ok(Self { queue: Some(queue), thread: Some(thread), state })
    }

    fn submit(&self, piece: Piece) -> Result<(), SinkError> {
        self.state.check()?;
        let length = piece.text.len();
        if self.state.waiting.fetch_add(length, Ordering::Relaxed) > WAITING {
            self.state.waiting.fetch_sub(length, Ordering::Relaxed);
            return Err(SinkError(Some("the disk does not keep up".to_owned())));
        }
        let sent = self.queue.as_ref().map_or(Ok(()), |queue| queue.send(piece));
        // Without the thread the disk has failed.
        sent.map_err(|_| self.state.check().err().unwrap_or(SinkError(None)))
    }
}

impl Drop for Disk {
    /// Waits until all is written.
    fn drop(&mut self) {
        drop(self.queue.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl State {
    fn set(&self, reason: String) {
        *self.reason.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
        self.broken.store(true, Ordering::Release);
    }

    fn check(&self) -> Result<(), SinkError> {
        match self.broken.load(Ordering::Acquire) {
            false => Ok(()),
            true => Err(SinkError(self.reason.lock().unwrap_or_else(PoisonError::into_inner).take())),
        }
    }

    /// Takes so much of what the folder may hold. The first that there is no room for ends it all.
    fn hold(&self, count: u64) -> Result<(), SinkError> {
        self.check()?;
        let most = self.most.load(Ordering::Relaxed);
        let room = |held: u64| held.checked_add(count).filter(|held| *held <= most);
        if self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).is_ok() {
            return Ok(());
        }
        let told = self.broken.swap(true, Ordering::AcqRel);
        Err(SinkError(
            (!told).then(|| format!("the tapes of the folder have {most} bytes, and may have no more")),
        ))
    }
}

impl Sink for TapeFolder {
    fn open(&self, head: &Head) -> Result<Option<Box<dyn Track>>, SinkError> {
        self.disk.state.hold(FILE)?;
        let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        let (seconds, millis) = (head.wall.as_secs(), head.wall.subsec_millis());
        let stem = self.folder.join(format!("{seconds}.{millis:03}-{number}"));
        let file = Arc::new(Name { stem, path: OnceLock::new(), gone: AtomicBool::new(false) });
        Ok(Some(Box::new(TapeFile { file, length: 0, disk: self.disk.clone() })))
    }
}

/// One file.
struct TapeFile {
    file: Arc<Name>,
    length: u64,
    disk: Arc<Disk>,
}

impl Track for TapeFile {
    fn append(&mut self, text: String) -> Result<(), SinkError> {
        if self.file.gone.load(Ordering::Relaxed) {
            return Err(SinkError(None));
        }
        let before = self.length.max(FILE);
        self.length += text.len() as u64;
        self.disk.state.hold(self.length.max(FILE) - before)?;
        self.disk.submit(Piece { file: self.file.clone(), text })
    }
}

/// Writes whatever comes, until nobody is left who could send more, or the disk fails.
fn write(pieces: &Receiver<Piece>, state: &State) {
    for piece in pieces {
        if let Err(error) = append(&piece) {
            return state.set(format!("{}.tape: {error}", piece.file.stem.display()));
        }
        state.waiting.fetch_sub(piece.text.len(), Ordering::Relaxed);
    }
}

/// A file is open no longer than this takes: there may be many, and they grow slowly.
fn append(piece: &Piece) -> io::Result<()> {
    let mut file = match piece.file.path.get() {
        None => piece.file.make()?,
        Some(path) => match OpenOptions::new().append(true).open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                piece.file.gone.store(true, Ordering::Relaxed);
                return Ok(());
            }
            file => file?,
        },
    };
    file.write_all(piece.text.as_bytes())
}

impl Name {
    /// Makes a file that was not there: two servers may have the same folder, and a clock may be set back.
    fn make(&self) -> io::Result<File> {
        for number in 1..=NAMES {
            let mut path = self.stem.clone().into_os_string();
            path.push(if number == 1 { ".tape".to_owned() } else { format!("-{number}.tape") });
            let made = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&path);
            match made {
                Err(error) if error.kind() == ErrorKind::AlreadyExists && number < NAMES => {}
                made => {
                    let _ = self.path.set(path.into());
                    return made;
                }
            }
        }
        Err(ErrorKind::AlreadyExists.into())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("bakestone-tape-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder
    }

    #[test]
    fn each_tape_is_a_file_and_whole_once_the_folder_is_let_go() {
        let place = folder("files");
        let tapes = TapeFolder::new(place.join("deep")).unwrap();
        let mut tracks: Vec<_> = (0..3).map(|_| tapes.open(&Head::default()).unwrap().unwrap()).collect();
        drop(tapes);
        for round in 0..40 {
            for (number, track) in tracks.iter_mut().enumerate() {
                track.append(format!("{number} {round}\n")).unwrap();
            }
        }
        drop(tracks);
        for number in 0..3 {
            let text = fs::read_to_string(place.join(format!("deep/0.000-{}.tape", number + 1))).unwrap();
            assert_eq!(text, (0..40).map(|round| format!("{number} {round}\n")).collect::<String>());
        }
        fs::remove_dir_all(place).unwrap();
    }

    #[test]
    fn a_disk_that_fails_is_told_once_and_takes_no_more() {
        let place = folder("fails");
        let tapes = TapeFolder::new(&place).unwrap();
        let mut track = tapes.open(&Head::default()).unwrap().unwrap();
        fs::remove_dir_all(&place).unwrap();
        // Whoever writes hears of it with a later piece: the thread has then met it.
        let first = std::iter::repeat_with(|| track.append("text\n".into())).find_map(Result::err).unwrap();
        assert!(
            first.0.is_some_and(|reason| reason.contains("0.000-1.tape: ") || reason.contains("keep up"))
        );
        while !tapes.disk.state.broken.load(Ordering::Acquire) {
            thread::yield_now();
        }
        let mut told = 0;
        for _ in 0..3 {
            told += track.append("text\n".into()).err().and_then(|error| error.0).map_or(0, |_| 1);
            told += tapes.open(&Head::default()).err().and_then(|error| error.0).map_or(0, |_| 1);
        }
        assert!(told <= 1, "told {told} times");
    }

    /// The names of the files, and what is in them.
    fn files(place: &Path) -> Vec<(String, String)> {
        let mut files: Vec<_> = fs::read_dir(place)
            .unwrap()
            .map(|file| {
                let file = file.unwrap();
                assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
                (file.file_name().into_string().unwrap(), fs::read_to_string(file.path()).unwrap())
            })
            .collect();
        files.sort();
        files
    }

    #[test]
    fn servers_with_the_same_folder_write_no_file_together() {
        let place = folder("shared");
        for server in ["first", "second", "third"] {
            let tapes = TapeFolder::new(&place).unwrap();
            let mut track = tapes.open(&Head::default()).unwrap().unwrap();
            track.append(format!("{server}\n")).unwrap();
            track.append("more\n".into()).unwrap();
        }
        let expected = [("0.000-1-2.tape", "second"), ("0.000-1-3.tape", "third"), ("0.000-1.tape", "first")];
        let expected = expected.map(|(name, server)| (name.to_owned(), format!("{server}\nmore\n")));
        assert_eq!(files(&place), expected);
        fs::remove_dir_all(place).unwrap();
    }

    #[test]
    fn a_tape_that_somebody_removes_ends_and_the_others_go_on() {
        let place = folder("removed");
        let tapes = TapeFolder::new(&place).unwrap();
        let mut tracks = [(); 2].map(|()| tapes.open(&Head::default()).unwrap().unwrap());
        let path = place.join("0.000-1.tape");
        tracks[0].append("text\n".into()).unwrap();
        while !path.exists() {
            thread::yield_now();
        }
        fs::remove_file(&path).unwrap();
        let ended = std::iter::repeat_with(|| tracks[0].append("text\n".into())).find_map(Result::err);
        assert_eq!(ended, Some(SinkError(None)));
        tracks[1].append("text\n".into()).unwrap();
        drop((tapes, tracks));
        assert_eq!(files(&place), [("0.000-2.tape".to_owned(), "text\n".to_owned())]);
        fs::remove_dir_all(place).unwrap();
    }

    #[test]
    fn a_folder_holds_so_much_and_no_more() {
        let place = folder("bounded");
        // What was there counts, and each file as one of 4 KiB.
        let rounds: [(u64, usize, &[u64]); 3] =
            [(2 * FILE, 3, &[5, 5]), (5 * FILE + 5, 9, &[5, 5, 5, 5, 5]), (0, 1, &[5, 5, 5, 5, 5])];
        for (bytes, begun, lengths) in rounds {
            let tapes = TapeFolder::new(&place).unwrap().bytes(bytes);
            let mut told = 0;
            for _ in 0..begun {
                let opened =
                    tapes.open(&Head::default()).and_then(|track| track.unwrap().append("text\n".into()));
                told += opened.err().and_then(|error| error.0).map_or(0, |_| 1);
            }
            assert_eq!(told, 1, "{bytes}");
            drop(tapes);
            assert_eq!(files(&place).iter().map(|(_, text)| text.len() as u64).collect::<Vec<_>>(), lengths);
        }
        // A long tape takes what is left.
        let tapes = TapeFolder::new(&place).unwrap().bytes(7 * FILE);
        let mut track = tapes.open(&Head::default()).unwrap().unwrap();
        let error = std::iter::repeat_with(|| track.append("x".repeat(100))).find_map(Result::err).unwrap();
        assert!(error.0.is_some_and(|reason| reason.contains("28672 bytes")));
        drop((tapes, track));
        let held: u64 = files(&place).iter().map(|(_, text)| (text.len() as u64).max(FILE)).sum();
        assert!((7 * FILE - 100..=7 * FILE).contains(&held), "{held}");
        fs::remove_dir_all(place).unwrap();
    }
}
