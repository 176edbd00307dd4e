//! What a request costs in allocations, counted exactly.
//!
//! The rule: the table holds what is counted and no more, so that neither a dearer nor a cheaper request goes unnoticed.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

mod browser;
mod counting;

use std::cmp::Ordering;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};

use bakestone::app::{MethodRouter, Next};
use bakestone::machine::{Io, Machine, Memory, Now, Read};
use bakestone::message::{FormData, ResponseWriter, Sent, WebSocketUpgrade, WriteError};
use bakestone::{
    App, Body, Bytes, Cookies, Form, HeaderMap, Json, Limits, Path, Request, Response, Result, Session,
    SetCookie, StatusCode, Text, get, post,
};
use browser::BROWSER;
use bytes::Buf;
use serde::{Deserialize, Serialize};

/// How many like requests come before a count has settled.
const TURNS: usize = 64;

const MULTIPART: &str = "--x\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nbara brith\r\n\
    --x\r\nContent-Disposition: form-data; name=\"loaves\"\r\n\r\n2\r\n--x--\r\n";

const HANDSHAKE: &[u8] =
    b"GET /ws HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A kept connection, and the memory that its driver lends it.
struct Connection<M> {
    machine: M,
    io: Io,
    memory: Memory,
    woken: Arc<Woken>,
}

/// Whether the machine asked for another step.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

impl<M: Machine> Connection<M> {
    fn new(machine: M) -> Self {
        Self { machine, io: Io::default(), memory: Memory::default(), woken: Arc::default() }
    }

    /// The allocations of one turn, whose output has to end with `answer`.
    fn turn(&mut self, input: &[u8], answer: &[u8]) -> usize {
        let waker = Waker::from(self.woken.clone());
        let mut cx = Context::from_waker(&waker);
        let before = counting::allocations();
        self.io.lend(&mut self.memory);
        self.io.input.reserve(16 << 10);
        self.io.input.extend_from_slice(input);
        let mut ends = false;
        loop {
            let wants = self.machine.step(Now::default(), &mut self.io, &mut cx);
            if self.io.output.is_empty() && !self.woken.0.swap(false, Relaxed) {
                assert_eq!(wants.read, Read::Need);
                break;
            }
            while self.io.output.has_remaining() {
                ends = self.io.output.chunk().ends_with(answer);
                self.io.output.advance(self.io.output.chunk().len());
            }
        }
        assert!(ends, "the output does not end with {:?}", answer.escape_ascii().to_string());
        self.io.give_back(&mut self.memory);
        counting::allocations() - before
    }

    /// The allocations of one of many like turns.
    fn settled(mut self, input: &[u8], answer: &[u8]) -> usize {
        let mut counts = Vec::with_capacity(TURNS);
        counts.extend(std::iter::repeat_with(|| self.turn(input, answer)).take(TURNS));
        let settled = &counts[TURNS / 2..];
        assert!(settled.iter().all(|count| *count == settled[0]), "the count does not settle: {counts:?}");
        settled[0]
    }
}

/// What one of many like requests costs.
fn costs(app: App, line: &str, fields: &str, body: &str, answer: &str) -> usize {
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    let request = format!("{line} HTTP/1.1\r\nHost: example.com\r\n{fields}{length}\r\n{body}");
    Connection::new(Session::new(app.build().unwrap())).settled(request.as_bytes(), answer.as_bytes())
}

/// What a plain GET costs that is answered with a text.
fn get_costs(app: App, path: &str) -> usize {
    costs(app, &format!("GET {path}"), "", "", "\r\n\r\nHello, World!")
}

fn hello() -> App {
    App::new().route("/", get(|| Text("Hello, World!")))
}

async fn pass_on(request: Request, next: Next) -> Response {
    next.run(request).await
}

async fn named(Path(name): Path<String>) -> Text<String> {
    Text(format!("Hello, {name}!"))
}

#[derive(Deserialize, Serialize)]
struct Order {
    name: String,
    loaves: u32,
}

async fn json(Json(order): Json<Order>) -> Json<Order> {
    Json(order)
}

async fn form(Form(order): Form<Order>) -> Text<String> {
    Text(order.name)
}

async fn multipart(form: FormData) -> Result<Text<String>> {
    Ok(Text(form.field("name")?))
}

async fn cookie(Cookies(cookies): Cookies) -> Text<String> {
    Text(cookies.get("theme").unwrap_or_default().to_owned())
}

async fn set_cookie() -> (SetCookie, Text<&'static str>) {
    (SetCookie::new("theme", "dark"), Text("dark"))
}

async fn receive(mut request: Request) -> Result<Text<&'static str>> {
    while request.chunk().await?.is_some() {}
    Ok(Text("read"))
}

/// Writes one piece for each letter of its parameter.
async fn write(Path(pieces): Path<String>, request: Request) -> Result<Sent, WriteError> {
    let mut writer: ResponseWriter = request.respond(StatusCode::OK, HeaderMap::new())?;
    for _ in 0..pieces.len() {
        writer.write(Bytes::from_static(b"bara brith")).await?;
    }
    writer.finish().await
}

/// A body of as many pieces as its parameter has letters.
async fn stream(Path(pieces): Path<String>) -> Text<Body> {
    let mut left = pieces.len();
    Text(Body::from_fn(move |_| {
        let piece = (left > 0).then_some(Ok(Bytes::from_static(b"bara brith")));
        left = left.saturating_sub(1);
        Poll::Ready(piece)
    }))
}

async fn websocket(upgrade: WebSocketUpgrade) -> Result<()> {
    let mut socket = upgrade.accept().await?;
    while let Some(message) = socket.receive().await? {
        socket.send(message).await?;
    }
    Ok(())
}

/// What a hundred chunks more cost if `costs` moves as many as it is told.
fn chunks_cost(costs: impl Fn(usize) -> usize) -> usize {
    costs(200) - costs(100)
}

fn received_chunks_cost() -> usize {
    chunks_cost(|chunks| {
        let fields = "Transfer-Encoding: chunked\r\n\r\n".to_owned() + &"a\r\nbara brith\r\n".repeat(chunks);
        let request = format!("POST / HTTP/1.1\r\nHost: example.com\r\n{fields}0\r\n\r\n");
        Connection::new(Session::new(at("/", post(receive)).build().unwrap()))
            .settled(request.as_bytes(), b"read")
    })
}

fn sent_chunks_cost(app: impl Fn() -> App) -> usize {
    chunks_cost(|chunks| costs(app(), &format!("GET /{}", "x".repeat(chunks)), "", "", "0\r\n\r\n"))
}

/// What a text costs that comes back, masked with zeros.
fn message_cost(text: &str) -> usize {
    let length = u8::try_from(text.len()).unwrap();
    let mut connection = Connection::new(Session::new(at("/ws", get(websocket)).build().unwrap()));
    connection.turn(HANDSHAKE, b"\r\n\r\n");
    let message = [&[0x81, 0x80 | length, 0, 0, 0, 0], text.as_bytes()].concat();
    connection.settled(&message, text.as_bytes())
}

/// What it is, what it is to cost, and what it costs.
type Row = (&'static str, usize, usize);

fn at(path: &str, method: MethodRouter) -> App {
    App::new().route(path, method)
}

fn gets() -> Vec<Row> {
    let session = Session::new(|_: Request| Text("Hello, World!"));
    let plain: &[u8] = b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n";
    let theme = "Cookie: session=4f7c1b0e; theme=dark\r\n";
    let around_the_route = at("/", get(|| Text("Hello, World!")).middleware(pass_on));
    let mount = |app| App::new().mount("/mount", app);
    let session_cost = Connection::new(session).settled(plain, b"\r\n\r\nHello, World!");
    vec![
        ("a GET through a session", 1, session_cost),
        ("a GET through an app", 2, get_costs(hello(), "/")),
        ("a GET with a parameter and a text of its own", 4, get_costs(at("/{name}", get(named)), "/World")),
        ("a GET with one middleware", 3, get_costs(hello().middleware(pass_on), "/")),
        ("a GET with two middlewares", 4, get_costs(hello().middleware(pass_on).middleware(pass_on), "/")),
        ("a GET with one around the route", 3, get_costs(around_the_route, "/")),
        ("a GET with one service around", 7, get_costs(hello().wrap(|rest| rest), "/")),
        ("a GET through a mount", 2, get_costs(mount(hello()), "/mount")),
        ("a GET through a mount's middleware", 3, get_costs(mount(hello().middleware(pass_on)), "/mount")),
        ("a GET with the fields of a browser", 2, costs(hello(), "GET /", BROWSER, "", "Hello, World!")),
        ("a GET with a cookie that is read", 8, costs(at("/", get(cookie)), "GET /", theme, "", "dark")),
        ("a GET with a cookie that is set", 14, costs(at("/", get(set_cookie)), "GET /", "", "", "dark")),
    ]
}

fn posts() -> Vec<Row> {
    let post_costs = |method, media_type, body, answer| {
        costs(at("/", method), "POST /", &format!("Content-Type: {media_type}\r\n"), body, answer)
    };
    let order = r#"{"name":"bara brith","loaves":2}"#;
    let pairs = "name=bara+brith&loaves=2";
    let [urlencoded, parts] = ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"];
    vec![
        ("a POST of JSON", 4, post_costs(post(json), "application/json", order, order)),
        ("a POST of a form", 15, post_costs(post(form), urlencoded, pairs, "bara brith")),
        ("a POST of a multipart form", 20, post_costs(post(multipart), parts, MULTIPART, "bara brith")),
    ]
}

fn pieces() -> Vec<Row> {
    vec![
        ("a hundred chunks that are received", 0, received_chunks_cost()),
        ("a hundred chunks that are written", 1, sent_chunks_cost(|| at("/{pieces}", get(write)))),
        ("a hundred chunks of a streamed body", 0, sent_chunks_cost(|| at("/{pieces}", get(stream)))),
        ("a WebSocket message that comes back", 2, message_cost("bara brith")),
    ]
}

#[test]
fn requests_cost_what_is_written_here() {
    let rows = [gets(), posts(), pieces()].concat();
    let differ: Vec<String> = rows.into_iter().filter_map(differs).collect();
    assert!(differ.is_empty(), "\n{}", differ.join("\n"));
}

/// What is to be done about a count that is not what is written.
fn differs((what, written, costs): Row) -> Option<String> {
    match costs.cmp(&written) {
        Ordering::Equal => None,
        Ordering::Less => Some(format!("{what}: {costs}, fewer than {written}: write that into the table")),
        Ordering::Greater => Some(format!("{what}: {costs} allocations, MORE than {written}")),
    }
}

/// What a kept connection owns between two requests, its session and its `Io` included, where the driver lends the rest.
#[test]
fn an_idle_connection_keeps_at_most_1400_bytes() {
    let app = App::new().route("/plaintext", get(|| Text("Hello, World!"))).build().unwrap();
    let (app, limits) = (Arc::new(app), Arc::new(Limits::default()));
    let mut memory = Memory::default();
    let mut connect = |pieces: [&[u8]; 2]| {
        let mut io = Box::new(Io::default());
        let mut session = Box::new(Session::with_limits(app.clone(), limits.clone()));
        let mut cx = Context::from_waker(Waker::noop());
        for piece in pieces {
            io.lend(&mut memory);
            io.input.reserve(16 << 10);
            io.input.extend_from_slice(piece);
            let _ = session.step(Now::default(), &mut io, &mut cx);
            io.give_back(&mut memory);
        }
        io.lend(&mut memory);
        assert!(io.output.chunk().ends_with(b"Hello, World!"), "{:?}", io.output);
        io.output.advance(io.output.remaining());
        let _ = session.step(Now::default(), &mut io, &mut cx);
        io.give_back(&mut memory);
        (io, session)
    };
    // The first one leaves the memory that is lent.
    let whole: [&[u8]; 2] = [b"GET /plaintext HTTP/1.1\r\nHost: example.com\r\n\r\n", b""];
    let cut: [&[u8]; 2] = [b"GET /plaintext HTTP/1.1\r\nHost: exa", b"mple.com\r\n\r\n"];
    let mut kept = vec![connect(whole), connect(cut)];
    kept.reserve(2);
    // However the head came, nothing of it stays.
    for pieces in [whole, cut] {
        let before = counting::live();
        kept.push(connect(pieces));
        let bytes = counting::live() - before;
        eprintln!("an idle connection keeps {bytes} bytes");
        assert!(bytes <= 1400, "{bytes}");
    }
}
