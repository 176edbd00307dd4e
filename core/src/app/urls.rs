//! From the names of routes to their paths.
//!
//! The rule: a name is looked up from where it is used, outwards; so an application finds its own routes wherever it
//! is mounted, and however often.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::panic::Location;
use std::sync::{Arc, OnceLock};

use super::extract::FromParts;
use super::state::States;
use super::{App, AppService, MethodRouter};
use crate::error::Result;
use crate::message::Request;
use crate::router::{PathPattern, Pattern, Problem, RouteError, UrlError};

/// The paths of the application's routes, by name: an argument of handlers and middleware. It is cheap to clone, and
/// may be kept.
///
/// A name is first looked for among the routes of the handler's own application, then in those around it.
///
/// ```
/// use bakestone::{App, Path, Result, Text, get};
/// use bakestone::app::Urls;
///
/// async fn index(urls: Urls) -> Result<Text<String>> {
///     Ok(Text(urls.url_for("show", [("id", 7)])?))
/// }
///
/// async fn show(Path(id): Path<u64>, urls: Urls) -> Result<Text<String>> {
///     Ok(Text(format!("cake {id}; all are at {}", urls.url("index")?)))
/// }
///
/// let shop = || {
///     App::new().route("/", get(index).name("index")).route("/cakes/{id:int}", get(show).name("show"))
/// };
/// let app = App::new().mount("/here", shop().name("here")).mount("/there", shop().name("there")).build()?;
/// assert_eq!(app.url_for("there:show", [("id", 7)]).unwrap(), "/there/cakes/7");
/// # Ok::<(), bakestone::app::BuildErrors>(())
/// ```
#[derive(Clone, Default)]
pub struct Urls {
    /// It is written once, when all routes are known; they lead back here, and so it holds none of them.
    table: Arc<OnceLock<Names>>,
    /// The names of the applications around, from the outermost on, with a `:` between them.
    namespace: Arc<str>,
}

/// The patterns of each name, in their order.
#[derive(Default)]
pub(super) struct Names(BTreeMap<String, Named>);

struct Named {
    patterns: Vec<(PathPattern, Pattern)>,
    location: &'static Location<'static>,
}

impl Urls {
    /// Those of an application named `name` in this one.
    pub(super) fn within(&self, name: Option<&str>) -> Self {
        let namespace = name.map_or_else(|| self.namespace.clone(), |name| self.full(name).into());
        Self { table: self.table.clone(), namespace }
    }

    /// A name, as it is known from the outermost application.
    pub(super) fn full(&self, name: &str) -> String {
        if self.namespace.is_empty() { name.to_owned() } else { format!("{}:{name}", self.namespace) }
    }

    pub(super) fn set(&self, names: Names) {
        // The build that made the place is its only writer.
        let _ = self.table.set(names);
    }

    /// The path of the route `name` with these values, from the root of the server on, without a host: the prefixes
    /// of mounts are in it, and their parameters are needed.
    ///
    /// Of a route with several paths it is the first one that has these very parameters. Each value is
    /// percent-encoded for its place.
    ///
    /// ```
    /// use bakestone::{App, get};
    ///
    /// let pages = get(|| "a page").name("pages");
    /// let blog = App::new().route(["/", "/page/{number:int}"], pages).name("blog");
    /// let app = App::new().mount("/{author}/blog", blog).build()?;
    /// let urls = app.urls();
    /// assert_eq!(urls.url_for("blog:pages", [("author", "ann")]).unwrap(), "/ann/blog");
    /// let second = urls.url_for("blog:pages", [("author", "b/c"), ("number", "2")]);
    /// assert_eq!(second.unwrap(), "/b%2Fc/blog/page/2");
    /// # Ok::<(), bakestone::app::BuildErrors>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`UrlError`]; of several paths that of the first.
    pub fn url_for<'p>(
        &self,
        name: &str,
        params: impl IntoIterator<Item = (&'p str, impl Display)>,
    ) -> Result<String, UrlError> {
        let values: Vec<_> = params.into_iter().map(|(param, value)| (param, value.to_string())).collect();
        let patterns = self.find(name).ok_or_else(|| UrlError::NoRoute(name.to_owned()))?;
        let fitting = patterns.iter().find(|(_, pattern)| pattern.fits(&values)).or(patterns.first());
        let (_, pattern) = fitting.ok_or_else(|| UrlError::NoRoute(name.to_owned()))?;
        pattern.url(name, &values)
    }

    /// The path of the route `name`, which needs no values: as [`url_for`](Self::url_for).
    ///
    /// # Errors
    ///
    /// [`UrlError`].
    pub fn url(&self, name: &str) -> Result<String, UrlError> {
        self.url_for(name, None::<(&str, &str)>)
    }

    fn find(&self, name: &str) -> Option<&[(PathPattern, Pattern)]> {
        let names = &self.table.get()?.0;
        let mut urls = self.clone();
        loop {
            if let Some(named) = names.get(&urls.full(name)) {
                return Some(&named.patterns);
            }
            if urls.namespace.is_empty() {
                return None;
            }
            urls.namespace = urls.namespace.rsplit_once(':').map_or("", |(outer, _)| outer).into();
        }
    }
}

impl Names {
    /// Takes in the paths of one call of [`App::route`]; what is malformed is left to the router.
    ///
    /// # Errors
    ///
    /// A path that another call's paths of this name do not have.
    pub(super) fn add(
        &mut self,
        name: &str,
        paths: &[PathPattern],
        location: &'static Location<'static>,
    ) -> Result<(), RouteError> {
        if let Some(Named { patterns, location: first }) = self.0.get(name) {
            let is_known = |path: &PathPattern| patterns.iter().any(|(known, _)| known == path);
            let Some((other, _)) = patterns.first() else { return Ok(()) };
            return match paths.iter().find(|path| !is_known(path)) {
                None => Ok(()),
                Some(path) => {
                    let pattern = other.text().to_owned();
                    let problem = Problem::SameRouteName { name: name.to_owned(), pattern, location: first };
                    Err(RouteError { pattern: path.text().to_owned(), location, problem })
                }
            };
        }
        let parsed = |path: &PathPattern| path.parse().ok().map(|pattern| (path.clone(), pattern));
        let patterns = paths.iter().filter_map(parsed).collect();
        self.0.insert(name.to_owned(), Named { patterns, location });
        Ok(())
    }
}

impl FromParts for Urls {
    fn from_parts(_: &mut Request, states: &States) -> Result<Self> {
        Ok(states.urls().clone())
    }
}

impl MethodRouter {
    /// Names the route, so that [`Urls::url_for`] gives its path. Its paths all have the name, and so may another
    /// route of the same paths.
    ///
    /// ```
    /// use bakestone::{App, get};
    ///
    /// let app = App::new().route("/cakes/{id:int}", get(|| "a cake").name("cake")).build()?;
    /// assert_eq!(app.url_for("cake", [("id", 7)]).unwrap(), "/cakes/7");
    /// # Ok::<(), bakestone::app::BuildErrors>(())
    /// ```
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

impl App {
    /// Names the application within another one: its route `show` is `blog:show` there, if this is `blog`. So one
    /// application may be mounted several times, and its own handlers still say `show`.
    ///
    /// Of the outermost application the name says nothing.
    ///
    /// ```
    /// use bakestone::{App, get};
    ///
    /// let blog = || App::new().route("/{id:int}", get(|| "a post").name("show"));
    /// let app = App::new().mount("/news", blog().name("news")).mount("/blog", blog().name("blog")).build()?;
    /// assert_eq!(app.url_for("news:show", [("id", 7)]).unwrap(), "/news/7");
    /// # Ok::<(), bakestone::app::BuildErrors>(())
    /// ```
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

impl AppService {
    /// The paths of the routes by name, as the outermost application has them.
    pub fn urls(&self) -> &Urls {
        self.0.root.place.level.states.urls()
    }

    /// The path of the route `name` with these values; see [`Urls::url_for`].
    ///
    /// # Errors
    ///
    /// [`UrlError`].
    pub fn url_for<'p>(
        &self,
        name: &str,
        params: impl IntoIterator<Item = (&'p str, impl Display)>,
    ) -> Result<String, UrlError> {
        self.urls().url_for(name, params)
    }
}

impl fmt::Debug for Urls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.table.get().into_iter().flat_map(|names| names.0.keys());
        f.debug_struct("Urls")
            .field("namespace", &self.namespace)
            .field("names", &names.collect::<Vec<_>>())
            .finish()
    }
}
