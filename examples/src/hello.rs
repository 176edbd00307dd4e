//! The first program: `cargo run --bin hello`, then `curl http://127.0.0.1:8000/hello/world`.

use bakestone::{App, Body, Path, Request, Text, get, post};
use bakestone_std::{ServeError, Server};

async fn hello(Path(name): Path<String>) -> Text<String> {
    Text(format!("Hello, {name}!\n"))
}

async fn echo(request: Request) -> Text<Body> {
    Text(request.into_body())
}

fn app() -> App {
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
    use bakestone_testkit::Wire;

    #[test]
    fn it_greets_by_name_and_never_as_markup() {
        let mut wire = Wire::new(Session::new(app().build().unwrap()));
        wire.feed("GET /hello/%3Cb%3Eworld HTTP/1.1\r\nHost: a\r\n\r\n");
        let answer = wire.take_text();
        assert!(answer.ends_with("\r\n\r\nHello, <b>world!\n"), "{answer}");
        assert!(answer.contains("\r\ncontent-type: text/plain; charset=utf-8\r\n"), "{answer}");
    }

    #[test]
    fn it_echoes_as_the_body_arrives() {
        let mut wire = Wire::new(Session::new(app().build().unwrap()));
        wire.feed("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
        assert!(wire.take_text().ends_with("\r\n\r\n3\r\none\r\n"));
        wire.feed("0\r\n\r\n").expect("0\r\n\r\n");
    }
}
