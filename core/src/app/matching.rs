//! What routes say of the requests that they take, beside the path and the method.
//!
//! The rule: it is said of a route, or of an application for all of its routes; the innermost that says something
//! is heard.

use std::panic::Location;
use std::sync::Arc;

use super::build_error::BuildError;
use super::{App, MethodRouter};
use crate::router::{RouteSpec, Slashes};

/// What is said of one route, or of the routes of an application.
#[derive(Default)]
pub(super) struct Matching {
    /// The hosts, and where each was given.
    hosts: Vec<(String, &'static Location<'static>)>,
    slashes: Option<Slashes>,
}

/// The same with what is said around it, and without what is wrong.
#[derive(Clone, Default)]
pub(super) struct Matched {
    /// None for all hosts.
    pub(super) hosts: Arc<[String]>,
    pub(super) slashes: Option<Slashes>,
}

impl Matching {
    fn add(
        &mut self,
        hosts: impl IntoIterator<Item = impl Into<String>>,
        location: &'static Location<'static>,
    ) {
        self.hosts.extend(hosts.into_iter().map(|host| (host.into(), location)));
    }

    /// What holds for the routes, and what is wrong with their hosts.
    pub(super) fn within(self, outer: &Matched) -> (Matched, Vec<BuildError>) {
        let (sound, wrong): (Vec<_>, Vec<_>) =
            self.hosts.into_iter().partition(|(host, _)| RouteSpec::is_host(host));
        let hosts = match sound.is_empty() {
            true => outer.hosts.clone(),
            false => sound.into_iter().map(|(host, _)| host).collect(),
        };
        let wrong = wrong.into_iter().map(|(host, location)| BuildError::BadHost { host, location });
        (Matched { hosts, slashes: self.slashes.or(outer.slashes) }, wrong.collect())
    }
}

impl App {
    /// Lets the routes answer to one more host alone: `example.com`, `*.example.com` for what is below it at any
    /// depth, or an address. A route, or an application in this one, that names hosts itself has those instead.
    ///
    /// For another host the paths are not there: 404, and never 405. A route for the host of a request comes before
    /// those for all hosts, whatever their paths. A mount with hosts takes what is below its prefix on them alone,
    /// so that there may be several at one prefix. The [fallback](Self::fallback) of the outermost application
    /// answers for every host.
    ///
    /// What goes wrong outside of handlers and middleware, as a time-out or a panic, is told by the error handlers
    /// to which the path leads without a host, unless the target of the request names it: what is to look alike
    /// everywhere is registered with the application around these.
    ///
    /// ```
    /// use bakestone::{App, get};
    ///
    /// let site = App::new().route("/", get(|| "the site"));
    /// let api = App::new().route("/", get(|| "the API")).host("api.example.com");
    /// let app = App::new().mount("/", site).mount("/", api);
    /// # assert!(app.build().is_ok());
    /// ```
    #[track_caller]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.matching.add([host], Location::caller());
        self
    }

    /// Lets the routes answer to these hosts alone, and to those that are there already; see [`host`](Self::host).
    ///
    /// ```
    /// use bakestone::App;
    ///
    /// let app = App::new().hosts(["example.com", "*.example.com", "[::1]"]);
    /// # assert!(app.build().is_ok());
    /// ```
    #[track_caller]
    pub fn hosts(mut self, hosts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.matching.add(hosts, Location::caller());
        self
    }

    /// Says what the routes make of a path that differs from theirs by the last slash alone; unless they, or an
    /// application in this one, say it themselves. Where nobody says it, it is another path.
    ///
    /// A mount's own root is there with and without a slash in any case.
    ///
    /// ```
    /// use bakestone::router::Slashes;
    /// use bakestone::{App, get};
    ///
    /// let app = App::new()
    ///     .slashes(Slashes::Redirect)
    ///     .route("/cakes", get(|| "/cakes/ is 308 to here"))
    ///     .route("/pies/", get(|| "/pies is 308 to here"))
    ///     .route("/hook", get(|| "/hook/ is 404").slashes(Slashes::Strict));
    /// # assert!(app.build().is_ok());
    /// ```
    pub fn slashes(mut self, slashes: Slashes) -> Self {
        self.matching.slashes = Some(slashes);
        self
    }
}

impl MethodRouter {
    /// Lets the route answer to one more host alone; see [`App::host`].
    ///
    /// ```
    /// use bakestone::{App, get};
    ///
    /// let app = App::new()
    ///     .route("/", get(|| "for everyone else"))
    ///     .route("/", get(|| "here").host("example.com"))
    ///     .route("/", get(|| "below it").host("*.example.com"));
    /// # assert!(app.build().is_ok());
    /// ```
    #[track_caller]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.matching.add([host], Location::caller());
        self
    }

    /// Lets the route answer to these hosts alone, and to those that are there already; see [`App::host`].
    ///
    /// ```
    /// use bakestone::{App, get};
    ///
    /// let app = App::new().route("/", get(|| "at home").hosts(["localhost", "127.0.0.1", "::1"]));
    /// # assert!(app.build().is_ok());
    /// ```
    #[track_caller]
    pub fn hosts(mut self, hosts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.matching.add(hosts, Location::caller());
        self
    }

    /// Says what the route makes of a path that differs from its own by the last slash alone; see
    /// [`App::slashes`].
    ///
    /// ```
    /// use bakestone::router::Slashes;
    /// use bakestone::{App, get};
    ///
    /// let app = App::new().route("/cakes", get(|| "also /cakes/").slashes(Slashes::Trim));
    /// # assert!(app.build().is_ok());
    /// ```
    pub fn slashes(mut self, slashes: Slashes) -> Self {
        self.matching.slashes = Some(slashes);
        self
    }
}
