//! A naive inflater: it has all the bytes of a stream, reads them bit by bit, and begins again with each message.
//!
//! The rule: it follows RFC 1951 line by line and shares no code with what it is compared with. What the RFC leaves open
//! is as zlib has it: a code that lacks code words is taken if it has one of one bit, or none of distances.

/// Why the bits of a stream end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// They may go on.
    More,
    /// They are no DEFLATE.
    Corrupt,
    /// The last block is over; so many bytes were taken.
    End(usize),
}

/// What a stream holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inflated {
    /// As far as it goes.
    pub content: Vec<u8>,
    /// The longest distance that was gone back.
    pub farthest: usize,
    /// Why it goes no farther.
    pub stop: Stop,
}

/// Inflates a stream from its beginning on, going back no more than `window` bytes.
pub fn inflate(stream: &[u8], window: usize) -> Inflated {
    let mut bits = Bits { bytes: stream, place: 0 };
    let mut inflated = Inflated { content: Vec::new(), farthest: 0, stop: Stop::More };
    inflated.stop = loop {
        match block(&mut bits, &mut inflated, window) {
            Ok(false) => {}
            Ok(true) => break Stop::End(bits.place.div_ceil(8)),
            Err(stop) => break stop,
        }
    };
    inflated
}

/// Why a message cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// More is in it than was asked for.
    TooLong,
    /// It is no DEFLATE, or it is cut.
    Corrupt,
}

/// The messages of one direction of a connection (RFC 7692, section 7.2.2).
#[derive(Debug, Default)]
pub struct Messages {
    /// All bytes of the stream that goes on.
    stream: Vec<u8>,
    /// How much of its content was in earlier messages.
    known: usize,
    /// The longest distance that was gone back.
    pub farthest: usize,
}

impl Messages {
    /// The content of the next message, no longer than `most`; or as far as it goes, and why no farther.
    pub fn next(&mut self, compressed: &[u8], most: usize) -> (Vec<u8>, Result<(), Refused>) {
        let mut content = Vec::new();
        let mut read = self.push(compressed, &mut content, most).map(drop);
        if read.is_ok() && !compressed.is_empty() && !self.stream.is_empty() {
            // The tail, and two blocks more, of which nothing may come.
            let length = content.len();
            for _ in 0..3 {
                self.stream.extend([0x00, 0x00, 0xff, 0xff]);
                self.stream.push(0x00);
            }
            self.stream.pop();
            let ends = self.push(&[], &mut content, most);
            read = match ends {
                Ok(false) if content.len() == length => Ok(()),
                Err(refused) => Err(refused),
                Ok(_) => Err(Refused::Corrupt),
            };
        }
        content.truncate(most);
        (content, read)
    }

    /// Forgets what came.
    pub fn reset(&mut self) {
        self.stream.clear();
        self.known = 0;
    }

    /// Adds bytes to the stream, and what they hold to `content`. Says whether a stream ends.
    fn push(&mut self, bytes: &[u8], content: &mut Vec<u8>, most: usize) -> Result<bool, Refused> {
        self.stream.extend(bytes);
        let mut ends = false;
        while !self.stream.is_empty() {
            let read = inflate(&self.stream, 1 << 15);
            content.extend(&read.content[self.known..]);
            self.known = read.content.len();
            self.farthest = self.farthest.max(read.farthest);
            if content.len() > most {
                return Err(Refused::TooLong);
            }
            match read.stop {
                Stop::More => return Ok(ends),
                Stop::Corrupt => return Err(Refused::Corrupt),
                Stop::End(taken) => {
                    ends = true;
                    self.stream.drain(..taken);
                    self.known = 0;
                }
            }
        }
        Ok(ends)
    }
}

/// Bits, the least of each byte first (RFC 1951, section 3.1.1).
struct Bits<'a> {
    bytes: &'a [u8],
    /// In bits.
    place: usize,
}

impl Bits<'_> {
    fn bit(&mut self) -> Result<usize, Stop> {
        let byte = *self.bytes.get(self.place / 8).ok_or(Stop::More)?;
        let bit = byte >> (self.place % 8) & 1;
        self.place += 1;
        Ok(usize::from(bit))
    }

    /// A number whose least bit is the first.
    fn number(&mut self, length: usize) -> Result<usize, Stop> {
        (0..length).try_fold(0, |number, at| Ok(number | self.bit()? << at))
    }
}

/// Reads a block (RFC 1951, section 3.2.3). Says whether it is the last.
fn block(bits: &mut Bits<'_>, inflated: &mut Inflated, window: usize) -> Result<bool, Stop> {
    let is_last = bits.number(1)? == 1;
    match bits.number(2)? {
        0 => stored(bits, inflated)?,
        1 => compressed(bits, inflated, window, &fixed_literals(), &Code::new(&[5; 32]))?,
        2 => {
            let (literals, distances) = codes(bits)?;
            compressed(bits, inflated, window, &literals, &distances)?;
        }
        _ => return Err(Stop::Corrupt),
    }
    Ok(is_last)
}

/// RFC 1951, section 3.2.4.
fn stored(bits: &mut Bits<'_>, inflated: &mut Inflated) -> Result<(), Stop> {
    bits.place = bits.place.div_ceil(8) * 8;
    let (length, complement) = (bits.number(16)?, bits.number(16)?);
    if length ^ complement != 0xffff {
        return Err(Stop::Corrupt);
    }
    for _ in 0..length {
        inflated.content.push(bits.number(8)? as u8);
    }
    Ok(())
}

/// RFC 1951, section 3.2.5.
fn compressed(
    bits: &mut Bits<'_>,
    inflated: &mut Inflated,
    window: usize,
    literals: &Code,
    distances: &Code,
) -> Result<(), Stop> {
    const LENGTHS: [usize; 29] = [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163,
        195, 227, 258,
    ];
    const LENGTH_BITS: [usize; 29] =
        [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
    loop {
        let symbol = match literals.symbol(bits)? {
            literal @ ..256 => {
                inflated.content.push(literal as u8);
                continue;
            }
            256 => return Ok(()),
            symbol => symbol - 257,
        };
        let length = *LENGTHS.get(symbol).ok_or(Stop::Corrupt)? + bits.number(LENGTH_BITS[symbol])?;
        let distance = match distances.symbol(bits)? {
            symbol @ ..4 => symbol + 1,
            symbol @ ..30 => {
                let extra = symbol / 2 - 1;
                1 + ((2 + symbol % 2) << extra) + bits.number(extra)?
            }
            _ => return Err(Stop::Corrupt),
        };
        if distance > inflated.content.len() || distance > window {
            return Err(Stop::Corrupt);
        }
        inflated.farthest = inflated.farthest.max(distance);
        for _ in 0..length {
            inflated.content.push(inflated.content[inflated.content.len() - distance]);
        }
    }
}

/// RFC 1951, section 3.2.6.
fn fixed_literals() -> Code {
    let lengths = [[8; 144].as_slice(), &[9; 112], &[7; 24], &[8; 8]].concat();
    Code::new(&lengths)
}

/// The codes at the beginning of a block (RFC 1951, section 3.2.7).
fn codes(bits: &mut Bits<'_>) -> Result<(Code, Code), Stop> {
    const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
    let (literals, distances) = (bits.number(5)? + 257, bits.number(5)? + 1);
    let count = bits.number(4)? + 4;
    if literals > 286 || distances > 30 {
        return Err(Stop::Corrupt);
    }
    let mut lengths = [0; 19];
    for place in &ORDER[..count] {
        lengths[*place] = bits.number(3)?;
    }
    let code = Code::new(&lengths);
    // One without any code words is found out later: each bit is taken for a length of 0.
    if !code.is_complete() && code.longest() > 0 {
        return Err(Stop::Corrupt);
    }
    let lengths = code_lengths(bits, &code, literals + distances)?;
    let (literals, distances) = (Code::new(&lengths[..literals]), Code::new(&lengths[literals..]));
    let is_sound = |code: &Code| code.is_complete() || (code.longest() <= 1 && code.counts[1] <= 1);
    if lengths[256] == 0 || !is_sound(&literals) || !is_sound(&distances) {
        return Err(Stop::Corrupt);
    }
    Ok((literals, distances))
}

fn code_lengths(bits: &mut Bits<'_>, code: &Code, count: usize) -> Result<Vec<usize>, Stop> {
    let mut lengths: Vec<usize> = Vec::new();
    while lengths.len() < count {
        let symbol = match code.longest() {
            0 => bits.bit().map(|_| 0)?,
            _ => code.symbol(bits)?,
        };
        let (length, times) = match symbol {
            16 => {
                let times = bits.number(2)? + 3;
                (*lengths.last().ok_or(Stop::Corrupt)?, times)
            }
            17 => (0, bits.number(3)? + 3),
            18 => (0, bits.number(7)? + 11),
            length => (length, 1),
        };
        lengths.extend(std::iter::repeat_n(length, times));
    }
    if lengths.len() > count { Err(Stop::Corrupt) } else { Ok(lengths) }
}

/// A Huffman code by the lengths of its code words (RFC 1951, section 3.2.2).
struct Code {
    /// How many code words of each length there are.
    counts: [usize; 16],
    /// Those that have one, by its length and then by their number.
    symbols: Vec<usize>,
}

impl Code {
    fn new(lengths: &[usize]) -> Self {
        let mut counts = [0; 16];
        let mut symbols = Vec::new();
        for (length, count) in counts.iter_mut().enumerate().skip(1) {
            let before = symbols.len();
            symbols.extend((0..lengths.len()).filter(|symbol| lengths[*symbol] == length));
            *count = symbols.len() - before;
        }
        Self { counts, symbols }
    }

    fn longest(&self) -> usize {
        self.counts.iter().rposition(|count| *count > 0).unwrap_or(0)
    }

    /// Whether every run of bits is a code word, and each only one.
    fn is_complete(&self) -> bool {
        let taken: usize = (1..16).map(|length| self.counts[length] << (15 - length)).sum();
        taken == 1 << 15
    }

    /// The next symbol. A code word's first bit is its greatest.
    fn symbol(&self, bits: &mut Bits<'_>) -> Result<usize, Stop> {
        let (mut word, mut first, mut before) = (0, 0, 0);
        for length in 1..=self.longest().max(1) {
            word |= bits.bit()?;
            let count = self.counts[length];
            if word < first + count {
                return Ok(self.symbols[before + word - first]);
            }
            before += count;
            first = (first + count) << 1;
            word <<= 1;
        }
        Err(Stop::Corrupt)
    }
}
