//! How a server starts and how it stops: `cargo run --bin shutdown`, then
//!
//! ```console
//! curl http://127.0.0.1:8000/slow & curl -N http://127.0.0.1:8000/guests & sleep 1; kill -INT $(pidof shutdown)
//! ```
//!
//! The rule: who has asked is answered, who listens is told goodbye, work that was promised is done, and only then are the
//! hooks run that undo what the start-up hooks did, in the other order.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bakestone::{App, Context, Event, Result, Sse, State, Text, get};
use bakestone_std::{ServeError, Server};

/// What happened, in its order.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(what.into());
    }

    #[cfg(test)]
    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A stone that is hot: it is there before the first request, and every handler may take it.
#[derive(Clone)]
struct Stone {
    baked: Arc<AtomicU64>,
}

/// Five seconds of work. That it does not stop in between needs no line of code.
async fn slow(
    State(stone): State<Stone>,
    State(diary): State<Diary>,
    context: Context,
) -> Result<Text<String>> {
    context.sleep(Duration::from_secs(5)).await;
    let count = stone.baked.fetch_add(1, Ordering::Relaxed) + 1;
    // The answer does not wait for this; the server does.
    context.after_response(move |context| async move {
        context.sleep(Duration::from_secs(1)).await;
        diary.note(format!("loaf {count} is in the book"));
    })?;
    Ok(Text(format!("loaf {count}\n")))
}

/// Without `through_drain` the stream would just end, and the browser would come back.
async fn guests(context: Context) -> Sse {
    let clock = context.clone();
    let events = Sse::written(&context, move |mut events| async move {
        let draining = events.draining();
        let ticking = async {
            for second in 0_u32.. {
                events.send(Event::data(format!("second {second}"))).await?;
                clock.sleep(Duration::from_secs(1)).await;
            }
            Ok(())
        };
        match first(draining, ticking).await {
            Some(told) => told,
            None => Ok(events.send(Event::data("we are closing").event("goodbye")).await?),
        }
    });
    events.through_drain()
}

/// What `work` gives, if it ends before `end` does.
async fn first<T>(end: impl Future<Output = ()>, work: impl Future<Output = T>) -> Option<T> {
    let (mut end, mut work) = (std::pin::pin!(end), std::pin::pin!(work));
    std::future::poll_fn(|cx| match work.as_mut().poll(cx) {
        std::task::Poll::Ready(value) => std::task::Poll::Ready(Some(value)),
        std::task::Poll::Pending => end.as_mut().poll(cx).map(|()| None),
    })
    .await
}

fn app_with(diary: &Diary) -> App {
    let (lit, cold, shut) = (diary.clone(), diary.clone(), diary.clone());
    App::new()
        .state(diary.clone())
        .state_from(move |context| async move {
            context.sleep(Duration::from_millis(200)).await;
            lit.note("the stone is hot");
            Ok::<_, bakestone::Error>(Stone { baked: Arc::default() })
        })
        .on_shutdown(move |_| async move { cold.note("the stone is cold") })
        .on_shutdown(move |_| async move { shut.note("the door is shut") })
        .route("/", get(|| Text("GET slow or guests, and stop the server meanwhile\n")))
        .route("/slow", get(slow))
        .route("/guests", get(guests))
}

pub(crate) fn app() -> App {
    app_with(&Diary::default())
}

fn main() -> Result<(), ServeError> {
    let listening = |addresses: &[_]| eprintln!("listening on http://{}, until Ctrl-C", addresses[0]);
    let server = Server::new().address("127.0.0.1:8000").on_ready(listening);
    // Whoever has not ended by then is cut off.
    bakestone_tokio::run(app(), server.drain_time(Duration::from_secs(20)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bakestone_testkit::Client;

    #[test]
    fn whoever_has_asked_is_answered_and_then_all_is_undone_backwards() {
        let diary = Diary::default();
        let client = Client::new(app_with(&diary));
        assert_eq!(diary.lines(), ["the stone is hot"]);
        let bread = client.get("/slow").start();
        client.advance(Duration::from_secs(2)).drain();
        let mut bread = bread.response();
        bread.expect_status(200).expect_header("connection", "close").expect_text("loaf 1\n");
        client.shutdown();
        let after = ["loaf 1 is in the book", "the door is shut", "the stone is cold"];
        assert_eq!(diary.lines()[1..], after);
    }

    #[test]
    fn nobody_new_is_let_in() {
        let client = Client::new(app());
        client.get("/").send().expect_status(200);
        client.drain();
        assert!(client.get("/").try_send().is_err());
    }

    #[test]
    fn whoever_listens_is_told_goodbye_at_once() {
        let client = Client::new(app());
        let mut guests = client.get("/guests").send().sse();
        assert_eq!(guests.next().unwrap().data, "second 0");
        assert_eq!(guests.next().unwrap().data, "second 1");
        let now = client.now().mono;
        client.drain();
        let goodbye = guests.next().unwrap();
        assert_eq!((&*goodbye.event, &*goodbye.data), ("goodbye", "we are closing"));
        assert_eq!((guests.next(), client.now().mono), (None, now));
    }

    #[test]
    fn whoever_takes_too_long_is_cut_off() {
        let mut limits = bakestone::Limits::default();
        limits.drain_time = Duration::from_secs(3);
        let client = Client::setup().limits(&limits).start(app());
        let bread = client.get("/slow").start();
        client.drain();
        assert!(bread.try_response().is_err());
    }
}
