//! Tapes: what is recorded is replayed byte for byte, and what is not the same is named.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

#[path = "tape/by_hand.rs"]
mod by_hand;
#[path = "tape/kept.rs"]
mod kept;
#[path = "tape/production.rs"]
mod production;
#[path = "tape/scenes.rs"]
mod scenes;

use std::sync::Arc;
use std::time::Duration;

use bakestone::app::{AppService, Application};
use bakestone::effect::OpenMode;
use bakestone::message::{FormOptions, WebSocketUpgrade};
use bakestone::tape::{Recorder, Recording, Redaction, Tapes};
use bakestone::{
    App, Context, Event, FileResponse, Limits, Path as Segments, Request, Result, Session, Sse, State, Text,
    get, post,
};
use bakestone_testkit::{MemoryFiles, Replay, Wire, cases};

const SECOND: Duration = Duration::from_secs(1);

/// An application that asks the toolkit for all that there is.
fn bakery() -> App {
    App::new()
        .state_from(|context: Context| async move {
            context.sleep(3 * SECOND).await;
            Ok::<_, bakestone::Error>(Oven(180))
        })
        .route("/", get(|| "bread"))
        .route("/oven", get(|State(Oven(degrees)): State<Oven>| Text(format!("{degrees} degrees"))))
        .route("/wait/{seconds:int}", get(wait))
        .route("/recipe", get(async |context: Context| FileResponse::open(&context, "recipe.txt").await))
        .route("/note", post(note))
        .route("/photo", post(photo))
        .route("/flour", get(|| "flour ".repeat(400_000)))
        .route("/knead/{times:int}", get(knead))
        .route("/orders", get(orders))
        .route("/talk", get(talk))
        .route("/key", get(key))
}

#[derive(Clone, Copy)]
struct Oven(u32);

async fn wait(context: Context, Segments(seconds): Segments<u32>) -> Text<String> {
    context.sleep(seconds * SECOND).await;
    Text(format!("waited {seconds} s, until {}", context.now().wall.as_secs()))
}

async fn note(mut request: Request) -> Result<Text<String>> {
    let context = request.context().clone();
    let mut file = context.open("note.txt", OpenMode::Truncate).await?;
    let mut length = 0;
    while let Some(piece) = request.chunk().await? {
        length += piece.len();
        file.write(piece).await?;
    }
    context.rename("note.txt", "kept.txt").await?;
    Ok(Text(format!("{length} bytes are kept")))
}

async fn photo(mut request: Request) -> Result<Text<String>> {
    let form = request.form_with(FormOptions::new().file_memory_bytes(10)).await?;
    let mut told = String::new();
    for file in form.into_parts().1 {
        told += &format!("{} has {} bytes. ", file.name(), file.size());
        file.persist("photo.jpg").await?;
    }
    Ok(Text(told))
}

async fn knead(context: Context, Segments(times): Segments<u32>) -> Result<Text<String>> {
    let folds = context.blocking(move || 2_u32.pow(times)).await?;
    Ok(Text(format!("{folds} layers")))
}

fn orders(context: Context) -> Sse {
    let clock = context.clone();
    Sse::written(&context, |mut events| async move {
        for number in 0..3 {
            events.send(Event::data(format!("order {number}"))).await?;
            clock.sleep(20 * SECOND).await;
        }
        Ok(())
    })
}

async fn talk(upgrade: WebSocketUpgrade) -> Result<()> {
    let mut socket = upgrade.accept().await?;
    while let Some(message) = socket.receive().await? {
        socket.send(message).await?;
    }
    Ok(())
}

/// Answers with a cookie that says whether the key is right.
async fn key(request: Request) -> Result<bakestone::Response> {
    let good = request.headers().get("authorization").is_some_and(|value| value == "Basic b3Zlbg==");
    let cookie = if good { "shift=early; Path=/" } else { "shift=night; Path=/" };
    let response = bakestone::Response::text(bakestone::StatusCode::OK, if good { "open" } else { "shut" });
    Ok(response.with_header(bakestone::header::SET_COOKIE, cookie.parse()?))
}

fn files() -> MemoryFiles {
    MemoryFiles::new().with("recipe.txt", "flour, water, salt\n".repeat(9_000))
}

fn ask(line: &str, body: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

type Served = Recorder<Session<Arc<AppService>>>;

/// A connection to the bakery that is recorded in `tapes`.
struct Shop {
    wire: Wire<Served>,
    /// The server's life goes on as long as the shop is open.
    _life: Wire<bakestone::Lifecycle>,
}

impl Shop {
    fn open(recording: Recording) -> Self {
        let (service, lifecycle) = Application::start(bakery()).unwrap();
        let spawner = lifecycle.spawner();
        let mut life = Wire::new(lifecycle);
        life.advance(3 * SECOND);
        let session = Session::new(Arc::new(service)).lifecycle(&spawner);
        let mut wire = Wire::new(Recorder::new(session, recording));
        wire.files(files());
        Self { wire, _life: life }
    }
}
