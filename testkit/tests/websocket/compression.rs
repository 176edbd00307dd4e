//! Messages that are compressed on the way (RFC 7692).

use bakestone::message::{WebSocket, WebSocketOptions};
use bakestone::ws::{DeflateOptions, Reason};
use bakestone::{App, Limits};
use bakestone_testkit::{Frame, Received, WebSocketRequest};

use crate::{Client, Log, app_with};

fn options(change: impl FnOnce(&mut DeflateOptions)) -> DeflateOptions {
    let mut options = DeflateOptions::default();
    change(&mut options);
    options
}

fn echo(deflate: DeflateOptions) -> App {
    let set = move |options: &mut WebSocketOptions| options.deflate = deflate.clone();
    app_with(set, |socket, _| crate::echo(socket, Log::default()))
}

fn connect(client: DeflateOptions, server: DeflateOptions) -> Client {
    WebSocketRequest::new("/").deflate(client).connect(echo(server)).unwrap()
}

const TEXT: &str = "bara brith, and more bara brith, and yet more bara brith; ";

#[test]
fn what_both_agree_on_is_compressed_and_comes_back_as_it_was() {
    let keeps = |options: &mut DeflateOptions| {
        (options.server_no_context_takeover, options.client_no_context_takeover) = (false, false);
    };
    let narrow = |options: &mut DeflateOptions| {
        (options.server_max_window_bits, options.client_max_window_bits) = (9, 9);
    };
    let both = [options(|_| ()), options(keeps), options(narrow)];
    for client in &both {
        for server in &both {
            let mut client = connect(client.clone(), server.clone());
            assert!(client.extensions().starts_with("permessage-deflate"), "{}", client.extensions());
            let long = TEXT.repeat(50);
            let mut sizes = Vec::new();
            for _ in 0..3 {
                client.send(long.clone()).expect(long.clone());
                let frame = client.next_frame().unwrap();
                assert_eq!((frame.rsv, frame.opcode), (0b100, 1));
                assert!(frame.payload.len() < long.len() / 5, "{}", frame.payload.len());
                sizes.push(frame.payload.len());
            }
            let keeps = !client.extensions().contains("server_no_context_takeover");
            assert_eq!(sizes[1] < sizes[0], keeps, "{sizes:?}: {}", client.extensions());
            assert_eq!(sizes[1] == sizes[0], !keeps, "{sizes:?}: {}", client.extensions());
            // What is short goes as it is, and so does what would not become shorter.
            client.send("x").expect("x");
            assert_eq!(client.next_frame(), Some(Frame::text("x")));
            let noise: Vec<u8> = (0..1000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
            client.send(noise.clone()).expect(noise);
            // Fragments of ours are not compressed; the answer is.
            client.send_fragments([TEXT; 20]).expect(TEXT.repeat(20)).send("").expect("");
            client.close(1000, "").expect_close(1000);
        }
    }
}

#[test]
fn nothing_is_compressed_that_one_end_does_not_want() {
    let off = || options(|options| options.enabled = false);
    for (client, server) in [(off(), options(|_| ())), (options(|_| ()), off()), (off(), off())] {
        let mut client = connect(client, server);
        assert_eq!(client.extensions(), "");
        client.send(TEXT.repeat(50)).expect(TEXT.repeat(50));
        assert_eq!(client.next_frame().unwrap().rsv, 0);
    }
}

#[test]
fn messages_are_compressed_from_a_length_on() {
    for from in [0, 500, 1000, usize::MAX] {
        let set = move |options: &mut WebSocketOptions| options.compress_from = from;
        let app = app_with(set, |socket, _| crate::echo(socket, Log::default()));
        let mut client = WebSocketRequest::new("/").deflate(DeflateOptions::default()).connect(app).unwrap();
        for length in [499, 500, 999, 1000] {
            let text: String = TEXT.chars().cycle().take(length).collect();
            client.send(text.clone()).expect(text);
            assert_eq!(client.next_frame().unwrap().rsv != 0, length >= from, "{length} from {from}");
        }
    }
}

/// What a message comes to is counted, and not what it is sent as.
#[test]
fn a_bomb_goes_off_at_the_bound() {
    let bound = 100_000;
    let mut limits = Limits::default();
    limits.websocket_message_bytes = bound;
    for (length, passes) in [(bound, true), (bound + 1, false), (20 << 20, false)] {
        let app = echo(DeflateOptions::default());
        let request = WebSocketRequest::new("/").deflate(DeflateOptions::default()).limits(&limits);
        let mut client = request.connect(app).unwrap();
        let before = crate::counting::live();
        let message = vec![0; length];
        client.send(message.clone());
        if passes {
            client.expect(message);
            continue;
        }
        client.expect_close(1009).expect_event(&Received::Finished);
        assert_eq!(client.close_frame().unwrap().reason(), Reason::MessageTooBig.to_string());
        drop(message);
        let kept = crate::counting::live().saturating_sub(before);
        assert!(kept < (1 << 20), "{kept} bytes");
    }
}

#[test]
fn what_is_no_deflate_is_1007() {
    let log = Log::default();
    let told = log.clone();
    let app = app_with(
        |_| (),
        move |mut socket: WebSocket, _| {
            let told = told.clone();
            async move {
                told.note(socket.receive().await.map_err(|error| error.to_string()));
                Ok(())
            }
        },
    );
    let mut client = WebSocketRequest::new("/").deflate(DeflateOptions::default()).connect(app).unwrap();
    client.send_raw(Frame::text([0xff; 10]).rsv(0b100).masked([1, 2, 3, 4]).to_bytes()).expect_close(1007);
    log.expect(&["Err(\"a compressed message cannot be decompressed (at byte 0)\")"]);
}
