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
    use std::time::Duration;

    use bakestone_testkit::Client;

    use super::super::tests::service;

    #[test]
    fn events_come_one_by_one_at_their_times_and_then_the_end() {
        let client = Client::new(service());
        for (target, count, pause) in [
            ("/sse", 10, 0),
            ("/sse?events=0", 0, 0),
            ("/sse?events=1&ms=300", 1, 0),
            ("/sse?events=2&ms=300", 2, 300),
            ("/sse-ticks", 4, 250),
            ("/sse-ticks?n=3&ms=5", 3, 5),
        ] {
            let mut response = client.get(target).send();
            response.expect_status(200).expect_header("content-type", "text/event-stream");
            let (mut events, mut came_at) = (response.sse(), client.now().mono);
            for n in 1..=count {
                let event = events.next().unwrap();
                let told = (&*event.event, &*event.data, &*event.last_event_id);
                assert_eq!(told, ("tick", &*format!(r#"{{"n":{n}}}"#), &*n.to_string()), "{target}");
                let now = client.now().mono;
                let expected = if n > 1 { Duration::from_millis(pause) } else { Duration::ZERO };
                assert_eq!(now.since(came_at), expected, "{target}: {n}");
                came_at = now;
            }
            assert_eq!(events.next(), None, "{target}");
        }
    }

    #[test]
    fn events_that_were_asked_for_are_written_as_they_are() {
        let client = Client::new(service());
        for (asked, written) in [
            (
                r#"[{"event":"e","id":"1","data":"a\nb\r\nc","retry":5,"comment":"c"}]"#,
                ": c\nevent: e\nid: 1\nretry: 5\ndata: a\ndata: b\ndata: c\n\n",
            ),
            (r#"[{"data":"1"},{"id":"2"}]"#, "data: 1\n\nid: 2\n\n"),
            ("[]", ""),
        ] {
            let request = client.post("/sse-echo").header("content-type", "application/json").body(asked);
            request.send().expect_status(200).expect_text(written);
        }
    }

    #[test]
    fn what_no_event_can_be_is_refused() {
        let client = Client::new(service());
        for asked in [r#"[{"data":"1"},{"event":"a\nb"}]"#, r#"[{"id":"a\u0000"}]"#, "{}"] {
            let request = client.post("/sse-echo").header("content-type", "application/json").body(asked);
            request.send().expect_status(400);
        }
    }
}
