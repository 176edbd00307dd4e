//! Who may leave HTTP, and who may not.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

mod switching;

use bakestone::app::{Next, any, on};
use bakestone::error::Disconnected;
use bakestone::message::{Sent, UpgradeError, Upgraded};
use bakestone::{
    App, Bytes, Error, HeaderMap, HeaderValue, IntoResponse, Method, Request, Response, Result, Session,
    StatusCode, Text, Uri, get, header,
};
use bakestone_testkit::Wire;
use switching::{ASKED, CONNECT, CONNECTED, GET, SWITCHED, echo, head_of, repeat, tunnel};

#[test]
fn only_what_is_offered_is_switched_to() {
    const NO: &str = "426 Upgrade Required; upgrade: Echo/2; connection: upgrade";
    const CLOSED: &str = "426 Upgrade Required; upgrade: Echo/2; connection: close, upgrade";
    let offers = |protocols: &str| format!("HTTP/1.1\r\nConnection: Upgrade\r\n{protocols}");
    for (rest, expected) in [
        (offers("Upgrade: echo/2\r\n"), "101 Switching Protocols; upgrade: echo/2; connection: upgrade"),
        (offers("Upgrade: ECHO/2\r\n"), "101 Switching Protocols; upgrade: ECHO/2; connection: upgrade"),
        (
            offers("Upgrade: echo/1, ,h2c\t,\tEcho/2,x\r\n"),
            "101 Switching Protocols; upgrade: Echo/2; connection: upgrade",
        ),
        (
            offers("Upgrade: x\r\nUpgrade: eCHO/2\r\n"),
            "101 Switching Protocols; upgrade: eCHO/2; connection: upgrade",
        ),
        (
            offers("Upgrade: \u{e9}\r\nUpgrade: echo/2\r\n"),
            "101 Switching Protocols; upgrade: echo/2; connection: upgrade",
        ),
        (
            // To close says that no request follows (RFC 9112, section 9.6), and none does.
            "HTTP/1.1\r\nConnection: close, upgrade\r\nUpgrade: echo/2\r\n".into(),
            "101 Switching Protocols; upgrade: echo/2; connection: upgrade",
        ),
        (offers(""), NO),
        (offers("Upgrade: echo\r\n"), NO),
        (offers("Upgrade: echo/1\r\n"), NO),
        (offers("Upgrade: echo/2/3\r\n"), NO),
        (offers("Upgrade: echoes/2\r\n"), NO),
        (offers("Upgrade: \"echo/2\"\r\n"), NO),
        (offers("Upgrade: x echo/2\r\n"), NO),
        (offers("Upgrade: ,\r\n"), NO),
        ("HTTP/1.1\r\n".into(), NO),
        ("HTTP/1.1\r\nUpgrade: echo/2\r\n".into(), NO),
        ("HTTP/1.1\r\nConnection: close\r\nUpgrade: echo/2\r\n".into(), CLOSED),
        ("HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: echo/2\r\n".into(), CLOSED),
    ] {
        let service = async |mut request: Request| repeat(request.upgrade("Echo/2")?).await;
        let mut wire = Wire::new(Session::new(service));
        wire.feed(format!("GET / {rest}Host: a\r\n\r\n"));
        assert_eq!(head_of(&mut wire), expected, "{rest:?}");
    }
}

#[test]
fn a_name_takes_every_version_and_the_offer_is_told() {
    for (offer, told) in [("echo", "echo"), ("x, ECHO/6.9, echo", "ECHO/6.9")] {
        let mut wire = Wire::new(Session::new(async |mut request: Request| {
            let headers = HeaderMap::from_iter([(header::SERVER, HeaderValue::from_static("oven"))]);
            let mut connection = request.upgrade_with("echo", headers)?;
            let protocol = connection.protocol().unwrap().to_owned();
            connection.write(protocol).await?;
            Ok::<_, Error>(connection.finish().await?)
        }));
        wire.feed(ASKED.replace("Upgrade: echo", &format!("Upgrade: {offer}")));
        let text = wire.take_text();
        assert!(text.contains("server: oven\r\n") && text.contains(&format!("\r\nupgrade: {told}\r\n")));
        assert!(text.ends_with(&format!("\r\n\r\n{told}")), "{text}");
    }
}

#[test]
fn an_app_tells_what_to_ask_for() {
    let app = App::new().route("/", get(echo)).build().unwrap();
    let mut wire = Wire::new(Session::new(app));
    wire.feed(GET.replace("\r\n\r\n", "\r\nAccept: application/problem+json\r\n\r\n"));
    let text = wire.take_text();
    assert!(text.contains("\r\nupgrade: echo\r\n") && text.contains("\r\nconnection: upgrade\r\n"), "{text}");
    assert!(text.contains(r#""type":"urn:bakestone:upgrade-required""#), "{text}");
    // It is still HTTP, and may become something else.
    wire.feed(ASKED).expect(SWITCHED);
}

#[test]
fn content_is_read_to_its_end_before() {
    /// Reads as much as the path says, and then switches.
    async fn service(mut request: Request) -> Result<Sent> {
        let mut first = Bytes::new();
        match request.raw_path() {
            "/whole" => first = request.bytes().await?,
            "/pieces" => while request.chunk().await?.is_some() {},
            "/first" => first = request.chunk().await?.unwrap_or_default(),
            _ => {}
        }
        let mut connection = request.upgrade("echo")?;
        connection.write(first).await?;
        repeat(connection).await
    }
    const NO: &str = "400 Bad Request";
    const LAST: &str = "400 Bad Request; connection: close";
    const YES: &str = "101 Switching Protocols; upgrade: echo; connection: upgrade";
    const LENGTH: &str = "Content-Length: 5\r\n\r\nhello";
    const CHUNKS: &str = "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    for (path, rest, expected, echoed) in [
        ("/", "Content-Length: 0\r\n\r\n", YES, ""),
        ("/whole", "\r\n", YES, ""),
        ("/whole", LENGTH, YES, "hello"),
        ("/whole", CHUNKS, YES, "hello"),
        ("/pieces", LENGTH, YES, ""),
        ("/pieces", CHUNKS, YES, ""),
        ("/", LENGTH, NO, ""),
        ("/first", LENGTH, NO, ""),
        ("/", CHUNKS, LAST, ""),
        ("/", "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n", LAST, ""),
    ] {
        let mut wire = Wire::new(Session::new(service));
        wire.feed(format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n{rest}"
        ));
        if expected == YES {
            wire.feed(", early");
            let text = wire.take_text();
            assert!(text.starts_with("HTTP/1.1 101 "), "{path} {rest:?}: {text}");
            assert!(text.ends_with(&format!("\r\n\r\n{echoed}, early")), "{path} {rest:?}: {text}");
        } else {
            assert_eq!(head_of(&mut wire), expected, "{path} {rest:?}");
        }
    }
}

#[test]
fn what_is_the_handlers_own_fault_is_an_error_of_its_own() {
    type Tried = fn(&mut Request) -> Result<Upgraded, UpgradeError>;
    let with = |name| HeaderMap::from_iter([(name, HeaderValue::from_static("0"))]);
    let fields = [header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::UPGRADE];
    for name in fields {
        let mut wire = Wire::new(Session::new(move |mut request: Request| {
            let name = name.clone();
            let refused = [
                request.upgrade_with("echo", with(name.clone())).unwrap_err(),
                request.accept_tunnel_with(with(name.clone())).unwrap_err(),
            ];
            assert!(refused.iter().all(|error| *error == UpgradeError::HeaderNotAllowed(name.clone())));
            Text("as before")
        }));
        wire.feed(ASKED);
        assert!(wire.take_text().ends_with("\r\n\r\nas before"));
    }
    let cases: [(Tried, UpgradeError); 5] = [
        (|request| request.upgrade("an echo"), UpgradeError::InvalidProtocol),
        (|request| request.upgrade(""), UpgradeError::InvalidProtocol),
        (|request| request.upgrade("echo/"), UpgradeError::InvalidProtocol),
        (
            |request| {
                drop(request.take_body());
                request.upgrade("echo")
            },
            UpgradeError::BodyTaken,
        ),
        (
            |request| {
                let _writer = request.respond(StatusCode::OK, HeaderMap::new()).unwrap();
                request.upgrade("echo")
            },
            UpgradeError::AlreadyResponded,
        ),
    ];
    for (tried, expected) in cases {
        let mut wire = Wire::new(Session::new(move |mut request: Request| {
            let error = tried(&mut request).unwrap_err();
            assert_eq!(error, expected);
            assert!(!error.to_string().is_empty());
            Error::from(error).into_response()
        }));
        wire.feed(ASKED);
        assert_eq!(head_of(&mut wire), "500 Internal Server Error");
    }
    let mut by_hand = Request::new(Method::CONNECT, Uri::from_static("a:1"), ());
    assert_eq!(by_hand.accept_tunnel().unwrap_err(), UpgradeError::Disconnected(Disconnected::Over));
}

#[test]
fn connect_is_refused_unless_something_around_the_routes_takes_it() {
    const NO: &str = "405 Method Not Allowed; allow: ";
    let catch_all = || App::new().route(["/", "/{rest:path}"], any(|| Text("anything")));
    let apps: [(&str, App); 5] = [
        ("no routes", App::new()),
        ("any method", catch_all()),
        ("its own method", App::new().route("/{rest:path}", on("CONNECT", || Text("connected")))),
        ("a fallback", App::new().fallback(|| Text("fallen"))),
        ("a mount", App::new().mount("/", catch_all()).mount("/a", catch_all())),
    ];
    for (name, app) in apps {
        let mut wire = Wire::new(Session::new(app.build().unwrap()));
        wire.feed(CONNECT);
        assert_eq!(head_of(&mut wire), NO, "{name}");
        // And what follows is a request.
        wire.feed(GET);
        assert!(wire.take_text().starts_with("HTTP/1.1 "), "{name}");
    }

    async fn proxy(mut request: Request, next: Next) -> Result<Response> {
        match request.uri().authority().map(|authority| authority.as_str()) {
            Some("a:1") => repeat(request.accept_tunnel()?).await?.into_response(),
            _ => Ok(next.run(request).await),
        }
    }
    let app = catch_all().middleware(proxy).build().unwrap();
    let mut wire = Wire::new(Session::new(app));
    wire.feed(CONNECT.replace(":1", ":2"));
    assert_eq!(head_of(&mut wire), NO);
    wire.feed(GET);
    assert!(wire.take_text().ends_with("\r\n\r\nanything"));
    wire.feed(CONNECT).feed("hi").expect(format!("{CONNECTED}hi"));
}

#[test]
fn no_tunnel_without_connect() {
    let mut wire = Wire::new(Session::new(tunnel));
    wire.feed(GET);
    assert_eq!(head_of(&mut wire), "405 Method Not Allowed; allow: CONNECT");
    // To say that it were one does not make it one.
    let mut wire = Wire::new(Session::new(async |mut request: Request| {
        *request.method_mut() = Method::CONNECT;
        tunnel(request).await
    }));
    wire.feed(ASKED);
    assert_eq!(head_of(&mut wire), "405 Method Not Allowed; allow: CONNECT");
}
