//! Background jobs with a live page: `cargo run --bin jobs`, then <http://127.0.0.1:8000>, or
//!
//! ```console
//! curl -i http://127.0.0.1:8000/jobs -H 'Content-Type: application/json' -d '{"loaves": 3}'
//! curl http://127.0.0.1:8000/jobs/1
//! curl -N http://127.0.0.1:8000/events
//! ```
//!
//! The rule: a request only puts a job into the queue; a task bakes it that no request waits for, and that ends between two
//! loaves when the server stops. The queue has a bound, and what is done is forgotten after a while.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bakestone::app::{Embedded, StaticFiles};
use bakestone::machine::Moment;
use bakestone::message::{Broadcast, Overflow, ReceiveError};
use bakestone::{
    App, Context, Error, Event, HeaderMap, HeaderValue, Json, Path, Result, Sse, State, StatusCode, get,
    header,
};
use bakestone_std::{ServeError, Server};
use serde::{Deserialize, Serialize};

/// How many jobs are baked at a time, and how many there may be in all.
const OVENS: usize = 2;
const JOBS: usize = 20;
const MOST_LOAVES: u32 = 20;
/// How long a loaf takes, and how long a job that is over is remembered.
const LOAF: Duration = Duration::from_secs(1);
const REMEMBERED: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Stage {
    Waiting,
    Baking,
    Baked,
    Stopped,
}

#[derive(Clone, Serialize)]
struct Job {
    id: u64,
    loaves: u32,
    baked: u32,
    stage: Stage,
    #[serde(skip)]
    over_at: Option<Moment>,
}

#[derive(Deserialize)]
struct Order {
    loaves: u32,
}

struct Bakery {
    kept: Mutex<Kept>,
    /// Says that something is another way now. Whoever is slow is told once for all that was.
    changed: Broadcast<()>,
}

#[derive(Default)]
struct Kept {
    jobs: BTreeMap<u64, Job>,
    last: u64,
    /// Ovens with somebody at them.
    busy: usize,
}

impl Bakery {
    fn new() -> Self {
        Self { kept: Mutex::default(), changed: Broadcast::new(1, Overflow::DropOldest) }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a job into the queue; whether there is an oven for it that nobody is at.
    fn order(&self, loaves: u32) -> Option<(Job, bool)> {
        let mut kept = self.kept();
        if kept.jobs.len() >= JOBS {
            return None;
        }
        kept.last += 1;
        let job = Job { id: kept.last, loaves, baked: 0, stage: Stage::Waiting, over_at: None };
        kept.jobs.insert(job.id, job.clone());
        let is_free = kept.busy < OVENS;
        kept.busy += usize::from(is_free);
        Some((job, is_free))
    }

    /// The next of the queue. Whoever asks leaves the oven when there is none.
    fn next(&self) -> Option<(u64, u32)> {
        let mut kept = self.kept();
        let waiting = kept.jobs.values_mut().find(|job| job.stage == Stage::Waiting);
        let next = waiting.map(|job| {
            job.stage = Stage::Baking;
            (job.id, job.loaves)
        });
        kept.busy -= usize::from(next.is_none());
        next
    }

    /// Changes a job, and tells everybody.
    fn update(&self, id: u64, change: impl FnOnce(&mut Job)) {
        self.kept().jobs.get_mut(&id).map(change);
        self.tell();
    }

    fn tell(&self) {
        // Nobody is waited for, so there is always room.
        let _ = self.changed.try_send(());
    }

    /// Forgets what is over for a while.
    fn sweep(&self, now: Moment) {
        self.kept().jobs.retain(|_, job| job.over_at.is_none_or(|at| now.since(at) < REMEMBERED));
        self.tell();
    }

    fn all(&self) -> Vec<Job> {
        self.kept().jobs.values().rev().cloned().collect()
    }
}

/// Bakes until the queue is empty.
async fn bake(bakery: Arc<Bakery>, context: Context) {
    while let Some((id, loaves)) = bakery.next() {
        for baked in 1..=loaves {
            if context.is_draining() {
                break;
            }
            context.sleep(LOAF).await;
            bakery.update(id, |job| job.baked = baked);
        }
        let now = context.now().mono;
        bakery.update(id, |job| {
            job.stage = if job.baked == loaves { Stage::Baked } else { Stage::Stopped };
            job.over_at = Some(now);
        });
    }
}

async fn order(
    State(bakery): State<Arc<Bakery>>,
    context: Context,
    Json(order): Json<Order>,
) -> Result<(StatusCode, HeaderMap, Json<Job>)> {
    if !(1..=MOST_LOAVES).contains(&order.loaves) {
        return Err(Error::unprocessable(format!("1 to {MOST_LOAVES} loaves")));
    }
    let full = || Error::unavailable().with_header(header::RETRY_AFTER, HeaderValue::from(60));
    let (job, is_free) = bakery.order(order.loaves).ok_or_else(full)?;
    bakery.tell();
    if is_free {
        let baker = bakery.clone();
        context.spawn(move |context| bake(baker, context))?;
    }
    // A relative reference, so that it holds wherever this is mounted.
    let place = HeaderValue::try_from(format!("jobs/{}", job.id))?;
    Ok((StatusCode::ACCEPTED, HeaderMap::from_iter([(header::LOCATION, place)]), Json(job)))
}

async fn list(State(bakery): State<Arc<Bakery>>) -> Json<Vec<Job>> {
    Json(bakery.all())
}

async fn show(State(bakery): State<Arc<Bakery>>, Path(id): Path<u64>) -> Result<Json<Job>> {
    let job = bakery.kept().jobs.get(&id).cloned();
    Ok(Json(job.ok_or_else(Error::not_found)?))
}

/// All jobs, at once and after each change.
async fn events(State(bakery): State<Arc<Bakery>>, context: Context) -> Sse {
    let mut changed = bakery.changed.subscribe();
    Sse::written(&context, |mut events| async move {
        loop {
            events.send(Event::json(&bakery.all())?).await?;
            match changed.receive().await {
                Ok(()) | Err(ReceiveError::Missed(_)) => {}
                Err(_) => return Ok(()),
            }
        }
    })
}

fn page() -> StaticFiles {
    let files = Embedded::new()
        .with("index.html", include_str!("jobs/page.html"))
        .with("page.js", include_str!("jobs/page.js"))
        .with("style.css", include_str!("tour/style.css"))
        .with("icon.svg", include_str!("tour/icon.svg"));
    let policy = HeaderValue::from_static("default-src 'self'");
    StaticFiles::new(files).index("index.html").header(header::CONTENT_SECURITY_POLICY, policy)
}

pub(crate) fn app() -> App {
    let bakery = Arc::new(Bakery::new());
    let swept = bakery.clone();
    App::new()
        .state(bakery)
        .every(Duration::from_secs(10), move |context| {
            swept.sweep(context.now().mono);
            async {}
        })
        .route("/jobs", get(list).post(order))
        .route("/jobs/{id:int}", get(show))
        .route("/events", get(events))
        .files("/", page())
}

fn main() -> Result<(), ServeError> {
    let listening = |addresses: &[_]| eprintln!("listening on http://{}", addresses[0]);
    bakestone_tokio::run(app(), Server::new().address("127.0.0.1:8000").on_ready(listening))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bakestone_testkit::Client;
    use serde_json::{Value, json};

    fn order(client: &Client, loaves: u32) {
        client.post("/jobs").json(&json!({"loaves": loaves})).send().expect_status(202);
    }

    fn job(id: u64, loaves: u32, baked: u32, stage: &str) -> Value {
        json!({"id": id, "loaves": loaves, "baked": baked, "stage": stage})
    }

    #[test]
    fn a_job_outlives_its_request_and_is_forgotten_after_a_minute() {
        let client = Client::new(app());
        let mut accepted = client.post("/jobs").json(&json!({"loaves": 3})).send();
        accepted.expect_status(202).expect_header("location", "jobs/1").expect_json(&job(1, 3, 0, "waiting"));
        for (seconds, expected) in
            [(0, job(1, 3, 0, "baking")), (2, job(1, 3, 2, "baking")), (1, job(1, 3, 3, "baked"))]
        {
            client.advance(Duration::from_secs(seconds));
            client.get("/jobs/1").send().expect_status(200).expect_json(&expected);
        }
        client.advance(Duration::from_secs(57)).get("/jobs/1").send().expect_status(200);
        client.advance(Duration::from_secs(10)).get("/jobs/1").send().expect_status(404);
    }

    #[test]
    fn two_are_baked_at_a_time_in_their_order() {
        let client = Client::new(app());
        (0..3).for_each(|_| order(&client, 2));
        client.advance(Duration::from_secs(1));
        let expected = [job(3, 2, 0, "waiting"), job(2, 2, 1, "baking"), job(1, 2, 1, "baking")];
        client.get("/jobs").send().expect_json(&json!(expected));
        client.advance(Duration::from_secs(1)).get("/jobs/3").send().expect_json(&job(3, 2, 0, "baking"));
    }

    #[test]
    fn whoever_listens_is_told_of_each_change() {
        let client = Client::new(app());
        order(&client, 2);
        let events = client.get("/events").send().sse().take(3);
        let told: Vec<Value> = events.map(|event| serde_json::from_str(&event.data).unwrap()).collect();
        // What changes at one moment is told at once.
        let expected = [(0, "baking"), (1, "baking"), (2, "baked")];
        assert_eq!(told, expected.map(|(baked, stage)| json!([job(1, 2, baked, stage)])));
    }

    #[test]
    fn what_is_too_much_is_refused() {
        let client = Client::new(app());
        for (loaves, status) in [(0, 422), (MOST_LOAVES + 1, 422)] {
            client.post("/jobs").json(&json!({"loaves": loaves})).send().expect_status(status);
        }
        (0..JOBS).for_each(|_| order(&client, MOST_LOAVES));
        let mut full = client.post("/jobs").json(&json!({"loaves": 1})).send();
        full.expect_status(503).expect_header("retry-after", "60");
    }

    #[test]
    fn a_server_that_stops_waits_for_the_loaf_that_is_in_the_oven() {
        let client = Client::new(app());
        (0..3).for_each(|_| order(&client, MOST_LOAVES));
        let began = client.now().mono;
        client.shutdown();
        assert_eq!(client.now().mono.since(began), LOAF);
        assert!(client.task_failures().is_empty());
    }
}
