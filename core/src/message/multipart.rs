//! A body of several parts, read part by part.
//!
//! The rule: nothing is kept. Each piece of a part is handed out as it arrives, and what is not asked for is passed
//! over; a body that breaks off is an error, never a shorter form.

use std::fmt;

use bytes::{Bytes, BytesMut};

use crate::error::{LimitExceeded, Result};
use crate::http::MediaType;
use crate::message::{Body, charset};
use crate::multipart::{Boundary, Decoder, Event, Limits, PartHead};

/// A `multipart/form-data` body (RFC 7578), part by part: as [`Request::multipart`](crate::Request::multipart) gives
/// it.
///
/// It may be an argument of a handler, the last. Its limits are those of the session, of which
/// [`form_bytes`](crate::Limits::form_bytes) bounds the whole; [`Request::multipart_with`](crate::Request::multipart_with)
/// takes others.
///
/// ```
/// use bakestone::{Multipart, Result, Text, post};
///
/// async fn count(mut parts: Multipart) -> Result<Text<String>> {
///     let mut bytes = 0;
///     while let Some(mut part) = parts.next().await? {
///         while let Some(piece) = part.chunk().await? {
///             bytes += piece.len();
///         }
///     }
///     Ok(Text(format!("{bytes} bytes in all parts\n")))
/// }
/// # let _ = post(count);
/// ```
pub struct Multipart {
    body: Body,
    decoder: Decoder,
    stage: Stage,
    hook: Option<Hook>,
    progress: Progress,
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The next part, or the end of the form.
    Between,
    /// The rest of a part.
    Inside,
    /// The rest of the body.
    Behind,
    Over,
}

pub(super) type Hook = Box<dyn FnMut(Progress) + Send>;

/// How much of a body has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// How many bytes have come, of all parts and of what is between them.
    pub received: u64,
    /// How many will have come at the end; `None` of a body that does not say.
    pub expected: Option<u64>,
}

impl Multipart {
    /// The parts of `body` between `boundary`.
    ///
    /// # Errors
    ///
    /// [`LimitExceeded`] for a body that announces more than `limits` allow.
    pub fn new(body: Body, boundary: &Boundary, limits: Limits) -> Result<Self, LimitExceeded> {
        Self::check(&body, &limits)?;
        let progress = Progress { received: 0, expected: body.length() };
        let decoder = Decoder::new(boundary, limits);
        Ok(Self { body, decoder, stage: Stage::Between, hook: None, progress })
    }

    /// Whether `body` announces no more than `limits` allow.
    pub(super) fn check(body: &Body, limits: &Limits) -> Result<(), LimitExceeded> {
        match body.length() {
            Some(length) if length > limits.total_bytes => {
                Err(LimitExceeded::new("form_bytes", limits.total_bytes, length))
            }
            _ => Ok(()),
        }
    }

    /// The next part, after what is left of the one before; `None` after the last.
    ///
    /// The future may be dropped at any point: nothing that arrived is lost.
    ///
    /// # Errors
    ///
    /// [`BodyError`](crate::message::BodyError), or a [`multipart::Error`](crate::multipart::Error): 400 or 413.
    pub async fn next(&mut self) -> Result<Option<Part<'_>>> {
        while matches!(self.stage, Stage::Between | Stage::Inside) {
            self.stage = match self.event().await? {
                Event::Part(head) => {
                    self.stage = Stage::Inside;
                    return Ok(Some(Part { head, gathered: BytesMut::new(), multipart: self }));
                }
                Event::End => Stage::Behind,
                Event::PartEnd => Stage::Between,
                _ => self.stage,
            }
        }
        self.pass_over_the_rest().await?;
        Ok(None)
    }

    /// Calls `hook` after each piece of the body, with how much has come.
    pub fn on_progress(&mut self, hook: impl FnMut(Progress) + Send + 'static) {
        self.hook = Some(Box::new(hook));
    }

    async fn event(&mut self) -> Result<Event> {
        loop {
            if let Some(event) = self.decoder.next()? {
                return Ok(event);
            }
            self.take_piece().await?;
        }
    }

    /// Whether there was one.
    async fn take_piece(&mut self) -> Result<bool> {
        let Some(piece) = self.body.chunk().await? else {
            self.decoder.end();
            return Ok(false);
        };
        self.progress.received += piece.len() as u64;
        self.decoder.push(piece);
        if let Some(hook) = &mut self.hook {
            hook(self.progress);
        }
        Ok(true)
    }

    /// The body's end comes after the form's.
    async fn pass_over_the_rest(&mut self) -> Result<()> {
        if self.stage == Stage::Over {
            return Ok(());
        }
        while self.take_piece().await? {
            self.decoder.next()?;
        }
        // What was cut off for being too much is told once nothing else is left.
        self.decoder.next()?;
        self.stage = Stage::Over;
        Ok(())
    }
}

impl fmt::Debug for Multipart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Multipart").field("offset", &self.decoder.offset()).finish_non_exhaustive()
    }
}

/// One part of a [`Multipart`].
#[derive(Debug)]
pub struct Part<'a> {
    head: PartHead,
    /// What a reading of the whole, which was dropped, had read.
    gathered: BytesMut,
    multipart: &'a mut Multipart,
}

impl Part<'_> {
    /// What the part says of itself.
    pub fn head(&self) -> &PartHead {
        &self.head
    }

    pub(super) fn into_head(self) -> PartHead {
        self.head
    }

    /// The name of the field.
    pub fn name(&self) -> &str {
        self.head.name()
    }

    /// The name of the file, as the client gave it: it may be any text. `None` of a part that is no file.
    pub fn filename(&self) -> Option<&str> {
        self.head.filename()
    }

    /// The media type that the client says the part is of.
    pub fn content_type(&self) -> Option<MediaType<'_>> {
        self.head.content_type()
    }

    /// The next piece of the part, never an empty one; `None` at its end, and ever after.
    ///
    /// The future may be dropped at any point: nothing that arrived is lost.
    ///
    /// # Errors
    ///
    /// As [`Multipart::next`].
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        match self.gathered.is_empty() {
            true => self.piece().await,
            false => Ok(Some(self.gathered.split().freeze())),
        }
    }

    async fn piece(&mut self) -> Result<Option<Bytes>> {
        if self.multipart.stage != Stage::Inside {
            return Ok(None);
        }
        match self.multipart.event().await? {
            Event::Data(piece) => Ok(Some(piece)),
            _ => {
                self.multipart.stage = Stage::Between;
                Ok(None)
            }
        }
    }

    /// The whole part, or what is left of it, at most `limit` bytes. The future may be dropped as that of
    /// [`chunk`](Self::chunk).
    ///
    /// # Errors
    ///
    /// As [`Multipart::next`]; [`LimitExceeded`] (413) if it is longer.
    pub async fn bytes(&mut self, limit: usize) -> Result<Bytes> {
        let past = limit as u64;
        self.bytes_or(limit, LimitExceeded::new("buffered_body_bytes", past, past.saturating_add(1))).await
    }

    pub(super) async fn bytes_or(&mut self, limit: usize, exceeded: LimitExceeded) -> Result<Bytes> {
        while let Some(piece) = self.piece().await? {
            self.gathered.extend_from_slice(&piece);
            if self.gathered.len() > limit {
                return Err(exceeded.into());
            }
        }
        Ok(self.gathered.split().freeze())
    }

    /// The whole part as text in its character set, UTF-8 if it names none; at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// As [`bytes`](Self::bytes); what is no such text is 400, a character set that is not known 415.
    pub async fn text(&mut self, limit: usize) -> Result<String> {
        let bytes = self.bytes(limit).await?;
        Ok(charset::decode(charset::named(self.content_type())?.as_deref(), bytes)?)
    }
}
