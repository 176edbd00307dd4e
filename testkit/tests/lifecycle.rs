//! A server's life, and the work that outlives its connections.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bakestone::message::SpawnError;
use bakestone::session::{Event, Spawner, Stage};
use bakestone::{Context, Error, Lifecycle, Limits, Request, Response, Session, StatusCode, Text};
use bakestone_testkit::Wire;

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const POST: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
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
}

async fn panics(_: Context) {
    panic!("on purpose");
}

/// A lifecycle that runs, and the way to start tasks on it.
fn running(lifecycle: Lifecycle) -> (Wire<Lifecycle>, Spawner) {
    let spawner = lifecycle.spawner();
    let mut wire = Wire::new(lifecycle);
    wire.settle();
    assert_eq!(wire.machine().stage(), Stage::Running);
    (wire, spawner)
}

#[test]
fn hooks_run_in_order_and_back() {
    let log = Log::default();
    let lifecycle = Lifecycle::new()
        .on_startup(log.hook("open-1"))
        .on_shutdown(log.hook("close-1"))
        .on_startup(log.hook("open-2"))
        .on_shutdown(log.hook("close-2"));
    let (mut wire, _) = running(lifecycle);
    assert_eq!(log.read(), "open-1 open-2");
    wire.drain();
    assert_eq!(log.read(), "open-1 open-2 close-2 close-1");
    wire.expect_closed();
}

#[test]
fn a_hook_may_take_its_time() {
    let log = Log::default();
    let late = log.clone();
    let lifecycle = Lifecycle::new()
        .on_startup(async move |context: Context| {
            context.sleep(HOUR).await;
            late.note("warm");
        })
        .on_startup(log.hook("ready"));
    let mut wire = Wire::new(lifecycle);
    wire.settle();
    assert_eq!((wire.machine().stage(), log.read().as_str()), (Stage::Starting, ""));
    wire.advance(HOUR);
    assert_eq!((wire.machine().stage(), log.read().as_str()), (Stage::Running, "warm ready"));
}

#[test]
fn a_failing_start_says_which_hook_and_still_shuts_down() {
    let log = Log::default();
    let line = line!() + 2;
    let lifecycle = Lifecycle::new()
        .on_startup(|_| async { Err::<(), _>(Error::new(StatusCode::BAD_GATEWAY, "no database")) })
        .on_startup(log.hook("never"))
        .on_shutdown(log.hook("closed"));
    let mut wire = Wire::new(lifecycle);
    wire.settle();
    let failure = wire.machine_mut().take_failure().expect("the hook failed");
    assert_eq!((failure.at.file(), failure.at.line()), (file!(), line));
    assert!(failure.to_string().contains("no database"), "{failure}");
    assert_eq!(log.read(), "closed");
    wire.expect_closed();
}

#[test]
fn a_hook_that_panics_fails_the_start() {
    let lifecycle = Lifecycle::new().on_startup(panics);
    let mut wire: Wire<Lifecycle> = Wire::new(lifecycle);
    wire.settle();
    assert!(wire.machine_mut().take_failure().is_some());
    wire.expect_closed();
}

/// A session whose handler spawns a task of two seconds that adds one to a counter.
fn spawning(spawner: &Spawner) -> (impl bakestone::machine::Machine, Arc<AtomicUsize>) {
    let counter = Arc::new(AtomicUsize::new(0));
    let count = counter.clone();
    let handler = move |request: Request| {
        let count = count.clone();
        let spawned = request.context().spawn(|context| async move {
            context.sleep(2 * SECOND).await;
            count.fetch_add(1, Ordering::Relaxed);
        });
        Text(format!("{spawned:?}"))
    };
    (Session::new(handler).lifecycle(spawner), counter)
}

#[test]
fn a_client_that_resets_at_once_still_gets_its_task_counted() {
    let (mut server, spawner) = running(Lifecycle::new());
    let (session, counter) = spawning(&spawner);
    let mut wire = Wire::new(session);
    wire.feed(GET).reset();
    drop(wire);
    server.settle();
    server.advance(SECOND);
    assert_eq!(counter.load(Ordering::Relaxed), 0);
    server.advance(SECOND);
    assert_eq!(counter.load(Ordering::Relaxed), 1);
    assert_eq!(spawner.tasks(), 0);
}

#[test]
fn without_a_lifecycle_a_spawn_is_an_error() {
    let mut wire = Wire::new(Session::new(|request: Request| {
        let spawned = request.context().spawn(|_| async {});
        assert_eq!(spawned, Err(SpawnError::NoLifecycle));
        Response::new("")
    }));
    wire.feed(GET).expect_start("HTTP/1.1 200 ");
}

#[test]
fn tasks_are_capped_and_a_place_is_free_again_after_the_end() {
    let mut limits = Limits::default();
    limits.tasks = 2;
    let (mut server, spawner) = running(Lifecycle::new().limits(&limits));
    let (session, counter) = spawning(&spawner);
    let mut wire = Wire::new(session);
    for answer in ["Ok(())", "Ok(())", "Err(Full(2))"] {
        wire.feed(GET);
        assert!(wire.take_text().ends_with(answer));
    }
    server.settle();
    server.advance(2 * SECOND);
    assert_eq!(counter.load(Ordering::Relaxed), 2);
    wire.feed(GET);
    assert!(wire.take_text().ends_with("Ok(())"));
}

/// Whoever passes the error on with `?` tells the client to come again, and not that something is broken.
#[test]
fn without_a_place_the_answer_is_503() {
    let mut limits = Limits::default();
    limits.tasks = 0;
    let (_server, spawner) = running(Lifecycle::new().limits(&limits));
    let service = async |request: Request| -> bakestone::Result<Text<&'static str>> {
        request.context().spawn(|_| std::future::ready(()))?;
        Ok(Text("started"))
    };
    let mut wire = Wire::new(Session::new(service).lifecycle(&spawner));
    wire.feed(GET);
    let answer = wire.take_text();
    assert!(answer.starts_with("HTTP/1.1 503 ") && !answer.contains("tasks"), "{answer}");
}

#[test]
fn ten_thousand_sleepers_are_woken_in_bounded_steps() {
    let (mut server, spawner) = running(Lifecycle::new());
    let (session, counter) = spawning(&spawner);
    let mut wire = Wire::new(session);
    for _ in 0..10_000 {
        wire.feed(GET).take();
    }
    server.settle();
    server.advance(2 * SECOND);
    assert_eq!(counter.load(Ordering::Relaxed), 10_000);
}

#[test]
fn after_response_runs_once_the_response_is_flushed() {
    let (mut server, spawner) = running(Lifecycle::new());
    let log = Log::default();
    let noted = log.clone();
    let handler = move |request: Request| {
        let noted = noted.clone();
        request.context().after_response(|_| async move { noted.note("after") }).map(|()| Text("answer"))
    };
    let mut wire = Wire::new(Session::new(handler).lifecycle(&spawner));
    wire.hold_output(true);
    wire.feed(GET);
    server.settle();
    assert_eq!(log.read(), "", "the answer is still on its way");
    wire.take_at_most(1 << 20);
    server.settle();
    assert_eq!(log.read(), "after");
}

#[test]
fn after_response_runs_though_the_handler_fails_or_the_client_is_gone() {
    let (mut server, spawner) = running(Lifecycle::new());
    let log = Log::default();
    for name in ["failed", "panicked", "gone", "dropped"] {
        let noted = log.clone();
        let handler = move |request: Request| {
            let noted = noted.clone();
            async move {
                let context = request.context();
                context.after_response(move |_| async move { noted.note(name) })?;
                match name {
                    "failed" => Err(Error::internal()),
                    "panicked" => panic!("on purpose"),
                    _ => {
                        context.sleep(HOUR).await;
                        Ok(Text("never"))
                    }
                }
            }
        };
        let mut wire = Wire::new(Session::new(handler).lifecycle(&spawner));
        wire.feed(GET);
        match name {
            "gone" => drop(wire.reset()),
            "dropped" => drop(wire),
            _ => drop(wire.take()),
        }
        server.settle();
    }
    assert_eq!(log.read(), "failed panicked gone dropped");
}

#[test]
fn a_period_ticks_and_never_overlaps() {
    let log = Log::default();
    let noted = log.clone();
    let lifecycle = Lifecycle::new().every(10 * SECOND, move |context| {
        let noted = noted.clone();
        async move {
            noted.note(format!("{}", context.now().mono.since_epoch().as_secs() % 1000));
            context.sleep(25 * SECOND).await;
        }
    });
    let (mut wire, _) = running(lifecycle);
    let begun = wire.now().mono.since_epoch().as_secs();
    wire.advance(80 * SECOND);
    let ticks = log.read();
    let times: Vec<u64> = ticks.split(' ').map(|time| time.parse::<u64>().unwrap()).collect();
    let since: Vec<u64> = times.iter().map(|time| time - begun % 1000).collect();
    assert_eq!(since, [10, 35, 60]);
}

#[test]
fn a_drain_awaits_the_tasks_and_then_drops_them() {
    let events = Log::default();
    let noted = events.clone();
    let lifecycle =
        Lifecycle::new().observer(Arc::new(move |event: &Event<'_>| noted.note(format!("{event:?}"))));
    let (mut server, spawner) = running(lifecycle);
    let (session, counter) = spawning(&spawner);
    let mut wire = Wire::new(session);
    wire.feed(POST).take();
    wire.feed(POST).take();
    server.settle();
    server.drain();
    assert_eq!(server.machine().stage(), Stage::Draining);
    server.advance(2 * SECOND);
    assert_eq!(counter.load(Ordering::Relaxed), 2, "what runs is awaited");
    assert_eq!(server.machine().stage(), Stage::Draining, "a session may still ask for tasks");
    wire.feed(POST).take();
    server.settle();
    server.advance(7 * SECOND);
    assert_eq!(counter.load(Ordering::Relaxed), 3);
    wire.feed(POST).take();
    server.settle();
    server.advance(SECOND);
    assert_eq!(counter.load(Ordering::Relaxed), 3, "but not for ever");
    server.expect_closed();
    assert_eq!(events.read(), "DeadlinePassed(Drain) TasksDropped(1)");
    wire.feed(POST);
    assert!(wire.take_text().ends_with("Err(Over)"));
}

#[test]
fn a_server_without_connections_stops_at_once() {
    let (mut server, spawner) = running(Lifecycle::new());
    let (session, _) = spawning(&spawner);
    drop(Wire::new(session));
    server.drain();
    server.expect_closed();
}

#[test]
fn a_task_that_fails_or_panics_is_told_and_harms_nobody() {
    let events = Log::default();
    let noted = events.clone();
    let lifecycle =
        Lifecycle::new().observer(Arc::new(move |event: &Event<'_>| noted.note(format!("{event:?}"))));
    let (mut server, spawner) = running(lifecycle);
    let handler = |request: Request| {
        let context = request.context();
        context.spawn(|_| async { Err::<(), _>("x".parse::<u8>().unwrap_err()) })?;
        context.spawn(panics)?;
        Ok::<_, bakestone::Error>(Text(""))
    };
    let mut wire = Wire::new(Session::new(handler).lifecycle(&spawner));
    wire.feed(GET).take();
    server.settle();
    let told = events.read();
    assert!(told.contains("TaskFailed(") && told.contains("Panicked(Task, \"on purpose\")"), "{told}");
    assert_eq!(spawner.tasks(), 0);
}
