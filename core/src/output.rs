//! The bytes that wait for the driver to write them.
//!
//! The rule: bytes leave in the order in which they came, small ones are gathered and large ones are never
//! copied, so that a head and its body leave in one vectored write.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes, BytesMut};

use crate::effect::FileHandle;

/// Up to this many bytes, a copy beside the head costs less than a segment of its own in the vectored write.
const COPIED: usize = 1024;

/// A part of a file that the driver is asked to send by its own means.
#[derive(Clone, Debug)]
pub struct FileSegment {
    /// The driver's own file.
    pub file: FileHandle,
    /// Where to begin, in bytes from the file's start.
    pub offset: u64,
    /// How many bytes to send.
    pub length: u64,
}

#[derive(Clone, Debug)]
enum Segment {
    Bytes(Bytes),
    File(FileSegment),
}

/// A queue of bytes on their way out: a [`bytes::Buf`] for the driver, with vectored chunks. The trait is that of the crate
/// `bytes` 1, and is imported from there: `use bytes::Buf;`.
///
/// A driver that can send files by itself says so with [`Output::accept_files`]; only then is it given
/// [file segments](Output::file). As a `Buf` the queue ends before the first of them.
///
/// ```
/// use bakestone::machine::Output;
/// use bytes::{Buf, Bytes};
///
/// let mut output = Output::default();
/// output.extend_from_slice(b"head ");
/// output.push(Bytes::from_static(b"body"));
/// assert_eq!(output.len(), 9);
/// assert_eq!(output.copy_to_bytes(9), "head body");
/// assert_eq!(output.taken(), 9);
/// ```
#[derive(Debug, Default)]
pub struct Output {
    queue: VecDeque<Segment>,
    /// What was gathered after the last segment of the queue.
    tail: BytesMut,
    /// Bytes before the first file segment.
    remaining: usize,
    /// Bytes in all, those of files included.
    length: u64,
    taken: u64,
    accepts_files: bool,
}

impl Output {
    /// Appends a copy of `bytes`.
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.tail.extend_from_slice(bytes);
        self.count(bytes.len());
    }

    /// Appends what `write` appends, which is small: it is counted once.
    pub(crate) fn gather(&mut self, write: impl FnOnce(&mut BytesMut)) {
        let before = self.tail.len();
        write(&mut self.tail);
        self.count(self.tail.len() - before);
    }

    /// Appends `bytes`: a small piece is copied beside what is already there, a large one is queued as it is.
    pub fn push(&mut self, bytes: impl AsRef<[u8]> + Into<Bytes>) {
        if bytes.as_ref().len() <= COPIED {
            return self.extend_from_slice(bytes.as_ref());
        }
        self.seal();
        self.count(bytes.as_ref().len());
        self.queue.push_back(Segment::Bytes(bytes.into()));
    }

    /// Appends a part of a file; it counts with its length.
    ///
    /// # Errors
    ///
    /// The segment itself, if the driver does not [accept files](Self::accepts_files): its bytes are then to be
    /// read and pushed.
    pub fn push_file(&mut self, segment: FileSegment) -> Result<(), FileSegment> {
        if !self.accepts_files {
            return Err(segment);
        }
        if segment.length > 0 {
            self.seal();
            self.length += segment.length;
            self.queue.push_back(Segment::File(segment));
        }
        Ok(())
    }

    /// The driver's word that it sends [file segments](Self::file) by itself.
    pub fn accept_files(&mut self) {
        self.accepts_files = true;
    }

    /// Whether the driver sends file segments by itself.
    pub fn accepts_files(&self) -> bool {
        self.accepts_files
    }

    /// The file segment at the front, if there is one.
    pub fn file(&self) -> Option<&FileSegment> {
        match self.queue.front() {
            Some(Segment::File(segment)) => Some(segment),
            _ => None,
        }
    }

    /// Takes `count` bytes of the file segment at the front, as sent.
    ///
    /// More than the segment holds counts as the whole of it; without a file at the front nothing happens.
    pub fn advance_file(&mut self, count: u64) {
        let Some(Segment::File(segment)) = self.queue.front_mut() else { return };
        let count = count.min(segment.length);
        segment.offset += count;
        segment.length -= count;
        self.length -= count;
        self.taken += count;
        if segment.length == 0 {
            self.queue.pop_front();
            self.remaining = self.bytes_before_file();
        }
    }

    /// How many bytes wait, those of files included.
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// How many bytes the driver has taken since the beginning: how a machine sees that the peer reads.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Drops all that waits, as a driver does once the peer is gone. It does not count as taken.
    pub fn clear(&mut self) {
        self.queue.clear();
        self.tail.clear();
        self.remaining = 0;
        self.length = 0;
    }

    /// How many bytes of memory the gathered bytes' buffer holds, for those who bound memory.
    pub fn capacity(&self) -> usize {
        let queued = self.queue.iter().map(|segment| match segment {
            Segment::Bytes(bytes) => bytes.len(),
            Segment::File(_) => 0,
        });
        self.tail.capacity() + queued.sum::<usize>()
    }

    /// What waits behind the first `count` bytes; the bytes of files are not among it.
    #[cfg(feature = "tape")]
    pub(crate) fn pieces_after(&self, count: u64) -> impl Iterator<Item = &[u8]> {
        let mut before = count;
        let pieces = self.queue.iter().map(|segment| match segment {
            Segment::Bytes(bytes) => (&bytes[..], bytes.len() as u64),
            Segment::File(file) => (&[][..], file.length),
        });
        let tail = (&self.tail[..], self.tail.len() as u64);
        pieces.chain([tail]).filter_map(move |(bytes, length)| {
            let skipped = before.min(length);
            before -= skipped;
            bytes.get(skipped as usize..).filter(|bytes| !bytes.is_empty())
        })
    }

    /// Gives the memory of an empty queue to another one, or back to the allocator if that has more of it.
    pub(crate) fn give_memory(&mut self, other: &mut Self) {
        if self.is_empty() {
            let (queue, tail) = (std::mem::take(&mut self.queue), std::mem::take(&mut self.tail));
            if other.is_empty() && tail.capacity() > other.tail.capacity() {
                (other.queue, other.tail) = (queue, tail);
            }
        }
    }

    /// Exchanges the memory of two queues, if both are empty.
    pub(crate) fn exchange_memory(&mut self, other: &mut Self) {
        if self.is_empty() && other.is_empty() {
            std::mem::swap(&mut self.queue, &mut other.queue);
            std::mem::swap(&mut self.tail, &mut other.tail);
        }
    }

    fn seal(&mut self) {
        if !self.tail.is_empty() {
            let gathered = self.tail.split().freeze();
            self.queue.push_back(Segment::Bytes(gathered));
        }
    }

    fn count(&mut self, added: usize) {
        // Past a file the bytes are not yet in reach of the driver's writes.
        if self.length == self.remaining as u64 {
            self.remaining += added;
        }
        self.length += added as u64;
    }

    fn bytes_before_file(&self) -> usize {
        let mut sum = 0;
        for segment in &self.queue {
            match segment {
                Segment::Bytes(bytes) => sum += bytes.len(),
                Segment::File(_) => return sum,
            }
        }
        sum + self.tail.len()
    }
}

impl Buf for Output {
    fn remaining(&self) -> usize {
        self.remaining
    }

    fn chunk(&self) -> &[u8] {
        match self.queue.front() {
            Some(Segment::Bytes(bytes)) => bytes,
            Some(Segment::File(_)) => &[],
            None => &self.tail,
        }
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut filled = 0;
        for segment in &self.queue {
            match segment {
                Segment::Bytes(bytes) if filled < slices.len() => slices[filled] = IoSlice::new(bytes),
                _ => return filled,
            }
            filled += 1;
        }
        if filled < slices.len() && !self.tail.is_empty() {
            slices[filled] = IoSlice::new(&self.tail);
            filled += 1;
        }
        filled
    }

    /// # Panics
    ///
    /// If `count` is more than [`remaining`](Buf::remaining), as `bytes::Buf` demands.
    fn advance(&mut self, count: usize) {
        assert!(count <= self.remaining, "advanced past the end: {count} of {} bytes", self.remaining);
        self.remaining -= count;
        self.length -= count as u64;
        self.taken += count as u64;
        let mut left = count;
        while left > 0 {
            match self.queue.front_mut() {
                Some(Segment::Bytes(bytes)) if bytes.len() > left => return bytes.advance(left),
                Some(Segment::Bytes(bytes)) => left -= bytes.len(),
                _ => {
                    self.tail.advance(left);
                    break;
                }
            }
            self.queue.pop_front();
        }
        if self.tail.is_empty() {
            self.tail.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(length: u64) -> FileSegment {
        FileSegment { file: FileHandle::new(()), offset: 10, length }
    }

    #[test]
    fn a_file_is_refused_unless_the_driver_asked_for_it() {
        let mut output = Output::default();
        assert!(output.push_file(segment(5)).is_err());
        assert!(output.is_empty());
    }

    #[test]
    fn bytes_end_where_a_file_begins() {
        let mut output = Output::default();
        output.accept_files();
        output.extend_from_slice(b"head");
        output.push_file(segment(5)).expect("the driver accepts files");
        output.push(Bytes::from(vec![b'x'; 2000]));
        output.extend_from_slice(b"tail");
        assert_eq!((output.remaining(), output.len()), (4, 4 + 5 + 2004));

        output.advance(4);
        assert_eq!((output.remaining(), output.chunk()), (0, &b""[..]));
        output.advance_file(2);
        assert_eq!(output.file().map(|file| (file.offset, file.length)), Some((12, 3)));
        output.advance_file(100);
        assert_eq!((output.remaining(), output.len(), output.taken()), (2004, 2004, 9));
        assert_eq!(output.copy_to_bytes(2004).len(), 2004);
        assert!(output.is_empty());
    }

    #[test]
    fn large_pieces_are_queued_and_small_ones_gathered() {
        let mut output = Output::default();
        for piece in [10, 2000, 10, 10, 2000, 10] {
            output.push(vec![b'x'; piece]);
        }
        let mut slices = [IoSlice::new(&[]); 8];
        let filled = output.chunks_vectored(&mut slices);
        let lengths: Vec<usize> = slices[..filled].iter().map(|slice| slice.len()).collect();
        assert_eq!(lengths, [10, 2000, 20, 2000, 10]);
        output.advance(2020);
        assert_eq!(output.chunk().len(), 10);
        assert_eq!(output.remaining(), 2020);
    }
}
