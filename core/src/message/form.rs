//! A form as a whole: its fields and its files.
//!
//! The rule: both kinds of form are under the same limits, and a form is there whole or not at all: after an error,
//! or when its client goes away, nothing of its files is left.

use std::fmt;
use std::ops::Deref;
use std::path::PathBuf;
use std::str::FromStr;

use bytes::Bytes;

use crate::error::{Error, LimitExceeded, Result};
use crate::http::urlencoded::Decoder;
use crate::limits::Limits;
use crate::message::multipart::{Hook, Multipart, Progress};
use crate::message::upload::{Receiving, UploadedFile, persist_all};
use crate::message::{MultiMap, Part, Reason, Rejection, Request, charset};
use crate::multipart::{self, PartHead};

/// The fields and the files of a form, each in their order. Its fields are a [`MultiMap`].
///
/// It may be an argument of a handler, the last.
///
/// ```
/// use bakestone::{FormData, Result, Text, post};
///
/// async fn portrait(mut form: FormData) -> Result<Text<String>> {
///     let age: u8 = form.field("age")?;
///     let portrait = form.file("portrait")?;
///     Ok(Text(format!("{} at {age}, in {} bytes\n", form.get("name").unwrap_or("nobody"), portrait.size())))
/// }
/// # let _ = post(portrait);
/// ```
#[derive(Debug, Default)]
pub struct FormData {
    fields: MultiMap,
    files: Vec<UploadedFile>,
}

impl FormData {
    /// The files, in their order, to look at. To keep them all, see [`into_parts`](Self::into_parts).
    pub fn files(&self) -> &[UploadedFile] {
        &self.files
    }

    /// The fields, to keep.
    pub fn into_fields(self) -> MultiMap {
        self.fields
    }

    /// The fields and the files, to keep.
    pub fn into_parts(self) -> (MultiMap, Vec<UploadedFile>) {
        (self.fields, self.files)
    }

    /// The value of the field `name` as a `T`.
    ///
    /// # Errors
    ///
    /// A [`Rejection`] (400) where there is none, more than one, or one that is no `T`.
    pub fn field<T: FromStr>(&self, name: &'static str) -> Result<T> {
        let mut values = self.fields.get_all(name);
        let refused = |reason, expected: &'static str| {
            Error::from(Rejection::new::<T>(reason, "form", expected).with_field(name))
        };
        match (values.next(), values.next()) {
            (None, _) => Err(refused(Reason::Missing, "")),
            (Some(value), None) => value.parse().map_err(|_| refused(Reason::Invalid, "of the needed form")),
            (Some(_), Some(_)) => Err(refused(Reason::Invalid, "one value")),
        }
    }

    /// Takes the first file of the field `name`, which must have been sent.
    ///
    /// # Errors
    ///
    /// A [`Rejection`] (400) where there is none, or an input for a file was left empty.
    pub fn file(&mut self, name: &'static str) -> Result<UploadedFile> {
        let file = self.take_file(name).filter(|file| !file.is_empty());
        let missing = || Rejection::new::<UploadedFile>(Reason::Missing, "form", "").with_field(name);
        file.ok_or_else(|| missing().into())
    }

    /// Takes the first file of the field `name` out, if there is one.
    pub fn take_file(&mut self, name: &str) -> Option<UploadedFile> {
        let place = self.files.iter().position(|file| file.name() == name)?;
        Some(self.files.remove(place))
    }
}

impl Deref for FormData {
    type Target = MultiMap;

    fn deref(&self) -> &MultiMap {
        &self.fields
    }
}

/// How a form is read: the limits in place of the session's, and where its files go.
///
/// Files on the disk take at most nine descriptors for a form, however many there are.
///
/// ```
/// use bakestone::{FormOptions, Request, Result, Text};
///
/// async fn upload(mut request: Request) -> Result<Text<String>> {
///     // A name that no other request takes.
///     let (seed, now) = (request.context().connection().seed, request.context().now().wall.as_nanos());
///     let mut number = 0;
///     let options = FormOptions::new()
///         .form_bytes(1 << 30)
///         .upload_to(move |part| {
///             number += 1;
///             Some(format!("/var/lib/cakes/{seed:x}-{now}-{number}-{}", part.safe_filename()?))
///         })
///         .on_progress(|progress| eprintln!("{} of {:?}", progress.received, progress.expected));
///     let form = request.form_with(options).await?;
///     Ok(Text(format!("{} files\n", form.files().len())))
/// }
/// ```
#[derive(Default)]
pub struct FormOptions {
    form_bytes: Option<u64>,
    form_fields: Option<usize>,
    form_files: Option<usize>,
    form_field_bytes: Option<usize>,
    buffered_body_bytes: Option<usize>,
    file_bytes: Option<u64>,
    file_memory_bytes: Option<usize>,
    folder: Option<PathBuf>,
    upload_to: Option<Chooser>,
    check: Option<Check>,
    hook: Option<Hook>,
}

type Check = Box<dyn FnMut(&PartHead) -> Result<()> + Send>;
type Chooser = Box<dyn FnMut(&PartHead) -> Option<PathBuf> + Send>;

/// One row a limit.
macro_rules! limits {
    ($($(#[$meaning:meta])* $name:ident $type:ty;)+) => {$(
        $(#[$meaning])*
        #[must_use]
        pub fn $name(mut self, limit: $type) -> Self {
            self.$name = Some(limit);
            self
        }
    )+};
}

impl FormOptions {
    /// The limits of the session; files stay in memory or in temporary files.
    pub fn new() -> Self {
        Self::default()
    }

    limits! {
        /// How long the whole body may be, in bytes; past it 413. In place of [`Limits::form_bytes`]. `u64::MAX` is
        /// without end, and harms nobody: what is held in memory has bounds of its own.
        form_bytes u64;
        /// How long an urlencoded form may be, and all fields of a form of several parts together with the heads of its
        /// files, in bytes; past it 413.
        /// In place of [`Limits::buffered_body_bytes`].
        buffered_body_bytes usize;
        /// How many fields there may be, in place of [`Limits::form_fields`].
        form_fields usize;
        /// How many files there may be, in place of [`Limits::form_files`].
        form_files usize;
        /// How long a field may be, its name and its value, in bytes, in place of [`Limits::form_field_bytes`].
        form_field_bytes usize;
        /// How long a file may be, in bytes; past it 413. Without it, as long as the form may be.
        file_bytes u64;
        /// How much of the files stays in memory, together, in bytes, in place of
        /// [`Limits::form_file_memory_bytes`]. With 0 every file goes to the disk.
        file_memory_bytes usize;
    }

    /// The folder of temporary files, in place of the driver's.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Lets `choose` give a file its path; with `None` it stays without one. What the client calls the file is any
    /// text: [`PartHead::safe_filename`] makes a name of it that leads nowhere else.
    ///
    /// The files get their names when the whole form has arrived, so that nobody sees a part of one; if one of them cannot
    /// have its name, none has one. Only a process that is killed between two names leaves the first. A path that is taken is an error, of
    /// [`AlreadyExists`](crate::effect::FileErrorKind::AlreadyExists), and so 500: two clients may well give the same
    /// name.
    #[must_use]
    pub fn upload_to<P: Into<PathBuf>>(
        mut self,
        mut choose: impl FnMut(&PartHead) -> Option<P> + Send + 'static,
    ) -> Self {
        self.upload_to = Some(Box::new(move |head| choose(head).map(Into::into)));
        self
    }

    /// Lets `check` look at each part's head before the part is read. Its error ends the form: 415 for a picture that is
    /// none, say.
    #[must_use]
    pub fn check(mut self, check: impl FnMut(&PartHead) -> Result<()> + Send + 'static) -> Self {
        self.check = Some(Box::new(check));
        self
    }

    /// Calls `hook` after each piece of a body of several parts, with how much has come.
    #[must_use]
    pub fn on_progress(mut self, hook: impl FnMut(Progress) + Send + 'static) -> Self {
        self.hook = Some(Box::new(hook));
        self
    }

    /// How much is held in memory besides files: an urlencoded body, or fields.
    pub(super) fn fields_bytes(&self, request: &Request) -> usize {
        self.buffered_body_bytes.unwrap_or_else(|| request.buffered_body_bytes())
    }

    /// The limits of a body of several parts.
    pub(super) fn limits(&self, request: &Request) -> multipart::Limits {
        let exchange = request.0.context.exchange();
        let session = exchange.map_or_else(Default::default, |exchange| exchange.limits().clone());
        let total = self.form_bytes.or_else(|| exchange.map(|exchange| exchange.form_bytes()));
        multipart::Limits {
            total_bytes: total.unwrap_or(session.form_bytes),
            fields: self.form_fields.unwrap_or(session.form_fields),
            files: self.form_files.unwrap_or(session.form_files),
            field_bytes: self.form_field_bytes.unwrap_or(session.form_field_bytes) as u64,
            file_bytes: self.file_bytes.unwrap_or(u64::MAX),
            head_bytes: session.part_head_bytes,
            head_fields: session.part_head_fields,
            ..multipart::Limits::default()
        }
    }

    /// An urlencoded form.
    pub(super) fn decode(self, request: &Request, body: &[u8]) -> Result<FormData> {
        let limits = self.limits(request);
        let field_bytes = usize::try_from(limits.field_bytes).unwrap_or(usize::MAX);
        let mut fields = MultiMap::new();
        let mut decoder = Decoder::new(limits.fields, field_bytes);
        decoder.push(body, &mut fields)?;
        decoder.finish(&mut fields);
        Ok(FormData { fields, files: Vec::new() })
    }

    /// A form of several parts.
    pub(super) async fn collect(mut self, request: &Request, mut multipart: Multipart) -> Result<FormData> {
        if let Some(hook) = self.hook.take() {
            multipart.on_progress(hook);
        }
        let limits = self.limits(request);
        let (mut fields, mut files) =
            (Fields::within(self.fields_bytes(request), limits.field_bytes), Vec::new());
        let session = request.0.context.exchange().map(|exchange| exchange.limits().form_file_memory_bytes);
        let usual = session.unwrap_or_else(|| Limits::default().form_file_memory_bytes);
        let memory = self.file_memory_bytes.unwrap_or(usual);
        let mut receiving = Receiving::new(&request.0.context, memory, self.folder.take());
        while let Some(part) = multipart.next().await? {
            fields.hold(part.head().size())?;
            if let Some(check) = &mut self.check {
                check(part.head())?;
            }
            if !part.head().is_file() {
                fields.add(part).await?;
                continue;
            }
            let path = self.upload_to.as_mut().and_then(|choose| choose(part.head()));
            files.push(receiving.receive(part, path).await?);
        }
        let fields = fields.decode()?;
        persist_all(&mut files, &request.0.context).await?;
        Ok(FormData { fields, files })
    }
}

impl fmt::Debug for FormOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FormOptions").field("form_bytes", &self.form_bytes).finish_non_exhaustive()
    }
}

/// The fields that have come, as they were sent: the character set of all may stand in the last.
struct Fields {
    raw: Vec<(PartHead, Bytes)>,
    /// What may still be held: heads, those of files too, and values.
    left: usize,
    limit: usize,
    /// Of one of them, its name and its value.
    field_bytes: u64,
}

impl Fields {
    fn within(limit: usize, field_bytes: u64) -> Self {
        Self { raw: Vec::new(), left: limit, limit, field_bytes }
    }

    fn exceeded(&self) -> LimitExceeded {
        let limit = self.limit as u64;
        LimitExceeded::new("buffered_body_bytes", limit, limit.saturating_add(1))
    }

    fn hold(&mut self, bytes: usize) -> Result<(), LimitExceeded> {
        self.left = self.left.checked_sub(bytes).ok_or_else(|| self.exceeded())?;
        Ok(())
    }

    async fn add(&mut self, mut part: Part<'_>) -> Result<()> {
        let value = part.bytes_or(self.left, self.exceeded()).await?;
        self.hold(value.len())?;
        if (part.name().len() + value.len()) as u64 > self.field_bytes {
            let limit = self.field_bytes;
            return Err(LimitExceeded::new("form_field_bytes", limit, limit.saturating_add(1)).into());
        }
        self.raw.push((part.into_head(), value));
        Ok(())
    }

    /// Each in the character set of its own, else in that of the field `_charset_` (RFC 7578, section 4.6), else in
    /// UTF-8.
    fn decode(self) -> Result<MultiMap> {
        let named = |(head, value): &&(PartHead, Bytes)| head.name() == "_charset_" && !value.is_empty();
        let common = self.raw.iter().find(named);
        let common = common.map(|(_, value)| String::from_utf8_lossy(value).into_owned());
        let mut fields = MultiMap::new();
        for (head, value) in self.raw {
            let own = charset::named(head.content_type())?;
            let value = charset::decode(own.as_deref().or(common.as_deref()), value)?;
            fields.add(head.name(), value);
        }
        Ok(fields)
    }
}
