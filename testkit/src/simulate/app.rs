//! The application that simulations run against unless they bring their own: whatever a handler can do.
//!
//! The rule: a handler proves in its answer which request it answers, and leaves nothing behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use bakestone::app::Next;
use bakestone::effect::OpenMode;
use bakestone::message::{OnDisconnect, Sent};
use bakestone::{
    App, Body, Bytes, Context, Error, HeaderMap, HeaderValue, Method, Path, Request, Response, Result, State,
    StatusCode, Text, get, header, post,
};

use super::ask::{ASK, Ask, Dice};
use super::pattern::{pattern, sum, sum_on};
use crate::files::MemoryFiles;

/// How many files there are to read.
const FILES: u64 = 4;

/// Background tasks that have begun and are not over.
#[derive(Clone, Debug, Default)]
pub(super) struct Running(Arc<AtomicUsize>);

impl Running {
    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    fn begin(&self) -> Guard {
        self.0.fetch_add(1, Ordering::SeqCst);
        Guard(self.clone())
    }
}

/// One that runs; dropping it is its end.
struct Guard(Running);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Puts the request's name into its answer.
pub(super) async fn name_answers(request: Request, next: Next) -> Response {
    let name = request.headers().get(ASK).cloned();
    let mut response = next.run(request).await;
    if let Some(name) = name {
        response.headers.insert(ASK, name);
    }
    response
}

/// What a handler that writes its answer by itself has to say of the request.
fn named(request: &Request) -> HeaderMap {
    request.headers().get(ASK).map(|name| (ASK, name.clone())).into_iter().collect()
}

pub(super) fn app(running: Running) -> App {
    let app = App::new();
    #[cfg(feature = "websocket")]
    let app = app.route("/talk/{how:int}", get(talk));
    app.state(running)
        .route("/hello/{name}", get(hello))
        .route("/echo", post(echo))
        .route("/sum", post(summed))
        .route("/stream/{key:int}/{length:int}", get(stream))
        .route("/break/{key:int}/{length:int}", get(break_off))
        .route("/write/{key:int}/{length:int}", get(write))
        .route("/sleep/{millis:int}", get(sleep).post(sleep))
        .route("/file/{key:int}", get(file))
        .route("/spool", post(spool))
        .route("/blocking/{key:int}/{length:int}", get(blocking))
        .route("/spawn/{millis:int}", post(spawn))
        .route("/after/{millis:int}", post(after))
        .route("/refuse", post(refuse))
        .route("/tunnel", get(tunnel))
}

/// The files that the application reads.
pub(super) fn files() -> MemoryFiles {
    let files = MemoryFiles::new();
    for key in 0..FILES {
        files.insert(format!("files/{key}"), whole(key, file_length(key)));
    }
    files
}

fn file_length(key: u64) -> u64 {
    [0, 10, 5_000, 200_000][(key % FILES) as usize]
}

fn whole(key: u64, length: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < length {
        bytes.extend_from_slice(&pattern(key, bytes.len() as u64, length - bytes.len() as u64));
    }
    bytes
}

/// A request that the application takes.
pub(super) fn ask(dice: &mut Dice<'_>) -> Ask {
    let (key, length) = (dice.any() % 1_000_000, length(dice));
    let millis = dice.below(1_000);
    let shown = |ask: Ask| ask.expect_pattern(key, length);
    let sent = |ask: Ask, chunked: bool| match chunked {
        true => ask.chunked(key, length),
        false => ask.content(key, length),
    };
    let chunked = dice.below(2) == 0;
    let summed = || format!("{length} {}", sum(key, length));
    match dice.below(100) {
        0..25 => Ask::get(format!("/hello/{key}")).expect_text(format!("Hello, {key}!")),
        25..28 => Ask::new(Method::HEAD, format!("/stream/{key}/{length}")),
        28..31 => Ask::get("/nowhere").expect(StatusCode::NOT_FOUND),
        31..43 => shown(sent(Ask::post("/echo"), chunked)),
        43..50 => sent(Ask::post("/sum"), chunked).expect_text(summed()),
        50..54 => waiting(sent(Ask::post("/sum"), chunked)).expect_text(summed()),
        54..62 => shown(Ask::get(format!("/stream/{key}/{length}"))),
        62..68 => shown(Ask::get(format!("/write/{key}/{length}"))),
        68..74 => Ask::get(format!("/sleep/{millis}")).expect_text(format!("slept {millis}")),
        74..76 => Ask::post(format!("/sleep/{millis}")).expect_text(format!("slept {millis}")),
        76..82 => {
            let key = key % FILES;
            Ask::get(format!("/file/{key}")).expect_pattern(key, file_length(key))
        }
        82..87 => sent(Ask::post("/spool"), chunked).expect_text(summed()),
        87..90 => Ask::get(format!("/blocking/{key}/{length}")).expect_text(summed()),
        90..93 => Ask::post(format!("/spawn/{millis}")).expect(StatusCode::ACCEPTED),
        93..95 => Ask::post(format!("/after/{millis}")).expect(StatusCode::ACCEPTED),
        95..96 => {
            let long = 20 * length;
            Ask::get(format!("/stream/{key}/{long}")).expect_pattern(key, long)
        }
        96..97 => sent(Ask::post("/refuse"), chunked).expect(StatusCode::IM_A_TEAPOT).may_close(),
        97..98 => Ask::get(format!("/break/{key}/{length}")).expect_break().expect_pattern(key, length),
        #[cfg(feature = "websocket")]
        98..100 if key % 2 == 0 => Ask::get(format!("/talk/{}", key / 2 % 2)).talk(key, dice.below(8)),
        98..99 => {
            let tunnel = Ask::get("/tunnel").tunnel(HeaderValue::from_static("echo"), key, length);
            tunnel.expect_pattern(key, length).may_close()
        }
        _ => {
            let hello = Ask::get(format!("/hello/{key}")).expect_text(format!("Hello, {key}!"));
            hello.field(header::CONNECTION, HeaderValue::from_static("close")).may_close()
        }
    }
}

/// Most content is short, and some is longer than any buffer.
fn length(dice: &mut Dice<'_>) -> u64 {
    let most = [0, 20, 100, 300, 1_000, 3_000, 10_000, 70_000][dice.below(8) as usize];
    dice.below(most + 1)
}

fn waiting(ask: Ask) -> Ask {
    ask.field(header::EXPECT, HeaderValue::from_static("100-continue"))
}

async fn hello(Path(name): Path<String>) -> Text<String> {
    Text(format!("Hello, {name}!"))
}

async fn echo(request: Request) -> Text<Body> {
    Text(request.into_body())
}

async fn summed(mut request: Request) -> Result<Text<String>> {
    let bytes = request.bytes().await?;
    Ok(Text(format!("{} {}", bytes.len(), sum_on(0, 0, &bytes))))
}

/// A stream that has something at once, and then waits for its own wake.
async fn stream(Path((key, length)): Path<(u64, u64)>) -> Response {
    let (mut place, mut ready) = (0, true);
    Response::new(Body::from_fn(move |cx| {
        ready = !ready;
        if ready {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let piece = pattern(key, place, (length - place).min(7_000));
        place += piece.len() as u64;
        Poll::Ready((!piece.is_empty()).then_some(Ok(piece)))
    }))
}

/// A stream that ends in an error.
async fn break_off(Path((key, length)): Path<(u64, u64)>) -> Response {
    let mut place = 0;
    Response::new(Body::from_fn(move |_| {
        let piece = pattern(key, place, (length + 1 - place).min(7_000));
        place += piece.len() as u64;
        Poll::Ready(Some(if place > length { Err("on purpose".into()) } else { Ok(piece) }))
    }))
}

async fn write(Path((key, length)): Path<(u64, u64)>, request: Request) -> Result<Sent> {
    let mut response = request.respond(StatusCode::OK, named(&request))?;
    let mut place = 0;
    while place < length {
        let piece = pattern(key, place, (length - place).min(10_000));
        place += piece.len() as u64;
        response.write(piece).await?;
        request.context().sleep(Duration::from_millis(place % 20)).await;
    }
    Ok(response.finish().await?)
}

async fn sleep(Path(millis): Path<u64>, context: Context) -> Text<String> {
    let policies = [OnDisconnect::Finish, OnDisconnect::Cancel, OnDisconnect::Notify];
    context.on_disconnect(policies[(millis % 3) as usize]);
    context.sleep(Duration::from_millis(millis)).await;
    Text(format!("slept {millis}"))
}

async fn file(Path(key): Path<u64>, context: Context) -> Result<Response> {
    let file = context.open(format!("files/{key}"), OpenMode::Read).await?;
    let length = file.metadata().length;
    Ok(Response::new(file.into_body(length)))
}

/// Writes the content to a file without a name, and sums it up from there.
async fn spool(mut request: Request) -> Result<Text<String>> {
    let mut file = request.context().open_temporary(None).await?;
    while let Some(data) = request.chunk().await? {
        file.write(data).await?;
    }
    file.seek(0).await?;
    let (mut all, mut length) = (0, 0);
    loop {
        let piece: Bytes = file.read().await?;
        if piece.is_empty() {
            return Ok(Text(format!("{length} {all}")));
        }
        all = sum_on(all, length, &piece);
        length += piece.len() as u64;
    }
}

async fn blocking(Path((key, length)): Path<(u64, u64)>, context: Context) -> Result<Text<String>> {
    let sum = context.blocking(move || sum(key, length)).await?;
    Ok(Text(format!("{length} {sum}")))
}

async fn spawn(
    Path(millis): Path<u64>,
    context: Context,
    State(running): State<Running>,
) -> Result<StatusCode> {
    let guard = running.begin();
    context.spawn(move |context| async move {
        context.sleep(Duration::from_millis(10 * millis)).await;
        drop(guard);
    })?;
    Ok(StatusCode::ACCEPTED)
}

async fn after(
    Path(millis): Path<u64>,
    context: Context,
    State(running): State<Running>,
) -> Result<StatusCode> {
    let guard = running.begin();
    context.after_response(move |context| async move {
        context.sleep(Duration::from_millis(millis)).await;
        drop(guard);
    })?;
    Ok(StatusCode::ACCEPTED)
}

/// Answers without a look at the content.
async fn refuse() -> Result<&'static str> {
    Err(Error::new(StatusCode::IM_A_TEAPOT, "short and stout"))
}

async fn tunnel(mut request: Request) -> Result<Sent> {
    let mut headers = named(&request);
    headers.insert(header::UPGRADE, HeaderValue::from_static("echo"));
    let mut tunnel = request.respond(StatusCode::SWITCHING_PROTOCOLS, headers)?;
    while let Some(data) = request.chunk().await? {
        tunnel.write(data).await?;
    }
    Ok(tunnel.finish().await?)
}

/// Echoes messages; if `how` is 1, it and the client compress them with what they have said before.
#[cfg(feature = "websocket")]
async fn talk(Path(how): Path<u64>, request: Request) -> Result<()> {
    let mut upgrade = request.websocket()?;
    let deflate = &mut upgrade.options_mut().deflate;
    (deflate.server_no_context_takeover, deflate.client_no_context_takeover) = (how == 0, how == 0);
    let mut socket = upgrade.accept_with(None, named(&request)).await?;
    while let Some(message) = socket.receive().await? {
        socket.send(message).await?;
    }
    Ok(())
}
