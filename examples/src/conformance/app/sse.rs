//! The rows that send events.

use std::time::Duration;

use bakestone::{Context, Error, Event, Json, Result, Sse, Uri};
use serde::Deserialize;

use super::MOST_MS;
use super::query::number;

/// How many events a client may ask for.
const MOST_EVENTS: u64 = 1_000_000;

/// An event as a client asks for it.
#[derive(Deserialize)]
pub(super) struct Asked {
    event: Option<String>,
    id: Option<String>,
    data: Option<String>,
    /// In milliseconds.
    retry: Option<u64>,
    comment: Option<String>,
}

pub(super) fn events(context: Context, uri: Uri) -> Result<Sse> {
    let (count, ms) = (number(&uri, "events", 10, MOST_EVENTS)?, number(&uri, "ms", 0, MOST_MS)?);
    Ok(paced(&context, count, ms))
}

pub(super) fn ticks(context: Context, uri: Uri) -> Result<Sse> {
    let (count, ms) = (number(&uri, "n", 4, MOST_EVENTS)?, number(&uri, "ms", 250, MOST_MS)?);
    Ok(paced(&context, count, ms))
}

/// So many events, so many milliseconds apart.
fn paced(context: &Context, count: u64, ms: u64) -> Sse {
    let clock = context.clone();
    Sse::written(context, move |mut events| async move {
        for n in 1..=count {
            if n > 1 && ms > 0 {
                clock.sleep(Duration::from_millis(ms)).await;
            }
            let event = Event::data(format!(r#"{{"n":{n}}}"#)).event("tick").id(n.to_string());
            events.send(event).await?;
        }
        Ok(())
    })
}

/// Those events, if all of them can be sent.
pub(super) fn echo(context: Context, Json(asked): Json<Vec<Asked>>) -> Result<Sse> {
    let asked: Vec<Event> = asked.into_iter().map(Asked::into_event).collect();
    for event in &asked {
        event.encode().map_err(|error| Error::bad_request(error.to_string()))?;
    }
    Ok(Sse::written(&context, move |mut events| async move {
        for event in asked {
            events.send(event).await?;
        }
        Ok(())
    }))
}

impl Asked {
    fn into_event(self) -> Event {
        let mut event = Event::default();
        event.comment = self.comment.map(Into::into);
        event.event = self.event.map(Into::into);
        event.id = self.id.map(Into::into);
        event.retry = self.retry.map(Duration::from_millis);
        event.data = self.data.map(Into::into);
        event
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::wire;

    fn ask(target: &str, body: Option<&str>) -> String {
        let mut wire = wire();
        match body {
            None => wire.feed(format!("GET {target} HTTP/1.0\r\n\r\n")),
            Some(body) => wire.feed(format!(
                "POST {target} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )),
        };
        while wire.advance_to_next_deadline() && !wire.is_done() {}
        wire.take_text()
    }

    #[test]
    fn events_come_in_their_order_and_then_the_end() {
        for (target, body, expected) in [
            ("/sse?events=1", None, "id: 1\n"),
            ("/sse?events=2&ms=300", None, "\n\nevent: tick\nid: 2\ndata: {\"n\":2}\n\n"),
            ("/sse-ticks?n=3", None, "event: tick\nid: 3\ndata: {\"n\":3}\n\n"),
            (
                "/sse-echo",
                Some(r#"[{"event":"e","id":"1","data":"a\nb\r\nc","retry":5,"comment":"c"}]"#),
                "\r\n\r\n: c\nevent: e\nid: 1\nretry: 5\ndata: a\ndata: b\ndata: c\n\n",
            ),
            ("/sse-echo", Some("[]"), "\r\n\r\n"),
            ("/sse-echo", Some(r#"[{"data":"1"},{"event":"a\nb"}]"#), "HTTP/1.1 400 "),
            ("/sse-echo", Some(r#"[{"id":"a\u0000"}]"#), "HTTP/1.1 400 "),
            ("/sse-echo", Some("{}"), "HTTP/1.1 400 "),
        ] {
            let answer = ask(target, body);
            assert!(answer.contains(expected), "{target}: {answer}");
        }
    }
}
