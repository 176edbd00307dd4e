//! The decoder: bytes of a body in, the parts of its form out.
//!
//! The rule: what it has said does not depend on how the bytes were cut; only where data is cut does. An error comes at
//! the byte that makes it certain, and stays.
//!
//! ```text
//! Preamble --line--> Head --empty line--> Data --line--> PartEnd --+--> Head
//!     |                                                            |
//!     +--close-----------------------------------------------------+--> End --> Epilogue
//! ```

use std::collections::VecDeque;

use bytes::{Buf, Bytes};

use super::Limits;
use super::boundary::Boundary;
use super::delimiter::{Found, Line, Search};
use super::error::{Error, ErrorKind};
use super::head::PartHead;
use super::scan::{Fault, Scan};

/// What was found in a form.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A part begins.
    Part(PartHead),
    /// A piece of the part's data; never empty. It shares the memory of what was pushed.
    Data(Bytes),
    /// The part is over.
    PartEnd,
    /// The form is over. What follows in the body is dropped, and may not be much.
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Preamble,
    Head,
    Data,
    PartEnd(Line),
    End,
    Epilogue,
}

/// What one step came to. Most of it stays where it is until the event is made, so that it is moved once.
enum Step {
    /// The current part begins.
    Part,
    /// So many bytes at the front of the input are data.
    Data(usize),
    /// These bytes, which were in the input, are data.
    Taken(Bytes),
    PartEnd,
    End,
    Again,
    /// All input is taken.
    More,
}

/// Decodes a form from bytes that arrive in pieces, as [the module](super) shows.
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    state: State,
    search: Search,
    input: Bytes,
    /// What was pushed before it was asked for.
    waiting: VecDeque<Bytes>,
    pushed: u64,
    /// Bytes of what was pushed and does not wait.
    received: u64,
    /// More was pushed than the limit allows, and is dropped.
    is_too_long: bool,
    is_ended: bool,
    /// The head of the current part, as far as it has come.
    head: Vec<u8>,
    scan: Scan,
    part: Option<PartHead>,
    /// How many bytes more the part's data may have.
    room: u64,
    fields: usize,
    files: usize,
    /// Bytes of the preamble, or of the epilogue.
    outside: usize,
    error: Option<Error>,
}

impl Decoder {
    /// A decoder of the form whose parts `boundary` separates.
    pub fn new(boundary: &Boundary, limits: Limits) -> Self {
        let mut search = Search::new(boundary);
        search.begin_line();
        Self {
            limits,
            state: State::Preamble,
            search,
            input: Bytes::new(),
            waiting: VecDeque::new(),
            pushed: 0,
            received: 0,
            is_too_long: false,
            is_ended: false,
            head: Vec::new(),
            scan: Scan::default(),
            part: None,
            room: 0,
            fields: 0,
            files: 0,
            outside: 0,
            error: None,
        }
    }

    /// Takes the next bytes of the body.
    ///
    /// They are best pushed when [`next`](Self::next) has none left; those that come earlier wait. After
    /// [`end`](Self::end), after an error, and past [`Limits::total_bytes`] they are dropped.
    #[inline]
    pub fn push(&mut self, mut bytes: Bytes) {
        if self.is_ended || self.is_too_long || self.error.is_some() {
            return;
        }
        let room = self.limits.total_bytes - self.pushed;
        if bytes.len() as u64 > room {
            bytes.truncate(usize::try_from(room).unwrap_or(usize::MAX));
            self.is_too_long = true;
        }
        self.pushed += bytes.len() as u64;
        if self.input.is_empty() && self.waiting.is_empty() {
            self.receive(bytes);
        } else if !bytes.is_empty() {
            self.waiting.push_back(bytes);
        }
    }

    /// Says that the body is over: if the form is not, that is an error now.
    pub fn end(&mut self) {
        self.is_ended = true;
    }

    /// The next event; `None` if there are more bytes to be pushed first, or, after [`Event::End`], nothing comes any
    /// more.
    ///
    /// # Errors
    ///
    /// What makes the form one that is refused. It comes again whenever this is called again.
    #[allow(clippy::should_implement_trait, reason = "an iterator cannot say that it needs more bytes")]
    pub fn next(&mut self) -> Result<Option<Event>, Error> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        loop {
            match self.advance() {
                Ok(Step::Part) => return Ok(self.part.clone().map(Event::Part)),
                Ok(Step::Data(length)) => return Ok(Some(Event::Data(self.take(length)))),
                Ok(Step::Taken(data)) => return Ok(Some(Event::Data(data))),
                Ok(Step::PartEnd) => return Ok(Some(Event::PartEnd)),
                Ok(Step::End) => return Ok(Some(Event::End)),
                Ok(Step::Again) => {}
                Ok(Step::More) => match self.waiting.pop_front() {
                    Some(bytes) => self.receive(bytes),
                    None => break,
                },
                Err(error) => return Err(self.fail(error)),
            }
        }
        match self.missing() {
            Some(error) => Err(self.fail(error)),
            None => Ok(None),
        }
    }

    /// How many bytes of the body were taken: those that wait are not counted.
    pub fn offset(&self) -> u64 {
        self.received - self.input.len() as u64
    }

    /// How many bytes the search has looked at.
    #[cfg(test)]
    pub(super) fn examined(&self) -> u64 {
        self.search.examined
    }

    #[inline]
    fn receive(&mut self, bytes: Bytes) {
        self.received += bytes.len() as u64;
        self.input = bytes;
    }

    fn advance(&mut self) -> Result<Step, Error> {
        match self.state {
            State::Preamble => self.preamble(),
            State::Head => self.head(),
            State::Data => self.data(),
            State::PartEnd(line) => Ok(self.part_end(line)),
            State::End => {
                self.state = State::Epilogue;
                Ok(Step::End)
            }
            State::Epilogue => self.epilogue(),
        }
    }

    /// What is wrong if nothing follows what was taken: nothing, as long as more may come.
    fn missing(&self) -> Option<Error> {
        if self.is_too_long {
            let total = self.limits.total_bytes;
            return Some(self.within(Error::limit_exceeded("form_bytes", total, total)));
        }
        let is_truncated = self.is_ended && self.state != State::Epilogue;
        is_truncated.then(|| self.fault(ErrorKind::Truncated))
    }

    fn preamble(&mut self) -> Result<Step, Error> {
        match self.search.next(&mut self.input) {
            Found::Front(length) => {
                self.input.advance(length);
                self.outside(length, self.limits.preamble_bytes)
            }
            Found::Taken(bytes) => self.outside(bytes.len(), self.limits.preamble_bytes),
            Found::Line(Line::Part) => {
                self.state = State::Head;
                Ok(Step::Again)
            }
            Found::Line(Line::Close) if self.outside == 0 => {
                self.state = State::End;
                Ok(Step::Again)
            }
            Found::Line(Line::Close) => Err(self.fault(ErrorKind::NoPart)),
            Found::PaddingTooLong => Err(self.fault(ErrorKind::PaddingTooLong)),
            Found::More => Ok(Step::More),
        }
    }

    fn epilogue(&mut self) -> Result<Step, Error> {
        let bytes = self.input.len();
        self.input.clear();
        // The line of the last boundary has an end.
        self.outside(bytes, self.limits.preamble_bytes.saturating_add(2))?;
        Ok(Step::More)
    }

    /// So many bytes outside of the parts were taken.
    fn outside(&mut self, bytes: usize, allowed: usize) -> Result<Step, Error> {
        let left = allowed - self.outside;
        if bytes > left {
            let offset = self.offset() - (bytes - left) as u64;
            let limit = self.limits.preamble_bytes as u64;
            return Err(Error::limit_exceeded("form_preamble_bytes", limit, offset));
        }
        self.outside += bytes;
        Ok(Step::Again)
    }

    fn head(&mut self) -> Result<Step, Error> {
        let room = self.limits.head_bytes - self.head.len();
        let window = &self.input[..self.input.len().min(room)];
        let end = match self.scan.advance(window, self.limits.head_fields) {
            Ok(end) => end,
            Err(Fault { kind: ErrorKind::LimitExceeded, at }) => {
                let limit = self.limits.head_fields as u64;
                return Err(self.limit_exceeded("part_head_fields", limit, self.offset() + at as u64));
            }
            Err(fault) => {
                return Err(self.within(Error::new(fault.kind, self.offset() + fault.at as u64)));
            }
        };
        let taken = end.unwrap_or(window.len());
        self.head.extend_from_slice(&self.input[..taken]);
        self.input.advance(taken);
        match end {
            Some(_) => self.part(),
            None if self.head.len() == self.limits.head_bytes => {
                let limit = self.limits.head_bytes as u64;
                Err(self.limit_exceeded("part_head_bytes", limit, self.offset()))
            }
            None => Ok(Step::More),
        }
    }

    /// The head is whole.
    fn part(&mut self) -> Result<Step, Error> {
        let begin = self.offset() - self.head.len() as u64;
        self.scan = Scan::default();
        let head = match PartHead::parse(std::mem::take(&mut self.head)) {
            Ok(head) => self.part.insert(head),
            Err(fault) => return Err(self.within(Error::new(fault.kind, begin + fault.at as u64))),
        };
        let is_file = head.is_file();
        let (limit, allowed, count) = match is_file {
            true => ("form_files", self.limits.files, self.files),
            false => ("form_fields", self.limits.fields, self.fields),
        };
        if count == allowed {
            return Err(self.limit_exceeded(limit, allowed as u64, begin));
        }
        match is_file {
            true => self.files += 1,
            false => self.fields += 1,
        }
        (self.state, self.room) = (State::Data, self.data_limit().1);
        self.search.begin_line();
        Ok(Step::Part)
    }

    fn data(&mut self) -> Result<Step, Error> {
        if self.input.is_empty() {
            return Ok(Step::More);
        }
        match self.search.next(&mut self.input) {
            Found::Front(length) if self.spend(length) => Ok(Step::Data(length)),
            Found::Front(length) => {
                let data = self.input.split_to(length);
                self.last_piece(data)
            }
            Found::Taken(data) if self.spend(data.len()) => Ok(Step::Taken(data)),
            Found::Taken(data) => self.last_piece(data),
            Found::Line(line) => {
                self.state = State::PartEnd(line);
                Ok(Step::Again)
            }
            Found::PaddingTooLong => Err(self.fault(ErrorKind::PaddingTooLong)),
            Found::More => Ok(Step::More),
        }
    }

    /// What bounds the data of the current part, and to how many bytes.
    fn data_limit(&self) -> (&'static str, u64) {
        match self.part.as_ref().is_some_and(PartHead::is_file) {
            true => ("form_file_bytes", self.limits.file_bytes),
            false => ("form_field_bytes", self.limits.field_bytes),
        }
    }

    /// Whether the part may have so many bytes more; then they count.
    fn spend(&mut self, length: usize) -> bool {
        let left = self.room.checked_sub(length as u64);
        self.room = left.unwrap_or(self.room);
        left.is_some()
    }

    fn take(&mut self, length: usize) -> Bytes {
        match length == self.input.len() {
            true => std::mem::take(&mut self.input),
            false => self.input.split_to(length),
        }
    }

    /// A piece that was taken from the input just now, and of which not all is allowed. What is allowed is told first,
    /// so that the cuts make no difference.
    fn last_piece(&mut self, mut data: Bytes) -> Result<Step, Error> {
        let (limit, allowed) = self.data_limit();
        let too_much = data.len() as u64 - self.room;
        let error = self.limit_exceeded(limit, allowed, self.offset() - too_much);
        data.truncate(usize::try_from(self.room).unwrap_or(usize::MAX));
        if data.is_empty() {
            return Err(error);
        }
        self.fail(error);
        Ok(Step::Taken(data))
    }

    fn part_end(&mut self, line: Line) -> Step {
        self.part = None;
        (self.state, self.outside) = match line {
            Line::Part => (State::Head, 0),
            Line::Close => (State::End, 0),
        };
        Step::PartEnd
    }

    /// Keeps the error, which it gives back.
    fn fail(&mut self, error: Error) -> Error {
        self.error = Some(error.clone());
        // What is not going to be read is not kept.
        self.received = self.offset();
        self.input = Bytes::new();
        (self.waiting, self.head) = (VecDeque::new(), Vec::new());
        error
    }

    fn fault(&self, kind: ErrorKind) -> Error {
        self.within(Error::new(kind, self.offset()))
    }

    fn limit_exceeded(&self, name: &'static str, value: u64, offset: u64) -> Error {
        self.within(Error::limit_exceeded(name, value, offset))
    }

    /// The error with the part in which it is.
    fn within(&self, error: Error) -> Error {
        match self.state {
            State::Preamble | State::End | State::Epilogue => error,
            State::Head => error.in_part(self.files + self.fields, self.part.as_ref().map(PartHead::name)),
            State::Data | State::PartEnd(_) => {
                let index = (self.files + self.fields).saturating_sub(1);
                error.in_part(index, self.part.as_ref().map(PartHead::name))
            }
        }
    }
}
