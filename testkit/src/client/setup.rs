//! A client before its server has started.
//!
//! The rule: what an application has to be told before its first connection is told here; all else can be changed later.

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bakestone::app::{Application, BuildErrors};
use bakestone::machine::Address;
use bakestone::session::{Lifecycle, Observer, Session, Stage, StartupError};
use bakestone::{HeaderMap, HeaderValue, Limits, header};

use super::connection::Served;
use super::exchange::READ_AHEAD;
use super::request::insert;
use super::seen::Seen;
use super::url::Url;
use super::user::Defaults;
use super::world::{STOP_TIME, Serve, Settings, World};
use super::{Client, SEED};
use crate::files::Files;
use crate::wire::Wire;

/// A client that is being set up: [`Client::setup`].
///
/// ```
/// use bakestone::{App, Request, Text, get};
/// use bakestone_testkit::{Client, MemoryFiles};
/// use std::time::Duration;
///
/// async fn scheme(request: Request) -> Text<String> {
///     Text(format!("{} for {:?}", request.scheme(), request.headers()["x-user"]))
/// }
///
/// let client = Client::setup()
///     .base_url("https://cakes.example")
///     .header("x-user", "sian")
///     .timeout(Duration::from_secs(60))
///     .files(MemoryFiles::new().with("/etc/motd", "hello"))
///     .start(App::new().route("/", get(scheme)));
/// client.get("/").send().expect_text("https for \"sian\"");
/// ```
#[must_use = "a setup does nothing until it is started"]
pub struct ClientSetup {
    limits: Arc<Limits>,
    files: Option<Box<dyn Files>>,
    observer: Option<Arc<dyn Observer>>,
    defaults: Defaults,
    settings: Settings,
    seed: u64,
    wall: Option<Duration>,
}

/// Why a server did not start. As text it tells all that is known, and so it does where a test unwraps it.
#[non_exhaustive]
pub enum StartError {
    /// The application cannot be built: all that is wrong with it.
    Build(BuildErrors),
    /// A start-up hook failed.
    Startup(StartupError),
    /// The start-up hooks wait for something that does not come: what, as text.
    Stuck(String),
}

impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Build(errors) => write!(f, "the application cannot be built:\n{errors:?}"),
            Self::Startup(failure) => failure.fmt(f),
            Self::Stuck(waits) => write!(f, "the server does not start: {waits}"),
        }
    }
}

impl std::error::Error for StartError {}

impl Default for ClientSetup {
    fn default() -> Self {
        let agent = (header::USER_AGENT, HeaderValue::from_static("bakestone-testkit"));
        let base = Url::parse("http://localhost/").expect("a URL");
        let defaults = Defaults {
            base,
            headers: HeaderMap::from_iter([agent]),
            peer: None,
            timeout: Duration::from_secs(10),
            redirects: 20,
            read_ahead: READ_AHEAD,
        };
        let settings = Settings { holds_clock: false, records: true, most: 256 << 20 };
        let limits = Arc::default();
        Self { limits, files: None, observer: None, defaults, settings, seed: SEED, wall: None }
    }
}

impl ClientSetup {
    /// The same to a server with these limits.
    pub fn limits(mut self, limits: &Limits) -> Self {
        self.limits = Arc::new(limits.clone());
        self
    }

    /// The same to a server whose files are these. Without that it has none.
    pub fn files(mut self, files: impl Files + 'static) -> Self {
        self.files = Some(Box::new(files));
        self
    }

    /// The same to a server that tells `observer` what happens. As with a real server, what the application's own
    /// [`Lifecycle`] tells goes there, too.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// The same with this URL, against which paths are resolved, in place of `http://localhost/`.
    ///
    /// # Panics
    ///
    /// If it is no `http` or `https` URL.
    #[track_caller]
    pub fn base_url(mut self, url: &str) -> Self {
        let Some(url) = Url::parse(url) else { panic!("{url:?} is no http or https URL") };
        self.defaults.base = url;
        self
    }

    /// The same with this field in every request that has none of that name.
    ///
    /// # Panics
    ///
    /// If it is no field.
    #[track_caller]
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<[u8]>) -> Self {
        insert(&mut self.defaults.headers, name.as_ref(), value.as_ref());
        self
    }

    /// The same with this address as the client's, in place of one of 127.0.0.1.
    pub fn peer(mut self, address: impl Into<Address>) -> Self {
        self.defaults.peer = Some(address.into());
        self
    }

    /// The same with so much time of the clock to wait for anything, in place of 10 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.defaults.timeout = timeout;
        self
    }

    /// The same with so many redirects followed for a request, in place of 20; 0 follows none.
    pub fn redirects(mut self, redirects: usize) -> Self {
        self.defaults.redirects = redirects;
        self
    }

    /// The same with the clock [held](Client::hold_clock).
    pub fn hold_clock(mut self) -> Self {
        self.settings.holds_clock = true;
        self
    }

    /// The same with the wall clock at this time since the Unix epoch, in place of 2024-01-01T00:00:00Z.
    pub fn wall(mut self, wall: Duration) -> Self {
        self.wall = Some(wall);
        self
    }

    /// The same with another seed for what is random: that of each connection, boundaries, the keys of WebSockets.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The same with transcripts, or without them where a test moves many megabytes.
    pub fn record(mut self, record: bool) -> Self {
        self.settings.records = record;
        self
    }

    /// The same with so many bytes held never to end, where they are sent at one moment or collected in one piece, in place
    /// of 256 MiB: a test of what has no end fails there.
    pub fn endless_after(mut self, bytes: usize) -> Self {
        self.settings.most = bytes;
        self
    }

    /// Starts `server`, and waits for its start-up hooks.
    ///
    /// # Panics
    ///
    /// As [`try_start`](Self::try_start) fails.
    #[track_caller]
    pub fn start<K, A: Application<K>>(self, server: A) -> Client
    where
        A::Service: 'static,
    {
        match self.try_start(server) {
            Ok(client) => client,
            Err(error) => panic!("{error}"),
        }
    }

    /// Starts `server`, and waits for its start-up hooks, for at most a day of the clock.
    ///
    /// # Errors
    ///
    /// [`StartError`], if the application cannot be built, or a hook fails or never ends.
    pub fn try_start<K, A: Application<K>>(self, server: A) -> Result<Client, StartError>
    where
        A::Service: 'static,
    {
        let (service, lifecycle) = server.start().map_err(StartError::Build)?;
        let seen = Arc::new(Seen::new(self.observer.clone()));
        let lifecycle = lifecycle.limits(&self.limits).observer(seen.clone());
        let (service, limits, spawner) = (Rc::new(service), self.limits, lifecycle.spawner());
        let serve: Serve = Box::new(move |observer| -> Served {
            let session = Session::with_limits(service.clone(), limits.clone());
            Box::new(session.lifecycle(&spawner).observer(observer))
        });
        let mut wire = Wire::new(lifecycle);
        wire.record(self.settings.records);
        if let Some(wall) = self.wall {
            wire.set_wall(wall);
        }
        let mut world = World::new(serve, wire, seen, self.observer, self.settings, self.seed);
        if let Some(files) = self.files {
            world.set_files(files);
        }
        start(&mut world)?;
        Ok(Client::of(world, self.defaults))
    }
}

impl fmt::Debug for ClientSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSetup")
            .field("defaults", &self.defaults)
            .field("settings", &self.settings)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

fn start(world: &mut World) -> Result<(), StartError> {
    let started = world.reach_stage(Stage::Running, STOP_TIME);
    if let Some(failure) = failure(&mut world.lifecycle) {
        // What was started is stopped, as the hooks for that say.
        world.reach_stage(Stage::Over, STOP_TIME);
        return Err(StartError::Startup(failure));
    }
    if started { Ok(()) } else { Err(StartError::Stuck(world.waits())) }
}

fn failure(lifecycle: &mut Wire<Lifecycle>) -> Option<StartupError> {
    lifecycle.machine_mut().take_failure()
}
