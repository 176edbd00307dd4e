//! Compressed messages, from end to end.

use bakestone::machine::Output;
use bakestone::ws::{Codecs, Config, Conn, DeflateParams, Event, Message, Prepared, Reason, Role};
use bytes::BytesMut;

use crate::cases::fresh;
use crate::seed::Random;
use crate::wire::Wire;
use crate::{CLIENT, End, read, written};

/// Windows of several sizes, with and without takeover.
fn agreements() -> impl Iterator<Item = DeflateParams> {
    [9_u8, 12, 15].into_iter().flat_map(|bits| {
        [(true, true), (true, false), (false, true), (false, false)].map(|(server, client)| {
            let mut params = DeflateParams::default();
            (params.server_no_context_takeover, params.client_no_context_takeover) = (server, client);
            (params.server_max_window_bits, params.client_max_window_bits) = (bits, 24 - bits);
            params
        })
    })
}

fn config(deflate: DeflateParams) -> Config {
    let mut config = Config::default();
    (config.deflate, config.compress_from) = (Some(deflate), 0);
    config
}

fn messages() -> Vec<Message> {
    let mut random = Random::new(7);
    let noise = (0..5000).map(|_| random.next() as u8).collect::<Vec<_>>();
    vec![
        Message::from("bara brith, welsh cakes, bara brith"),
        Message::from("bara brith, welsh cakes, bara brith"),
        Message::from(""),
        Message::from("x".repeat(100_000)),
        Message::from(noise.clone()),
        Message::from(noise),
        Message::from(vec![]),
        Message::from("ü€🍞".repeat(1000)),
    ]
}

#[test]
fn messages_come_back_under_every_agreement() {
    for (agreed, (from, to)) in agreements()
        .flat_map(|agreed| [(Role::Server, CLIENT), (CLIENT, Role::Server)].map(|ends| (agreed, ends)))
    {
        let mut conn = Conn::new(from, config(agreed));
        let (mut output, mut codecs) = (Output::default(), Codecs::default());
        for message in messages() {
            conn.lend(&mut codecs);
            conn.send(&message, &mut output).unwrap();
            conn.give_back(&mut codecs);
        }
        let bytes = written(&mut output);
        let read = read(to, &config(agreed), bytes.chunks(777));
        let expected: Vec<Event> = messages().into_iter().map(Event::Message).collect();
        assert_eq!((read.events, read.end), (expected, End::Idle), "{agreed:?}");
    }
}

#[test]
fn what_is_kept_makes_the_second_message_shorter() {
    for (agreed, is_shorter) in [(DeflateParams::default(), true), (fresh(), false)] {
        let (mut conn, mut output) = (Conn::new(Role::Server, config(agreed)), Output::default());
        let mut send = || {
            conn.send(&messages()[0], &mut output).unwrap();
            written(&mut output).len()
        };
        let (first, second) = (send(), send());
        assert_eq!(second < first, is_shorter, "{first} and {second} bytes");
    }
}

#[test]
fn what_is_short_or_grows_is_sent_as_it_is() {
    let (noise, mut config) = (messages()[4].clone(), config(fresh()));
    config.compress_from = 36;
    let mut conn = Conn::new(Role::Server, config);
    let mut output = Output::default();
    for (message, first) in [(&messages()[0], 0x81), (&noise, 0x82), (&messages()[3], 0xc1)] {
        conn.send(message, &mut output).unwrap();
        assert_eq!(written(&mut output)[0], first);
        conn.send_prepared(&Prepared::new(message.clone()), &mut output).unwrap();
        assert_eq!(written(&mut output)[0], first);
    }
}

#[test]
fn a_prepared_message_is_what_each_connection_would_send() {
    let extremes = agreements().filter(|agreed| matches!(agreed.server_max_window_bits, 9 | 15));
    let agreements = extremes.map(Some).chain([None]).collect::<Vec<_>>();
    for message in messages() {
        let prepared = Prepared::from(message.clone());
        assert_eq!(*prepared.message(), message);
        for (agreed, role) in agreements.iter().flat_map(|agreed| [(agreed, Role::Server), (agreed, CLIENT)])
        {
            let config = agreed.map_or_else(Config::default, config);
            let send = |act: &dyn Fn(&mut Conn, &mut Output)| {
                let (mut conn, mut output) = (Conn::new(role, config.clone()), Output::default());
                act(&mut conn, &mut output);
                // What is sent next does not depend on how this was sent.
                conn.send(&message, &mut output).unwrap();
                written(&mut output)
            };
            let own = send(&|conn, output| conn.send(&message, output).unwrap());
            let shared = send(&|conn, output| conn.send_prepared(&prepared, output).unwrap());
            assert_eq!(own, shared, "{agreed:?} at {role:?}");
        }
    }
}

#[test]
fn a_bomb_stops_at_the_limit() {
    let bomb = {
        let (mut conn, mut output) = (Conn::new(CLIENT, config(fresh())), Output::default());
        conn.send(&Message::from(vec![0; 8 << 20]), &mut output).unwrap();
        written(&mut output)
    };
    assert!(bomb.len() < 20_000);
    let mut tight = config(fresh());
    for (most, is_taken) in [(1 << 20, false), ((8 << 20) - 1, false), (8 << 20, true)] {
        tight.message_bytes = most;
        let mut conn = Conn::new(Role::Server, tight.clone());
        let mut input = BytesMut::new();
        let mut result = Ok(Event::NeedInput);
        for piece in bomb.chunks(1000) {
            input.extend_from_slice(piece);
            result = conn.next(&mut input);
            assert!(conn.buffered() <= 2 * most + (64 << 10), "{} bytes", conn.buffered());
        }
        match is_taken {
            true => assert!(matches!(result, Ok(Event::Message(message)) if message.len() == most)),
            false => assert_eq!(result.map_err(|error| error.kind()), Err(Reason::MessageTooBig)),
        }
    }
}

#[test]
fn an_inflater_is_not_given_away_inside_of_a_message() {
    let mut wire = Wire::to(Role::Server);
    wire.frame(0x41, b"\xf2\x48\xcd");
    wire.frame(0x80, b"\xc9\xc9\x07\0");
    let mut codecs = Codecs::default();
    let mut conns = [(); 3].map(|()| (Conn::new(Role::Server, config(fresh())), BytesMut::new()));
    // Three messages that arrive at the same time, a byte at a time, on connections of one lender.
    let mut texts = 0;
    for byte in &wire.bytes {
        for (conn, input) in &mut conns {
            input.extend_from_slice(&[*byte]);
            conn.lend(&mut codecs);
            let event = conn.next(input);
            conn.give_back(&mut codecs);
            match event {
                Ok(Event::NeedInput) => {}
                event => {
                    assert_eq!(event, Ok(Event::Message("Hello".into())));
                    texts += 1;
                }
            }
        }
    }
    assert_eq!(texts, 3);
    assert!(conns.iter().all(|(conn, _)| conn.buffered() == 0));
}
