//! Bakestone's side: an application in a session, driven as the adapters drive it.
//!
//! The rule: handlers are written as a user writes them, and between two turns the connection owns no memory of the driver's.

use std::io::IoSlice;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use bakestone::app::{AppService, BuildErrors};
use bakestone::machine::{Io, Machine, Memory, Moment, Now, Phase, Read};
use bakestone::message::WebSocketUpgrade;
use bakestone::{App, Json, Path, Request, Result, Session, Text, get, post};
use bytes::{Buf, Bytes};

use crate::peers::Order;
use crate::sides::Side;
use crate::wire::{Woken, Written};

/// How much the adapters read at once, in bytes.
const READ_AT_ONCE: usize = 16 << 10;
/// How many slices they write at once.
const SLICES: usize = 16;
/// How far the clock goes on with each turn.
const TURN: Duration = Duration::from_micros(100);

async fn user_post(Path((user, post)): Path<(String, u64)>) -> Text<String> {
    Text(format!("{user} {post}"))
}

async fn json(Json(order): Json<Order>) -> Json<Order> {
    Json(order)
}

async fn body(mut request: Request) -> Result<Text<Bytes>> {
    Ok(Text(request.bytes().await?))
}

async fn websocket(upgrade: WebSocketUpgrade) -> Result<()> {
    let mut socket = upgrade.accept().await?;
    while let Some(message) = socket.receive().await? {
        socket.send(message).await?;
    }
    Ok(())
}

fn app() -> Result<AppService, BuildErrors> {
    App::new()
        .route("/plaintext", get(async || Text("Hello, World!")))
        .route("/users/{user}/posts/{post}", get(user_post))
        .route("/json", post(json))
        .route("/body", post(body))
        .route("/ws", get(websocket))
        .build()
}

/// A connection, and the memory of its driver.
pub(crate) struct Ours {
    session: Session<AppService>,
    io: Io,
    memory: Memory,
    time: Duration,
    woken: Arc<Woken>,
    waker: Waker,
}

impl Ours {
    pub(crate) fn new() -> Self {
        let woken = Arc::new(Woken::default());
        Self {
            session: Session::new(app().expect("the routes are right")),
            io: Io::default(),
            memory: Memory::default(),
            time: Duration::ZERO,
            waker: woken.clone().into(),
            woken,
        }
    }

    fn rounds(&mut self, now: Now, written: &mut Written) {
        let mut cx = Context::from_waker(&self.waker);
        loop {
            let wants = self.session.step(now, &mut self.io, &mut cx);
            assert_eq!(wants.phase, Phase::Open);
            let mut wrote = false;
            while self.io.output.has_remaining() {
                let mut slices = [IoSlice::new(&[]); SLICES];
                let filled = self.io.output.chunks_vectored(&mut slices);
                let count = written.take(&slices[..filled]);
                self.io.output.advance(count);
                wrote = true;
            }
            if !wrote && !self.woken.take() {
                assert_eq!(wants.read, Read::Need);
                break;
            }
        }
    }
}

impl Side for Ours {
    fn turn(&mut self, input: &'static [u8], written: &mut Written) {
        self.time += TURN;
        let now = Now::new(Moment::from_epoch(self.time), self.time);
        self.io.lend(&mut self.memory);
        for piece in input.chunks(READ_AT_ONCE) {
            self.io.input.reserve(READ_AT_ONCE);
            self.io.input.extend_from_slice(piece);
            self.rounds(now, written);
        }
        self.io.give_back(&mut self.memory);
    }
}
