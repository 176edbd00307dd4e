//! What an open socket holds while nothing happens.

use std::sync::Arc;
use std::task::{Context, Waker};

use bakestone::app::AppService;
use bakestone::machine::{Io, Machine, Memory, Now};
use bakestone::message::WebSocketUpgrade;
use bakestone::ws::DeflateOptions;
use bakestone::{App, Limits, Result, Session, get};
use bakestone_testkit::{Frame, WebSocketRequest};
use bytes::Buf;

use crate::counting;

/// A connection under a driver that lends what it has to the one whose turn it is.
struct Driven {
    io: Box<Io>,
    session: Box<Session<Arc<AppService>>>,
}

impl Driven {
    /// Feeds each piece in a turn of its own, and reads the answers.
    fn turn(&mut self, memory: &mut Memory, bytes: &[u8]) {
        let mut cx = Context::from_waker(Waker::noop());
        for piece in [bytes, b""] {
            self.io.lend(memory);
            self.io.input.reserve(16 << 10);
            self.io.input.extend_from_slice(piece);
            let _ = self.session.step(Now::default(), &mut self.io, &mut cx);
            self.io.output.advance(self.io.output.remaining());
            let _ = self.session.step(Now::default(), &mut self.io, &mut cx);
            self.io.give_back(memory);
        }
    }
}

async fn echo(upgrade: WebSocketUpgrade) -> Result<()> {
    let mut socket = upgrade.accept().await?;
    while let Some(message) = socket.receive().await? {
        socket.send(message).await?;
    }
    Ok(())
}

/// An idle socket owns no buffer, before and after it was used, compressed or not.
#[test]
fn an_idle_socket_keeps_at_most_2900_bytes() {
    let app = Arc::new(App::new().route("/", get(echo)).build().unwrap());
    let limits = Arc::new(Limits::default());
    let plain = WebSocketRequest::new("/");
    let compressed = plain.clone().deflate(DeflateOptions::default());
    let text = "bara brith ".repeat(1000);
    let talk =
        [Frame::text(&text), Frame::text(&text).fin(false), Frame::continuation("x"), Frame::ping("?")];
    let talk: Vec<u8> = talk.into_iter().flat_map(|frame| frame.masked([1, 2, 3, 4]).to_bytes()).collect();
    let mut memory = Memory::default();
    let mut kept = Vec::with_capacity(8);
    for (request, first) in [(&plain, true), (&compressed, true), (&plain, false), (&compressed, false)] {
        let before = counting::live();
        let session = Box::new(Session::with_limits(app.clone(), limits.clone()));
        let mut driven = Driven { io: Box::default(), session };
        driven.turn(&mut memory, &request.to_bytes());
        let fresh = counting::live() - before;
        driven.turn(&mut memory, &talk);
        let used = counting::live() - before;
        kept.push(driven);
        if first {
            // It leaves the memory that is lent.
            continue;
        }
        eprintln!("an idle socket keeps {fresh} bytes, and {used} after it was used");
        assert!(fresh <= 2900, "{fresh}");
        assert!(used <= fresh, "{used} of {fresh}");
    }
}
