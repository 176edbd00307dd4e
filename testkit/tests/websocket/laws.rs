//! The nine laws, for a connection that becomes a WebSocket.

use std::task::Context;

use bakestone::Session;
use bakestone::app::AppService;
use bakestone::machine::{Io, Machine, Now, Wants};
use bakestone::message::{Overflow, WebSocket, WebSocketOptions};
use bakestone::ws::DeflateOptions;
use bakestone_testkit::{
    Bounds, Frame, Received, Script, WebSocketRequest, Wire, check, laws_within, splits,
};

use crate::{HOUR, Log, SECOND, app_with};

fn masked(frames: &[Frame]) -> Vec<u8> {
    frames.iter().flat_map(|frame| frame.clone().masked([1, 2, 3, 4]).to_bytes()).collect()
}

/// What a peer may say after the handshake, and what it may not.
fn talks() -> Vec<(&'static str, Vec<u8>)> {
    let talk = [
        Frame::text("bara brith"),
        Frame::ping("?"),
        Frame::text("b\u{fc}").fin(false),
        Frame::pong(""),
        Frame::continuation("ch").fin(false),
        Frame::continuation("er"),
        Frame::binary([0; 200]),
        Frame::text(""),
    ];
    let with = |end: Frame| masked(&[&talk[..], &[end]].concat());
    vec![
        ("open", masked(&talk)),
        ("closed", with(Frame::close(1000, "done"))),
        ("closed without a code", with(Frame::new(8, ""))),
        ("reserved", with(Frame::text("x").rsv(2))),
        ("not UTF-8", with(Frame::text(b"abc\xffdef"))),
        ("too big", with(Frame::binary("").declared_length(1 << 40))),
        ("unmasked", [masked(&talk), Frame::text("x").to_bytes()].concat()),
        ("a request", [masked(&talk), b"GET / HTTP/1.1\r\n\r\n".to_vec()].concat()),
    ]
}

fn session() -> Session<AppService> {
    Session::new(app_with(|_| (), |socket, _| crate::echo(socket, Log::default())).build().unwrap())
}

/// All that the peer sees is the same to the byte, whatever was done: pongs, too, since each ping of these is answered
/// before the next comes.
#[test]
fn an_echo_keeps_all_laws() {
    for (_, talk) in talks().into_iter().step_by(2) {
        let script = Script::bytes([WebSocketRequest::new("/").to_bytes(), talk].concat());
        let mut bounds = Bounds::default();
        bounds.mutations = 20;
        laws_within(session, script, &bounds);
    }
}

#[test]
fn so_does_one_that_is_compressed_and_one_that_gives_up() {
    let request = WebSocketRequest::new("/").deflate(DeflateOptions::default());
    let mut bounds = Bounds::default();
    bounds.mutations = 20;
    let set = |options: &mut WebSocketOptions| {
        options.compress_from = 0;
        (options.overflow, options.queue_bytes) = (Overflow::Close, 200);
    };
    let talk = Script::bytes(request.to_bytes()).feed(masked(&[Frame::text("aaaaaaaaaa")]));
    let talk = talk
        .advance(40 * SECOND)
        .feed(masked(&[Frame::pong("")]))
        .drain()
        .feed(masked(&[Frame::close(1001, "")]));
    let echo = move || {
        let app = app_with(set, |socket, _| crate::echo(socket, Log::default()));
        Session::new(app.build().unwrap())
    };
    laws_within(echo, &talk, &bounds);
    let flood = move || {
        let app = app_with(set, |mut socket: WebSocket, context| async move {
            while socket.receive().await?.is_some() {
                for number in 0..100u32 {
                    socket.send(format!("{number:>50}")).await?;
                }
                context.sleep(SECOND).await;
            }
            Ok(())
        });
        Session::new(app.build().unwrap())
    };
    laws_within(flood, &talk, &bounds);
}

/// A connection whose handshake has come already, so that a script says only what follows, as often as the laws like.
struct Opened {
    session: Session<AppService>,
    handshake: Vec<u8>,
}

impl Machine for Opened {
    fn step(&mut self, now: Now, io: &mut Io, cx: &mut Context<'_>) -> Wants {
        let handshake = std::mem::take(&mut self.handshake);
        if !handshake.is_empty() {
            let rest = io.input.split();
            io.input.extend_from_slice(&handshake);
            io.input.extend_from_slice(&rest);
        }
        self.session.step(now, io, cx)
    }
}

#[test]
fn a_flood_of_frames_is_taken_in_bounded_steps_and_memory() {
    let compressed = b"\xaa\x56\x2a\xc8\x48\x2c\x4e\x05\x00";
    let talks: [(&str, Vec<Frame>); 5] = [
        ("pings", vec![Frame::ping([b'x'; 125])]),
        ("texts", vec![Frame::text("bara brith")]),
        ("nothings", vec![Frame::text("")]),
        (
            "fragments",
            vec![Frame::binary("").fin(false), Frame::continuation("x").fin(false), Frame::continuation("")],
        ),
        ("compressed", vec![Frame::binary(compressed).rsv(4)]),
    ];
    for (name, talk) in talks {
        for receives in [true, false] {
            let make = || {
                let app = app_with(
                    |_| (),
                    move |socket, _| async move {
                        match receives {
                            true => crate::echo(socket, Log::default()).await,
                            false => {
                                let _kept = socket;
                                std::future::pending().await
                            }
                        }
                    },
                );
                let request = WebSocketRequest::new("/").deflate(DeflateOptions::default());
                Opened { session: Session::new(app.build().unwrap()), handshake: request.to_bytes() }
            };
            let mut bounds = Bounds::default();
            bounds.mutations = 10;
            bounds.memory = Some(crate::counting::live);
            // Just more than a step takes.
            bounds.flood = 300 << 10;
            let checked = check(make, &masked(&talk)[..], &bounds);
            assert!(checked.is_ok(), "{name}, {receives}: {}", checked.unwrap_err());
        }
    }
}

/// The messages, the fate and the moment of each are the same however the bytes were cut.
#[test]
fn wherever_the_network_cuts_the_same_is_received_and_answered() {
    for (name, talk) in talks() {
        let request = WebSocketRequest::new("/");
        let bytes = [request.to_bytes(), talk].concat();
        let run = |pieces: &[&[u8]]| {
            let log = Log::default();
            let told = log.clone();
            let app = app_with(
                |_| (),
                move |mut socket: WebSocket, _| {
                    let told = told.clone();
                    async move {
                        loop {
                            let message = socket.receive().await.map_err(|error| error.to_string());
                            told.note(&message);
                            let Ok(Some(message)) = message else { break Ok(()) };
                            socket.send(message).await?;
                        }
                    }
                },
            );
            let mut wire = Wire::new(Session::new(app.build().unwrap()));
            for piece in pieces {
                wire.feed(piece);
            }
            let fate = wire.fate();
            let mut client = request.answered(wire).unwrap();
            let events: Vec<Received> = std::iter::from_fn(|| client.next_event()).collect();
            client.wire_mut().advance(HOUR).expect_closed();
            (std::mem::take(&mut *log.0.lock().unwrap()), fate, events)
        };
        let whole = run(&[&bytes]);
        assert!(whole.2.len() > 4, "{name}: {:?}", whole.2);
        for pieces in splits(&bytes) {
            assert_eq!(
                run(&pieces),
                whole,
                "{name}: {:?}",
                pieces.iter().map(|piece| piece.len()).collect::<Vec<_>>()
            );
        }
    }
}
