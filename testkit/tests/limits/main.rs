//! Every limit and every deadline, from both sides of its bound.
//!
//! The rule: each field of [`Limits`] has a row here. At its bound nothing happens, and past it just the one thing
//! that the row says; a field without a row fails.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

mod forms;
mod rates;
mod sizes;
mod times;
mod websockets;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bakestone::app::AppService;
use bakestone::message::Sent;
use bakestone::{
    App, Bytes, Context, Form, FormData, HeaderMap, Limits, MultiMap, Request, Result, Session, StatusCode,
    Text, get, post,
};
use bakestone_testkit::{Frame, Wire};

use forms::{
    a_form_of_parts_has_what_the_bounds_allow_and_no_more, files_are_in_memory_up_to_the_bound_together,
};
use rates::{
    a_body_at_the_rate_lives_and_a_slower_one_is_cut,
    a_byte_now_and_then_holds_nothing_unless_the_rate_is_off,
    a_response_at_the_rate_lives_and_a_slower_one_is_cut,
};
use sizes::{
    SIZES, a_form_has_what_the_bounds_allow_and_no_more, a_task_past_the_bound_is_not_begun,
    input_is_read_ahead_up_to_the_bound, output_is_made_up_to_the_bound,
};
use times::TIMES;
use websockets::{
    a_message_and_a_frame_have_what_the_bounds_allow_and_no_more,
    a_silent_peer_is_asked_as_often_as_the_bound_says, a_socket_queues_up_to_the_bound,
};

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const LARGE: &str = "GET /large HTTP/1.1\r\nHost: a\r\n\r\n";
const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
const KIB: usize = 1 << 10;
const LARGE_BYTES: usize = 1 << 20;

type Server = Wire<Session<AppService>>;

/// What the limits are tried on.
fn app() -> AppService {
    async fn hello() -> Text<&'static str> {
        Text("hello")
    }
    async fn length(mut request: Request) -> Result<Text<String>> {
        Ok(Text(request.bytes().await?.len().to_string()))
    }
    async fn parts(form: FormData) -> Text<String> {
        Text(form.len().to_string())
    }
    async fn fields(Form(form): Form<MultiMap>) -> Text<String> {
        Text(form.len().to_string())
    }
    /// A byte at a time, with the length announced, so that each costs one byte of output.
    async fn bytes(request: Request) -> Result<Sent> {
        let mut response = request.respond_sized(StatusCode::OK, HeaderMap::new(), 1 << 30)?;
        loop {
            response.write(Bytes::from_static(b"x")).await?;
        }
    }
    async fn spawn(context: Context) -> Result<Text<&'static str>> {
        context.spawn(|context| async move { context.sleep(SECOND).await })?;
        Ok(Text("begun"))
    }
    async fn later(mut request: Request) -> Result<Text<String>> {
        request.context().sleep(HOUR).await;
        Ok(Text(request.bytes().await?.len().to_string()))
    }
    App::new()
        .route("/", get(hello).post(length))
        .route("/form", post(fields))
        .route("/parts", post(parts))
        .route("/unread", post(hello))
        .route("/later", post(later))
        .route("/large", get(|| vec![b'x'; LARGE_BYTES]))
        .route("/bytes", get(bytes))
        .route("/spawn", get(spawn))
        .route("/socket", get(websockets::echo))
        .build()
        .unwrap()
}

fn serve(limits: &Limits) -> Server {
    let mut wire = Wire::new(Session::with_limits(app(), Arc::new(limits.clone())));
    wire.record(false);
    wire
}

/// The default limits but for those that `change` sets.
fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

fn upload(path: &str, framing: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n")
}

fn with_length(path: &str, length: usize) -> String {
    upload(path, &format!("Content-Length: {length}"))
}

fn chunked(rest: &str) -> String {
    upload("/", "Transfer-Encoding: chunked") + rest
}

fn form(body: &str) -> String {
    const TYPE: &str = "Content-Type: application/x-www-form-urlencoded";
    upload("/form", &format!("{TYPE}\r\nContent-Length: {}", body.len())) + body
}

#[track_caller]
fn expect_last_answer(wire: &mut Server, status: &str, why: &str) {
    let text = wire.take_text();
    let begins = text.starts_with(&format!("HTTP/1.1 {status} "));
    assert!(begins && text.contains("\r\nconnection: close\r\n"), "{why}: {text}");
    wire.expect_lingering();
}

/// The bounds that stand in no table, each with the test that shows it.
const OTHERS: [(&str, fn()); 19] = [
    ("form_bytes", a_form_of_parts_has_what_the_bounds_allow_and_no_more),
    ("form_files", a_form_of_parts_has_what_the_bounds_allow_and_no_more),
    ("form_fields", a_form_of_parts_has_what_the_bounds_allow_and_no_more),
    ("form_field_bytes", a_form_of_parts_has_what_the_bounds_allow_and_no_more),
    ("part_head_bytes", a_form_of_parts_has_what_the_bounds_allow_and_no_more),
    ("part_head_fields", a_form_of_parts_has_what_the_bounds_allow_and_no_more),
    ("form_file_memory_bytes", files_are_in_memory_up_to_the_bound_together),
    ("form_fields", a_form_has_what_the_bounds_allow_and_no_more),
    ("form_field_bytes", a_form_has_what_the_bounds_allow_and_no_more),
    ("output_bytes", output_is_made_up_to_the_bound),
    ("read_ahead", input_is_read_ahead_up_to_the_bound),
    ("tasks", a_task_past_the_bound_is_not_begun),
    ("minimum_rate", a_body_at_the_rate_lives_and_a_slower_one_is_cut),
    ("minimum_rate", a_response_at_the_rate_lives_and_a_slower_one_is_cut),
    ("minimum_rate", a_byte_now_and_then_holds_nothing_unless_the_rate_is_off),
    ("websocket_message_bytes", a_message_and_a_frame_have_what_the_bounds_allow_and_no_more),
    ("websocket_frame_bytes", a_message_and_a_frame_have_what_the_bounds_allow_and_no_more),
    ("websocket_queue_bytes", a_socket_queues_up_to_the_bound),
    ("websocket_ping_time", a_silent_peer_is_asked_as_often_as_the_bound_says),
];

/// The names of the fields, but for what is no bound: the switches of what is read leniently.
fn fields() -> BTreeSet<String> {
    let shown = format!("{:#?}", Limits::default());
    let fields = shown.lines().filter_map(|line| line.strip_prefix("    "));
    let fields = fields.filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()));
    fields
        .filter_map(|line| Some(line.split_once(':')?.0.to_owned()))
        .filter(|name| name != "leniency")
        .collect()
}

#[test]
fn every_limit_has_a_row() {
    let sizes = SIZES.iter().map(|size| size.name);
    let times = TIMES.iter().map(|time| time.name);
    let rows = sizes.chain(OTHERS.iter().map(|(name, _)| *name)).chain(times).map(str::to_owned);
    assert_eq!(rows.collect::<BTreeSet<_>>(), fields());
}

type Set = fn(&mut Limits, usize);

const MORE_SIZES: [(&str, Set); 13] = [
    ("form_bytes", |limits, value| limits.form_bytes = value as u64),
    ("form_files", |limits, value| limits.form_files = value),
    ("form_file_memory_bytes", |limits, value| limits.form_file_memory_bytes = value),
    ("part_head_bytes", |limits, value| limits.part_head_bytes = value),
    ("part_head_fields", |limits, value| limits.part_head_fields = value),
    ("form_fields", |limits, value| limits.form_fields = value),
    ("form_field_bytes", |limits, value| limits.form_field_bytes = value),
    ("output_bytes", |limits, value| limits.output_bytes = value),
    ("read_ahead", |limits, value| limits.read_ahead = value),
    ("tasks", |limits, value| limits.tasks = value),
    ("websocket_message_bytes", |limits, value| limits.websocket_message_bytes = value),
    ("websocket_frame_bytes", |limits, value| limits.websocket_frame_bytes = value),
    ("websocket_queue_bytes", |limits, value| limits.websocket_queue_bytes = value),
];

fn sizes() -> impl Iterator<Item = (&'static str, Set)> {
    SIZES.iter().map(|size| (size.name, size.set)).chain(MORE_SIZES)
}

#[test]
fn whoever_allows_more_is_never_told_of_less_memory() {
    for (name, set) in sizes() {
        let bounds = [0, 1, 100, 8 * KIB, 8 * KIB + 1, 16 * KIB, 64 * KIB, 1 << 20, 1 << 30];
        let most = bounds.map(|bound| limits(|limits| set(limits, bound)).max_buffered());
        assert!(most.is_sorted(), "{name}: {most:?}");
        assert!(most[0] > 0, "{name}");
        let counts =
            ["head_bytes", "head_fields", "trailer_bytes", "trailer_fields", "output_bytes", "read_ahead"];
        assert_eq!(most[0] < most[8], counts.contains(&name), "{name}: {most:?}");
    }
}

/// The least and the most: neither is of use everywhere, and neither may break the server.
#[test]
fn the_least_and_the_most_of_each_bound_harm_nobody() {
    let numbers =
        sizes().flat_map(|(_, set)| [0, usize::MAX].map(|value| limits(|limits| set(limits, value))));
    let times = TIMES.iter().flat_map(|time| {
        [Duration::ZERO, Duration::MAX].map(|value| limits(|limits| (time.set)(limits, value)))
    });
    let rates = [0, u32::MAX].map(|value| limits(|limits| limits.minimum_rate = value));
    let pings =
        [Duration::ZERO, Duration::MAX].map(|time| limits(|limits| limits.websocket_ping_time = Some(time)));
    let text = Frame::text("x").masked([1, 2, 3, 4]).to_bytes();
    let inputs = [
        GET.into(),
        LARGE.into(),
        (with_length("/", 3) + "on").into(),
        chunked("1\r\nx\r\n0\r\n\r\n").into(),
        form("a=b").into(),
        forms::form("--b\r\nContent-Disposition: form-data; name=a; filename=f\r\n\r\nx\r\n").into(),
        [websockets::handshake(), text].concat(),
    ];
    for limits in numbers.chain(times).chain(rates).chain(pings) {
        for (input, hold) in inputs.iter().flat_map(|input| [(input, false), (input, true)]) {
            let mut wire = serve(&limits);
            wire.hold_output(hold).feed(input).advance(HOUR);
            if !wire.is_done() && !wire.fate().reset_sent {
                wire.feed(GET).advance(HOUR);
            }
            wire.drain().reset().advance(HOUR).expect_closed();
        }
    }
}
