//! A file as a response.
//!
//! The rule: it answers a request as RFC 9110 has it: the conditions first (section 13.2.2), then the ranges (section
//! 14.2), then the content, of which no more is read than is sent. What was set by hand stays, and the validators that are
//! sent are those that are judged.
//!
//! ```text
//! multipart/byteranges = 1*( CRLF "--" boundary CRLF fields CRLF bytes ) CRLF "--" boundary "--" CRLF     RFC 9110, section 14.6
//! ```

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH,
    CONTENT_LOCATION, CONTENT_RANGE, CONTENT_TYPE, ETAG, EXPIRES, HeaderName, LAST_MODIFIED,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::effect::{FileError, FileErrorKind, OpenMode};
use crate::error::{Error, Result};
use crate::http::range::{self, Selection};
use crate::http::{
    Conditional, ContentDisposition, ETag, HttpDate, Precondition, Validators, date, fnv, media_type_of,
    telling,
};
use crate::message::file_body::{Content, Piece, body};
use crate::message::{Body, Context, File, IntoResponse, Request, Response};

const UNKNOWN_TYPE: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// What is said of a content, and so not without it.
const OF_THE_CONTENT: [HeaderName; 5] =
    [CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE];

/// What else is meant for the file alone: an error is not it, is not saved under its name, nor kept as long.
const OF_THE_FILE: [HeaderName; 4] = [CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LOCATION, EXPIRES];

/// A file, or other content of a known length, as a response: with its media type, `ETag`, `Last-Modified` and
/// `Accept-Ranges`. Made [for a request](Self::for_request) it answers the conditions and ranges of that: 304, 412, 206
/// and 416.
///
/// The media type follows from the [name](media_type_of), and is told to be believed (`X-Content-Type-Options: nosniff`),
/// since a browser that guesses may take an upload for a page. The tag follows from the length and the time of change, as
/// [`ETag::of_file`] says; a file that was changed within a second of the epoch, as all are that some builds make, has
/// neither a tag nor a `Last-Modified`.
///
/// The fields that were set by hand go out with all of these: with a 304 those that say nothing of the content, with 412
/// and 416 those that are not meant for the file alone either, as `Cache-Control` is.
///
/// A file that grows while it is sent is sent up to the length that was announced; for one that shrinks the message is
/// cut off.
///
/// ```
/// use bakestone::{IntoResponse, Request, Result};
///
/// async fn report(request: Request) -> Result<impl IntoResponse> {
///     Ok(request.file("reports/2024.pdf").await?.attachment("Annual report.pdf"))
/// }
/// # let _ = bakestone::get(report);
/// ```
pub struct FileResponse {
    content: Content,
    length: u64,
    modified: Option<Duration>,
    /// When it was looked at.
    now: Duration,
    etag: Option<ETag>,
    media_type: Option<HeaderValue>,
    /// Those that were set by hand, without the validators.
    headers: HeaderMap,
    asked: Option<Asked>,
}

/// What is left of the request.
struct Asked {
    conditional: Conditional,
    /// What nobody outside can know.
    seed: u64,
}

impl FileResponse {
    /// Opens the file at `path`. Paths mean what they mean to the driver.
    ///
    /// **What a client says is no path**: `..` leads anywhere, and so does a path that begins with `/`. For what clients
    /// name there are [static folders](crate::app::StaticFiles), and [`open_below`](Self::open_below).
    ///
    /// # Errors
    ///
    /// 404 for what is not there, is no regular file or may not be read; else 500.
    pub async fn open(context: &Context, path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = context.open(path, OpenMode::Read).await.map_err(Self::error)?;
        Ok(Self::from(file).named(&path.to_string_lossy()))
    }

    /// Opens the first regular file among `paths` below the first of `roots`, then below the next, and so on, in one trip
    /// to the driver; and says which of the paths it is. A path is relative, and has only plain names; symbolic links
    /// below a root are followed only if `symlinks` says so, and never out of it.
    ///
    /// # Errors
    ///
    /// [`FileErrorKind::IsADirectory`] if there is a directory and no file; else [`FileErrorKind::NotFound`], and others.
    pub async fn open_below(
        context: &Context,
        roots: impl Into<Arc<[PathBuf]>>,
        paths: Vec<PathBuf>,
        symlinks: bool,
    ) -> Result<(Self, usize), FileError> {
        let names: Vec<String> = paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
        let (file, index) = File::open_below(context.asking(), roots.into(), paths, symlinks).await?;
        let name = names.get(index).map(String::as_str).unwrap_or_default();
        Ok((Self::from(file).named(name), index))
    }

    /// What a client is told of a file that could not be opened: 404 where it is not there for this server, else what the
    /// failure becomes by `?`.
    pub fn error(failure: FileError) -> Error {
        use FileErrorKind::{InvalidPath, IsADirectory, NotFound, PermissionDenied};
        match failure.kind {
            NotFound | IsADirectory | InvalidPath | PermissionDenied => {
                Error::not_found().with_source(failure)
            }
            _ => failure.into(),
        }
    }

    /// Takes the media type from `name`, whose folders do not matter.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        Self { media_type: media_type_of(name).map(HeaderValue::from_static), ..self }
    }

    /// Sets the tag.
    #[must_use]
    pub fn with_etag(self, etag: ETag) -> Self {
        Self { etag: Some(etag), ..self }
    }

    /// Sets the time of the last change, since the Unix epoch; the tag stays. A time within a second of the epoch is none.
    /// One that is still to come is sent as the time of the message (RFC 9110, section 8.8.2.1).
    #[must_use]
    pub fn with_modified(self, modified: Duration) -> Self {
        Self { modified: telling(modified), ..self }
    }

    /// The same response with this field, in place of any of that name. It wins over what would be there by itself.
    ///
    /// `ETag` and `Last-Modified` do as [`with_etag`](Self::with_etag) and [`with_modified`](Self::with_modified) do, and
    /// decide about conditions; with a malformed value there is no tag, or no time.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        let text = value.to_str().ok();
        if name == ETAG {
            self.etag = text.and_then(ETag::parse);
        } else if name == LAST_MODIFIED {
            self.modified = text.and_then(date::parse).and_then(telling);
        } else {
            self.headers.insert(name, value);
        }
        self
    }

    /// Lets the client save it as `name`, from which the media type is taken.
    #[must_use]
    pub fn attachment(self, name: &str) -> Self {
        self.disposed(name, ContentDisposition::attachment(name))
    }

    /// Lets the client show it, and save it as `name`, from which the media type is taken.
    #[must_use]
    pub fn inline(self, name: &str) -> Self {
        self.disposed(name, ContentDisposition::inline(name))
    }

    fn disposed(self, name: &str, disposition: ContentDisposition) -> Self {
        self.named(name).with_header(CONTENT_DISPOSITION, disposition.to_header_value())
    }

    /// Answers the conditions and ranges of `request`, if that is a `GET` or a `HEAD`: what another method asks for was
    /// done before there is a file to answer with, so it is too late for them.
    #[must_use]
    pub fn for_request(self, request: &Request) -> Self {
        let reads = request.method() == Method::GET || request.method() == Method::HEAD;
        let asked = reads.then(|| Asked {
            conditional: Conditional::new(request.method(), request.headers()),
            seed: request.context().connection().seed,
        });
        let now = self.now.min(request.context().now().wall);
        Self { asked, now, ..self }
    }

    /// The content's length in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The tag that it is sent with, if it has one.
    pub fn etag(&self) -> Option<ETag> {
        self.etag.clone()
    }

    fn last_modified(&self) -> Option<HeaderValue> {
        let date = HttpDate::new(telling(self.modified?.min(self.now))?);
        HeaderValue::from_bytes(date.as_bytes()).ok()
    }

    /// The fields of a 200.
    fn fields(&mut self) -> HeaderMap {
        let (etag, modified) = (self.etag.as_ref().map(ETag::to_header_value), self.last_modified());
        let mut headers = std::mem::take(&mut self.headers);
        let mut add = |name: HeaderName, value: Option<HeaderValue>| {
            if let (Some(value), false) = (value, headers.contains_key(&name)) {
                headers.insert(name, value);
            }
        };
        add(ETAG, etag);
        add(LAST_MODIFIED, modified);
        add(ACCEPT_RANGES, Some(HeaderValue::from_static("bytes")));
        add(X_CONTENT_TYPE_OPTIONS, Some(HeaderValue::from_static("nosniff")));
        add(CONTENT_TYPE, Some(self.media_type.take().unwrap_or(UNKNOWN_TYPE)));
        headers
    }

    fn whole(mut self) -> Response {
        let headers = self.fields();
        let body = body(self.content, vec![Piece::Part(0..self.length)]);
        with(StatusCode::OK, headers, body)
    }

    /// The parts that were asked for.
    fn some(self, mut parts: Vec<Range<u64>>, seed: u64) -> Response {
        match (parts.pop(), parts.is_empty()) {
            (None, _) => self.whole(),
            (Some(part), true) => self.part(part),
            // A multipart of coded parts is not coded itself, and there is no field to say that.
            (Some(_), false) if self.headers.contains_key(CONTENT_ENCODING) => self.whole(),
            (Some(last), false) => {
                parts.push(last);
                self.parts(parts, seed)
            }
        }
    }

    fn part(mut self, part: Range<u64>) -> Response {
        let mut headers = self.fields();
        headers.insert(CONTENT_RANGE, range::content_range(&part, self.length));
        with(StatusCode::PARTIAL_CONTENT, headers, body(self.content, vec![Piece::Part(part)]))
    }

    /// Several parts, as `multipart/byteranges` (RFC 9110, section 14.6).
    fn parts(mut self, parts: Vec<Range<u64>>, seed: u64) -> Response {
        let mut headers = self.fields();
        let boundary = boundary(seed, self.now, &parts);
        let several = HeaderValue::try_from(format!("multipart/byteranges; boundary={boundary}"));
        let media_type = headers.insert(CONTENT_TYPE, several.unwrap_or(UNKNOWN_TYPE));
        let media_type = media_type.unwrap_or(UNKNOWN_TYPE);
        let mut pieces = Vec::with_capacity(2 * parts.len() + 1);
        for part in parts {
            let mut head = format!("\r\n--{boundary}\r\ncontent-type: ").into_bytes();
            head.extend_from_slice(media_type.as_bytes());
            head.extend_from_slice(b"\r\ncontent-range: ");
            head.extend_from_slice(range::content_range(&part, self.length).as_bytes());
            head.extend_from_slice(b"\r\n\r\n");
            pieces.extend([Piece::Text(head.into()), Piece::Part(part)]);
        }
        pieces.push(Piece::Text(format!("\r\n--{boundary}--\r\n").into()));
        with(StatusCode::PARTIAL_CONTENT, headers, body(self.content, pieces))
    }

    /// What was set by hand, and the validator (RFC 9110, section 15.4.5): the time of change only where it is the one that
    /// there is.
    fn not_modified(mut self) -> Response {
        let mut response = Response::empty(StatusCode::NOT_MODIFIED);
        let tag = self.etag.as_ref().map(|etag| (ETAG, etag.to_header_value()));
        let validator = tag.or_else(|| Some((LAST_MODIFIED, self.last_modified()?)));
        response.headers = without(std::mem::take(&mut self.headers), &OF_THE_CONTENT);
        response.headers.extend(validator);
        response
    }

    /// The error with what was set by hand.
    fn fault(self, mut error: Error) -> Error {
        error.headers_mut().extend(without(without(self.headers, &OF_THE_CONTENT), &OF_THE_FILE));
        error
    }
}

fn without(mut headers: HeaderMap, names: &[HeaderName]) -> HeaderMap {
    for name in names {
        headers.remove(name);
    }
    headers
}

fn with(status: StatusCode, headers: HeaderMap, body: Body) -> Response {
    let mut response = Response::new(body).with_status(status);
    response.headers = headers;
    response
}

/// A boundary that whoever wrote the content could not foresee.
fn boundary(seed: u64, now: Duration, parts: &[Range<u64>]) -> String {
    let salted = |salt: u8| fnv(format!("{salt}{seed}{}{parts:?}", now.as_nanos()).as_bytes());
    format!("{:016x}{:016x}", salted(0), salted(1))
}

impl IntoResponse for FileResponse {
    /// # Errors
    ///
    /// 412, and 416 with `Content-Range`, so that error handlers see them.
    fn into_response(mut self) -> Result<Response> {
        let Some(Asked { conditional, seed }) = self.asked.take() else { return Ok(self.whole()) };
        let validators = Validators::new(self.etag(), self.modified, self.now);
        match conditional.check(&validators) {
            Precondition::Failed => {
                let error = Error::precondition_failed("it is not what the request presupposes");
                return Err(self.fault(error));
            }
            Precondition::NotModified => return Ok(self.not_modified()),
            Precondition::Holds => {}
        }
        match conditional.select(&validators, self.length) {
            Selection::Whole => Ok(self.whole()),
            Selection::Unsatisfiable => {
                let error = Error::from_status(StatusCode::RANGE_NOT_SATISFIABLE);
                let error = error.with_header(CONTENT_RANGE, range::unsatisfied(self.length));
                Err(self.fault(error))
            }
            Selection::Parts(parts) => Ok(self.some(parts, seed)),
        }
    }
}

impl From<File> for FileResponse {
    /// The whole file, whatever was read of it already. Nothing is known of its name.
    fn from(file: File) -> Self {
        let (metadata, now) = (file.metadata(), file.asking().now().wall);
        let (length, modified) = (metadata.length, metadata.modified.and_then(telling));
        let etag = modified.map(|modified| ETag::of_file(length, modified, now));
        Self { length, modified, now, etag, ..Self::of(Content::File(file)) }
    }
}

impl From<Bytes> for FileResponse {
    /// Content in memory, with the [tag of its bytes](ETag::of_content), which are looked at for that.
    fn from(bytes: Bytes) -> Self {
        let etag = ETag::of_content(&bytes);
        Self::from_bytes(bytes, etag)
    }
}

impl FileResponse {
    fn of(content: Content) -> Self {
        Self {
            content,
            length: 0,
            modified: None,
            now: Duration::MAX,
            etag: None,
            media_type: None,
            headers: HeaderMap::new(),
            asked: None,
        }
    }

    /// Content in memory, with a tag that was made before.
    pub fn from_bytes(bytes: Bytes, etag: ETag) -> Self {
        Self { length: bytes.len() as u64, etag: Some(etag), ..Self::of(Content::Bytes(bytes)) }
    }
}

impl Request {
    /// The file at `path` as the response to this request: see [`FileResponse::open`], which says what is no path, and
    /// [`FileResponse::for_request`].
    ///
    /// # Errors
    ///
    /// Those of [`FileResponse::open`].
    pub async fn file(&self, path: impl AsRef<Path>) -> Result<FileResponse> {
        Ok(FileResponse::open(self.context(), path).await?.for_request(self))
    }
}

impl std::fmt::Debug for FileResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileResponse").field("length", &self.length).field("etag", &self.etag).finish()
    }
}
