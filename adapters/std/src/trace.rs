//! What machines tell, for `tracing`: a span a connection, an event for whatever happens in it.
//!
//! | level | what |
//! |---|---|
//! | error | a panic, an error of 5xx, a response that cannot be sent, a body or a task that failed, tapes that cannot be written |
//! | warn | tasks that were dropped at the end of the drain |
//! | info | a request's record, as a line of an access log (target `bakestone::access`); what was refused |
//! | debug | connections, the beginning of requests, deadlines, other errors that were answered |

use std::sync::Arc;

use bakestone::machine::ConnectionInfo;
use bakestone::session::{Event, Observer};
use tracing::{Span, debug, debug_span, error, info, warn};

/// Turns what a server and its connections tell into spans and events of `tracing`.
///
/// ```
/// use bakestone_std::{Server, Tracing};
/// use std::sync::Arc;
///
/// let server = Server::new().address("127.0.0.1:0").observer(Arc::new(Tracing));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Tracing;

/// A connection's span.
struct Traced(Span);

impl Observer for Tracing {
    fn observe(&self, event: &Event<'_>) {
        tell(event);
    }

    fn connected(&self, connection: &ConnectionInfo) -> Option<Arc<dyn Observer>> {
        let peer = connection.peer.as_ref().map(tracing::field::display);
        Some(Arc::new(Traced(debug_span!(target: "bakestone", "connection", peer))))
    }
}

impl Observer for Traced {
    fn observe(&self, event: &Event<'_>) {
        self.0.in_scope(|| tell(event));
    }
}

fn tell(event: &Event<'_>) {
    match event {
        Event::ConnectionOpened(_) => debug!(target: "bakestone", "connection opened"),
        Event::ConnectionClosed(reason) => debug!(target: "bakestone", %reason, "connection closed"),
        Event::RequestStarted(record) => {
            debug!(target: "bakestone", method = %record.method, target = %record.target, "request started");
        }
        Event::RequestEnded(record) => info!(
            target: "bakestone::access",
            method = %record.method,
            target = %record.target,
            status = record.status.map(|status| status.as_u16()),
            bytes = record.bytes,
            microseconds = u64::try_from(record.time.as_micros()).unwrap_or(u64::MAX),
            complete = record.is_complete,
            "{record}"
        ),
        Event::Refused(refusal) => {
            info!(target: "bakestone", status = refusal.status.as_u16(), "refused: {refusal}")
        }
        Event::DeadlinePassed(which) => debug!(target: "bakestone", %which, "deadline passed"),
        #[cfg(feature = "tape")]
        Event::TapeLost(reason) => error!(target: "bakestone", reason, "tapes cannot be written"),
        Event::TasksDropped(count) => warn!(target: "bakestone", count, "tasks dropped"),
        Event::Panicked(entry, message) => error!(target: "bakestone", ?entry, message, "panicked"),
        Event::Failed(error) if error.status().is_server_error() => {
            error!(target: "bakestone", status = error.status().as_u16(), "failed: {error:#}")
        }
        Event::Failed(error) => {
            debug!(target: "bakestone", status = error.status().as_u16(), "failed: {error:#}")
        }
        Event::Misused(misuse) => error!(target: "bakestone", "the response cannot be sent: {misuse}"),
        Event::BodyFailed(error) => error!(target: "bakestone", "the response's body failed: {error}"),
        Event::TaskFailed(error) => error!(target: "bakestone", "the task failed: {error:#}"),
        other => debug!(target: "bakestone", "{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::{Debug, Write};
    use std::sync::Mutex;
    use std::task::{Context, Waker};

    use bakestone::machine::{Address, Io, Machine, Moment, Now, Peer};
    use bakestone::{Session, Text};
    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Metadata, Subscriber};

    /// Notes a line an event, and a line a span.
    #[derive(Default)]
    struct Lines(Arc<Mutex<Vec<String>>>);

    struct Line(String);

    impl Visit for Line {
        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            // The text of an event comes first, whatever the order.
            let result = match field.name() {
                "message" => write!(self.0, " {value:?}"),
                name => write!(self.0, " {name}={value:?}"),
            };
            result.expect("a string takes it");
        }
    }

    impl Subscriber for Lines {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }
        fn new_span(&self, span: &Attributes<'_>) -> Id {
            let mut line = Line(format!("span {}", span.metadata().name()));
            span.record(&mut line);
            self.0.lock().expect("no panic").push(line.0);
            Id::from_u64(1)
        }
        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, event: &tracing::Event<'_>) {
            let mut line = Line(format!("{} {}", event.metadata().level(), event.metadata().target()));
            event.record(&mut line);
            self.0.lock().expect("no panic").push(line.0);
        }
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    #[test]
    fn a_connection_is_a_span_and_its_requests_are_lines() {
        let lines = Arc::default();
        tracing::subscriber::with_default(Lines(Arc::clone(&lines)), || {
            let mut session = Session::new(|_| Text("hello")).observer(Arc::new(Tracing));
            let peer = Address::Ip(([127, 0, 0, 1], 4000).into());
            let mut io = Io::new(ConnectionInfo::new(Some(peer), None));
            io.input.extend_from_slice(b"GET /cake HTTP/1.1\r\nHost: a\r\n\r\nnonsense\r\n\r\n");
            let now = Now::new(Moment::ZERO, std::time::Duration::ZERO);
            let cx = &mut Context::from_waker(Waker::noop());
            let _ = session.step(now, &mut io, cx);
            io.peer = Peer::Gone;
            let _ = session.step(now, &mut io, cx);
        });
        let lines: Vec<String> = std::mem::take(&mut *lines.lock().expect("no panic"));
        let beginnings = [
            "span connection peer=127.0.0.1:4000",
            "DEBUG bakestone connection opened",
            "DEBUG bakestone request started method=GET target=/cake",
            "INFO bakestone::access GET /cake HTTP/1.1 200 ",
            "INFO bakestone refused: ",
            "DEBUG bakestone failed: ",
            "DEBUG bakestone connection closed reason=the peer's message was refused",
        ];
        assert_eq!(lines.len(), beginnings.len(), "{lines:#?}");
        for (line, beginning) in lines.iter().zip(beginnings) {
            assert!(line.starts_with(beginning), "{line}\n{beginning}");
        }
        assert!(lines[3].contains(" status=200 ") && lines[3].ends_with(" complete=true"), "{}", lines[3]);
    }
}
