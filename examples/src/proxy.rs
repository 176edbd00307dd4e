//! A reverse proxy: `cargo run --bin hello`, `cargo run --bin proxy -- 127.0.0.1:8000`, then
//! `curl -i http://127.0.0.1:8001/hello/world`.
//!
//! The rule: content passes as it comes, in both directions, with no more kept than a piece of it; what concerns one
//! connection alone stays there (RFC 9110, section 7.6.1); and whoever is behind this can do no more harm than a 502 or a
//! 504, or a message that is cut off where it broke.
//!
//! A connection behind it serves one request: pools, retries and upgrades are left out.

use std::future::poll_fn;
use std::io::ErrorKind::WouldBlock;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;

use bakestone::error::BoxError;
use bakestone::h1::{BodyLength, ClientConn, CloseReason, Event, ReceivedResponse, RequestHead};
use bakestone::machine::{Address, Output};
use bakestone::message::{BodyStream, Elapsed, Sleep};
use bakestone::{
    App, Body, Bytes, Context, Error, HeaderMap, HeaderValue, Request, Response, Result, State, StatusCode,
    header,
};
use bakestone_std::{ServeError, Server};
use bytes::{Buf, BytesMut};
use header::HeaderName;
use tokio::net::TcpStream;

/// How long nothing may move between here and whoever is behind.
const PATIENCE: Duration = Duration::from_secs(30);

/// Our name in `Via` (RFC 9110, section 7.6.3).
const PSEUDONYM: &str = "bakestone-proxy";

/// Fields of one connection, which are not passed on even if `Connection` does not name them.
const HOP_BY_HOP: [HeaderName; 6] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Who is behind this.
#[derive(Clone)]
struct Behind {
    address: Arc<str>,
    patience: Duration,
}

/// A request on its way, and then its response on its way back.
struct Exchange {
    conn: ClientConn,
    socket: TcpStream,
    input: BytesMut,
    output: Output,
    /// The request's content; `None` once all of it was taken.
    content: Option<Body>,
    length: Option<u64>,
    trailers: Option<HeaderMap>,
    context: Context,
    patience: Duration,
    /// Set while nothing moves.
    deadline: Option<Sleep>,
}

impl Exchange {
    /// What comes next of the response, while the request's content goes out.
    fn poll_event(
        &mut self,
        cx: &mut std::task::Context<'_>,
    ) -> Poll<Result<Event<ReceivedResponse>, BoxError>> {
        loop {
            match self.conn.next(&mut self.input)? {
                Event::NeedInput => {}
                event => return Poll::Ready(Ok(event)),
            }
            let (sent, read) = (self.poll_send(cx)?, self.poll_read(cx)?);
            if sent.is_pending() && read.is_pending() {
                let deadline = self.deadline.get_or_insert_with(|| self.context.sleep(self.patience));
                return Pin::new(deadline).poll(cx).map(|()| Err(Elapsed.into()));
            }
            self.deadline = None;
        }
    }

    fn poll_send(&mut self, cx: &mut std::task::Context<'_>) -> Poll<Result<(), BoxError>> {
        while self.output.has_remaining() {
            ready!(self.socket.poll_write_ready(cx))?;
            match self.socket.try_write(self.output.chunk()) {
                Ok(count) => self.output.advance(count),
                Err(error) if error.kind() == WouldBlock => {}
                // Whoever has heard enough may have answered already.
                Err(_) => (self.content, self.output) = (None, Output::default()),
            }
        }
        let Some(content) = &mut self.content else { return Poll::Pending };
        match ready!(content.poll_chunk(cx))? {
            Some(piece) => self.conn.send_data(piece, &mut self.output)?,
            None => {
                self.conn.send_end(None, &mut self.output)?;
                self.content = None;
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_read(&mut self, cx: &mut std::task::Context<'_>) -> Poll<Result<(), BoxError>> {
        loop {
            ready!(self.socket.poll_read_ready(cx))?;
            let mut space = [0; 16 << 10];
            match self.socket.try_read(&mut space) {
                Ok(0) => self.conn.finish_input(),
                Ok(count) => self.input.extend_from_slice(&space[..count]),
                Err(error) if error.kind() == WouldBlock => continue,
                Err(error) => return Poll::Ready(Err(error.into())),
            }
            return Poll::Ready(Ok(()));
        }
    }
}

impl BodyStream for Exchange {
    fn poll_chunk(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> Poll<Option<Result<Bytes, BoxError>>> {
        Poll::Ready(match ready!(self.poll_event(cx)) {
            Ok(Event::Data(piece)) => Some(Ok(piece)),
            Ok(Event::End(trailers)) => {
                self.trailers = trailers;
                None
            }
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        })
    }

    fn length(&self) -> Option<u64> {
        self.length
    }

    fn trailers(mut self: Pin<&mut Self>) -> Option<HeaderMap> {
        self.trailers.take()
    }
}

/// Takes out what concerns one connection alone, and notes that the message came through here.
fn pass_on(headers: &mut HeaderMap) -> Result<()> {
    let named: Vec<String> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(',').map(|name| name.trim().to_owned()))
        .collect();
    for name in named {
        headers.remove(name.as_str());
    }
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
    headers.append(header::VIA, HeaderValue::try_from(format!("1.1 {PSEUDONYM}"))?);
    Ok(())
}

/// The fields for whoever is behind: who asked whom, and how.
fn fields(request: &Request, behind: &Behind) -> Result<HeaderMap> {
    let mut headers = request.headers().clone();
    pass_on(&mut headers)?;
    let peer = request.peer().and_then(|peer| match peer {
        Address::Ip(address) => Some(address.ip().to_string()),
        _ => None,
    });
    for (name, value) in [
        ("x-forwarded-for", peer.as_deref().unwrap_or("unknown")),
        ("x-forwarded-host", request.host().unwrap_or_default()),
        ("x-forwarded-proto", request.scheme()),
    ] {
        // Whoever stands before this may be believed or not: what is behind reads the last.
        headers.append(name, HeaderValue::try_from(value)?);
    }
    headers.insert(header::HOST, HeaderValue::try_from(&*behind.address)?);
    Ok(headers)
}

async fn forward(State(behind): State<Behind>, mut request: Request) -> Result<Response> {
    let is_loop = request
        .field_values(&header::VIA)
        .any(|field| field.windows(PSEUDONYM.len()).any(|part| part == PSEUDONYM.as_bytes()));
    if is_loop {
        return Err(Error::from_status(StatusCode::LOOP_DETECTED));
    }
    let (headers, context) = (fields(&request, &behind)?, request.context().clone());
    let socket = context.timeout(behind.patience, TcpStream::connect(&*behind.address)).await;
    let socket = socket.map_err(late)?.map_err(|error| Error::bad_gateway().with_source(error))?;
    let content = request.take_body();
    let mut exchange = Exchange {
        conn: ClientConn::new(Arc::default()),
        socket,
        input: BytesMut::new(),
        output: Output::default(),
        length: None,
        trailers: None,
        deadline: None,
        context,
        patience: behind.patience,
        content: None,
    };
    let length = content.length().map_or(BodyLength::Unknown, BodyLength::Exact);
    let target = match request.raw_query() {
        Some(query) => format!("{}?{query}", request.path_in_mount()),
        None => request.path_in_mount().to_owned(),
    };
    exchange.conn.close(CloseReason::ClientSentClose);
    exchange.conn.send_head(
        RequestHead::new(request.method(), &target, &headers),
        length,
        &mut exchange.output,
    )?;
    exchange.content = Some(content);
    respond(&request, exchange).await
}

/// The response, as soon as its head is there.
async fn respond(request: &Request, mut exchange: Exchange) -> Result<Response> {
    loop {
        let mut head = match poll_fn(|cx| exchange.poll_event(cx)).await {
            Ok(Event::Head(head)) => head,
            Ok(_) => return Err(Error::bad_gateway()),
            Err(error) if error.is::<Elapsed>() => return Err(late(Elapsed)),
            Err(error) => return Err(Error::bad_gateway().with_source(error)),
        };
        pass_on(&mut head.headers)?;
        if head.status == StatusCode::CONTINUE {
            // The client was told so when its content was first asked for.
            continue;
        }
        if head.status.is_informational() {
            request.inform(head.status, head.headers).await?;
            continue;
        }
        exchange.length = match head.body {
            BodyLength::Exact(length) => Some(length),
            BodyLength::Unknown => None,
        };
        let mut response = Response::new(Body::from_stream(exchange)).with_status(head.status);
        response.headers = head.headers;
        return Ok(response);
    }
}

fn late(elapsed: Elapsed) -> Error {
    Error::gateway_timeout().with_source(elapsed)
}

fn app_of(address: &str, patience: Duration) -> App {
    App::new().state(Behind { address: address.into(), patience }).fallback(forward)
}

pub(crate) fn app(address: &str) -> App {
    app_of(address, PATIENCE)
}

fn main() -> Result<(), ServeError> {
    let behind = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8000".to_owned());
    let application = app(&behind);
    let listening = move |addresses: &[_]| eprintln!("listening on http://{}, for {behind}", addresses[0]);
    bakestone_tokio::run(application, Server::new().address("127.0.0.1:8001").on_ready(listening))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Shutdown, TcpListener, TcpStream};
    use std::thread;

    use super::*;
    use bakestone::{Text, get, post};
    use bakestone_std::Handle;

    /// A server in a thread of its own, stopped with its value.
    struct Running {
        address: String,
        handle: Handle,
    }

    impl Running {
        fn start(app: App) -> Self {
            let server = Server::new().address("127.0.0.1:0").bind().unwrap();
            let (address, handle) = (server.local_addr().unwrap().to_string(), server.handle());
            thread::spawn(move || bakestone_tokio::run(app, server).unwrap());
            Self { address, handle }
        }

        /// Sends all of `request`, and reads to the end.
        fn ask(&self, request: &str) -> String {
            let mut socket = TcpStream::connect(&self.address).unwrap();
            socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            socket.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            socket.read_to_string(&mut answer).unwrap();
            answer
        }
    }

    impl Drop for Running {
        fn drop(&mut self) {
            self.handle.shutdown();
        }
    }

    /// Someone who reads one head, and then does as it is told; where it listens.
    fn behind(answer: impl FnOnce(TcpStream) + Send + 'static) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                socket.read_exact(&mut byte).unwrap();
                head.push(byte[0]);
            }
            answer(socket);
        });
        address
    }

    const GET: &str = "GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n";

    #[test]
    fn a_request_is_passed_on_without_what_concerns_its_connection() {
        let told = |request: Request| {
            let mut lines: Vec<String> =
                request.headers().iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
            lines.sort();
            Text(format!("{} {}\n{}\n", request.method(), request.uri(), lines.join("\n")))
        };
        let server = Running::start(App::new().fallback(told));
        let proxy = Running::start(App::new().mount("/shop", app(&server.address)));
        let answer = proxy.ask(
            "DELETE /shop/a%2Fb?c=d HTTP/1.1\r\nHost: shop\r\nX-Forwarded-For: 192.0.2.1\r\nConnection: close, X-Hop\r\n\
             X-Hop: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nX-End: 2\r\n\r\n",
        );
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200") && head.contains("via: 1.1 bakestone-proxy"), "{head}");
        let expected = format!(
            "DELETE /a%2Fb?c=d\nconnection: \"close\"\nhost: \"{}\"\nvia: \"1.1 bakestone-proxy\"\nx-end: \"2\"\n\
             x-forwarded-for: \"127.0.0.1\"\nx-forwarded-for: \"192.0.2.1\"\nx-forwarded-host: \"shop\"\nx-forwarded-proto: \"http\"\n",
            server.address
        );
        assert_eq!(body, expected);
    }

    #[test]
    fn content_passes_in_both_directions_as_it_comes() {
        let echo = |request: Request| Text(request.into_body());
        let server = Running::start(App::new().route("/", post(echo)));
        let proxy = Running::start(app(&server.address));
        let mut socket = TcpStream::connect(&proxy.address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut seen = String::new();
        let mut until = |socket: &mut TcpStream, end: &str| {
            while !seen.ends_with(end) {
                let mut piece = [0; 1000];
                let count = socket.read(&mut piece).unwrap();
                assert!(count > 0, "{seen}");
                seen.push_str(std::str::from_utf8(&piece[..count]).unwrap());
            }
        };
        socket
            .write_all(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
            .unwrap();
        until(&mut socket, "3\r\none\r\n");
        socket.write_all(b"3\r\ntwo\r\n0\r\n\r\n").unwrap();
        until(&mut socket, "3\r\ntwo\r\n0\r\n\r\n");
    }

    #[test]
    fn a_head_alone_says_what_it_would() {
        let server = Running::start(App::new().route("/", get(|| Text("bread"))));
        let proxy = Running::start(app(&server.address));
        let answer = proxy.ask(&GET.replace("GET", "HEAD"));
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("content-length: 5\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    }

    #[test]
    fn whoever_is_behind_and_fails_is_answered_for() {
        let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let says =
            |answer: &'static str| behind(move |mut socket| socket.write_all(answer.as_bytes()).unwrap());
        let (hold, held) = std::sync::mpsc::channel::<()>();
        let silent = behind(move |socket| drop((held.recv(), socket)));
        for (address, status) in [
            (nobody, "502"),
            (says("SMTP 220 hello\r\n\r\n"), "502"),
            (says("HTTP/1.1 200 OK\r\nContent-Le"), "502"),
            (says(""), "502"),
            (says("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"), "103"),
            (silent, "504"),
        ] {
            let proxy = Running::start(app_of(&address, Duration::from_millis(300)));
            let answer = proxy.ask(GET);
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{status}: {answer}");
        }
        drop(hold);
    }

    #[test]
    fn what_breaks_off_behind_is_cut_off_here() {
        let broken = behind(|mut socket| {
            socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nbread").unwrap();
            socket.shutdown(Shutdown::Both).unwrap();
        });
        let proxy = Running::start(app(&broken));
        let mut socket = TcpStream::connect(&proxy.address).unwrap();
        socket.write_all(GET.as_bytes()).unwrap();
        let mut answer = Vec::new();
        // It ends with a reset, or before the ten bytes that were announced.
        let _ = socket.read_to_end(&mut answer);
        assert!(!answer.ends_with(b"breadbread") && !answer.starts_with(b"HTTP/1.1 5"), "{answer:?}");
    }

    #[test]
    fn a_request_that_comes_back_goes_no_further() {
        let server = Server::new().address("127.0.0.1:0").bind().unwrap();
        let (address, handle) = (server.local_addr().unwrap().to_string(), server.handle());
        let application = app(&address);
        thread::spawn(move || bakestone_tokio::run(application, server).unwrap());
        let running = Running { address, handle };
        assert!(running.ask(GET).starts_with("HTTP/1.1 508 "));
    }
}
