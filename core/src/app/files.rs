//! Where static files come from.
//!
//! The rule: a source is asked for names that were judged before: it never sees `..`, an empty name, a NUL or a separator
//! but `/`.

use std::collections::BTreeMap;
use std::future::ready;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;

use crate::effect::{FileError, FileErrorKind};
use crate::http::ETag;
use crate::message::{Context, FileResponse};

/// What a source will say to [`Files::find`]: the file, and which of the names it has.
pub type Finding<'a> = Pin<Box<dyn Future<Output = Result<(FileResponse, usize), FileError>> + Send + 'a>>;

/// A source of files, for [`StaticFiles`](super::StaticFiles): a [`Folder`], files [in memory](Embedded), or one's own.
///
/// ```
/// use bakestone::app::{Files, Finding, StaticFiles};
/// use bakestone::effect::{FileError, FileErrorKind};
/// use bakestone::message::FileResponse;
/// use bakestone::{Bytes, Context};
///
/// /// Files that are as long as their names.
/// struct Lengths;
///
/// impl Files for Lengths {
///     fn find<'a>(&'a self, _: &'a Context, names: &'a [String]) -> Finding<'a> {
///         Box::pin(async move {
///             let found = names.iter().position(|name| name.ends_with(".txt"));
///             let index = found.ok_or_else(|| FileError::new(FileErrorKind::NotFound, "no text"))?;
///             Ok((FileResponse::from(Bytes::from("x".repeat(names[index].len()))), index))
///         })
///     }
/// }
///
/// let files = StaticFiles::new(Lengths);
/// ```
pub trait Files: Send + Sync + 'static {
    /// The first file that there is among `names`, and its place among them. A name is a path of plain names, with `/`
    /// between them; the empty one is the root of all.
    ///
    /// # Errors
    ///
    /// [`FileErrorKind::NotFound`] if there is none; [`FileErrorKind::IsADirectory`] if one of the names is that of a
    /// folder. What else there is becomes 500.
    fn find<'a>(&'a self, context: &'a Context, names: &'a [String]) -> Finding<'a>;
}

/// A folder of the driver's file system, or several, of which the first that has a file gives it.
///
/// ```
/// use bakestone::App;
/// use bakestone::app::{Folder, StaticFiles};
///
/// let files = StaticFiles::new(Folder::new("theme/public").also("public").symlinks(true));
/// let app = App::new().files("/static", files);
/// # assert!(app.build().is_ok());
/// ```
#[derive(Clone, Debug)]
pub struct Folder {
    roots: Arc<[PathBuf]>,
    symlinks: bool,
}

impl Folder {
    /// The files below `root`. A path means what it means to the driver: a relative one is mostly taken from where the
    /// program was started.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { roots: [root.into()].into(), symlinks: false }
    }

    /// The same, and then the files below `root`.
    #[must_use]
    pub fn also(self, root: impl Into<PathBuf>) -> Self {
        let roots = self.roots.iter().cloned().chain([root.into()]).collect();
        Self { roots, ..self }
    }

    /// Whether symbolic links below a root are followed; they are not unless this says so. One that leads out of the root
    /// is never followed.
    #[must_use]
    pub fn symlinks(self, symlinks: bool) -> Self {
        Self { symlinks, ..self }
    }
}

impl Files for Folder {
    fn find<'a>(&'a self, context: &'a Context, names: &'a [String]) -> Finding<'a> {
        let paths = names.iter().map(|name| name.split('/').collect()).collect();
        Box::pin(FileResponse::open_below(context, self.roots.clone(), paths, self.symlinks))
    }
}

/// Files in memory: part of the program, or of a test.
///
/// ```
/// use bakestone::App;
/// use bakestone::app::{Embedded, StaticFiles};
///
/// let files = Embedded::new()
///     .with("index.html", "<h1>Hello</h1>")
///     .with("style/main.css", &b"h1 { color: tan }"[..]);   // as `include_bytes!` gives it
/// let app = App::new().files("/", StaticFiles::new(files).index("index.html"));
/// # assert!(app.build().is_ok());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Embedded(BTreeMap<String, (Bytes, ETag)>);

impl Embedded {
    /// No files.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, and a file of this name, which may have folders before it, with `/` between them; one at its start does
    /// not matter.
    #[must_use]
    pub fn with(mut self, name: impl AsRef<str>, content: impl Into<Bytes>) -> Self {
        let (name, content) = (name.as_ref(), content.into());
        let etag = ETag::of_content(&content);
        self.0.insert(name.strip_prefix('/').unwrap_or(name).to_owned(), (content, etag));
        self
    }

    fn look_up(&self, names: &[String]) -> Result<(FileResponse, usize), FileError> {
        for (index, name) in names.iter().enumerate() {
            if let Some((content, etag)) = self.0.get(name) {
                let file = FileResponse::from_bytes(content.clone(), etag.clone()).named(name);
                return Ok((file, index));
            }
        }
        let kind = match names.iter().any(|name| self.has_folder(name)) {
            true => FileErrorKind::IsADirectory,
            false => FileErrorKind::NotFound,
        };
        Err(FileError::new(kind, "there is no such file in memory"))
    }

    fn has_folder(&self, name: &str) -> bool {
        let start = if name.is_empty() { String::new() } else { format!("{name}/") };
        self.0.range(start.clone()..).next().is_some_and(|(first, _)| first.starts_with(&start))
    }
}

impl Files for Embedded {
    fn find<'a>(&'a self, _: &'a Context, names: &'a [String]) -> Finding<'a> {
        Box::pin(ready(self.look_up(names)))
    }
}
