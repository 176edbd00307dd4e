//! The files that are served, and what is asked of them.
//!
//! The rule: every server is sent the same bytes.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// The file's name in the folder.
    pub(crate) file: &'static str,
    /// Whether the client has the file already, and says so.
    pub(crate) conditional: bool,
    /// Whether one download says enough: it is measured in bytes.
    pub(crate) large: bool,
}

/// All that is asked for.
pub(crate) fn all() -> [Case; 4] {
    [
        Case { name: "1 KiB", file: "small.bin", conditional: false, large: false },
        Case { name: "100 KiB", file: "middle.bin", conditional: false, large: false },
        Case { name: "304", file: "small.bin", conditional: true, large: false },
        Case { name: "256 MiB", file: "large.bin", conditional: false, large: true },
    ]
}

impl Case {
    /// The request, whose condition, if it has one, is the time of change that the server told.
    pub(crate) fn request(&self, modified: Option<&str>) -> Vec<u8> {
        let mut request = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n", self.file);
        if let (Some(modified), true) = (modified, self.conditional) {
            request += &format!("If-Modified-Since: {modified}\r\n");
        }
        request += "\r\n";
        request.into_bytes()
    }

    /// The status that it must be answered with.
    pub(crate) fn status(&self) -> u16 {
        if self.conditional { 304 } else { 200 }
    }
}

/// A folder of the run's own, removed at its end: the files, and beside them what nginx writes.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Makes the folder and the files.
    pub(crate) fn new() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("bakestone-file-peers-{}", std::process::id()));
        let folder = Self(path);
        fs::create_dir_all(folder.files())?;
        fs::write(folder.file("small.bin"), pattern(1 << 10))?;
        fs::write(folder.file("middle.bin"), pattern(100 << 10))?;
        sparse(&folder.file("large.bin"), 256 << 20)?;
        Ok(folder)
    }

    /// The folder that is served.
    pub(crate) fn files(&self) -> PathBuf {
        self.0.join("files")
    }

    /// A file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.files().join(name)
    }

    /// What is beside the files.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Bytes of which none stands at the same place in two blocks.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|place| (place % 251) as u8).collect()
}

/// A file of zeros, but for its place at the start of every seventh MiB and at the end, so that no piece of it can stand
/// for another.
fn sparse(path: &Path, length: u64) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.set_len(length)?;
    for place in (0..length).step_by(7 << 20).chain([length - 8]) {
        file.seek(SeekFrom::Start(place))?;
        file.write_all(&place.to_be_bytes())?;
    }
    Ok(())
}
