//! What opens a WebSocket, and what is answered to what does not.

use bakestone::app::Failure;
use bakestone::message::{OnDisconnect, WebSocketError, WebSocketUpgrade};
use bakestone::ws::{Origin, OriginPolicy};
use bakestone::{
    App, Context, Error, HeaderMap, HeaderValue, IntoResponse, Limits, Request, Response, Result, Session,
    StatusCode, Text, any, get, post,
};
use bakestone_testkit::{Frame, WebSocketClient, WebSocketRequest, Wire};

use crate::{HOUR, Log, SECOND, app, app_with};

const GET: &str = "GET /plain HTTP/1.1\r\nHost: a\r\n\r\n";

/// A socket at `/` for GET and at `/any` for every method, and what is none.
fn site() -> App {
    async fn socket(upgrade: WebSocketUpgrade) -> Result<()> {
        upgrade.accept().await?.send("open").await?;
        Ok(())
    }
    App::new()
        .route("/", get(socket))
        .route("/any", any(socket))
        .route("/plain", get(|| Text("plain")))
        .route("/post", post(|| Text("posted")))
}

/// The bytes of a right request, with something in them replaced.
fn request(from: &str, to: &str) -> String {
    let bytes = String::from_utf8(WebSocketRequest::new("/").to_bytes()).unwrap();
    assert!(bytes.contains(from), "{from:?} in {bytes}");
    bytes.replace(from, to)
}

#[test]
fn w13_a_request_that_is_none_is_told_what_it_lacks() {
    const KEY: &str = "sec-websocket-key: ";
    let version = "sec-websocket-version: 13";
    let table = [
        (request("upgrade: websocket\r\n", ""), 426, "upgrade: websocket"),
        (request("connection: Upgrade\r\n", ""), 426, "upgrade: websocket"),
        (request("upgrade: websocket", "upgrade: h2c"), 426, "upgrade: websocket"),
        (request(version, "sec-websocket-version: 12"), 426, "sec-websocket-version: 13"),
        (request(version, "sec-websocket-version: 12"), 426, "upgrade: websocket"),
        (request(version, "sec-websocket-version: x"), 400, ""),
        (request(version, "a: b"), 400, ""),
        (request(KEY, "a: "), 400, ""),
        (request(KEY, "sec-websocket-key: A"), 400, ""),
        (request(KEY, "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-key: "), 400, ""),
        (request(version, "sec-websocket-version: 13\r\nsec-websocket-protocol: a, a"), 400, ""),
        (request(version, "sec-websocket-version: 13\r\nsec-websocket-extensions: ;"), 400, ""),
        (request(version, "sec-websocket-version: 13\r\nContent-Length: 3") + "abc", 400, ""),
        (request("GET / ", "POST / "), 405, "allow: "),
        (request("GET / ", "POST /any "), 405, "allow: GET"),
        (request("GET / ", "HEAD / "), 405, "allow: GET"),
        (request("GET / ", "GET /post "), 405, "allow: POST, OPTIONS"),
        (request("GET / ", "GET /nothing "), 404, ""),
        (request("GET / ", "GET /plain "), 200, ""),
    ];
    let service = std::sync::Arc::new(site().build().unwrap());
    for (request, status, field) in table {
        let mut wire = Wire::new(Session::new(service.clone()));
        wire.feed(&request);
        let answer = wire.take_text();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request}\n{answer}");
        assert!(answer.contains(&format!("\r\n{field}")), "{field} in {answer}");
        assert!(answer.contains("\r\nconnection: upgrade\r\n") || status != 426, "{answer}");
        // Whatever it was, the connection goes on.
        wire.feed(GET).expect_start("HTTP/1.1 200 OK\r\n").expect_open();
    }
}

#[test]
fn http_1_0_and_what_is_not_asked_for_by_a_client_of_sockets_is_426() {
    let request = request("HTTP/1.1", "HTTP/1.0");
    let mut wire = Wire::new(Session::new(site().build().unwrap()));
    wire.feed(request).expect_start("HTTP/1.1 426 Upgrade Required\r\n").expect_lingering();
    let mut wire = Wire::new(Session::new(site().build().unwrap()));
    wire.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let answer = wire.take_text();
    assert!(answer.starts_with("HTTP/1.1 426 ") && answer.contains("\r\nupgrade: websocket\r\n"), "{answer}");
}

/// What would have to be read to its end is not, so the connection is not kept.
#[test]
fn a_request_with_content_of_unknown_length_is_refused() {
    let request = request("host: test", "Host: test\r\nTransfer-Encoding: chunked");
    let mut wire = Wire::new(Session::new(site().build().unwrap()));
    wire.feed(request).expect_start("HTTP/1.1 400 ").expect_lingering();
}

#[test]
fn names_are_read_in_any_case_and_lists_to_their_end() {
    for request in [
        WebSocketRequest::new("/")
            .header("upgrade", "h2c, WebSocket")
            .header("connection", "keep-alive, UPGRADE"),
        WebSocketRequest::new("/?a=b").header("user-agent", "x"),
    ] {
        request.connect(site()).unwrap().expect("open").expect_close(1000);
    }
}

#[test]
fn a_page_of_another_origin_is_refused_unless_it_may() {
    let friend = Origin::parse("https://friend.example").unwrap();
    let table: [(OriginPolicy, &[&str], &[&str]); 3] = [
        (
            OriginPolicy::Same,
            &["http://test", "http://TEST:80", "https://test"],
            &["http://test:81", "http://other", "http://test.other", "null", "http://test/", ""],
        ),
        (OriginPolicy::Any, &["http://test", "http://other", "null", "nonsense", ""], &[]),
        (
            OriginPolicy::List(vec![friend]),
            &["https://friend.example"],
            &["http://test", "http://friend.example", "https://friend.example:444", "null"],
        ),
    ];
    for (policy, allowed, refused) in table {
        let ask = |request: WebSocketRequest| {
            let policy = policy.clone();
            let app = app_with(move |options| options.origin = policy.clone(), |_, _| async { Ok(()) });
            request.connect(app).map_or_else(|denied| denied.status, |_| StatusCode::SWITCHING_PROTOCOLS)
        };
        assert_eq!(ask(WebSocketRequest::new("/")), 101, "{policy:?}: no page");
        for (origin, status) in
            allowed.iter().map(|origin| (origin, 101)).chain(refused.iter().map(|origin| (origin, 403)))
        {
            assert_eq!(ask(WebSocketRequest::new("/").origin(origin)), status, "{policy:?}: {origin:?}");
        }
        let twice = "Origin: http://test\r\nOrigin: http://test\r\nSec-WebSocket-Version";
        let mut wire = Wire::new(Session::new(site().build().unwrap()));
        wire.feed(request("sec-websocket-version", twice)).expect_start("HTTP/1.1 403 ");
    }
}

#[test]
fn w20_a_subprotocol_is_one_that_is_offered_or_none() {
    let table: [(&[&str], Option<&str>); 5] = [
        (&["v2", "v1"], Some("v2")),
        (&["v1", "v2"], Some("v2")),
        (&["other", "v1"], Some("v1")),
        (&["other"], None),
        (&[], None),
    ];
    async fn select(mut upgrade: WebSocketUpgrade) -> Result<()> {
        let offered: Vec<String> = upgrade.protocols().map(str::to_owned).collect();
        let selected = upgrade.select_protocol(["v2", "v1"]).map(str::to_owned);
        let mut socket = upgrade.accept().await?;
        assert_eq!(socket.protocol(), selected.as_deref());
        socket.send(offered.join(" ")).await?;
        Ok(())
    }
    for (offered, chosen) in table {
        let request = WebSocketRequest::new("/").protocols(offered.iter().copied());
        let mut client = request.connect(App::new().route("/", get(select))).unwrap();
        assert_eq!(client.protocol(), chosen, "{offered:?}");
        client.expect(offered.join(" "));
    }

    async fn insist(upgrade: WebSocketUpgrade) -> Result<()> {
        let _ = upgrade.accept_with(Some("v3"), HeaderMap::new()).await?;
        Ok(())
    }
    let insisting = || App::new().route("/", get(insist));
    let denied = WebSocketRequest::new("/").protocols(["v1"]).connect(insisting()).unwrap_err();
    assert_eq!(denied.status, 500);
    let client = WebSocketRequest::new("/").protocols(["v1", "v3"]).connect(insisting()).unwrap();
    assert_eq!(client.protocol(), Some("v3"));
}

#[test]
fn a_response_that_accepts_has_the_handlers_fields_but_not_in_place_of_its_own() {
    fn with(name: &'static str, value: &'static str) -> App {
        App::new().route(
            "/",
            get(move |upgrade: WebSocketUpgrade| async move {
                let mut headers = HeaderMap::new();
                headers.insert(name, HeaderValue::from_static(value));
                match upgrade.accept_with(None, headers).await {
                    Err(error) => Err(error),
                    Ok(_) => Ok(()),
                }
            }),
        )
    }
    let client = WebSocketClient::connect(with("set-cookie", "a=b"), "/").unwrap();
    assert_eq!(client.response_headers()["set-cookie"], "a=b");
    for name in ["upgrade", "sec-websocket-accept", "sec-websocket-protocol", "sec-websocket-extensions"] {
        let denied = WebSocketClient::connect(with(name, "x"), "/").unwrap_err();
        assert_eq!(denied.status, 500, "{name}");
    }
    // What the connection writes by itself.
    for (name, value) in
        [("connection", "close"), ("content-length", "3"), ("transfer-encoding", "chunked"), ("date", "now")]
    {
        match WebSocketClient::connect(with(name, value), "/") {
            Ok(client) => {
                let values: Vec<_> = client.response_headers().get_all("connection").iter().collect();
                assert_eq!(values, ["upgrade"], "{name}");
                assert!(!client.response_headers().contains_key("content-length"), "{name}");
                assert!(!client.response_headers().contains_key("transfer-encoding"), "{name}");
            }
            Err(denied) => assert_eq!(denied.status, 500, "{name}"),
        }
    }
}

#[test]
fn w05_w12_what_is_not_accepted_gets_any_response_through_the_way_of_all() {
    async fn deny(upgrade: WebSocketUpgrade) -> Result<Response> {
        let response = Text("closed").into_response()?;
        Ok(upgrade.deny(response.with_status(StatusCode::GONE)))
    }
    async fn fail(_: WebSocketUpgrade) -> Result<()> {
        Err(Error::new(StatusCode::UNAUTHORIZED, "who are you?"))
    }
    async fn later(upgrade: WebSocketUpgrade, context: Context) -> Result<()> {
        context.sleep(SECOND).await;
        let _ = upgrade.accept().await?;
        Ok(())
    }
    async fn render(failure: Failure<Error>) -> Text<String> {
        Text(format!("on_error: {}", failure.error().status().as_u16()))
    }
    async fn render_origin(_: Failure<WebSocketError>) -> Text<&'static str> {
        Text("not yours")
    }
    let app = || {
        App::new()
            .route("/deny", get(deny))
            .route("/fail", get(fail))
            .route("/later", get(later))
            .route("/plain", get(|| Text("plain")))
            .on_error(render)
            .on_error(render_origin)
    };
    for (path, origin, status, body) in [
        ("/deny", "http://test", 410, "closed"),
        ("/fail", "http://test", 401, "on_error: 401"),
        ("/nothing", "http://test", 404, "on_error: 404"),
    ] {
        let mut denied = WebSocketRequest::new(path).origin(origin).connect(app()).unwrap_err();
        assert_eq!((denied.status.as_u16(), &*denied.text()), (status, body), "{path}");
        denied.wire.feed(GET).expect_start("HTTP/1.1 200 OK\r\n").expect_open();
    }
    let mut wire = Wire::new(Session::new(app().build().unwrap()));
    let request = WebSocketRequest::new("/later").origin("http://elsewhere");
    wire.feed(request.to_bytes()).expect_silence().advance(SECOND);
    let denied = request.answered(wire).unwrap_err();
    assert_eq!((denied.status.as_u16(), &*denied.text()), (403, "not yours"));
}

#[test]
fn what_is_sent_right_behind_the_handshake_is_read() {
    let log = Log::default();
    let told = log.clone();
    let app = app(move |socket, _| crate::echo(socket, told.clone()));
    let mut wire = Wire::new(Session::new(app.build().unwrap()));
    let request = WebSocketRequest::new("/");
    let frames = [Frame::text("one"), Frame::binary([2]), Frame::close(1000, "")];
    let frames = frames.map(|frame| frame.masked([1, 2, 3, 4]).to_bytes()).concat();
    // An answer of another request comes before.
    wire.feed([GET.as_bytes(), &request.to_bytes(), &frames].concat());
    let answers = wire.take();
    let switch = b"HTTP/1.1 101";
    let at = answers.windows(switch.len()).position(|bytes| bytes == switch).unwrap();
    assert!(answers.starts_with(b"HTTP/1.1 404 "));
    let end = at + answers[at..].windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
    let expected = [Frame::text("one"), Frame::binary([2]), Frame::close(1000, "")];
    assert_eq!(answers[end..], expected.map(|frame| frame.to_bytes()).concat());
    log.expect(&[r#"("closed", Some(1000))"#]);
}

#[test]
fn w01_w03_a_request_is_turned_into_a_socket_in_the_middle_of_a_handler() {
    async fn either(request: Request) -> Result<Response> {
        if !request.headers().contains_key("upgrade") {
            return Text("a page").into_response();
        }
        let (first, second) = (request.websocket()?, request.websocket()?);
        let mut socket = first.accept().await?;
        // There is one connection, and it is switched once.
        assert!(second.accept().await.is_err());
        assert!(request.respond(StatusCode::OK, HeaderMap::new()).is_err());
        socket.send("a socket").await?;
        Text("unseen").into_response()
    }
    let mut wire = Wire::new(Session::new(App::new().route("/", get(either)).build().unwrap()));
    wire.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(wire.take_text().ends_with("\r\n\r\na page"));
    let mut client = WebSocketRequest::new("/").connect_over(wire).unwrap();
    client.expect("a socket").expect_close(1000);
}

#[test]
fn what_a_handshake_says_beside_it_is_no_matter() {
    for (name, value) in [("expect", "100-continue"), ("content-length", "0"), ("te", "trailers")] {
        WebSocketRequest::new("/")
            .header(name, value)
            .connect(site())
            .unwrap()
            .expect("open")
            .expect_close(1000);
    }
}

/// A handler's time is that of its answer, and the answer is the socket.
#[test]
fn an_open_socket_has_all_the_time() {
    let mut limits = Limits::default();
    limits.handler_time = Some(SECOND);
    let app = app(|socket, _| crate::echo(socket, Log::default()));
    let mut client = WebSocketRequest::new("/").limits(&limits).connect(app).unwrap();
    client.advance(HOUR).send("x").expect("x");

    let never = App::new().route("/", get(|_: WebSocketUpgrade| std::future::pending::<()>()));
    let mut wire = Wire::new(Session::with_limits(never.build().unwrap(), limits.into()));
    let request = WebSocketRequest::new("/");
    wire.feed(request.to_bytes()).advance(SECOND);
    assert_eq!(request.answered(wire).unwrap_err().status, 503);
}

/// Nobody is there any more to switch for.
#[test]
fn a_client_that_is_gone_is_not_accepted() {
    let log = Log::default();
    let told = log.clone();
    let late = move |upgrade: WebSocketUpgrade, context: Context| {
        let told = told.clone();
        async move {
            context.on_disconnect(OnDisconnect::Finish);
            context.sleep(SECOND).await;
            told.note(upgrade.accept().await.map(|_| ()).unwrap_err().to_string());
        }
    };
    let mut wire = Wire::new(Session::new(App::new().route("/", get(late)).build().unwrap()));
    wire.feed(WebSocketRequest::new("/").to_bytes()).reset().advance(SECOND).expect_closed();
    log.expect(&["\"400: the client is gone\""]);
}
