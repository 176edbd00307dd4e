//! What the tests talk to: one application with a path for each thing that a driver has to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bakestone::message::Sent;
use bakestone::{App, Body, Context, Error, Path, Request, Result, State, StatusCode, Text, get, post};

use crate::host::Driver;

/// How often a task, or a handler, came to its end.
#[derive(Clone, Default)]
pub(crate) struct Ended(Arc<AtomicUsize>);

impl Ended {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    fn note(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// The application. `/native` waits on the runtime's own timer.
pub(crate) fn app(driver: Driver, ended: &Ended) -> App {
    let native = move |context: Context| async move {
        let time = Duration::from_millis(20);
        match driver {
            Driver::Tokio => tokio::time::sleep(time).await,
            Driver::Smol => drop(async_io::Timer::after(time).await),
            // Where there is no runtime, its timer is a thread that sleeps.
            _ => context.blocking(move || std::thread::sleep(time)).await?,
        }
        Ok::<_, Error>(Text("slept"))
    };
    App::new()
        .state(ended.clone())
        .route("/hello/{name}", get(hello))
        .route("/echo", post(echo))
        .route("/length", post(length))
        .route("/later", post(later))
        .route("/sleep/{ms:int}", get(sleep))
        .route("/native", get(native))
        .route("/blocking", get(blocking))
        .route("/stuck", get(stuck).post(stuck))
        .route("/endless", get(endless))
        .route("/large", get(large))
        .route("/afterwards", get(afterwards))
        .route("/hold", get(hold))
        .route("/fail", get(|| Err::<&str, _>(Error::new(StatusCode::IM_A_TEAPOT, "short and stout"))))
}

async fn hello(Path(name): Path<String>) -> Text<String> {
    Text(format!("Hello, {name}!"))
}

async fn echo(request: Request) -> Text<Body> {
    Text(request.into_body())
}

async fn length(mut request: Request) -> Result<Text<String>> {
    Ok(Text(request.bytes().await?.len().to_string()))
}

async fn later(context: Context, State(ended): State<Ended>) -> Result<StatusCode> {
    context.spawn(|context| async move {
        context.sleep(Duration::from_millis(50)).await;
        ended.note();
    })?;
    Ok(StatusCode::ACCEPTED)
}

async fn sleep(context: Context, Path(time): Path<u64>) -> Text<&'static str> {
    context.sleep(Duration::from_millis(time)).await;
    Text("slept")
}

async fn blocking(context: Context) -> Result<Text<String>> {
    Ok(Text(context.blocking(|| 6 * 7).await?.to_string()))
}

/// Never answers; being dropped counts as its end.
async fn stuck(State(ended): State<Ended>) -> Text<&'static str> {
    struct Guard(Ended);
    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.note();
        }
    }
    let _guard = Guard(ended);
    std::future::pending().await
}

/// Begins to answer, and never ends.
async fn endless(request: Request) -> Result<Sent> {
    let mut response = request.respond(StatusCode::OK, Default::default())?;
    response.write("the beginning").await?;
    std::future::pending::<()>().await;
    Ok(response.finish().await?)
}

/// Writes more than anybody buffers, to a client that may not read it.
async fn large(request: Request) -> Result<Sent> {
    let mut response = request.respond(StatusCode::OK, Default::default())?;
    for _ in 0..500 {
        response.write(vec![b'x'; 60_000]).await?;
    }
    Ok(response.finish().await?)
}

/// Answers, and goes on for a while.
async fn afterwards(State(ended): State<Ended>, request: Request) -> Result<Sent> {
    let context = request.context().clone();
    let mut response = request.respond(StatusCode::OK, Default::default())?;
    response.write("answered").await?;
    let sent = response.finish().await?;
    context.sleep(Duration::from_millis(300)).await;
    ended.note();
    Ok(sent)
}

/// Does not let go of its thread.
async fn hold() -> Text<&'static str> {
    std::thread::sleep(Duration::from_millis(600));
    Text("held")
}
