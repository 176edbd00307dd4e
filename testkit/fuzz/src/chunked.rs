//! A naive decoder of the chunked coding (RFC 9112, section 7.1): it has all the bytes and reads them one by
//! one, by the grammar, and knows nothing of cuts.
//!
//! It is as strict as the codec says it is: the first byte after which no continuation is valid decides, no
//! whitespace stands before an extension or at a line's end, and only CRLF ends a line.

use bakestone::Limits;

use crate::fields::trim;

/// A trailer field: its name in lower case, and its value.
pub type Field = (String, Vec<u8>);

/// What became of the bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Fate {
    /// The body is complete; so many bytes were its.
    Whole(usize),
    /// It may still become one.
    More,
    /// It cannot, because of the byte there; for a trailer section the place of the fault is not told.
    Wrong(Option<usize>),
}

/// What the body held, up to where its fate was known.
#[derive(Debug, Default)]
pub struct Decoded {
    /// The content.
    pub data: Vec<u8>,
    /// All trailers, also those that a recipient drops.
    pub trailers: Vec<Field>,
}

/// Decodes `bytes`.
pub fn decode(bytes: &[u8], limits: &Limits) -> (Decoded, Fate) {
    let mut decoded = Decoded::default();
    let mut reader = Reader { bytes, at: 0, extension_bytes: 0, limits };
    let fate = match reader.body(&mut decoded) {
        Ok(()) => Fate::Whole(reader.at),
        Err(fate) => fate,
    };
    (decoded, fate)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Over the whole body.
    extension_bytes: usize,
    limits: &'a Limits,
}

impl Reader<'_> {
    /// `chunked-body = *chunk last-chunk trailer-section CRLF`
    fn body(&mut self, decoded: &mut Decoded) -> Result<(), Fate> {
        loop {
            let size = self.chunk_size()?;
            if self.peek()? == b';' {
                self.chunk_ext()?;
            }
            self.expect(b'\r')?;
            self.expect(b'\n')?;
            if size == 0 {
                return self.trailer_section(decoded);
            }
            for _ in 0..size {
                decoded.data.push(self.peek()?);
                self.at += 1;
            }
            self.expect(b'\r')?;
            self.expect(b'\n')?;
        }
    }

    /// `chunk-size = 1*HEXDIG`, of at most 16 digits.
    fn chunk_size(&mut self) -> Result<u64, Fate> {
        let mut digits = String::new();
        while self.peek()?.is_ascii_hexdigit() {
            if digits.len() == 16 {
                return self.wrong();
            }
            digits.push(char::from(self.peek()?));
            self.at += 1;
        }
        match u64::from_str_radix(&digits, 16) {
            Ok(size) => Ok(size),
            Err(_) => self.wrong(),
        }
    }

    /// `chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )`, without whitespace before
    /// the first semicolon and at the end.
    fn chunk_ext(&mut self) -> Result<(), Fate> {
        while self.peek()? == b';' {
            self.extension_byte()?;
            self.whitespace()?;
            self.token()?;
            let mut spaces = self.whitespace()?;
            if self.peek()? == b'=' {
                self.extension_byte()?;
                self.whitespace()?;
                match self.peek()? {
                    b'"' => self.quoted_string()?,
                    _ => self.token()?,
                }
                spaces = self.whitespace()?;
            }
            if spaces > 0 && self.peek()? != b';' {
                return self.wrong();
            }
        }
        Ok(())
    }

    /// `BWS = *( SP / HTAB )`
    fn whitespace(&mut self) -> Result<usize, Fate> {
        let start = self.at;
        while matches!(self.peek()?, b' ' | b'\t') {
            self.extension_byte()?;
        }
        Ok(self.at - start)
    }

    /// `token = 1*tchar`
    fn token(&mut self) -> Result<(), Fate> {
        let start = self.at;
        while is_tchar(self.peek()?) {
            self.extension_byte()?;
        }
        if self.at == start { self.wrong() } else { Ok(()) }
    }

    /// `quoted-string = DQUOTE *( qdtext / quoted-pair ) DQUOTE`
    fn quoted_string(&mut self) -> Result<(), Fate> {
        self.extension_byte()?;
        while self.peek()? != b'"' {
            if self.peek()? == b'\\' {
                self.extension_byte()?;
            }
            if !is_text(self.peek()?) {
                return self.wrong();
            }
            self.extension_byte()?;
        }
        self.extension_byte()
    }

    fn extension_byte(&mut self) -> Result<(), Fate> {
        self.extension_bytes += 1;
        if self.extension_bytes > self.limits.chunk_extension_bytes {
            return self.wrong();
        }
        self.at += 1;
        Ok(())
    }

    /// `trailer-section = *( field-line CRLF )`, and the CRLF after it. Line ends are judged when they come,
    /// the fields when the section is complete.
    fn trailer_section(&mut self, decoded: &mut Decoded) -> Result<(), Fate> {
        let start = self.at;
        let mut lines: Vec<&[u8]> = Vec::new();
        loop {
            let line_start = self.at;
            while self.trailer_byte(start)? != b'\n' {}
            let Some(line) = self.bytes[line_start..self.at].strip_suffix(b"\r\n") else {
                return Err(Fate::Wrong(None));
            };
            if line.is_empty() {
                break;
            }
            if matches!(line[0], b' ' | b'\t') || lines.len() == self.limits.trailer_fields {
                return Err(Fate::Wrong(None));
            }
            lines.push(line);
        }
        for line in lines {
            decoded.trailers.push(field(line).ok_or(Fate::Wrong(None))?);
        }
        Ok(())
    }

    fn trailer_byte(&mut self, start: usize) -> Result<u8, Fate> {
        if self.at - start == self.limits.trailer_bytes {
            return Err(Fate::Wrong(None));
        }
        let byte = self.peek()?;
        self.at += 1;
        Ok(byte)
    }

    fn peek(&self) -> Result<u8, Fate> {
        self.bytes.get(self.at).copied().ok_or(Fate::More)
    }

    fn expect(&mut self, byte: u8) -> Result<(), Fate> {
        if self.peek()? != byte {
            return self.wrong();
        }
        self.at += 1;
        Ok(())
    }

    fn wrong<T>(&self) -> Result<T, Fate> {
        Err(Fate::Wrong(Some(self.at)))
    }
}

/// `field-line = field-name ":" OWS field-value OWS`, without its line end.
pub fn field(line: &[u8]) -> Option<Field> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    let good = !name.is_empty() && name.iter().all(|byte| is_tchar(*byte));
    let name = String::from_utf8(name.to_ascii_lowercase()).ok()?;
    (good && value.iter().all(|byte| is_text(*byte))).then(|| (name, trim(value).to_vec()))
}

/// `tchar` (RFC 9110, section 5.6.2).
pub fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// `HTAB / SP / VCHAR / obs-text`
pub fn is_text(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}
