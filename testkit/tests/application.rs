//! A whole application over a wire and a lifecycle, in virtual time; and its parts, used alone.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

#[path = "application/alone.rs"]
mod alone;
#[path = "application/lifespan.rs"]
mod lifespan;
#[path = "application/limits.rs"]
mod limits;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bakestone::app::{Application, Failure, Next, blocking};
use bakestone::message::OnDisconnect;
use bakestone::session::{Event, IntoService, Spawner, Stage};
use bakestone::{
    App, Body, Bytes, Context, Error, IntoResponse, Lifecycle, Limits, Path, Request, Response, Result,
    Service, Session, State, StatusCode, Text, get, post,
};
use bakestone_testkit::{Client, Wire};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

/// What happened, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn note(&self, what: impl ToString) {
        self.0.lock().unwrap().push(what.to_string());
    }

    fn read(&self) -> String {
        self.0.lock().unwrap().join(" ")
    }

    fn hook(&self, name: &'static str) -> impl FnOnce(Context) -> std::future::Ready<()> + Send + 'static {
        let log = self.clone();
        move |_| {
            log.note(name);
            std::future::ready(())
        }
    }

    /// Notes what a machine tells of tasks, deadlines and panics.
    fn observer(&self) -> Arc<dyn bakestone::session::Observer> {
        let log = self.clone();
        Arc::new(move |event: &Event<'_>| match event {
            Event::TaskFailed(error) => log.note(format!("failed:{}", error.message())),
            Event::Panicked(entry, message) => log.note(format!("panicked:{entry:?}:{message}")),
            Event::DeadlinePassed(deadline) => log.note(format!("passed:{deadline:?}")),
            _ => {}
        })
    }
}

/// What a start-up makes.
#[derive(Clone)]
struct Pool(u32);

async fn fails(_: Context) -> Result<()> {
    Err(Error::new(StatusCode::BAD_GATEWAY, "no database"))
}

/// A server: what answers, and its life.
struct Server<S> {
    service: Arc<S>,
    life: Wire<Lifecycle>,
    spawner: Spawner,
    limits: Arc<Limits>,
}

impl<S: Service> Server<S> {
    fn new<M>(app: impl Application<M, Service = S>) -> Self {
        let (service, lifecycle) = app.start().unwrap();
        let spawner = lifecycle.spawner();
        let mut life = Wire::new(lifecycle);
        life.settle();
        Self { service: Arc::new(service), life, spawner, limits: Arc::default() }
    }

    fn connect(&self) -> Wire<Session<Arc<S>>> {
        let session = Session::with_limits(self.service.clone(), self.limits.clone());
        Wire::new(session.lifecycle(&self.spawner))
    }

    fn stage(&self) -> Stage {
        self.life.machine().stage()
    }

    /// The status and the body of the answer to one request on a connection of its own.
    fn ask(&self, line: &str, body: &str) -> (u16, String) {
        let mut wire = self.connect();
        wire.feed(request(line, body));
        answer(&wire.take_text())
    }
}

fn request(line: &str, body: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn answer(text: &str) -> (u16, String) {
    let status = text.get(9..12).and_then(|status| status.parse().ok()).unwrap_or_default();
    let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status, body.to_owned())
}

fn found(status: u16, body: &str) -> (u16, String) {
    (status, body.to_owned())
}

async fn stamp(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers.insert("x-stamp", "seen".parse().unwrap());
    response
}

#[test]
fn a06_e04_a_panic_anywhere_is_500_and_harms_nobody() {
    async fn panics(_: Request, _: Next) -> Response {
        panic!("on purpose")
    }
    let app = App::new()
        .middleware(stamp)
        .route("/handler", get(|| -> Text<&str> { panic!("on purpose") }))
        .route("/around", get(|| "").middleware(panics))
        .route("/fine", get(|| Text("fine")))
        .mount("/m", App::new().middleware(panics).on_status(500, |_| Text("in the mount")))
        .on_status(500, |_| Text("outside"));
    let client = Client::new(app);
    for (path, status, body) in [
        ("/handler", 500, "outside"),
        ("/around", 500, "outside"),
        ("/m/x", 500, "in the mount"),
        ("/fine", 200, "fine"),
    ] {
        client.get(path).send().expect_status(status).expect_text(body);
    }
    assert_eq!(client.connections(), 1);
}

#[test]
fn n03_head_and_options_in_a_mount_on_the_wire() {
    const METHODS: Option<&str> = Some("GET, HEAD, OPTIONS");
    let app = App::new().middleware(stamp).mount("/m", App::new().route("/", get(|| Text("four"))));
    let client = Client::new(app);
    for (method, path, status, allow, length, content) in [
        ("HEAD", "/m", 200, None, Some("4"), ""),
        ("HEAD", "/m/none", 404, None, Some("9"), ""),
        ("OPTIONS", "/m/", 204, METHODS, None, ""),
        ("OPTIONS", "*", 204, METHODS, None, ""),
        ("PUT", "/m", 405, METHODS, Some("18"), "Method Not Allowed"),
    ] {
        let mut response = client.request(method, path).send();
        response.expect_status(status).expect_text(content).expect_header("x-stamp", "seen");
        for (name, value) in [("allow", allow), ("content-length", length)] {
            match value {
                Some(value) => response.expect_header(name, value),
                None => response.expect_no_header(name),
            };
        }
    }
    assert_eq!(client.connections(), 1, "something came behind a response");
}
