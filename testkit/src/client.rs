//! A client of an application, in a test's own time: no socket, no port, no runtime.
//!
//! The rule: what it sends are bytes on a wire, and what it reads came over one, so that a test sees what a client would
//! see; and nothing moves, time included, but by what the test does.
//!
//! ```
//! use bakestone::{App, Path, Text, get};
//! use bakestone_testkit::Client;
//!
//! let app = App::new().route("/hello/{name}", get(|Path(name): Path<String>| async move {
//!     Text(format!("Hello, {name}!"))
//! }));
//!
//! let client = Client::new(app);
//! client.get("/hello/world").send().expect_text("Hello, world!").expect_status(200);
//! client.delete("/hello/world").send().expect_status(405).expect_header("allow", "GET, HEAD, OPTIONS");
//! ```
//!
//! A whole server stands behind it: start-up hooks have run when there is a client, background tasks run beside its
//! requests, and the server stops with the last handle of the client. Connections are kept and used again as a browser does
//! it; cookies are kept, redirects are followed.
//!
//! All of it is on one clock, which stands still while something can move. Whoever waits, for a response, a piece of one, an
//! event, a message of a WebSocket, lets the clock go on from one deadline to the next, for at most the client's time-out
//! of 10 seconds. So a handler that sleeps for a second is answered at once, and a test that would wait for ever fails at
//! once, with a list of what every machine waits for. Where time itself is under test, [`Client::hold_clock`] and
//! [`ClientRequest::start`] leave it to [`Client::advance`].
//!
//! How an application, time and failure are tested is told in [`docs`](crate::docs).

mod connection;
mod cookie_date;
mod error;
mod exchange;
mod expect;
mod jar;
mod multipart;
#[cfg(feature = "json")]
mod pairs;
mod pending;
mod redirect;
mod request;
mod response;
mod seen;
mod setup;
#[cfg(feature = "websocket")]
mod socket;
mod url;
mod user;
mod world;

use std::time::Duration;

use bakestone::Method;
use bakestone::app::Application;
use bakestone::machine::Now;
use bakestone::session::Stage;

pub use connection::Served;
pub use error::{Cause, ClientError};
pub use jar::{CookieJar, StoredCookie};
pub use multipart::MultipartBody;
pub use pending::Pending;
pub use request::ClientRequest;
pub use response::{ClientResponse, Events};
pub use setup::{ClientSetup, StartError};
#[cfg(feature = "websocket")]
pub use socket::ClientSocket;
pub use url::Url;

use user::{Defaults, SharedUser, User};
use world::{STOP_TIME, Shared, World};

/// The seed of a client that was given none.
const SEED: u64 = 0x0bad_ca4e_5eed_50c5;

/// A client, and the server that it talks to. Clones are handles of the same one; [`another`](Self::another) is another
/// client of the server.
///
/// [The module](self) tells how it goes.
#[derive(Clone)]
pub struct Client {
    world: Shared,
    user: SharedUser,
}

/// Requests by their methods.
macro_rules! methods {
    ($($name:ident $method:ident)+) => {$(
        #[doc = concat!("A ", stringify!($method), " request for this path, or this URL.")]
        ///
        /// # Panics
        ///
        /// If it is neither.
        #[track_caller]
        pub fn $name(&self, path: impl AsRef<str>) -> ClientRequest {
            ClientRequest::new(self, Method::$method, path.as_ref())
        }
    )+};
}

impl Client {
    /// A client of `server`, be it an [`App`](bakestone::App), a service or a function of a
    /// [`Request`](bakestone::Request), whose start-up hooks have run.
    ///
    /// # Panics
    ///
    /// If the application cannot be built, or does not start.
    #[track_caller]
    pub fn new<K, A: Application<K>>(server: A) -> Self
    where
        A::Service: 'static,
    {
        Self::setup().start(server)
    }

    /// As [`new`](Self::new), for a test of a server that does not start.
    ///
    /// # Errors
    ///
    /// [`StartError`], if the application cannot be built, or a start-up hook fails or never ends.
    pub fn try_start<K, A: Application<K>>(server: A) -> Result<Self, StartError>
    where
        A::Service: 'static,
    {
        Self::setup().try_start(server)
    }

    /// A client that is told more before its server starts.
    pub fn setup() -> ClientSetup {
        ClientSetup::default()
    }

    fn of(mut world: World, defaults: Defaults) -> Self {
        let id = world.next_user();
        Self { world: Shared::new(world), user: User::shared(id, defaults) }
    }

    /// Another client of the same server, on the same clock, with cookies and connections of its own. What this one has
    /// been told of every request, the other has been told, too; later each is told for itself.
    ///
    /// ```
    /// use bakestone::{App, Cookies, Text, get};
    /// use bakestone_testkit::Client;
    ///
    /// let who = |Cookies(cookies): Cookies| Text(cookies.get("id").unwrap_or("nobody").to_owned());
    /// let sian = Client::new(App::new().route("/", get(who)));
    /// let huw = sian.another();
    /// sian.set_cookie("id=sian");
    /// sian.get("/").send().expect_text("sian");
    /// huw.get("/").send().expect_text("nobody");
    /// ```
    #[must_use]
    pub fn another(&self) -> Self {
        let id = self.world.borrow_mut().next_user();
        let defaults = self.user.borrow().defaults.clone();
        Self { world: self.world.clone(), user: User::shared(id, defaults) }
    }

    methods! { get GET head HEAD post POST put PUT patch PATCH delete DELETE options OPTIONS }

    /// A request of any method for this path, or this URL; for `*` of the whole server (RFC 9112, section 3.2.4), and with
    /// CONNECT to a host and its port (section 3.2.3).
    ///
    /// # Panics
    ///
    /// If it is no method, or neither a path nor a URL.
    #[track_caller]
    pub fn request(&self, method: impl AsRef<str>, path: impl AsRef<str>) -> ClientRequest {
        let Ok(method) = method.as_ref().parse() else { panic!("{:?} is no method", method.as_ref()) };
        ClientRequest::new(self, method, path.as_ref())
    }

    /// Sends `requests` one behind the other on one connection, without waiting for a response (RFC 9112, section 9.3.2),
    /// and gives the responses, whose redirects are not followed.
    ///
    /// # Panics
    ///
    /// If they are not for one server, or there are fewer responses than requests.
    #[track_caller]
    pub fn pipeline(&self, requests: impl IntoIterator<Item = ClientRequest>) -> Vec<ClientResponse> {
        let mut responses = Vec::new();
        for answer in self.try_pipeline(requests) {
            match answer {
                Ok(response) => responses.push(response),
                Err(error) => panic!("{error}"),
            }
        }
        responses
    }

    /// As [`pipeline`](Self::pipeline), for a test of a server that does not answer all of them: for each request its
    /// response, or why there is none.
    ///
    /// # Panics
    ///
    /// If they are not for one server.
    #[track_caller]
    pub fn try_pipeline(
        &self,
        requests: impl IntoIterator<Item = ClientRequest>,
    ) -> Vec<Result<ClientResponse, ClientError>> {
        let mut connection = None;
        let mut pending = Vec::new();
        for request in requests {
            // Those behind it wait until it is read, so all of it is.
            let request = request.read_ahead(usize::MAX);
            let (key, url) = (request.key(), request.url().clone());
            let id = match &connection {
                None => self.world.borrow_mut().connection_for(&key, &url),
                Some((first, id)) => {
                    assert!(*first == key, "requests of a pipeline go to one server");
                    *id
                }
            };
            connection = Some((key, id));
            pending.push(request.push_to(id));
        }
        self.run_until_idle();
        pending.into_iter().map(|pending| pending::answered(pending.held)).collect()
    }

    /// Sends this field with every request that has none of that name.
    ///
    /// # Panics
    ///
    /// If it is no field.
    #[track_caller]
    pub fn set_header(&self, name: impl AsRef<str>, value: impl AsRef<[u8]>) -> &Self {
        request::insert(&mut self.user.borrow_mut().defaults.headers, name.as_ref(), value.as_ref());
        self
    }

    /// Sends no field of this name any more, but where a request says so itself.
    pub fn remove_header(&self, name: &str) -> &Self {
        self.user.borrow_mut().defaults.headers.remove(name);
        self
    }

    /// The URL against which paths are resolved.
    pub fn base_url(&self) -> Url {
        self.user.borrow().defaults.base.clone()
    }

    /// The value of the cookie of this name that was stored last; `None` if there is none, or its time is over.
    pub fn cookie(&self, name: &str) -> Option<String> {
        let now = self.now().wall;
        let user = self.user.borrow();
        user.jar.get(name).filter(|cookie| cookie.lasts_at(now)).map(|cookie| cookie.value.clone())
    }

    /// Stores a cookie as if the server had set it by this field, at the [base URL](Self::base_url); whether it was stored.
    pub fn set_cookie(&self, field: impl AsRef<[u8]>) -> bool {
        let now = self.now().wall;
        let base = self.base_url();
        self.user.borrow_mut().jar.store(&base, field.as_ref(), now)
    }

    /// Looks at the cookies, or changes them.
    pub fn with_cookies<T>(&self, work: impl FnOnce(&mut CookieJar) -> T) -> T {
        work(&mut self.user.borrow_mut().jar)
    }

    /// The clocks' present reading.
    pub fn now(&self) -> Now {
        self.world.borrow().now()
    }

    /// Lets the clock go on by `time`, with a stop at every deadline on the way.
    ///
    /// # Panics
    ///
    /// With what everything waits for, if there are a million of them.
    #[track_caller]
    pub fn advance(&self, time: Duration) -> &Self {
        self.world.borrow_mut().advance(time);
        self
    }

    /// Lets the clock go on to the next deadline of any machine; by how much, or `None` if there is none.
    #[track_caller]
    pub fn advance_to_next_deadline(&self) -> Option<Duration> {
        let mut world = self.world.borrow_mut();
        world.run();
        let at = world.next_deadline()?;
        let time = at.since(world.now().mono);
        world.reach(at);
        Some(time)
    }

    /// Lets all machines run until nothing moves; no time passes. Whatever else is done here ends with it, so only what
    /// happened elsewhere, in another thread or by the test's own hand, needs it.
    #[track_caller]
    pub fn run_until_idle(&self) -> &Self {
        self.world.borrow_mut().run();
        self
    }

    /// Whether the clock stands still, for all clients of the server, but for [`advance`](Self::advance): whoever waits for more than is there then fails.
    pub fn hold_clock(&self, hold: bool) -> &Self {
        self.world.borrow_mut().settings.holds_clock = hold;
        self
    }

    /// What every machine waits for, a line each.
    pub fn waits(&self) -> String {
        self.world.borrow_mut().waits()
    }

    /// How many connections are open, those of [other clients](Self::another) among them and WebSockets not.
    pub fn connections(&self) -> usize {
        self.world.borrow().open_connections()
    }

    /// What background tasks and hooks have failed with, a line each; at most 100.
    pub fn task_failures(&self) -> Vec<String> {
        self.world.borrow().lifecycle_seen.notes()
    }

    /// The server begins to stop: what runs comes to its end, and connections close.
    #[track_caller]
    pub fn drain(&self) -> &Self {
        self.world.borrow_mut().drain();
        self
    }

    /// Stops the server, and lets time pass until its shut-down hooks have run. It stops by itself with the last handle.
    ///
    /// # Panics
    ///
    /// With what everything waits for, if it has not stopped after a day of the clock.
    #[track_caller]
    pub fn shutdown(&self) -> &Self {
        self.drain();
        let stopped = self.world.borrow_mut().reach_stage(Stage::Over, STOP_TIME);
        assert!(stopped, "the server does not stop\n{}", self.waits());
        self
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let world = self.world.borrow();
        f.debug_struct("Client")
            .field("base_url", &self.base_url().to_string())
            .field("now", &world.now())
            .field("connections", &world.open_connections())
            .finish_non_exhaustive()
    }
}
