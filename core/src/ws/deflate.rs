//! Compressed messages: raw DEFLATE, flushed at the end of each message.
//!
//! The rule: what a peer's bytes cost is bounded before they are read. No more comes out than was asked for, memory grows
//! with what really comes out, and every byte in costs about the same.
//!
//! ```text
//! compressed = DEFLATE blocks, the last of them stored and empty, without its last four octets
//!                                                                      RFC 7692, section 7.2.1
//! tail       = %x00 %x00 %xFF %xFF                                     RFC 7692, section 7.2.2
//! empty      = %x00                                                    RFC 7692, section 7.2.3.6
//! ```

use std::fmt;

use bytes::{Buf, BufMut, BytesMut};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::extension::LEVEL;

/// What every compressed message ends with, and what is not sent.
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// The tail, and two stored blocks that are empty.
const TAIL_AND_NOTHING: [u8; 14] =
    [0x00, 0x00, 0xff, 0xff, 0x00, 0x00, 0x00, 0xff, 0xff, 0x00, 0x00, 0x00, 0xff, 0xff];

/// How much room is made at once, at least and at most, in bytes.
const LEAST_ROOM: usize = 64;
const MOST_ROOM: usize = 32 * 1024;

/// Why a compressed message cannot be read (RFC 7692, section 7.2.2). The connection has to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InflateError {
    /// It holds more than was asked for: close code 1009.
    TooLong,
    /// It is not DEFLATE, or it is cut: close code 1007.
    Corrupt,
}

impl fmt::Display for InflateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "the message is too long when it is inflated",
            Self::Corrupt => "the compressed message is corrupt",
        })
    }
}

impl std::error::Error for InflateError {}

/// Reads the compressed messages of one direction of a connection.
///
/// It keeps about 47 KiB, 32 of them the window, which reads what was written with a smaller one too.
///
/// ```
/// use bakestone::ws::deflate::Inflater;
/// use bytes::BytesMut;
///
/// let (mut inflater, mut text) = (Inflater::new(), BytesMut::new());
/// inflater.inflate(&[0xf2, 0x48, 0xcd], &mut text, 1024)?;
/// inflater.inflate(&[0xc9, 0xc9, 0x07, 0x00], &mut text, 1024)?;
/// inflater.finish(&mut text, 1024)?;
/// assert_eq!(text, "Hello");
/// # Ok::<(), bakestone::ws::deflate::InflateError>(())
/// ```
#[derive(Debug)]
pub struct Inflater {
    stream: Decompress,
    place: Place,
}

/// Where in a message an [`Inflater`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before its first byte, or directly behind a block that says that it is the last one.
    Between,
    /// Inside.
    Inside,
}

impl Inflater {
    /// An inflater with an empty window of 32 KiB.
    pub fn new() -> Self {
        Self { stream: Decompress::new(false), place: Place::Between }
    }

    /// Puts what `compressed`, the next bytes of a message, holds behind `out`, which never gets longer than `most` bytes.
    ///
    /// A block that says that it is the last one ends the stream, and what follows it is another one, whose window is
    /// empty, as in the peers that are made with zlib (RFC 7692, section 7.2.3.4).
    ///
    /// # Errors
    ///
    /// The message is longer than `most`, or it is not DEFLATE. No other message can be read after it.
    pub fn inflate(
        &mut self,
        compressed: &[u8],
        out: &mut BytesMut,
        most: usize,
    ) -> Result<(), InflateError> {
        self.read(compressed, out, most).map(drop)
    }

    /// Ends a message: what is left of it is put behind `out`.
    ///
    /// A message of no bytes at all is an empty one: zlib makes that of the second of two empty messages.
    ///
    /// # Errors
    ///
    /// The message is longer than `most`, or it is cut; the latter may be found with the next message only, if this one
    /// ends inside the code lengths of a block.
    pub fn finish(&mut self, out: &mut BytesMut, most: usize) -> Result<(), InflateError> {
        // Behind a last block stands no block that the tail could complete.
        if self.place == Place::Between {
            return Ok(());
        }
        let whole = out.len();
        let ends = self.read(&TAIL_AND_NOTHING, out, most)?;
        self.place = Place::Between;
        // To a message that is whole it adds nothing; one that is cut takes it for content.
        if ends || out.len() > whole { Err(InflateError::Corrupt) } else { Ok(()) }
    }

    /// Empties the window, and forgets a message that is not complete: the next message is read without the ones before
    /// it, as `client_no_context_takeover` and `server_no_context_takeover` ask for (RFC 7692, section 7.1.1).
    pub fn reset(&mut self) {
        self.stream.reset(false);
        self.place = Place::Between;
    }

    /// Inflates all of `compressed`. Says whether a block was the last one of its stream.
    fn read(&mut self, compressed: &[u8], out: &mut BytesMut, most: usize) -> Result<bool, InflateError> {
        if compressed.is_empty() {
            return Ok(false);
        }
        let mut filled = out.len();
        let read = self.fill(compressed, out, &mut filled, most);
        out.truncate(filled.min(most));
        read
    }

    /// Fills `out` from `filled` on, and makes it longer when it is full.
    fn fill(
        &mut self,
        mut compressed: &[u8],
        out: &mut BytesMut,
        filled: &mut usize,
        most: usize,
    ) -> Result<bool, InflateError> {
        let mut ends = false;
        loop {
            if *filled == out.len() {
                // One byte more than there may be tells a message that is too long from one that just fits.
                let allowed = most.saturating_sub(*filled).saturating_add(1);
                let room = compressed.len().saturating_mul(4).clamp(LEAST_ROOM, MOST_ROOM).min(allowed);
                out.resize(*filled + room, 0);
            }
            self.place = Place::Inside;
            let (total_in, total_out) = (self.stream.total_in(), self.stream.total_out());
            let result = self.stream.decompress(compressed, &mut out[*filled..], FlushDecompress::Sync);
            compressed.advance((self.stream.total_in() - total_in) as usize);
            *filled += (self.stream.total_out() - total_out) as usize;
            if *filled > most {
                return Err(InflateError::TooLong);
            }
            match result.map_err(|_| InflateError::Corrupt)? {
                Status::StreamEnd => {
                    self.reset();
                    ends = true;
                    if compressed.is_empty() {
                        return Ok(ends);
                    }
                }
                // Room that is left over says that nothing more can come of these bytes.
                _ if *filled < out.len() => {
                    return if compressed.is_empty() { Ok(ends) } else { Err(InflateError::Corrupt) };
                }
                _ => {}
            }
        }
    }
}

impl Default for Inflater {
    fn default() -> Self {
        Self::new()
    }
}

/// Compresses the messages of one direction of a connection.
///
/// It keeps about 370 KiB with a window of 15 bits, and 250 with one of 9.
///
/// ```
/// use bakestone::ws::deflate::Deflater;
/// use bytes::BytesMut;
///
/// let (mut deflater, mut compressed) = (Deflater::new(15), BytesMut::new());
/// deflater.deflate(b"Hello", &mut compressed);
/// assert_eq!(compressed[..], [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]);
/// ```
#[derive(Debug)]
pub struct Deflater {
    stream: Compress,
    level: u8,
}

impl Deflater {
    /// A deflater whose window is 2<sup>`window_bits`</sup> bytes, from 9 to 15; what is outside is taken for the
    /// nearest. There is no window of 2<sup>8</sup>: zlib cannot compress with it.
    pub fn new(window_bits: u8) -> Self {
        Self::with_level(window_bits, LEVEL)
    }

    /// One that tries as hard as `level` says: 1 is fast, 9 compresses most, 0 compresses nothing, and [`new`](Self::new)
    /// is 3: above it are many times the work for messages of text, and hardly a byte less.
    pub fn with_level(window_bits: u8, level: u8) -> Self {
        let level = level.min(9);
        let stream =
            Compress::new_with_window_bits(Compression::new(level.into()), false, window_bits.clamp(9, 15));
        Self { stream, level }
    }

    /// Tries as hard as `level` says from the next message on.
    pub fn set_level(&mut self, level: u8) {
        let level = level.min(9);
        if level != self.level {
            let set = self.stream.set_level(Compression::new(level.into()));
            debug_assert!(set.is_ok(), "between two messages nothing waits to be written");
            self.level = level;
        }
    }

    /// Puts `payload`, which is a whole message, behind `out` in its compressed form (RFC 7692, section 7.2.1).
    pub fn deflate(&mut self, mut payload: &[u8], out: &mut BytesMut) {
        // There would be nothing to flush, if the message before was flushed.
        if payload.is_empty() {
            out.put_u8(0x00);
            return;
        }
        loop {
            let before = out.len();
            let room = payload.len().clamp(LEAST_ROOM, MOST_ROOM);
            out.resize(before + room, 0);
            let (total_in, total_out) = (self.stream.total_in(), self.stream.total_out());
            let result = self.stream.compress(payload, &mut out[before..], FlushCompress::Sync);
            let produced = (self.stream.total_out() - total_out) as usize;
            payload.advance((self.stream.total_in() - total_in) as usize);
            out.truncate(before + produced);
            debug_assert!(result.is_ok(), "a stream that is only written and flushed has no state to break");
            if result.is_err() || produced < room {
                break;
            }
        }
        debug_assert!(out.ends_with(&TAIL) && payload.is_empty());
        out.truncate(out.len().saturating_sub(TAIL.len()));
    }

    /// Empties the window: the next message is compressed without the ones before it, as `client_no_context_takeover`
    /// and `server_no_context_takeover` ask for (RFC 7692, section 7.1.1).
    pub fn reset(&mut self) {
        self.stream.reset();
    }
}
