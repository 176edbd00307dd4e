//! How many files without a name are open.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bakestone::effect::{FileError, FileErrorKind};

use super::error;

/// The count of one source, which its clones share.
#[derive(Clone, Debug, Default)]
pub(super) struct Temporaries(Arc<AtomicUsize>);

/// One of them: it counts as long as it lives.
#[derive(Debug)]
struct Counted(Temporaries);

/// What an open file knows of its having no name; of one that was opened by its name, nothing.
#[derive(Debug, Default)]
pub(super) struct Unnamed(Mutex<Option<Counted>>);

impl Temporaries {
    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// One more.
    pub(super) fn begin(&self) -> Unnamed {
        self.0.fetch_add(1, Ordering::Relaxed);
        Unnamed(Mutex::new(Some(Counted(self.clone()))))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Unnamed {
    /// Has `take` give the file its name, if it has none; after a failure it still has none.
    pub(super) fn name(&self, take: impl FnOnce() -> Result<(), FileError>) -> Result<(), FileError> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.is_none() {
            return Err(error(FileErrorKind::Unsupported, "the file has a name already"));
        }
        take()?;
        *counted = None;
        Ok(())
    }
}
