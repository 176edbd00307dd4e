//! A ticker with a live page: `cargo run --bin ticker`, then <http://127.0.0.1:8000>. Stop the server for a while, and start
//! it again: the page has missed nothing.
//!
//! The rule: the id of an event is the second that it tells of, so whoever connects again says what it has, and any server
//! knows what it lacks.

use std::time::Duration;

use bakestone::app::{Embedded, LastEventId, StaticFiles};
use bakestone::{App, Context, Event, HeaderValue, Result, Sse, get, header};
use bakestone_std::{ServeError, Server};
use serde::Serialize;

/// Seconds that a page shows, and that it is told at most when it comes.
const SHOWN: u64 = 60;

/// The heat of the stone in one second.
#[derive(Serialize)]
struct Reading {
    /// In seconds since the Unix epoch.
    at: u64,
    degrees: f64,
}

impl Reading {
    /// A thermometer would tell only of now; this one remembers.
    fn of(at: u64) -> Self {
        // Only the last days matter, and of them a sine is exact enough.
        let seconds = f64::from(u32::try_from(at % 1_000_000).unwrap_or_default());
        let degrees = 200.0 + 12.0 * (seconds / 9.0).sin() + 4.0 * (seconds / 2.3).sin();
        Self { at, degrees: (degrees * 10.0).round() / 10.0 }
    }

    fn event(&self) -> Result<Event> {
        Ok(Event::json(self)?.id(self.at.to_string()).retry(Duration::from_secs(1)))
    }
}

async fn events(last: Option<LastEventId>, context: Context) -> Sse {
    let now = context.now().wall.as_secs();
    let oldest = (now + 1).saturating_sub(SHOWN);
    let seen = last.and_then(|LastEventId(id)| id.parse::<u64>().ok());
    // Nobody has seen the future, whatever they say.
    let first = seen.map_or(oldest, |seen| seen.saturating_add(1).clamp(oldest, now + 1));
    Sse::written(&context.clone(), move |mut events| async move {
        for at in first.. {
            let wait = Duration::from_secs(at).saturating_sub(context.now().wall);
            context.sleep(wait).await;
            events.send(Reading::of(at).event()?).await?;
        }
        Ok(())
    })
}

/// The page, with nothing from elsewhere.
fn page() -> StaticFiles {
    let files = Embedded::new()
        .with("index.html", include_str!("ticker/page.html"))
        .with("page.js", include_str!("ticker/page.js"))
        .with("style.css", include_str!("tour/style.css"))
        .with("icon.svg", include_str!("tour/icon.svg"));
    let policy = HeaderValue::from_static("default-src 'self'");
    StaticFiles::new(files).index("index.html").header(header::CONTENT_SECURITY_POLICY, policy)
}

pub(crate) fn app() -> App {
    App::new().route("/events", get(events)).files("/", page())
}

fn main() -> Result<(), ServeError> {
    let listening = |addresses: &[_]| eprintln!("listening on http://{}", addresses[0]);
    bakestone_tokio::run(app(), Server::new().address("127.0.0.1:8000").on_ready(listening))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bakestone_testkit::{Client, ClientRequest};

    /// The ids of the first `count` events, and how many seconds passed until the last of them.
    fn ids(client: &Client, request: ClientRequest, count: usize) -> (Vec<u64>, u64) {
        let began = client.now().mono;
        let ids = request.send().sse().take(count).map(|event| event.last_event_id.parse().unwrap());
        (ids.collect(), client.now().mono.since(began).as_secs())
    }

    #[test]
    fn whoever_comes_is_told_what_the_page_shows_and_then_each_second() {
        let client = Client::new(app());
        let now = client.now().wall.as_secs();
        let (ids, seconds) = ids(&client, client.get("/events"), 62);
        assert_eq!((ids, seconds), ((now - 59..=now + 2).collect(), 2));
    }

    #[test]
    fn whoever_comes_back_is_told_what_it_missed_and_no_more_than_the_page_shows() {
        for (ago, told, seconds) in [(0, -1, 1), (5, 4, 0), (59, 58, 0), (4000, 59, 0), (-7, -1, 1)] {
            let client = Client::new(app());
            let now = i64::try_from(client.now().wall.as_secs()).unwrap();
            let request = client.get("/events").header("last-event-id", (now - ago).to_string());
            let first = u64::try_from(now - told).unwrap();
            assert_eq!(ids(&client, request, 1), (vec![first], seconds), "{ago} seconds ago");
        }
    }

    #[test]
    fn what_it_needs_comes_from_here() {
        let client = Client::new(app());
        for (path, what) in [("/", "page.js"), ("/page.js", "EventSource"), ("/style.css", "color-scheme")] {
            let mut file = client.get(path).send();
            file.expect_status(200).expect_header("content-security-policy", "default-src 'self'");
            file.expect_contains(what);
        }
    }
}
