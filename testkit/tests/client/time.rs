//! The clock of a client.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bakestone::{App, Context, Limits, Path, Text, get};
use bakestone_testkit::Client;
use bakestone_testkit::client::Cause;

use super::{HOUR, SECOND};

async fn sleep(Path(seconds): Path<u64>, context: Context) -> Text<String> {
    context.sleep(Duration::from_secs(seconds)).await;
    Text(format!("{seconds}"))
}

fn app() -> App {
    App::new().route("/{seconds:int}", get(sleep))
}

#[test]
fn whoever_waits_lets_time_pass_up_to_the_time_out() {
    let client = Client::new(app());
    let began_at = client.now();
    client.get("/10").send().expect_text("10");
    assert_eq!(client.now().mono.since(began_at.mono), 10 * SECOND);
    assert_eq!(client.now().wall - began_at.wall, 10 * SECOND);
    assert_eq!(client.get("/11").try_send().unwrap_err().cause, Cause::TimedOut(10 * SECOND));
    client.get("/3600").timeout(2 * HOUR).send().expect_text("3600");
    let long = Client::setup().timeout(2 * HOUR).start(app());
    long.get("/3600").send().expect_text("3600");
}

#[test]
fn a_clock_that_is_held_is_moved_by_hand() {
    let client = Client::setup().hold_clock().start(app());
    assert_eq!(client.get("/1").try_send().unwrap_err().cause, Cause::ClockHeld);
    let (one, two) = (client.get("/1").start(), client.get("/2").start());
    let state = || (one.is_answered(), two.is_answered());
    assert_eq!(state(), (false, false));
    client.advance(SECOND - Duration::from_nanos(1));
    assert_eq!(state(), (false, false));
    assert_eq!(client.advance_to_next_deadline(), Some(Duration::from_nanos(1)));
    assert_eq!(state(), (true, false));
    assert_eq!(client.advance_to_next_deadline(), Some(SECOND));
    assert_eq!(state(), (true, true));
    client.hold_clock(false);
    client.get("/1").send().expect_text("1");
}

#[test]
fn deadlines_of_the_server_are_deadlines_of_the_test() {
    let mut limits = Limits::default();
    limits.handler_time = Some(5 * SECOND);
    let client = Client::setup().limits(&limits).start(app());
    client.get("/6").send().expect_status(503);
    assert_eq!(client.now().mono.since(bakestone::machine::Moment::from_epoch(1000 * SECOND)), 5 * SECOND);
    // A content that does not come on is refused after its time.
    let client = Client::new(App::new().route("/", bakestone::post(|body: bakestone::Bytes| Text(body))));
    let pending = client.post("/").timeout(HOUR).body_by_hand().start();
    pending.response().expect_status(408);
}

#[test]
fn periodic_tasks_run_while_time_passes() {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let app = app().every(60 * SECOND, move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        std::future::ready(())
    });
    let client = Client::new(app);
    client.advance(HOUR);
    assert_eq!(count.load(Ordering::SeqCst), 60);
    assert_eq!(client.advance_to_next_deadline(), Some(60 * SECOND));
    client.shutdown();
    assert_eq!((count.load(Ordering::SeqCst), client.advance_to_next_deadline()), (61, None));
}

#[test]
fn a_seed_gives_the_same_bytes_at_the_same_time() {
    let run = |seed: u64| {
        let client = Client::setup().seed(seed).start(app().route("/", bakestone::any(super::echo)));
        client.get("/3").send();
        let form = bakestone_testkit::MultipartBody::new().text("a", "b");
        client.post("/").multipart(form).send().transcript()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
    assert!(run(1).starts_with("@ 3s\n> POST / HTTP/1.1"), "{}", run(1));
    let wall = Client::setup().wall(Duration::from_secs(784_111_777)).start(app());
    wall.get("/0").send().expect_header("date", "Sun, 06 Nov 1994 08:49:37 GMT");
    let silent = Client::setup().record(false).start(app());
    assert_eq!(silent.get("/0").send().transcript(), "");
}
