//! Forms of several parts: what is told of them, and where a file of one is saved.
//!
//! The rule: a file that is saved is held in memory until it is whole, and written by one job that may block, which is the
//! least that any of them could do.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{fs, io};

use serde_json::{Value, json};

/// The longest file that is held in memory, in bytes.
pub const LONGEST_FILE: usize = 1 << 20;

/// The field of the file that `/upload` saves.
pub const FILE: &str = "file";

/// Adds a piece to a file that is held in memory.
///
/// # Errors
///
/// The file would be longer than [`LONGEST_FILE`].
pub fn hold(file: &mut Vec<u8>, piece: &[u8]) -> io::Result<()> {
    if file.len() + piece.len() > LONGEST_FILE {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    file.extend_from_slice(piece);
    Ok(())
}

/// Saves a file under a name that no other has, in the folder for temporary files, and tells its path. It blocks.
///
/// # Errors
///
/// What the system says.
pub fn save(file: &[u8]) -> io::Result<String> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let path: PathBuf = std::env::temp_dir().join(format!("bench-upload-{}-{count}", std::process::id()));
    fs::write(&path, file)?;
    Ok(path.display().to_string())
}

/// What `/multipart-count` tells of one part.
#[must_use]
pub fn part(name: Option<&str>, filename: Option<&str>, media_type: Option<&str>, size: usize) -> Value {
    json!({"name": name, "filename": filename, "content_type": media_type, "size": size})
}

/// The answer of `/multipart-count`.
#[must_use]
pub fn parts(parts: Vec<Value>) -> Value {
    json!({"parts": parts})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_saved_under_a_fresh_name() {
        let paths = [save(b"one").expect("it is saved"), save(b"one").expect("it is saved")];
        assert_ne!(paths[0], paths[1]);
        for path in paths {
            assert_eq!(fs::read(&path).expect("it is there"), b"one");
            fs::remove_file(path).expect("it is there");
        }
    }

    #[test]
    fn no_file_is_held_without_end() {
        let mut file = vec![0; LONGEST_FILE - 1];
        assert!(hold(&mut file, b"x").is_ok() && hold(&mut file, b"x").is_err());
    }
}
