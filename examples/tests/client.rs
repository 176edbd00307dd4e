//! The client in memory under the executors of the runtimes: it needs none of them, and none of them is in its way.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

use std::time::Duration;

use bakestone::{App, Context, Path, Text, get};
use bakestone_testkit::Client;

async fn greet(Path(name): Path<String>, context: Context) -> Text<String> {
    context.sleep(Duration::from_secs(5)).await;
    Text(format!("Hello, {name}!"))
}

async fn conversation() -> Vec<String> {
    let client = Client::new(App::new().route("/{name}", get(greet)));
    let mut texts = Vec::new();
    for name in ["one", "two"] {
        texts.push(client.get(format!("/{name}")).await.expect_status(200).text());
    }
    texts
}

#[test]
fn z17_any_executor_will_do() {
    let expected = ["Hello, one!", "Hello, two!"];
    let tokio = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(tokio.block_on(conversation()), expected);
    assert_eq!(async_io::block_on(conversation()), expected);
}
