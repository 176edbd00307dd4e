//! The files of a form, as values of fields.
//!
//! The rule: serde carries a number, and the file waits beside it, on this thread, for as long as the form is read; so
//! only what a form really holds becomes an [`UploadedFile`].

use std::cell::RefCell;
use std::fmt;

use serde_core::de::{Deserialize, Deserializer, Error, Visitor};

use crate::message::UploadedFile;

/// What an [`UploadedFile`] asks a deserializer for. Only that of a form knows the name.
pub(super) const UPLOADED_FILE: &str = "bakestone::UploadedFile";

thread_local! {
    static FILES: RefCell<Vec<Option<UploadedFile>>> = const { RefCell::new(Vec::new()) };
}

/// Runs `read` while `files` wait to be taken by their number.
pub(super) fn with_files<T>(files: Vec<UploadedFile>, read: impl FnOnce() -> T) -> T {
    /// Also when the type's own code panics.
    struct Restore(Vec<Option<UploadedFile>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            let untaken = FILES.replace(std::mem::take(&mut self.0));
            drop(untaken);
        }
    }
    let _restore = Restore(FILES.replace(files.into_iter().map(Some).collect()));
    read()
}

fn take(number: u64) -> Option<UploadedFile> {
    let place = usize::try_from(number).ok()?;
    FILES.with_borrow_mut(|files| files.get_mut(place)?.take())
}

/// As a field of the `T` of a [`Form<T>`](crate::Form), and nowhere else.
impl<'de> Deserialize<'de> for UploadedFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ByNumber;
        impl Visitor<'_> for ByNumber {
            type Value = UploadedFile;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a file")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<UploadedFile, E> {
                take(number).ok_or_else(|| E::custom("a file is only in a form, and once"))
            }
        }
        deserializer.deserialize_newtype_struct(UPLOADED_FILE, ByNumber)
    }
}
