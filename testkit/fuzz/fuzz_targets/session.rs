//! A whole session with a small service under the nine laws, with a script for what the peer, the clock and the
//! server do.
//!
//! The laws are the testkit's own, with fewer mutations: the fuzzer makes those. The path of a request chooses
//! what the handler does with it.
//!
//! Records: `f` bytes, `F` FIN, `X` reset, `D` drain, `t` time (a payload byte n is 1.25^n milliseconds, up to
//! eleven minutes), `k` the peer reads 2^n - 1 bytes (and in a script with a `k` nothing without one).
#![no_main]

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bakestone::message::OnDisconnect;
use bakestone::message::Sent;
use bakestone::{
    Body, Bytes, Error, HeaderMap, HeaderValue, IntoResponse, Limits, Request, Response, Result, Session,
    StatusCode, header,
};
use bakestone_fuzz::records::{at, records};
use bakestone_testkit::script::Op;
use bakestone_testkit::{Bounds, Script, check, http1_view};
use libfuzzer_sys::fuzz_target;

/// Longer scripts only take longer.
const OPS: usize = 12;
const BYTES: usize = 600;

fuzz_target!(init: expect_panics_on_purpose(), |data: &[u8]| {
    static SHARED: OnceLock<(Bounds, Arc<Limits>)> = OnceLock::new();
    let (bounds, limits) = SHARED.get_or_init(|| {
        let mut limits = Limits::default();
        (limits.output_bytes, limits.read_ahead) = (2 << 10, 1 << 10);
        (limits.head_bytes, limits.trailer_bytes, limits.buffered_body_bytes) = (1 << 10, 256, 1 << 10);
        limits.handler_time = Some(Duration::from_secs(60));
        let mut bounds = Bounds::default().view(http1_view);
        bounds.mutations = 4;
        (bounds.pressure, bounds.flood) = (32 << 10, 272 << 10);
        (bounds, limits.into())
    });
    if data.len() > BYTES {
        return;
    }
    let script = records(data).take(OPS).flat_map(ops).fold(Script::new(), Script::then);
    if script.ops().is_empty() {
        return;
    }
    if let Err(violation) = check(|| Session::with_limits(every, limits.clone()), script, bounds) {
        panic!("{violation}");
    }
});

fn ops((letter, payload): (u8, &[u8])) -> Vec<Op> {
    let n = at(payload, 0);
    match letter {
        b'f' => vec![Op::Feed(payload.to_vec())],
        b'F' => vec![Op::Finish],
        b'X' => vec![Op::Reset],
        b'D' => vec![Op::Drain],
        b't' => vec![Op::Advance(Duration::from_secs_f64(1.25_f64.powi(n.min(60) as i32) / 1e3))],
        b'k' => vec![Op::Take((1 << (n % 17)) - 1)],
        _ => vec![],
    }
}

/// Lets the panics that are part of the service pass: any other one ends the process.
fn expect_panics_on_purpose() {
    let others = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic.payload().downcast_ref::<&str>() != Some(&"on purpose") {
            others(panic);
        }
    }));
}

/// One handler for every kind of exchange; the path says which.
async fn every(mut request: Request) -> Result<Response> {
    let context = request.context().clone();
    let millis = Duration::from_millis;
    match request.raw_path() {
        "/buffer" => Ok(Response::new(request.bytes().await?.len().to_string())),
        "/echo" => Ok(Response::new(request.into_body())),
        "/one" => {
            request.chunk().await?;
            Ok(Response::new("one"))
        }
        "/timeout" => Ok(Response::new(match context.timeout(millis(50), request.bytes()).await {
            Ok(_) => "in time",
            Err(_) => "too late",
        })),
        "/sleep" => {
            context.sleep(millis(3_000)).await;
            Ok(Response::new("slept"))
        }
        "/gone" => {
            context.on_disconnect(OnDisconnect::Notify);
            context.disconnected().await;
            Ok(Response::new("gone"))
        }
        "/large" => Ok(Response::new(pieces(6))),
        "/write" | "/early" => written(request).await?.into_response(),
        "/sized" => {
            let mut response = request.respond_sized(StatusCode::OK, HeaderMap::new(), 5_000)?;
            response.write(vec![b's'; 4_000]).await?;
            context.sleep(millis(10)).await;
            response.write(vec![b's'; 1_000]).await?;
            response.finish().await?.into_response()
        }
        "/trailers" => {
            let mut response = request.respond(StatusCode::OK, HeaderMap::new())?;
            response.write("sum").await?;
            let sum = (header::HeaderName::from_static("x-sum"), HeaderValue::from_static("7"));
            response.finish_with_trailers(HeaderMap::from_iter([sum])).await?.into_response()
        }
        "/abandon" => {
            let mut response = request.respond(StatusCode::OK, HeaderMap::new())?;
            response.write("half").await?;
            context.sleep(millis(10)).await;
            Err(Error::internal())
        }
        "/upgrade" => {
            let mut headers = HeaderMap::new();
            headers.insert(header::UPGRADE, HeaderValue::from_static("echo"));
            tunnel(request, StatusCode::SWITCHING_PROTOCOLS, headers).await?.into_response()
        }
        _ if request.method() == "CONNECT" => {
            tunnel(request, StatusCode::OK, HeaderMap::new()).await?.into_response()
        }
        "/panic" => panic!("on purpose"),
        "/fail" => Err(Error::internal()),
        "/drain" => {
            context.draining().await;
            Ok(Response::new("drained"))
        }
        "/blocking" => Ok(Response::new(context.blocking(|| "done").await?)),
        "/after" => Ok(Response::new(match context.after_response(|_| async {}) {
            Ok(()) => "there is a lifecycle",
            Err(_) => "there is no lifecycle",
        })),
        _ => Ok(Response::new("hello")),
    }
}

/// Answers before it reads the body, and then reads it.
async fn written(mut request: Request) -> Result<Sent> {
    let context = request.context().clone();
    let mut response = request.respond(StatusCode::OK, HeaderMap::new())?;
    for piece in 0..3 {
        response.write(format!("piece {piece}\n")).await?;
        context.sleep(Duration::from_millis(10)).await;
    }
    while let Some(data) = request.chunk().await? {
        response.write(data).await?;
    }
    Ok(response.finish().await?)
}

async fn tunnel(mut request: Request, status: StatusCode, headers: HeaderMap) -> Result<Sent> {
    let mut tunnel = request.respond(status, headers)?;
    while let Some(data) = request.chunk().await? {
        tunnel.write(data).await?;
    }
    Ok(tunnel.finish().await?)
}

/// So many pieces of a body whose length is not told.
fn pieces(mut left: usize) -> Body {
    Body::from_fn(move |_| {
        let more = left > 0;
        left = left.saturating_sub(1);
        std::task::Poll::Ready(more.then(|| Ok(Bytes::from_static(&[b'x'; 1_500]))))
    })
}
