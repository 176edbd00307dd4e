//! Tapes as files of a folder.
//!
//! The rule: no connection waits for the disk. One thread writes for all of them, and what it has not written yet is
//! bounded; a disk that is full, or does not keep up, ends a tape and nothing else.

use std::fs::{OpenOptions, create_dir_all};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use bakestone::tape::{Head, Sink, SinkError, Track};

/// The bytes of text that wait for the disk at most.
const WAITING: usize = 16 << 20;

/// A folder in which each tape is a file, `SECONDS-NUMBER.tape`: when it began, since the Unix epoch, to the millisecond, and its number
/// since the folder was opened.
///
/// Only the user that the server runs as may read them: what is not [hidden](bakestone::tape::Redaction) stands in
/// them. Nothing here removes them. On a disk that fails, recording stops for good, and the server's observer is told
/// once. What is left when the server ends is written before the last handle on the folder is gone.
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
    path: Arc<Path>,
    text: String,
}

/// How the disk does.
#[derive(Debug, Default)]
struct State {
    /// The bytes of text that wait for it.
    waiting: AtomicUsize,
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
    /// That of making the folder, or of starting the thread that writes.
    pub fn new(folder: impl Into<PathBuf>) -> io::Result<Self> {
        let folder = folder.into();
        create_dir_all(&folder)?;
        Ok(Self { folder, count: AtomicU64::new(0), disk: Arc::new(Disk::start()?) })
    }
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
}

impl Sink for TapeFolder {
    fn open(&self, head: &Head) -> Result<Option<Box<dyn Track>>, SinkError> {
        self.disk.state.check()?;
        let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        let (seconds, millis) = (head.wall.as_secs(), head.wall.subsec_millis());
        let path = self.folder.join(format!("{seconds}.{millis:03}-{number}.tape"));
        Ok(Some(Box::new(TapeFile { path: path.into(), disk: self.disk.clone() })))
    }
}

/// One file.
struct TapeFile {
    path: Arc<Path>,
    disk: Arc<Disk>,
}

impl Track for TapeFile {
    fn append(&mut self, text: String) -> Result<(), SinkError> {
        self.disk.submit(Piece { path: self.path.clone(), text })
    }
}

/// Writes whatever comes, until nobody is left who could send more, or the disk fails.
fn write(pieces: &Receiver<Piece>, state: &State) {
    for piece in pieces {
        if let Err(error) = append(&piece) {
            return state.set(format!("{}: {error}", piece.path.display()));
        }
        state.waiting.fetch_sub(piece.text.len(), Ordering::Relaxed);
    }
}

/// A file is open no longer than this takes: there may be many, and they grow slowly.
fn append(piece: &Piece) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&piece.path)?;
    file.write_all(piece.text.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::fs;

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
}
