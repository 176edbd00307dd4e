//! Connections recorded as tapes, and one of them replayed: `cargo run --bin replay`, then
//! `curl 'http://127.0.0.1:8000/price?grams=250'`, and look into the folder `tapes`.
//!
//! The rule: what a customer saw once, a test sees as often as it likes; so a bug that was met comes here as a tape, with
//! the answer that is right written into it by hand.

use bakestone::tape::{Recording, Redaction};
use bakestone::{App, Error, Query, Result, Text, get};
use bakestone_std::Server;
use bakestone_tokio::TapeFolder;
use serde::Deserialize;

#[derive(Deserialize)]
struct Order {
    grams: u32,
}

/// Bread is 64 pence for 100 grams, and a half penny is one.
fn price(Query(order): Query<Order>) -> Result<Text<String>> {
    // Here was `order.grams * 64`, until somebody wanted bread for a whole town: that tape is below.
    let pence = u64::from(order.grams).saturating_mul(64).div_ceil(100);
    match order.grams {
        0 => Err(Error::unprocessable("no bread is free, and so it is not sold")),
        grams => Ok(Text(format!("{grams} g: {}.{:02} pounds\n", pence / 100, pence % 100))),
    }
}

pub(crate) fn app() -> App {
    App::new()
        .route("/", get(|| Text("GET price?grams=250, and look at the tape\n")))
        .route("/price", get(price))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "tapes".to_owned());
    let recording = Recording::new(TapeFolder::new(&folder)?.bytes(64 << 20))
        // Every connection here; in production one in a thousand, or those of the client who has the bug.
        .every(1)
        .redaction(Redaction::default().field("x-api-key"));
    let listening =
        move |addresses: &[_]| eprintln!("listening on http://{}, tapes in {folder}", addresses[0]);
    let server = Server::new().address("127.0.0.1:8000").record(recording).on_ready(listening);
    Ok(bakestone_tokio::run(app(), server)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bakestone::Session;
    use bakestone_testkit::tape::{self, ReplayError};
    use bakestone_testkit::{Replay, Script};

    /// The answer was a 500, as the tape of that day said. Now it says what is right.
    const FOR_A_TOWN: &str = r"tape 1
wall 1704067200s
mono 83.2s
peer 192.0.2.7:40022
seed 0

@ 0s
@ 12.5ms
> GET /price?grams=100000000 HTTP/1.1\r\n
  Host: bread.example\r\n
  Cookie: xxxxxxxxxxx\r\n
  \r\n
< HTTP/1.1 200 OK\r\n
  date: Mon, 01 Jan 2024 00:00:00 GMT\r\n
  content-type: text/plain; charset=utf-8\r\n
  content-length: 30\r\n
  \r\n
  100000000 g: 640000.00 pounds\n
# end
";

    #[test]
    fn the_bread_for_a_town_has_its_price() {
        Replay::parse(FOR_A_TOWN).unwrap().app(app()).unwrap();
    }

    /// What the test says once somebody changes the price.
    #[test]
    fn another_answer_is_told_with_its_place() {
        let other = FOR_A_TOWN.replace("640000.00", "999999.99");
        let Err(ReplayError::Diverged(divergence)) = Replay::parse(&other).unwrap().app(app()) else {
            panic!("it is as before");
        };
        assert!(divergence.to_string().contains("640000.00"), "{divergence}");
    }

    #[test]
    fn what_is_recorded_is_replayed_to_its_end() {
        let ask =
            "GET /price?grams=250 HTTP/1.1\r\nHost: a\r\n\r\nGET /price?grams=0 HTTP/1.1\r\nHost: a\r\n\r\n";
        let text = tape::record(Session::new(app().build().unwrap()), &Script::bytes(ask));
        assert!(text.contains("250 g: 1.60 pounds"), "{text}");
        let replayed = Replay::parse(&text).unwrap().app(app()).unwrap();
        assert!(String::from_utf8(replayed.output).unwrap().contains("422 Unprocessable"));
    }
}
