//! A connection that has left HTTP, in slices: what the streams of tokio and of smol are made of.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

use std::future::poll_fn;
use std::io::ErrorKind;

use bakestone::error::Disconnected;
use bakestone::message::{OnDisconnect, Sent, Upgraded};
use bakestone::{Error, Request, Result, Session};
use bakestone_std::{UpgradedSink, UpgradedSource};
use bakestone_testkit::Wire;

const CONNECT: &str = "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n";
const HEAD: &str = "HTTP/1.1 200 OK\r\ndate: Mon, 01 Jan 2024 00:00:00 GMT\r\n\r\n";

fn halves(connection: Upgraded) -> (UpgradedSource, UpgradedSink) {
    let (reader, writer) = connection.split();
    (UpgradedSource::new(reader), UpgradedSink::new(writer))
}

async fn write(sink: &mut UpgradedSink, data: &[u8]) -> std::io::Result<usize> {
    poll_fn(|cx| sink.poll_write(data, cx)).await
}

async fn read(source: &mut UpgradedSource) -> std::io::Result<Vec<u8>> {
    poll_fn(|cx| source.poll_fill(cx).map_ok(<[u8]>::to_vec)).await
}

#[test]
fn what_is_not_consumed_comes_again_and_the_end_too() {
    let mut wire = Wire::new(Session::new(async |mut request: Request| -> Result<Sent> {
        let (mut source, mut sink) = halves(request.accept_tunnel()?);
        let mut sizes = [0, 1, 2, 3].into_iter().cycle();
        loop {
            let data = read(&mut source).await?;
            assert_eq!(read(&mut source).await?, data);
            if data.is_empty() {
                break;
            }
            let count = sizes.next().unwrap().min(data.len());
            assert_eq!(write(&mut sink, &data[..count]).await?, count);
            source.consume(count);
        }
        // There is no more than that.
        source.consume(5);
        Ok(sink.finish().await?)
    }));
    wire.feed(format!("{CONNECT}early")).feed("and late").finish();
    wire.expect(format!("{HEAD}earlyand late")).expect_closed();
}

#[test]
fn a_long_write_is_taken_in_parts_and_none_behind_the_end() {
    let mut wire = Wire::new(Session::new(async |mut request: Request| -> Result<Sent> {
        let (_source, mut sink) = halves(request.accept_tunnel()?);
        let (mut data, mut writes) = (&[b'x'; 200_000][..], 0);
        while !data.is_empty() {
            data = &data[write(&mut sink, data).await?..];
            writes += 1;
        }
        assert!(writes > 10);
        for _ in 0..2 {
            poll_fn(|cx| sink.poll_finish(cx)).await?;
        }
        assert_eq!(write(&mut sink, b"").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
        assert_eq!(write(&mut sink, b"more").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
        Ok(sink.finish().await?)
    }));
    wire.record(false).hold_output(true).feed(CONNECT);
    assert!(wire.waiting() < 100_000);
    wire.hold_output(false);
    assert_eq!(wire.take().len(), HEAD.len() + 200_000);
    wire.expect_lingering();
}

#[test]
fn a_client_that_is_gone_is_an_error_that_says_so() {
    let mut wire = Wire::new(Session::new(async |mut request: Request| {
        request.context().on_disconnect(OnDisconnect::Notify);
        let (mut source, mut sink) = halves(request.accept_tunnel()?);
        let errors = [
            read(&mut source).await.unwrap_err(),
            write(&mut sink, b"hello?").await.unwrap_err(),
            poll_fn(|cx| sink.poll_finish(cx)).await.unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
            let why = error.get_ref().and_then(|why| why.downcast_ref());
            assert_eq!(why, Some(&Disconnected::Gone));
        }
        assert!(matches!(sink.finish().await, Err(Disconnected::Gone)));
        Err::<Sent, _>(Error::internal())
    }));
    wire.feed(CONNECT).expect(HEAD).reset();
    wire.expect_closed();
}
