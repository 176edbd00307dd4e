//! The application that suites and load generators are pointed at: the table of the conformance server.
//!
//! The rule: one row of the table is one route and one handler, which does what the row says with the toolkit's
//! own means and nothing besides.

mod bodies;
mod cookies;
mod fields;
mod files;
mod forms;
mod inspect;
mod query;
mod sse;
#[cfg(test)]
mod tests;
mod websocket;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path as FilePath;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bakestone::{
    App, Context, Error, HeaderMap, HeaderValue, Html, IntoResponse, Json, Path, Response, Result, State,
    StatusCode, Text, Uri, any, get, post, put,
};

use query::{number, out_of_range};

/// The longest time that a client may ask for, in milliseconds: an hour.
const MOST_MS: u64 = 3_600_000;

/// The runtime's own timer, for `/sleep/{ms}?native=1`: whoever knows the runtime gives it.
#[derive(Clone)]
pub(crate) struct NativeSleep(pub(crate) Arc<dyn Fn(Context, Duration) -> Sleeping + Send + Sync>);

/// A sleep of the runtime's.
pub(crate) type Sleeping = Pin<Box<dyn Future<Output = ()> + Send>>;

/// How many background tasks came to their end.
#[derive(Clone, Default)]
struct Ended(Arc<AtomicU64>);

/// The table as an application, with `native` for the runtime's own timer, that saves uploads in `uploads` and serves
/// the files of `folder`.
pub(crate) fn app(native: NativeSleep, uploads: &FilePath, folder: &FilePath) -> App {
    App::new()
        .state(native)
        .state(forms::Uploads::new(uploads))
        .state(files::Root::new(folder))
        .state(Ended::default())
        .route("/", get(root))
        .route("/ok", get(ok))
        .route("/plaintext", get(plaintext))
        .route("/json", get(json))
        .route("/html", get(html))
        .route("/users/{id}/posts/{post}", get(user_post))
        .route("/status/{code:int}", get(status))
        .route("/error/{kind}", get(error))
        .route("/sleep/{ms:int}", get(sleep))
        .route("/background", get(background))
        .route("/background/count", get(background_count))
        .route("/echo", any(bodies::echo))
        .route("/body", post(bodies::body))
        .route("/limit", post(bodies::limit))
        .route("/noread", post(bodies::noread))
        .route("/json-echo", post(bodies::json_echo))
        .route("/inspect", any(inspect::inspect))
        .route("/form-files", post(forms::form_files))
        .route("/multipart", post(forms::parts))
        .route("/multipart-count", post(forms::count))
        .route("/upload", post(forms::upload))
        .route("/query", get(fields::query))
        .route("/form", post(fields::form))
        .route("/cookies", get(fields::cookies))
        .route("/set-cookie", post(cookies::set_exactly))
        .route("/cookies/set", get(cookies::set))
        .route("/cookies/delete", get(cookies::delete))
        .route("/header", get(fields::field))
        .route(["/redirect", "/redirect/{status:int}"], get(fields::redirect))
        .route("/api/users/{user:int}/records/{record:int}", put(fields::record))
        .route("/file", get(files::file))
        .files("/static", files::folder(folder))
        .route("/sse", get(sse::events))
        .route("/sse-ticks", get(sse::ticks))
        .route("/sse-echo", post(sse::echo))
        .route("/big", get(bodies::big))
        .route("/stream", get(bodies::stream))
        .route("/writer", get(bodies::writer))
        .route("/ws", get(websocket::echo))
        .route("/ws/deny", get(websocket::deny))
        .route("/ws/close", get(websocket::close))
}

fn root() -> Text<&'static str> {
    Text("OK")
}

fn ok() -> Text<&'static str> {
    Text("ok")
}

fn plaintext() -> Text<&'static str> {
    Text("Hello, World!")
}

fn json() -> Json<BTreeMap<&'static str, &'static str>> {
    Json(BTreeMap::from([("message", "Hello, World!")]))
}

fn html(context: Context) -> (StatusCode, HeaderMap, Html<&'static str>) {
    let mut headers = HeaderMap::new();
    headers.insert("x-time", HeaderValue::from(context.now().wall.as_secs()));
    (StatusCode::OK, headers, Html("<b>HTML OK</b>"))
}

fn user_post(Path((id, post)): Path<(String, String)>) -> Text<String> {
    Text(format!("{id} {post}"))
}

/// The body is the code, where the status allows one.
fn status(Path(code): Path<u64>) -> Result<Response> {
    let status = u16::try_from(code).ok().and_then(|code| StatusCode::from_u16(code).ok());
    match status.filter(|status| !status.is_informational()) {
        Some(empty @ (StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED)) => {
            Ok(Response::empty(empty))
        }
        Some(status) => Ok(Response::text(status, code.to_string())),
        None => Err(Error::new(StatusCode::BAD_REQUEST, "the status must be a number from 200 to 999")),
    }
}

fn error(context: Context, Path(kind): Path<String>) -> Result<Response> {
    match &*kind {
        "http404" => Err(Error::not_found()),
        "http418" => Err(Error::new(StatusCode::IM_A_TEAPOT, "short and stout")),
        "custom" => Err(OutOfFlour.into()),
        "panic" => panic!("the client asked for it"),
        "late" => Text(bodies::late(context)).into_response(),
        _ => Err(Error::new(StatusCode::NOT_FOUND, "there is no such kind of error")),
    }
}

/// An error type of the application's own.
#[derive(Debug)]
struct OutOfFlour;

impl fmt::Display for OutOfFlour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no flour left")
    }
}

impl std::error::Error for OutOfFlour {}

async fn sleep(
    context: Context,
    Path(ms): Path<u64>,
    State(native): State<NativeSleep>,
    uri: Uri,
) -> Result<Text<&'static str>> {
    if ms > MOST_MS {
        return Err(out_of_range("ms", MOST_MS));
    }
    let time = Duration::from_millis(ms);
    match number(&uri, "native", 0, 1)? {
        0 => context.sleep(time).await,
        _ => (native.0)(context, time).await,
    }
    Ok(Text("slept"))
}

fn background(context: Context, State(ended): State<Ended>, uri: Uri) -> Result<Text<&'static str>> {
    let time = Duration::from_millis(number(&uri, "ms", 0, MOST_MS)?);
    context.spawn(move |context| async move {
        context.sleep(time).await;
        ended.0.fetch_add(1, Ordering::Relaxed);
    })?;
    Ok(Text("started"))
}

fn background_count(State(ended): State<Ended>) -> Text<String> {
    Text(ended.0.load(Ordering::Relaxed).to_string())
}
