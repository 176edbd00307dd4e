//! Reading what the operating system has in memory already.
//!
//! The rule: it never waits, for a disk or for a lock, so that an event loop may do it; what it cannot do is left to
//! whoever may block.

use std::fs::File;
use std::io::IoSliceMut;
use std::sync::Mutex;

use bytes::Bytes;
use rustix::io::{ReadWriteFlags, preadv2};

/// The bytes at `offset`, at least one; `None` if that takes more than a copy, or is not known to.
pub(super) fn read(file: &Mutex<File>, offset: u64, length: usize) -> Option<Bytes> {
    // The greatest number would mean wherever the file stands.
    i64::try_from(offset).ok()?;
    let file = file.try_lock().ok()?;
    let mut data = vec![0; length];
    let count = preadv2(&*file, &mut [IoSliceMut::new(&mut data)], offset, ReadWriteFlags::NOWAIT).ok()?;
    // Nothing is the end of the file, but for some kernels that say so where they would have to wait.
    if count == 0 {
        return None;
    }
    data.truncate(count);
    Some(Bytes::from(data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_what_is_there_or_leaves_it_to_others() {
        let path = std::env::temp_dir().join(format!("bakestone-cached-{}", std::process::id()));
        std::fs::write(&path, "hello there").expect("a file");
        let file = Mutex::new(File::open(&path).expect("the file"));
        std::fs::remove_file(&path).expect("removed");

        for (offset, length, expected) in [(0, 5, "hello"), (6, 64 << 10, "there"), (10, 1, "e")] {
            // Not every file system can tell what it has in memory.
            if let Some(data) = read(&file, offset, length) {
                assert_eq!(data, expected, "at {offset}");
            }
        }
        for (offset, length) in [(11, 5), (0, 0), (1 << 40, 1), (u64::MAX, 1)] {
            assert_eq!(read(&file, offset, length), None, "at {offset}");
        }
        let _busy = file.lock().expect("it is free");
        assert_eq!(read(&file, 0, 5), None);
    }
}
