//! The first program: `cargo run --bin hello`, then `curl http://127.0.0.1:8000/hello/world`.

use bakestone::{App, Body, Path, Request, Text, get, post};
use bakestone_std::{ServeError, Server};

async fn hello(Path(name): Path<String>) -> Text<String> {
    Text(format!("Hello, {name}!\n"))
}

async fn echo(request: Request) -> Text<Body> {
    Text(request.into_body())
}

pub(crate) fn app() -> App {
    App::new()
        .route("/", get(|| Text("Bakestone is hot. Try /hello/world\n")))
        .route("/hello/{name}", get(hello))
        .route("/echo", post(echo).put(echo))
}

fn main() -> Result<(), ServeError> {
    let listening = |addresses: &[_]| eprintln!("listening on http://{}", addresses[0]);
    let server = Server::new().address("127.0.0.1:8000").on_ready(listening);
    match std::env::args().skip_while(|word| word != "--runtime").nth(1).as_deref() {
        None | Some("tokio") => bakestone_tokio::run(app(), server),
        Some("smol") => bakestone_smol::run(app(), server),
        Some("std") => bakestone_std::run(app(), server),
        Some(other) => {
            eprintln!("the runtimes are tokio, smol and std, and not {other}");
            std::process::exit(2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bakestone::Session;
    use bakestone_testkit::{Client, Wire};

    #[test]
    fn it_greets_by_name_and_never_as_markup() {
        let client = Client::new(app());
        let mut greeting = client.get("/hello/%3Cb%3Eworld").send();
        greeting.expect_status(200).expect_text("Hello, <b>world!\n");
        greeting.expect_header("content-type", "text/plain; charset=utf-8");
    }

    #[test]
    fn it_says_where_to_go_and_where_nothing_is() {
        let client = Client::new(app());
        client.get("/").send().expect_status(200).expect_contains("/hello/world");
        client.put("/echo").text("brith").send().expect_status(200).expect_text("brith");
        client.get("/echo").send().expect_status(405).expect_header("allow", "POST, PUT, OPTIONS");
        client.get("/hello").send().expect_status(404);
    }

    #[test]
    fn it_echoes_as_the_body_arrives() {
        let mut wire = Wire::new(Session::new(app().build().unwrap()));
        wire.feed("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
        assert!(wire.take_text().ends_with("\r\n\r\n3\r\none\r\n"));
        wire.feed("0\r\n\r\n").expect("0\r\n\r\n");
    }
    #[test]
    fn the_readme_shows_the_first_of_these() {
        let (source, readme) = (include_str!("hello.rs"), include_str!("../../README.md"));
        let (_, tests) = source.split_once("{Client, Wire};\n\n").expect("what they use");
        let (first, _) = tests.split_once("\n\n").expect("a first test");
        let shown = first.replace("\n    ", "\n");
        let shown = format!("```rust\nuse bakestone_testkit::Client;\n\n{}\n```", shown.trim_start());
        assert!(readme.contains(&shown), "the README's test is not the example's");
    }
}
