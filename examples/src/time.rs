//! An application full of deadlines, and tests that wait for none of them: `cargo run --bin time`, then
//!
//! ```console
//! curl -X POST 'http://127.0.0.1:8000/tables/3?name=Ada'    # held for five minutes
//! curl -i http://127.0.0.1:8000/tables/3                    # answers when it is free, or after half a minute
//! curl -i 'http://127.0.0.1:8000/kitchen?seconds=3'         # a kitchen that is asked for two seconds at most
//! ```
//!
//! The rule: time is asked of the context and of nobody else, so a test moves it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bakestone::machine::Moment;
use bakestone::{App, Context, Error, Path, Query, Result, State, StatusCode, Text, get};
use bakestone_std::{ServeError, Server};
use serde::Deserialize;

/// How long a table is held.
const HELD: Duration = Duration::from_secs(5 * 60);
/// How long somebody waits for a table in one request; less than any proxy waits.
const LONG_POLL: Duration = Duration::from_secs(30);
/// How long the kitchen may think.
const KITCHEN: Duration = Duration::from_secs(2);
const TABLES: u8 = 12;
const LONGEST_NAME: usize = 40;

#[derive(Clone)]
struct Held {
    name: String,
    until: Moment,
}

#[derive(Clone, Default)]
struct Tables(Arc<Mutex<BTreeMap<u8, Held>>>);

impl Tables {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u8, Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who has the table now, and until when. Nothing has to happen at that moment: it is compared with.
    fn holder(&self, table: u8, now: Moment) -> Option<Held> {
        self.lock().get(&table).filter(|held| held.until > now).cloned()
    }
}

#[derive(Deserialize)]
struct Guest {
    name: String,
}

fn checked(table: u8) -> Result<u8> {
    (1..=TABLES).contains(&table).then_some(table).ok_or_else(Error::not_found)
}

async fn hold(
    State(tables): State<Tables>,
    Path(table): Path<u8>,
    Query(guest): Query<Guest>,
    context: Context,
) -> Result<Text<String>> {
    let (table, now) = (checked(table)?, context.now().mono);
    if guest.name.is_empty() || guest.name.len() > LONGEST_NAME {
        return Err(Error::bad_request(format!("a name has 1 to {LONGEST_NAME} bytes")));
    }
    let mut all = tables.lock();
    match all.get(&table) {
        Some(held) if held.until > now && held.name != guest.name => Err(Error::conflict(format!(
            "{} has it for {} seconds",
            held.name,
            held.until.since(now).as_secs()
        ))),
        _ => {
            let answer =
                Text(format!("{}, table {table} is yours for {} seconds\n", guest.name, HELD.as_secs()));
            all.insert(table, Held { name: guest.name, until: now + HELD });
            Ok(answer)
        }
    }
}

/// Answers when the table is free; with 204 if it is not within half a minute, and the client asks again.
async fn wait(
    State(tables): State<Tables>,
    Path(table): Path<u8>,
    context: Context,
) -> Result<(StatusCode, Text<String>)> {
    let table = checked(table)?;
    let free = async {
        // Whoever has it may have said again that they want it.
        while let Some(held) = tables.holder(table, context.now().mono) {
            context.sleep_until(held.until).await;
        }
    };
    Ok(match context.timeout(LONG_POLL, free).await {
        Ok(()) => (StatusCode::OK, Text(format!("table {table} is free\n"))),
        Err(_) => (StatusCode::NO_CONTENT, Text(String::new())),
    })
}

#[derive(Deserialize)]
struct Thinks {
    seconds: u64,
}

/// Asks a kitchen that thinks for a while, but not for long.
async fn kitchen(Query(thinks): Query<Thinks>, context: Context) -> Result<Text<&'static str>> {
    let answer = async {
        context.sleep(Duration::from_secs(thinks.seconds)).await;
        Text("there is bread\n")
    };
    let late = |_| Error::gateway_timeout().with_message("the kitchen does not answer");
    context.timeout(KITCHEN, answer).await.map_err(late)
}

/// Nobody has set a deadline here, so the application's own ends it.
async fn forgotten(context: Context) -> Text<&'static str> {
    context.sleep(Duration::from_secs(3600)).await;
    Text("an hour later\n")
}

pub(crate) fn app() -> App {
    App::new()
        .state(Tables::default())
        .handler_time(Duration::from_secs(60))
        .route("/", get(|| Text("POST tables/3?name=Ada, GET tables/3, kitchen?seconds=3 or forgotten\n")))
        .route("/tables/{table:int}", get(wait).post(hold))
        .route("/kitchen", get(kitchen))
        .route("/forgotten", get(forgotten))
}

fn main() -> Result<(), ServeError> {
    let listening = |addresses: &[_]| eprintln!("listening on http://{}", addresses[0]);
    bakestone_tokio::run(app(), Server::new().address("127.0.0.1:8000").on_ready(listening))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bakestone_testkit::Client;

    const SECOND: Duration = Duration::from_secs(1);

    /// The clock moves when the test says so, and only then.
    #[test]
    fn a_table_is_held_for_five_minutes_to_the_second() {
        let client = Client::new(app());
        client.post("/tables/3?name=Ada").send().expect_text("Ada, table 3 is yours for 300 seconds\n");
        client.advance(HELD - SECOND);
        client
            .post("/tables/3?name=Bo")
            .send()
            .expect_status(409)
            .expect_contains("Ada has it for 1 seconds");
        client.advance(SECOND);
        client.post("/tables/3?name=Bo").send().expect_status(200);
    }

    /// A request that is started lets no time pass; whoever asks for its answer lets the clock go on, from deadline to
    /// deadline.
    #[test]
    fn whoever_waits_is_told_at_that_very_moment() {
        let client = Client::new(app());
        client.post("/tables/3?name=Ada").send();
        client.advance(HELD - 10 * SECOND);
        let waiting = client.get("/tables/3").start();
        assert!(!waiting.is_answered());
        client.advance(9 * SECOND);
        assert!(!waiting.is_answered());
        assert_eq!(client.advance_to_next_deadline(), Some(SECOND));
        waiting.response().expect_status(200).expect_text("table 3 is free\n");
    }

    #[test]
    fn every_wait_has_its_end() {
        for (path, seconds, status) in [
            ("/tables/3", 30, 204),
            ("/kitchen?seconds=2", 2, 200),
            ("/kitchen?seconds=3", 2, 504),
            ("/forgotten", 60, 503),
        ] {
            let client = Client::setup().timeout(60 * SECOND).start(app());
            client.post("/tables/3?name=Ada").send();
            let began = client.now().mono;
            client.get(path).send().expect_status(status);
            assert_eq!(client.now().mono.since(began), seconds * SECOND, "{path}");
        }
    }

    /// One who holds the table again in the meantime keeps it, and whoever waits goes on waiting.
    #[test]
    fn a_table_that_is_held_again_is_waited_for_again() {
        let client = Client::new(app());
        client.post("/tables/3?name=Ada").send();
        client.advance(HELD - 10 * SECOND);
        let waiting = client.get("/tables/3").start();
        client.post("/tables/3?name=Ada").send().expect_status(200);
        client.advance(29 * SECOND);
        assert!(!waiting.is_answered());
        client.advance(SECOND);
        waiting.response().expect_status(204);
    }

    #[test]
    fn what_cannot_be_held_is_refused() {
        let client = Client::new(app());
        let long = format!("/tables/3?name={}", "a".repeat(LONGEST_NAME + 1));
        for (path, status) in
            [("/tables/13?name=Ada", 404), ("/tables/3?name=", 400), ("/tables/3", 400), (&long, 400)]
        {
            client.post(path).send().expect_status(status);
        }
    }
}
