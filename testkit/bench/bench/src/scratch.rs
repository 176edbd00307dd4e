//! A folder for what a run leaves.
//!
//! The rule: it is gone when the run is over.

use std::fs;
use std::path::{Path, PathBuf};

use crate::scenarios::{self, Scenario};

const STATIC: &str = "static";

/// A folder that is removed when this is dropped.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// In memory, where there is such a folder: a disk would be measured with the servers.
    pub(crate) fn new() -> Result<Self, String> {
        let memory = PathBuf::from("/dev/shm");
        if memory.is_dir() { Self::below(memory) } else { Self::on_disk() }
    }

    /// For what is too large for the memory.
    pub(crate) fn on_disk() -> Result<Self, String> {
        Self::below(std::env::temp_dir())
    }

    fn below(above: PathBuf) -> Result<Self, String> {
        let path = above.join(format!("bakestone-bench-{}", std::process::id()));
        let scratch = Self(path);
        for folder in [scratch.files(), scratch.uploads()] {
            fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        Ok(scratch)
    }

    /// The folder with the files of these scenarios.
    pub(crate) fn with_files(scenarios: &[Scenario]) -> Result<Self, String> {
        let scratch = Self::new()?;
        for length in scenarios.iter().filter_map(|scenario| scenario.file) {
            scratch
                .write(&format!("{STATIC}/{}", scenarios::file_name(length)), &scenarios::filler(length))?;
        }
        Ok(scratch)
    }

    /// What servers serve below `/static`; xitca-web needs it to be called so.
    pub(crate) fn files(&self) -> PathBuf {
        self.0.join(STATIC)
    }

    /// Where servers save what is uploaded.
    pub(crate) fn uploads(&self) -> PathBuf {
        self.0.join("uploads")
    }

    /// Removes what was uploaded.
    pub(crate) fn remove_uploads(&self) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("{}: {error}", self.uploads().display());
        for entry in fs::read_dir(self.uploads()).map_err(failed)? {
            fs::remove_file(entry.map_err(failed)?.path()).map_err(failed)?;
        }
        Ok(())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file, and says where it is.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, String> {
        let path = self.0.join(name);
        fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
