//! Bytes, and how far they were read.

use super::Stop;
use super::fields::{Field, field};

/// Reads bytes one by one.
pub struct Reader<'a> {
    bytes: &'a [u8],
    /// The next byte's place.
    pub at: usize,
    /// The place that is too far: a limit ends before it.
    pub end: usize,
}

impl<'a> Reader<'a> {
    /// A reader without a limit, from `at` on.
    pub fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, end: usize::MAX }
    }

    /// The next byte. Past the limit it is 431 (Request Header Fields Too Large).
    pub fn peek(&self) -> Result<u8, Stop> {
        match self.bytes.get(self.at) {
            _ if self.at == self.end => self.wrong(431),
            Some(byte) => Ok(*byte),
            None => Err(Stop::More),
        }
    }

    /// Reads this byte, and no other.
    pub fn expect(&mut self, byte: u8) -> Result<(), Stop> {
        if self.peek()? != byte {
            return self.wrong(400);
        }
        self.at += 1;
        Ok(())
    }

    /// Reads these bytes, and no others.
    pub fn run_of(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        bytes.iter().try_for_each(|byte| self.expect(*byte))
    }

    /// The next byte is the one that is wrong.
    pub fn wrong<T>(&self, status: u16) -> Result<T, Stop> {
        Err(Stop::Wrong { status, at: Some(self.at) })
    }

    /// Reads as long as the bytes are `good`.
    pub fn run(&mut self, good: impl Fn(u8) -> bool) -> Result<&'a [u8], Stop> {
        let start = self.at;
        while good(self.peek()?) {
            self.at += 1;
        }
        Ok(&self.bytes[start..self.at])
    }

    /// `*( field-line CRLF ) CRLF` (RFC 9112, sections 5 and 7.1.2), with at most so many lines. Line ends are
    /// judged when they come, the fields when the section is complete.
    pub fn section(&mut self, most_lines: usize) -> Result<Vec<Field>, Stop> {
        let mut lines = Vec::new();
        loop {
            let line = self.run(|byte| byte != b'\n')?;
            self.at += 1;
            let Some(line) = line.strip_suffix(b"\r") else { return Err(Stop::wrong(400)) };
            match line.first() {
                None => break,
                Some(b' ' | b'\t') => return Err(Stop::wrong(400)),
                _ if lines.len() == most_lines => return Err(Stop::wrong(431)),
                _ => lines.push(line),
            }
        }
        lines.into_iter().map(|line| field(line).ok_or(Stop::wrong(400))).collect()
    }
}
