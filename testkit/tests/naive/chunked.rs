//! A naive decoder of the chunked coding (RFC 9112, section 7.1).
//!
//! It is as strict as the codec says it is: the first byte after which no continuation is valid decides, no
//! whitespace stands before an extension or at a line's end, and only CRLF ends a line.

use bakestone::Limits;

use super::Stop;
use super::fields::{Field, is_tchar, is_text};
use super::reader::Reader;

/// What the body held, up to where its fate was known.
#[derive(Debug, Default)]
pub struct Decoded {
    /// The content.
    pub data: Vec<u8>,
    /// All trailers, also those that a recipient drops.
    pub trailers: Vec<Field>,
}

/// Decodes the body that begins at `start`, and says where it ends. The place of what is wrong in a trailer
/// section is not told.
pub fn decode(bytes: &[u8], start: usize, limits: &Limits) -> (Decoded, Result<usize, Stop>) {
    let mut decoded = Decoded::default();
    let mut decoder = Decoder { reader: Reader::new(bytes, start), extension_bytes: 0, limits };
    let end = decoder.body(&mut decoded).map(|()| decoder.reader.at);
    (decoded, end)
}

struct Decoder<'a> {
    reader: Reader<'a>,
    /// Over the whole body.
    extension_bytes: usize,
    limits: &'a Limits,
}

impl Decoder<'_> {
    /// `chunked-body = *chunk last-chunk trailer-section CRLF`
    fn body(&mut self, decoded: &mut Decoded) -> Result<(), Stop> {
        loop {
            let size = self.chunk_size()?;
            if self.reader.peek()? == b';' {
                self.chunk_ext()?;
            }
            self.reader.run_of(b"\r\n")?;
            if size == 0 {
                return self.trailer_section(decoded);
            }
            for _ in 0..size {
                decoded.data.push(self.reader.peek()?);
                self.reader.at += 1;
            }
            self.reader.run_of(b"\r\n")?;
        }
    }

    /// `chunk-size = 1*HEXDIG`, of at most 16 digits.
    fn chunk_size(&mut self) -> Result<u64, Stop> {
        let mut digits = String::new();
        while self.reader.peek()?.is_ascii_hexdigit() {
            if digits.len() == 16 {
                return self.reader.wrong(400);
            }
            digits.push(char::from(self.reader.peek()?));
            self.reader.at += 1;
        }
        u64::from_str_radix(&digits, 16).or_else(|_| self.reader.wrong(400))
    }

    /// `chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )`, without whitespace before
    /// the first semicolon and at the end.
    fn chunk_ext(&mut self) -> Result<(), Stop> {
        while self.reader.peek()? == b';' {
            self.extension_byte()?;
            self.whitespace()?;
            self.token()?;
            let mut spaces = self.whitespace()?;
            if self.reader.peek()? == b'=' {
                self.extension_byte()?;
                self.whitespace()?;
                match self.reader.peek()? {
                    b'"' => self.quoted_string()?,
                    _ => self.token()?,
                }
                spaces = self.whitespace()?;
            }
            if spaces > 0 && self.reader.peek()? != b';' {
                return self.reader.wrong(400);
            }
        }
        Ok(())
    }

    /// `BWS = *( SP / HTAB )`
    fn whitespace(&mut self) -> Result<usize, Stop> {
        let start = self.reader.at;
        while matches!(self.reader.peek()?, b' ' | b'\t') {
            self.extension_byte()?;
        }
        Ok(self.reader.at - start)
    }

    /// `token = 1*tchar`
    fn token(&mut self) -> Result<(), Stop> {
        let start = self.reader.at;
        while is_tchar(self.reader.peek()?) {
            self.extension_byte()?;
        }
        if self.reader.at == start { self.reader.wrong(400) } else { Ok(()) }
    }

    /// `quoted-string = DQUOTE *( qdtext / quoted-pair ) DQUOTE`
    fn quoted_string(&mut self) -> Result<(), Stop> {
        self.extension_byte()?;
        while self.reader.peek()? != b'"' {
            if self.reader.peek()? == b'\\' {
                self.extension_byte()?;
            }
            if !is_text(self.reader.peek()?) {
                return self.reader.wrong(400);
            }
            self.extension_byte()?;
        }
        self.extension_byte()
    }

    fn extension_byte(&mut self) -> Result<(), Stop> {
        self.extension_bytes += 1;
        if self.extension_bytes > self.limits.chunk_extension_bytes {
            return self.reader.wrong(400);
        }
        self.reader.at += 1;
        Ok(())
    }

    /// `trailer-section = *( field-line CRLF )`, and the CRLF after it.
    fn trailer_section(&mut self, decoded: &mut Decoded) -> Result<(), Stop> {
        self.reader.end = self.reader.at.saturating_add(self.limits.trailer_bytes);
        let section = self.reader.section(self.limits.trailer_fields);
        decoded.trailers = section.map_err(|stop| match stop {
            Stop::More => Stop::More,
            Stop::Wrong { status, .. } => Stop::wrong(status),
        })?;
        Ok(())
    }
}
