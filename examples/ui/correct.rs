//! No mistake at all: this compiles.

use std::num::ParseIntError;
use std::time::Duration;

use bakestone::app::{Failure, Next, on};
use bakestone::{App, Body, Context, Event, Json, Path, Request, Response, Result, Sse, State, Text, get};
use futures_core::Stream;

#[derive(Clone)]
struct Greeting(&'static str);

async fn greet(State(greeting): State<Greeting>, Path(name): Path<String>) -> Text<String> {
    Text(format!("{} {name}", greeting.0))
}

async fn add(Path(number): Path<u32>, Json(value): Json<u32>) -> Result<Json<u32>> {
    Ok(Json(number + value))
}

async fn stamp(request: Request, next: Next) -> Response {
    next.run(request).await
}

async fn no_number(failure: Failure<ParseIntError>) -> Text<String> {
    Text(failure.to_string())
}

fn letters(letters: impl Stream<Item = Result<String>> + Send + 'static) -> Response {
    Response::new(Body::from_items(letters))
}

fn ticks(context: &Context, ticks: impl Stream<Item = Result<Event>> + Send + 'static) -> Sse {
    Sse::from_items(context, ticks)
}

async fn tidy(_: Context) -> Result<()> {
    Ok(())
}

fn main() {
    let app = App::new()
        .state(Greeting("Hello"))
        .middleware(stamp)
        .on_error(no_number)
        .on_status(404, |_| Text("there is no such page"))
        .every(Duration::from_secs(1), tidy)
        .route("/greet/{name}", get(greet))
        .route("/add/{number:int}", get(|request: Request| Text(request.path().into_owned())).post(add))
        .route(["/pot", "/kettle"], on("BREW", || "a pot"));
    let _ = bakestone_tokio::run(app, "127.0.0.1:0");
}
