//! The chunked coding (RFC 9112, section 7.1), both ways.
//!
//! The rule: framing is read byte by byte with nothing skipped on trust, and the state survives any cut. Data
//! is never copied.

use ::http::HeaderMap;
use bytes::{Buf, Bytes, BytesMut};

use super::conn::PIECE;
use super::error::{Fault, Reason};
use super::fields::{self, is_forbidden_trailer};
use super::grammar::{hex_digit, is_field_char, is_tchar};
use super::scan::Section;
use crate::limits::Limits;
use crate::output::Output;

/// As many hexadecimal digits as a 64-bit number has.
const SIZE_DIGITS: u8 = 16;

#[derive(Clone, Copy, Debug)]
enum Part {
    Size { digits: u8, size: u64 },
    Extension { size: u64, at: Extension },
    SizeLf { size: u64 },
    Data { remaining: u64 },
    DataCr,
    DataLf,
    Trailers(Section),
}

/// Where in the extensions of a chunk a byte stands.
///
/// `chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )`, where a value is a token or a
/// quoted string (RFC 9112, section 7.1.1). What they say is ignored; but two readers that disagree on where a
/// quoted string ends would disagree on where the chunk begins.
#[derive(Clone, Copy, Debug)]
enum Extension {
    Semicolon,
    Name,
    SpaceAfterName,
    Equals,
    Token,
    Quoted,
    Escape,
    QuoteEnd,
    SpaceAfterValue,
}

impl Extension {
    /// Where the next byte leads; `None` if it may not stand there.
    fn after(self, byte: u8) -> Option<Self> {
        match (self, byte) {
            (Self::Quoted, b'"') => Some(Self::QuoteEnd),
            (Self::Quoted, b'\\') => Some(Self::Escape),
            (Self::Quoted | Self::Escape, byte) => is_field_char(byte).then_some(Self::Quoted),
            (Self::Semicolon | Self::Equals, b' ' | b'\t') => Some(self),
            (Self::Name | Self::SpaceAfterName, b' ' | b'\t') => Some(Self::SpaceAfterName),
            (Self::Token | Self::QuoteEnd | Self::SpaceAfterValue, b' ' | b'\t') => {
                Some(Self::SpaceAfterValue)
            }
            (Self::Semicolon | Self::Equals, b';') => None,
            (_, b';') => Some(Self::Semicolon),
            (Self::Name | Self::SpaceAfterName, b'=') => Some(Self::Equals),
            (Self::Equals, b'"') => Some(Self::Quoted),
            (Self::Semicolon | Self::Name, byte) => is_tchar(byte).then_some(Self::Name),
            (Self::Equals | Self::Token, byte) => is_tchar(byte).then_some(Self::Token),
            (Self::SpaceAfterName | Self::QuoteEnd | Self::SpaceAfterValue, _) => None,
        }
    }

    /// Whether the line may end here.
    fn is_whole(self) -> bool {
        matches!(self, Self::Name | Self::Token | Self::QuoteEnd)
    }
}

/// What a decoder found.
#[derive(Debug)]
pub(super) enum Piece {
    /// It needs more input.
    Nothing,
    Data(Bytes),
    End(Option<HeaderMap>),
}

/// Takes a chunked body from the front of the input.
///
/// `chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF`, the last one of size 0 and without data, then
/// `trailer-section CRLF`.
#[derive(Clone, Debug)]
pub(super) struct Decoder {
    part: Part,
    /// Over the whole body: a bound for each chunk alone would let extensions be most of the traffic.
    extension_bytes: usize,
}

impl Decoder {
    pub(super) fn new() -> Self {
        Self { part: Part::Size { digits: 0, size: 0 }, extension_bytes: 0 }
    }

    /// Takes the next piece; `offset` grows by what is taken, and a fault's place counts from there.
    pub(super) fn next(
        &mut self,
        input: &mut BytesMut,
        offset: &mut u64,
        limits: &Limits,
    ) -> Result<Piece, Fault> {
        let framing = self.frame(input, limits)?;
        input.advance(framing);
        *offset += framing as u64;
        match &mut self.part {
            Part::Data { remaining } if !input.is_empty() => {
                let piece = input.len().min(PIECE);
                let taken = usize::try_from(*remaining).map_or(piece, |remaining| remaining.min(piece));
                *remaining -= taken as u64;
                *offset += taken as u64;
                if *remaining == 0 {
                    self.part = Part::DataCr;
                }
                Ok(Piece::Data(input.split_to(taken).freeze()))
            }
            Part::Trailers(section) => {
                let window = &input[..input.len().min(limits.trailer_bytes)];
                match section.advance(
                    window,
                    limits.trailer_fields,
                    Reason::TooManyTrailers,
                    limits.leniency,
                )? {
                    Some(end) => {
                        let trailers = trailers(input.split_to(end), section)?;
                        *offset += end as u64;
                        Ok(Piece::End(trailers))
                    }
                    None if window.len() == limits.trailer_bytes => {
                        Err(Fault::new(Reason::TrailersTooLarge, window.len()))
                    }
                    None => Ok(Piece::Nothing),
                }
            }
            _ => Ok(Piece::Nothing),
        }
    }

    /// Reads up to the next data, or up to the trailer section; how many bytes that took.
    fn frame(&mut self, input: &[u8], limits: &Limits) -> Result<usize, Fault> {
        for (at, byte) in input.iter().enumerate() {
            if matches!(self.part, Part::Data { .. } | Part::Trailers(_)) {
                return Ok(at);
            }
            let part = self.framing_byte(*byte, limits).map_err(|reason| Fault::new(reason, at))?;
            self.part = part;
        }
        Ok(input.len())
    }

    fn framing_byte(&mut self, byte: u8, limits: &Limits) -> Result<Part, Reason> {
        match (self.part, byte) {
            (Part::Size { digits: 1.., size }, b'\r') => Ok(Part::SizeLf { size }),
            (Part::Size { digits: 1.., size }, b';') => self.extension(size, Extension::Semicolon, limits),
            (Part::Size { digits: 1.., .. }, b'\n') => Err(Reason::BareLf),
            (Part::Size { digits, size }, byte) => {
                let digit = hex_digit(byte).ok_or(Reason::InvalidChunkSize)?;
                if digits == SIZE_DIGITS {
                    return Err(Reason::ChunkSizeTooLarge);
                }
                Ok(Part::Size { digits: digits + 1, size: size << 4 | digit })
            }
            (Part::Extension { size, at }, b'\r') if at.is_whole() => Ok(Part::SizeLf { size }),
            (Part::Extension { .. }, b'\n') => Err(Reason::BareLf),
            (Part::Extension { size, at }, byte) => match at.after(byte) {
                Some(at) => self.extension(size, at, limits),
                None => Err(Reason::InvalidChunkExtension),
            },
            (Part::SizeLf { size: 0 }, b'\n') => Ok(Part::Trailers(Section::at(0))),
            (Part::SizeLf { size }, b'\n') => Ok(Part::Data { remaining: size }),
            (Part::SizeLf { .. }, _) => Err(Reason::BareCr),
            (Part::DataCr, b'\r') => Ok(Part::DataLf),
            (Part::DataLf, b'\n') => Ok(Part::Size { digits: 0, size: 0 }),
            (Part::DataCr | Part::DataLf, _) => Err(Reason::MissingChunkEnd),
            (part @ (Part::Data { .. } | Part::Trailers(_)), _) => Ok(part),
        }
    }

    /// One more byte of extensions.
    fn extension(&mut self, size: u64, at: Extension, limits: &Limits) -> Result<Part, Reason> {
        self.extension_bytes += 1;
        match self.extension_bytes > limits.chunk_extension_bytes {
            true => Err(Reason::ChunkExtensionsTooLarge),
            false => Ok(Part::Extension { size, at }),
        }
    }
}

/// Reads a trailer section; fields that may not stand in one are dropped (RFC 9110, section 6.5.1).
fn trailers(mut block: BytesMut, section: &Section) -> Result<Option<HeaderMap>, Fault> {
    section.unfold(&mut block)?;
    let given = fields::check(&block.freeze(), section, |_, _, _| Ok(()))?;
    if given.keys().all(|name| !is_forbidden_trailer(name)) {
        return Ok(Some(given.into_map()).filter(|map| !map.is_empty()));
    }
    let mut map = HeaderMap::new();
    for (name, value) in given.iter().filter(|(name, _)| !is_forbidden_trailer(name)) {
        map.append(name, value.clone());
    }
    Ok(Some(map).filter(|map| !map.is_empty()))
}

/// Writes one chunk. Its data must not be empty: that would be the last chunk.
pub(super) fn write(data: impl AsRef<[u8]> + Into<Bytes>, out: &mut Output) {
    let mut line = *b"0000000000000000\r\n";
    let mut start = SIZE_DIGITS as usize;
    let mut size = data.as_ref().len();
    while size > 0 && start > 0 {
        start -= 1;
        line[start] = b"0123456789abcdef"[size & 0xf];
        size >>= 4;
    }
    out.extend_from_slice(&line[start..]);
    out.push(data);
    out.extend_from_slice(b"\r\n");
}
