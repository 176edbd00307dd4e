//! The life of the server behind a client.

use std::sync::{Arc, Mutex};

use bakestone::session::Event;
use bakestone::{App, Context, Error, State, Text, get, post};
use bakestone_testkit::Client;
use bakestone_testkit::client::{Cause, StartError};

use super::{SECOND, panic_of};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<&'static str>>>);

impl Log {
    fn note(&self, what: &'static str) {
        self.0.lock().unwrap().push(what);
    }

    fn hook(
        &self,
        what: &'static str,
    ) -> impl FnOnce(Context) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> + use<> {
        let log = self.clone();
        move |context| {
            Box::pin(async move {
                context.sleep(SECOND).await;
                log.note(what);
            })
        }
    }

    fn read(&self) -> String {
        self.0.lock().unwrap().join(" ")
    }
}

#[test]
fn z15_hooks_run_around_all_requests() {
    let log = Log::default();
    let noted = log.clone();
    let app = App::new()
        .on_startup(log.hook("up"))
        .on_shutdown(log.hook("down"))
        .state_from(async |_| Ok::<_, Error>(7_u8))
        .route(
            "/",
            get(move |State(state): State<u8>, context: Context| {
                noted.note("request");
                let log = noted.clone();
                let after = context.after_response(move |context| async move {
                    context.sleep(SECOND).await;
                    log.note("after");
                });
                async move { after.map(|()| Text(state.to_string())) }
            }),
        );
    let client = Client::new(app);
    assert_eq!(log.read(), "up");
    client.get("/").send().expect_text("7");
    assert_eq!(log.read(), "up request");
    client.advance(SECOND);
    assert_eq!(log.read(), "up request after");
    let handle = client.clone();
    drop(client);
    assert_eq!(log.read(), "up request after");
    // What has begun is awaited when the last handle goes.
    handle.get("/").send();
    handle.drain();
    drop(handle);
    assert_eq!(log.read(), "up request after request after down");
}

#[test]
fn z15_a_server_that_does_not_start_says_why() {
    let down = Log::default();
    let app = App::new()
        .on_startup(async |_| Err::<(), _>(Error::conflict("no oven")))
        .on_shutdown(down.hook("down"));
    let Err(StartError::Startup(failure)) = Client::try_start(app) else { panic!("it started") };
    assert_eq!((failure.error.message(), down.read().as_str()), ("no oven", "down"));
    let hangs = || App::new().on_startup(async |_| std::future::pending::<()>().await);
    assert!(
        matches!(Client::try_start(hangs()), Err(StartError::Stuck(waits)) if waits.contains("Starting"))
    );
    let twice = || App::new().route("/", get(|| "a")).route("/", get(|| "b"));
    assert!(matches!(Client::try_start(twice()), Err(StartError::Build(_))));
    assert!(panic_of(|| Client::new(twice())).contains("the application cannot be built"));
}

#[test]
fn a_drain_lets_requests_end_and_takes_no_more() {
    let app = App::new().route(
        "/",
        get(|context: Context| async move {
            context.sleep(5 * SECOND).await;
            Text("done")
        }),
    );
    let client = Client::new(app);
    let pending = client.get("/").start();
    client.drain();
    pending.response().expect_header("connection", "close").expect_text("done");
    assert_eq!(client.get("/").try_send().unwrap_err().cause, Cause::Closed);
    client.shutdown();
}

#[test]
fn what_fails_in_the_background_is_told() {
    let app = App::new()
        .route(
            "/",
            post(|context: Context| async move {
                context.spawn(|_| async { Err::<(), _>(Error::gone("the task's flour")) })?;
                Ok::<_, Error>(Text("spawned"))
            }),
        )
        .on_shutdown(async |_| Err::<(), _>(Error::gone("the hook's water")));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = seen.clone();
    let observer = move |event: &Event<'_>| {
        if let Event::TaskFailed(error) = event {
            told.lock().unwrap().push(error.message().to_owned());
        }
    };
    let client = Client::setup().observer(Arc::new(observer)).start(app);
    client.post("/").send().expect_text("spawned");
    client.shutdown();
    assert_eq!(
        client.task_failures(),
        ["a task failed: 410: the task's flour", "a task failed: 410: the hook's water"]
    );
    assert_eq!(*seen.lock().unwrap(), ["the task's flour", "the hook's water"]);
}
