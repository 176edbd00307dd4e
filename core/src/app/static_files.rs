//! Folders of files on a route.
//!
//! The rule: what a client names is judged before anything is asked of a file system, and whatever is no file to be served
//! is 404, all alike: from outside nobody can tell what is there and hidden from what is not there.

use std::fmt;
use std::sync::Arc;

use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::App;
use super::extract::Requirements;
use super::files::{Files, Folder};
use super::handler::Handler;
use super::method_router::get;
use super::routed::redirect;
use super::state::States;
use super::static_path::StaticPath;
use crate::effect::FileErrorKind;
use crate::error::{Error, Result};
use crate::http::{AcceptEncoding, media_type_of};
use crate::message::{FileResponse, IntoResponse, Request, Response};
use crate::router::Slashes;

/// The codings in which a file may lie beside itself, the best first, with what its name ends with then.
const CODINGS: [(&str, &str); 3] = [("br", ".br"), ("zstd", ".zst"), ("gzip", ".gz")];

/// Files that clients name: a folder, or another [source](Files), on a route of an application, or
/// [alone](Self::or).
///
/// Each is sent as a [`FileResponse`] is: with its media type and validators, to `GET` and `HEAD`, with conditions and
/// ranges. What is no file is 404, and goes through the error handlers of the application: a name with `..`, an escaped
/// `/`, a `\`, a NUL or too many letters; hidden files and symbolic links, unless they are allowed; folders.
///
/// ```
/// use bakestone::{App, HeaderValue, get};
/// use bakestone::app::StaticFiles;
///
/// let assets = StaticFiles::folder("dist/assets")
///     .precompressed(true)
///     .cache_control(HeaderValue::from_static("public, max-age=31536000, immutable"));
/// let page = StaticFiles::folder("dist").index("index.html").fallback("index.html");
/// let app = App::new().files("/assets", assets).files("/", page).route("/api/cakes", get(|| "..."));
/// # assert!(app.build().is_ok());
/// ```
#[must_use = "files are served where they are given to a route, or alone"]
#[derive(Clone)]
pub struct StaticFiles {
    source: Arc<dyn Files>,
    index: Option<String>,
    fallback: Option<String>,
    precompressed: bool,
    hidden: bool,
    headers: HeaderMap,
    types: Vec<(String, HeaderValue)>,
}

/// What there is of a name.
#[allow(clippy::large_enum_variant, reason = "it is matched where it is made, and never stored")]
enum Found {
    File(FileResponse),
    Folder,
    Nothing,
}

impl StaticFiles {
    /// The files of `source`.
    pub fn new(source: impl Files) -> Self {
        Self {
            source: Arc::new(source),
            index: None,
            fallback: None,
            precompressed: false,
            hidden: false,
            headers: HeaderMap::new(),
            types: Vec::new(),
        }
    }

    /// The files below a folder of the driver's file system: a [`Folder`] without anything further.
    pub fn folder(root: impl Into<std::path::PathBuf>) -> Self {
        Self::new(Folder::new(root))
    }

    /// Answers for a folder with the file of this name in it, if there is one. A path that lacks the slash at its end is
    /// sent there: 307, since what is a folder today may be a file tomorrow.
    pub fn index(self, name: impl Into<String>) -> Self {
        Self { index: Some(name.into()), ..self }
    }

    /// Answers with the file of this name, from the root of all, where there is none: for an application that runs in the
    /// browser and has paths of its own. It is never kept without being asked for again (`Cache-Control: no-cache`).
    ///
    /// A path whose media type is [known](media_type_of), such as `/missing.js`, is asked for by a page and is none: it
    /// stays 404.
    pub fn fallback(self, name: impl Into<String>) -> Self {
        Self { fallback: Some(name.into()), ..self }
    }

    /// Whether a file that lies beside the one that is asked for, and has `.br`, `.zst` or `.gz` after its name, is sent in
    /// its place to clients that take that coding. All responses say then that they depend on it (`Vary`).
    ///
    /// Whoever changes a file changes those beside it too: what is sent is not compared.
    pub fn precompressed(self, precompressed: bool) -> Self {
        Self { precompressed, ..self }
    }

    /// Whether files and folders whose names begin with a `.` are there.
    pub fn hidden(self, hidden: bool) -> Self {
        Self { hidden, ..self }
    }

    /// Sends this `Cache-Control` with each file.
    pub fn cache_control(self, value: HeaderValue) -> Self {
        self.header(CACHE_CONTROL, value)
    }

    /// Sends this field with each file, in place of any of that name; see [`FileResponse::with_header`].
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Sends files of this extension, in any case, as this media type. It is what is after the last `.` of a name; `.html`
    /// is as good as `html`.
    pub fn media_type(mut self, extension: impl AsRef<str>, media_type: HeaderValue) -> Self {
        let extension = extension.as_ref();
        let extension = extension.strip_prefix('.').unwrap_or(extension);
        self.types.push((extension.to_owned(), media_type));
        self
    }

    /// The response to `request`, of whose path `raw` is what names a file, as it was sent. `None` stands for a root
    /// without the slash after it.
    ///
    /// # Errors
    ///
    /// 404, 412, 416; and 500 if the source fails.
    pub(super) async fn answer(&self, request: &Request, raw: Option<&str>) -> Result<Response> {
        let answer = self.found(request, raw).await;
        if !self.precompressed {
            return answer;
        }
        match answer {
            Ok(mut response) => {
                response.headers.insert(VARY, self.vary());
                Ok(response)
            }
            Err(error) => Err(error.with_header(VARY, self.vary())),
        }
    }

    async fn found(&self, request: &Request, raw: Option<&str>) -> Result<Response> {
        let path = match raw {
            Some(raw) => StaticPath::parse(raw, self.hidden).ok_or_else(Error::not_found)?,
            None => StaticPath { name: String::new(), is_folder: false },
        };
        let found = match path.is_folder {
            false => self.find(request, &path.name).await?,
            true => self.index_of(request, &path).await?,
        };
        match found {
            Found::File(file) => return file.for_request(request).into_response(),
            Found::Folder if !path.is_folder => {
                let is_local = !request.raw_path().starts_with("//");
                if let (true, Found::File(_)) = (is_local, self.index_of(request, &path).await?) {
                    let target = format!("{}/", request.raw_path());
                    return Ok(
                        redirect(&target, request.raw_query()).with_status(StatusCode::TEMPORARY_REDIRECT)
                    );
                }
            }
            _ => {}
        }
        match &self.fallback {
            Some(fallback) if media_type_of(&path.name).is_none() => {
                match self.find(request, fallback).await? {
                    Found::File(file) => {
                        let file = file.with_header(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
                        file.for_request(request).into_response()
                    }
                    _ => Err(Error::not_found()),
                }
            }
            _ => Err(Error::not_found()),
        }
    }

    async fn index_of(&self, request: &Request, folder: &StaticPath) -> Result<Found> {
        match &self.index {
            Some(index) => self.find(request, &folder.join(index)).await,
            None => Ok(Found::Nothing),
        }
    }

    async fn find(&self, request: &Request, name: &str) -> Result<Found> {
        if name.is_empty() {
            // The root of all has nothing beside itself.
            return Ok(Found::Folder);
        }
        let codings = self.codings(request.headers());
        let names: Vec<String> = codings.iter().map(|(_, suffix)| format!("{name}{suffix}")).collect();
        match self.source.find(request.context(), &names).await {
            Ok((file, index)) => {
                let coding = codings.get(index).map_or("identity", |(coding, _)| *coding);
                Ok(Found::File(self.dressed(file, name, coding)))
            }
            Err(failure) => match failure.kind {
                FileErrorKind::IsADirectory => Ok(Found::Folder),
                FileErrorKind::NotFound | FileErrorKind::InvalidPath | FileErrorKind::PermissionDenied => {
                    Ok(Found::Nothing)
                }
                _ => Err(FileResponse::error(failure)),
            },
        }
    }

    /// The codings that the client takes, from the most to the least wanted, each with what the name ends with.
    fn codings(&self, headers: &HeaderMap) -> Vec<(&'static str, &'static str)> {
        const PLAIN: (&str, &str) = ("identity", "");
        if !self.precompressed {
            return vec![PLAIN];
        }
        let fields: Vec<&str> =
            headers.get_all(ACCEPT_ENCODING).iter().filter_map(|field| field.to_str().ok()).collect();
        let field = fields.join(",");
        let Some(accept) = AcceptEncoding::parse(&field) else { return vec![PLAIN] };
        let suffix =
            |wanted: &str| CODINGS.into_iter().find(|(coding, _)| *coding == wanted).unwrap_or(PLAIN);
        accept.order(&CODINGS.map(|(coding, _)| coding)).into_iter().map(suffix).collect()
    }

    /// The file with the fields that go with it, by the name that the client asked for.
    fn dressed(&self, file: FileResponse, name: &str, coding: &'static str) -> FileResponse {
        let mut file = file.named(name);
        if let Some(media_type) = self.type_of(name) {
            file = file.with_header(CONTENT_TYPE, media_type.clone());
        }
        for (name, value) in &self.headers {
            file = file.with_header(name.clone(), value.clone());
        }
        match (coding, file.etag()) {
            ("identity", _) => file,
            (_, etag) => {
                let file = file.with_header(CONTENT_ENCODING, HeaderValue::from_static(coding));
                etag.into_iter().fold(file, |file, etag| file.with_etag(etag.in_coding(coding)))
            }
        }
    }

    /// What the response depends on, beside what it is said to depend on.
    fn vary(&self) -> HeaderValue {
        let name = ACCEPT_ENCODING.as_str();
        let Some(own) = self.headers.get(VARY) else { return ACCEPT_ENCODING.into() };
        let says_it = |part: &[u8]| part == b"*" || part.eq_ignore_ascii_case(name.as_bytes());
        if own.as_bytes().split(|byte| *byte == b',').any(|part| says_it(part.trim_ascii())) {
            return own.clone();
        }
        // Both were parts of fields before.
        let all = [own.as_bytes(), b", ", name.as_bytes()].concat();
        HeaderValue::from_bytes(&all).unwrap_or_else(|_| HeaderValue::from_static("*"))
    }

    fn type_of(&self, name: &str) -> Option<&HeaderValue> {
        let (_, extension) = name.rsplit('/').next()?.rsplit_once('.')?;
        let own = self.types.iter().rev().find(|(own, _)| own.eq_ignore_ascii_case(extension));
        own.map(|(_, media_type)| media_type)
    }
}

impl fmt::Debug for StaticFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaticFiles")
            .field("index", &self.index)
            .field("fallback", &self.fallback)
            .field("precompressed", &self.precompressed)
            .field("hidden", &self.hidden)
            .finish_non_exhaustive()
    }
}

impl App {
    /// Lets `files` answer `GET` and `HEAD` below `prefix`, on whole segments: as a route of `{prefix}/{file:path}` does,
    /// so that what is more specific comes first. With an [index](StaticFiles::index) there is a route for `prefix` itself too,
    /// which sends clients to the slash after it.
    ///
    /// For names, limits, middleware and hosts of its own there is [`route`](Self::route): static files are a handler, which
    /// takes what the last parameter of the path found, `get(files)`.
    ///
    /// ```
    /// use bakestone::App;
    /// use bakestone::app::StaticFiles;
    ///
    /// let shop = App::new().files("/static", StaticFiles::folder("shop/static"));
    /// let app = App::new().files("/static", StaticFiles::folder("static")).mount("/shop", shop);
    /// # assert!(app.build().is_ok());
    /// ```
    #[track_caller]
    pub fn files(self, prefix: impl AsRef<str>, files: StaticFiles) -> Self {
        let prefix = prefix.as_ref();
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let root = match files.index {
            Some(_) => {
                // It sends clients to the slash itself: to be sent back from there would have no end.
                let root = get(Root(files.clone())).slashes(Slashes::Strict);
                self.route(if prefix.is_empty() { "/" } else { prefix }, root)
            }
            None => self,
        };
        root.route(format!("{prefix}/{{file:path}}"), get(files))
    }
}

/// The root of static files, on a path without parameters of theirs.
struct Root(StaticFiles);

/// Marks static files.
#[derive(Debug)]
pub enum ByFiles {}

#[diagnostic::do_not_recommend]
impl Handler<ByFiles> for StaticFiles {
    async fn call(&self, request: Request, _: &States) -> Result<Response> {
        let last = request.params().iter().last().map(|(name, _)| name.to_owned());
        let raw = last.and_then(|name| request.params().raw(&name)).unwrap_or_default();
        self.answer(&request, Some(raw)).await
    }

    fn requirements(requirements: &mut Requirements) {
        requirements.params(1);
    }
}

#[diagnostic::do_not_recommend]
impl Handler<ByFiles> for Root {
    async fn call(&self, request: Request, _: &States) -> Result<Response> {
        let raw = request.raw_path().ends_with('/').then_some("");
        self.0.answer(&request, raw).await
    }

    fn requirements(_: &mut Requirements) {}
}
