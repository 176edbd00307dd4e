//! Lines of JSON, streamed both ways: `cargo run --bin json-lines`, then
//!
//! ```console
//! curl -N http://127.0.0.1:8000/readings
//! (echo '{"grams": 250}'; sleep 2; echo '{"grams": 50}') | curl -NT- -X POST http://127.0.0.1:8000/weigh
//! ```
//!
//! The rule: each line is a whole value, taken as soon as it is there; none is longer than it may be, and what is wrong with
//! one is said in a last line, since the status has long gone out.

use std::time::Duration;

use bakestone::error::LimitExceeded;
use bakestone::{App, Body, Bytes, Context, HeaderValue, Request, Response, Result, Text, get, header, post};
use bakestone_std::{ServeError, Server};
use bytes::BytesMut;
use serde::{Deserialize, Serialize};

/// Bytes of a line.
const LONGEST: usize = 4 << 10;

/// The lines of a body, one by one.
struct Lines {
    /// `None` once it has ended.
    body: Option<Body>,
    buffer: BytesMut,
}

impl Lines {
    fn new(body: Body) -> Self {
        Self { body: Some(body), buffer: BytesMut::new() }
    }

    /// The next line that is not empty; `None` after the last, which may lack its end.
    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(end + 1).freeze();
                match line.trim_ascii().is_empty() {
                    true => continue,
                    false => return Ok(Some(line)),
                }
            }
            if self.buffer.len() > LONGEST {
                return Err(LimitExceeded::new("line_bytes", LONGEST as u64, self.buffer.len() as u64).into());
            }
            let Some(body) = &mut self.body else {
                let last = self.buffer.split().freeze();
                return Ok(Some(last).filter(|line| !line.trim_ascii().is_empty()));
            };
            match body.chunk().await? {
                Some(piece) => self.buffer.extend_from_slice(&piece),
                None => self.body = None,
            }
        }
    }
}

#[derive(Deserialize)]
struct Weight {
    grams: u32,
}

/// What a line is answered with.
#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Total { pieces: u64, grams: u64 },
    Error { error: String },
}

fn line(value: &impl Serialize) -> Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
}

fn lines(body: Body) -> Response {
    Response::new(body).with_header(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"))
}

/// Answers each line with the total up to there, while the next ones are still to come.
async fn weigh(request: Request) -> Response {
    let mut weights = Lines::new(request.into_body());
    lines(Body::written(|mut out| async move {
        let (mut pieces, mut total) = (0, 0);
        loop {
            let weight = match weights.next().await {
                Ok(Some(line)) => serde_json::from_slice::<Weight>(&line).map_err(|error| error.to_string()),
                Ok(None) => return Ok(()),
                Err(error) => Err(error.message().to_owned()),
            };
            let Weight { grams } = match weight {
                Ok(weight) => weight,
                Err(error) => return Ok(out.send(line(&Answer::Error { error })?).await?),
            };
            (pieces, total) = (pieces + 1, total + u64::from(grams));
            out.send(line(&Answer::Total { pieces, grams: total })?).await?;
        }
    }))
}

#[derive(Serialize)]
struct Reading {
    minute: u32,
    degrees: u32,
}

/// Ten readings, one a second.
async fn readings(context: Context) -> Response {
    lines(Body::written(|mut out| async move {
        for minute in 1..=10 {
            out.send(line(&Reading { minute, degrees: 20 + 18 * minute })?).await?;
            context.sleep(Duration::from_secs(1)).await;
        }
        Ok(())
    }))
}

pub(crate) fn app() -> App {
    App::new()
        .route("/", get(|| Text("GET readings, and POST lines such as {\"grams\": 250} to weigh\n")))
        .route("/readings", get(readings))
        .route("/weigh", post(weigh))
}

fn main() -> Result<(), ServeError> {
    let listening = |addresses: &[_]| eprintln!("listening on http://{}", addresses[0]);
    bakestone_tokio::run(app(), Server::new().address("127.0.0.1:8000").on_ready(listening))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bakestone_testkit::Client;

    #[test]
    fn each_line_is_answered_before_the_next_one_comes() {
        let client = Client::new(app());
        let mut weighing = client.post("/weigh").body_by_hand().start();
        weighing.write("{\"grams\": 250}\n{\"gra");
        let mut answer = weighing.response();
        answer.expect_status(200).expect_header("content-type", "application/x-ndjson");
        assert_eq!(answer.ready(), "{\"pieces\":1,\"grams\":250}\n");
        assert_eq!(answer.write("ms\": 50}\n\n").ready(), "{\"pieces\":2,\"grams\":300}\n");
        assert_eq!(answer.write("{\"grams\": 1}").ready(), "");
        answer.end().expect_text("{\"pieces\":3,\"grams\":301}\n");
    }

    #[test]
    fn what_is_wrong_is_said_in_the_last_line() {
        let long = format!("{{\"grams\": {}", " ".repeat(LONGEST));
        for (sent, told) in [
            ("{\"grams\": 1}\n{\"grams\": -1}\n", "invalid value"),
            ("{}\n", "missing field"),
            (&*long, "line_bytes is 4096"),
        ] {
            let mut answer = Client::new(app()).post("/weigh").body(sent.to_owned()).send();
            let text = answer.expect_status(200).text();
            let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
            assert!(last["error"].as_str().unwrap().contains(told), "{text}");
        }
    }

    #[test]
    fn a_reading_comes_each_second() {
        let client = Client::new(app());
        let began = client.now().mono;
        let lines: Vec<Bytes> = client.get("/readings").send().stream().collect();
        assert_eq!((lines.len(), &*lines[0]), (10, &b"{\"minute\":1,\"degrees\":38}\n"[..]));
        assert_eq!(client.now().mono.since(began), Duration::from_secs(10));
    }
}
