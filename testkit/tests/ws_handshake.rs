//! The opening handshake and its extensions: what a server accepts, refuses and answers, and what a client takes.
//!
//! The rule: a case is a request or a field as it is sent, and the whole of what becomes of it.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

use bakestone::ws::extension::{ExtensionError, accept, negotiate, offer};
use bakestone::ws::{DeflateOptions, HandshakeError, Offer, Opening, OpeningError, OriginPolicy};
use bakestone::{HeaderMap, HeaderValue, Method, StatusCode, Version};
use http::HeaderName;

/// The fields of the request in RFC 6455, section 1.2.
const ASKED: &str = "host: server.example.com
upgrade: websocket
connection: Upgrade
sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==
origin: http://example.com
sec-websocket-protocol: chat, superchat
sec-websocket-version: 13";

/// Its answer, with an accept that is right.
const ANSWERED: &str = "upgrade: websocket
connection: Upgrade
sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
sec-websocket-protocol: chat";

/// `fields` without those that `changes` begins, and with its lines that have a value.
fn headers(fields: &str, changes: &str) -> HeaderMap {
    let name = |line: &str| line.split_once(':').map_or("", |(name, _)| name).to_owned();
    let is_kept = |line: &&str| changes.lines().all(|change| name(change) != name(line));
    let kept = fields.lines().filter(is_kept);
    let mut headers = HeaderMap::new();
    for line in kept.chain(changes.lines().filter(|line| !line.ends_with(": -"))) {
        let (name, value) = line.split_once(':').unwrap();
        let value = HeaderValue::from_bytes(value.strip_prefix(' ').unwrap().as_bytes()).unwrap();
        headers.append(name.parse::<HeaderName>().unwrap(), value);
    }
    headers
}

fn check(changes: &str) -> Result<Offer, HandshakeError> {
    Offer::check(&Method::GET, Version::HTTP_11, &headers(ASKED, changes))
}

#[test]
fn the_example_of_the_rfc() {
    let offer = check("").unwrap();
    assert_eq!(offer.accept_key(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_eq!(offer.protocols().collect::<Vec<_>>(), ["chat", "superchat"]);
    assert_eq!(offer.origin().unwrap().as_str(), "http://example.com");
    assert_eq!(offer.extensions().count(), 0);
    assert!(offer.negotiate(&DeflateOptions::default()).is_none());
}

#[test]
fn requests_that_open_a_websocket() {
    for changes in [
        "upgrade: WebSocket",
        "upgrade: h2c, websocket",
        "upgrade: h2c\nupgrade: websocket",
        "upgrade: ,websocket,",
        "connection: keep-alive, Upgrade",
        "connection: keep-alive\nconnection: UPGRADE",
        "connection:  upgrade ,\tx",
        "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAB==",
        "sec-websocket-protocol: -",
        "sec-websocket-protocol: chat",
        "sec-websocket-protocol: chat\nsec-websocket-protocol: superchat",
        "sec-websocket-protocol: ,chat,, Chat ,",
        "sec-websocket-extensions: permessage-deflate",
        "sec-websocket-extensions: x-unknown; a=1; b=\"two\", permessage-deflate;server_max_window_bits=99",
        "origin: -",
        "origin: null",
        "origin: http://a.example\norigin: http://b.example",
        "host: -",
    ] {
        assert!(check(changes).is_ok(), "{changes}");
    }
}

#[test]
fn requests_that_open_none() {
    use HandshakeError::*;
    for (changes, expected) in [
        ("upgrade: -", UpgradeRequired),
        ("upgrade: h2c", UpgradeRequired),
        ("upgrade: websockets", UpgradeRequired),
        ("upgrade: websocket/13", UpgradeRequired),
        ("upgrade: web socket", UpgradeRequired),
        ("upgrade: websocket\u{e9}", UpgradeRequired),
        ("connection: -", UpgradeRequired),
        ("connection: keep-alive", UpgradeRequired),
        ("connection: not-upgrade", UpgradeRequired),
        ("sec-websocket-version: -", InvalidVersion),
        ("sec-websocket-version: ", InvalidVersion),
        ("sec-websocket-version: 13\nsec-websocket-version: 13", InvalidVersion),
        ("sec-websocket-version: 13, 8", InvalidVersion),
        ("sec-websocket-version: 013", InvalidVersion),
        ("sec-websocket-version: +13", InvalidVersion),
        ("sec-websocket-version: 256", InvalidVersion),
        ("sec-websocket-version: 00", InvalidVersion),
        ("sec-websocket-version: thirteen", InvalidVersion),
        ("sec-websocket-version: 0", UnsupportedVersion),
        ("sec-websocket-version: 8", UnsupportedVersion),
        ("sec-websocket-version: 14", UnsupportedVersion),
        ("sec-websocket-version: 255", UnsupportedVersion),
        ("sec-websocket-key: -", InvalidKey),
        ("sec-websocket-key: ", InvalidKey),
        (
            "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
            InvalidKey,
        ),
        ("sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ", InvalidKey),
        ("sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ===", InvalidKey),
        ("sec-websocket-key: dGhlIHNhbXBsZSBub25jZSE=", InvalidKey),
        ("sec-websocket-key: dGhlIHNhbXBsZSBub25j", InvalidKey),
        ("sec-websocket-key: dGhlIHNhbXBsZSBub25jZ-==", InvalidKey),
        ("sec-websocket-key: dGhlIHNhbXBsZSBub25j ZQ==", InvalidKey),
        ("sec-websocket-protocol: ", InvalidProtocols),
        ("sec-websocket-protocol: ,", InvalidProtocols),
        ("sec-websocket-protocol: chat, chat", InvalidProtocols),
        ("sec-websocket-protocol: chat\nsec-websocket-protocol: a,chat", InvalidProtocols),
        ("sec-websocket-protocol: chat super", InvalidProtocols),
        ("sec-websocket-protocol: \"chat\"", InvalidProtocols),
        ("sec-websocket-protocol: chat/1", InvalidProtocols),
        ("sec-websocket-protocol: ch\u{e4}t", InvalidProtocols),
        ("sec-websocket-extensions: ", InvalidExtensions),
        ("sec-websocket-extensions: permessage-deflate, ;", InvalidExtensions),
        ("sec-websocket-extensions: permessage-deflate\nsec-websocket-extensions: a b", InvalidExtensions),
        ("sec-websocket-version: 8\nsec-websocket-key: -", UnsupportedVersion),
    ] {
        assert_eq!(check(changes).unwrap_err(), expected, "{changes}");
    }
}

#[test]
fn methods_and_versions_of_http() {
    use HandshakeError::*;
    for (method, version, expected) in [
        (Method::GET, Version::HTTP_11, None),
        (Method::GET, Version::HTTP_10, Some(UpgradeRequired)),
        (Method::GET, Version::HTTP_2, Some(UpgradeRequired)),
        (Method::HEAD, Version::HTTP_11, Some(MethodNotAllowed)),
        (Method::POST, Version::HTTP_11, Some(MethodNotAllowed)),
        (Method::CONNECT, Version::HTTP_11, Some(MethodNotAllowed)),
    ] {
        let checked = Offer::check(&method, version, &headers(ASKED, ""));
        assert_eq!(checked.err(), expected, "{method} {version:?}");
    }
}

#[test]
fn what_a_refusal_is_answered_with() {
    for (error, status, fields) in [
        (HandshakeError::MethodNotAllowed, 405, "allow: GET"),
        (HandshakeError::UpgradeRequired, 426, "upgrade: websocket"),
        (HandshakeError::UnsupportedVersion, 426, "upgrade: websocket\nsec-websocket-version: 13"),
        (HandshakeError::InvalidVersion, 400, ""),
        (HandshakeError::InvalidKey, 400, ""),
        (HandshakeError::InvalidProtocols, 400, ""),
        (HandshakeError::InvalidExtensions, 400, ""),
    ] {
        assert_eq!(error.status(), status, "{error}");
        assert_eq!(error.headers().collect::<HeaderMap>(), headers(fields, ""), "{error}");
    }
    let codes: std::collections::BTreeSet<_> = HandshakeError::ALL.iter().map(|error| error.code()).collect();
    assert_eq!(codes.len(), 7);
}

#[test]
fn origins_of_requests() {
    let list = |text| OriginPolicy::List(bakestone::ws::Origin::parse(text).into_iter().collect());
    for (origin, policy, is_allowed) in [
        ("origin: -", OriginPolicy::Same, true),
        ("origin: -", list("http://other.example"), true),
        ("origin: http://server.example.com", OriginPolicy::Same, true),
        ("origin: https://server.example.com", OriginPolicy::Same, true),
        ("origin: http://example.com", OriginPolicy::Same, false),
        ("origin: http://example.com", list("http://example.com"), true),
        ("origin: http://server.example.com", list("http://example.com"), false),
        ("origin: http://example.com", OriginPolicy::Any, true),
        ("origin: null", OriginPolicy::Same, false),
        ("origin: null", list("null"), false),
        ("origin: null", OriginPolicy::Any, true),
        ("origin: ", OriginPolicy::Same, false),
        ("origin: server.example.com", OriginPolicy::Same, false),
        ("origin: http://server.example.com/", OriginPolicy::Same, false),
        ("origin: http://server.example.com http://server.example.com", OriginPolicy::Same, false),
        ("origin: http://server.example.com\norigin: http://server.example.com", OriginPolicy::Same, false),
    ] {
        let offer = check(origin).unwrap();
        assert_eq!(
            offer.allows_origin(&policy, "http", Some("server.example.com")),
            is_allowed,
            "{origin} {policy:?}"
        );
    }
}

/// Who is to do without context, and both windows.
fn options(server_alone: bool, client_alone: bool, server_bits: u8, client_bits: u8) -> DeflateOptions {
    let mut options = DeflateOptions::default();
    (options.server_no_context_takeover, options.client_no_context_takeover) = (server_alone, client_alone);
    (options.server_max_window_bits, options.client_max_window_bits) = (server_bits, client_bits);
    options
}

/// In short, as [`long`] reads it.
type Answer = Option<&'static str>;

/// What is offered, the answer of a server that wants nothing in particular, that of one which wants no context and of
/// one which wants windows of 10 bits.
const OFFERS: [(&str, Answer, Answer, Answer); 27] = [
    ("", Some(""), Some("S C"), Some("s=10")),
    ("; server_no_context_takeover", Some("S"), Some("S C"), Some("S s=10")),
    ("; client_no_context_takeover", Some("C"), Some("S C"), Some("C s=10")),
    ("; client_no_context_takeover; server_no_context_takeover", Some("S C"), Some("S C"), Some("S C s=10")),
    ("; client_max_window_bits", Some(""), Some("S C"), Some("s=10 c=10")),
    ("; client_max_window_bits=15", Some(""), Some("S C"), Some("s=10 c=10")),
    ("; client_max_window_bits=12", Some(""), Some("S C"), Some("s=10 c=10")),
    ("; client_max_window_bits=8", Some(""), Some("S C"), Some("s=10 c=8")),
    ("; server_max_window_bits=15", Some("s=15"), Some("S C s=15"), Some("s=10")),
    ("; server_max_window_bits=12", Some("s=12"), Some("S C s=12"), Some("s=10")),
    ("; server_max_window_bits=9", Some("s=9"), Some("S C s=9"), Some("s=9")),
    ("; server_max_window_bits=\"1\\2\"", Some("s=12"), Some("S C s=12"), Some("s=10")),
    ("; server_max_window_bits = 12 ", Some("s=12"), Some("S C s=12"), Some("s=10")),
    (
        "; server_max_window_bits=12; client_max_window_bits",
        Some("s=12"),
        Some("S C s=12"),
        Some("s=10 c=10"),
    ),
    // What zlib cannot do.
    ("; server_max_window_bits=8", None, None, None),
    // The next offer is the answer to one that is declined.
    ("; server_max_window_bits=8, permessage-deflate", Some(""), Some("S C"), Some("s=10")),
    ("; unknown, x, permessage-deflate; server_no_context_takeover", Some("S"), Some("S C"), Some("S s=10")),
    // What section 7.1 has an end decline.
    ("; server_max_window_bits", None, None, None),
    ("; server_max_window_bits=7", None, None, None),
    ("; server_max_window_bits=16", None, None, None),
    ("; server_max_window_bits=09", None, None, None),
    ("; client_max_window_bits=+9", None, None, None),
    ("; client_max_window_bits=nine", None, None, None),
    ("; server_no_context_takeover=1", None, None, None),
    ("; client_no_context_takeover; client_no_context_takeover", None, None, None),
    ("; client_max_window_bits; client_max_window_bits=10", None, None, None),
    ("; unknown", None, None, None),
];

/// An answer in short: the name is left out, and so is all but the beginning of the parameters.
fn long(short: &str) -> String {
    short.split_whitespace().fold("permessage-deflate".to_owned(), |answer, parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        answer
            + &match name {
                "S" => "; server_no_context_takeover".to_owned(),
                "C" => "; client_no_context_takeover".to_owned(),
                "s" => format!("; server_max_window_bits={value}"),
                _ => format!("; client_max_window_bits={value}"),
            }
    })
}

#[test]
fn offers_are_answered() {
    let servers = [options(false, false, 15, 15), options(true, true, 15, 15), options(false, false, 10, 10)];
    for (offered, plain, alone, small) in OFFERS {
        let offered = format!("permessage-deflate{offered}");
        for (options, expected) in servers.iter().zip([plain, alone, small]) {
            let answer = negotiate([offered.as_bytes()], options).unwrap();
            let Some((agreed, answer)) = answer else {
                assert_eq!(None, expected, "{offered}");
                continue;
            };
            assert_eq!(answer, long(expected.expect(&offered)), "{offered}");
            let has = |name: &str| answer.to_str().unwrap().contains(name);
            assert_eq!(agreed.server_no_context_takeover, has("server_no_context"), "{offered}");
            assert_eq!(agreed.client_no_context_takeover, has("client_no_context"), "{offered}");
            for (bits, name) in [
                (agreed.server_max_window_bits, "server_max_window_bits"),
                (agreed.client_max_window_bits, "client_max_window_bits"),
            ] {
                assert!(bits == 15 || has(&format!("{name}={bits}")), "{offered}");
            }
        }
    }
}

#[test]
fn several_fields_are_one_list() {
    let plain = options(false, false, 15, 15);
    let fields: [&[u8]; 3] =
        [b"x; a", b"y, permessage-deflate; server_max_window_bits=8", b"permessage-deflate"];
    assert_eq!(negotiate(fields, &plain).unwrap().unwrap().1, "permessage-deflate");
    let none: [&[u8]; 0] = [];
    assert_eq!(negotiate(none, &plain), Ok(None));
    let mut disabled = plain;
    disabled.enabled = false;
    assert_eq!(negotiate(fields, &disabled), Ok(None));
    assert_eq!(offer(&disabled), None);
}

#[test]
fn what_is_no_list_of_extensions_is_refused() {
    for field in [
        "",
        " ",
        ",",
        ";",
        "permessage-deflate;",
        "permessage-deflate; ",
        "permessage-deflate;;server_no_context_takeover",
        "permessage-deflate; =1",
        "permessage-deflate; a=",
        "permessage-deflate; a=b=c",
        "permessage-deflate; a=b c",
        "permessage-deflate; a=\"b",
        "permessage-deflate; a=\"b\"c",
        "permessage-deflate; a=\"\"",
        "permessage-deflate; a=\"b c\"",
        "permessage-deflate; a=\"b\\",
        "permessage-deflate; a=\"\u{7}\"",
        "permessage deflate",
        "permessage-deflate, a/b",
        "=1",
        "\"permessage-deflate\"",
        "permessage-deflate; \u{e9}",
    ] {
        let options = options(false, false, 15, 15);
        assert_eq!(negotiate([field.as_bytes()], &options), Err(ExtensionError::Malformed), "{field:?}");
        assert_eq!(accept([field.as_bytes()], &options), Err(ExtensionError::Malformed), "{field:?}");
    }
    let latin: &[u8] = b"permessage-deflate; \xe9";
    assert_eq!(negotiate([latin], &DeflateOptions::default()), Err(ExtensionError::Malformed));
}

#[test]
fn clients_offer() {
    for (options, expected) in [
        (options(false, false, 15, 15), "permessage-deflate; client_max_window_bits"),
        (options(true, true, 15, 15), &*(long("S C") + "; client_max_window_bits")),
        (options(false, false, 12, 10), &long("s=12 c=10")),
        (options(false, false, 8, 0), &long("s=9 c=9")),
        (options(false, false, 255, 16), "permessage-deflate; client_max_window_bits"),
    ] {
        assert_eq!(offer(&options).unwrap(), expected);
    }
}

#[test]
fn clients_take_what_they_offered() {
    let plain = options(false, false, 15, 15);
    let alone = options(true, true, 15, 15);
    let small = options(false, false, 12, 10);
    for (offered, answer, agreed) in [
        (&plain, "", Some((false, false, 15, 15))),
        (&plain, "S", Some((true, false, 15, 15))),
        (&plain, "C", Some((false, true, 15, 15))),
        (&plain, "s=8", Some((false, false, 8, 15))),
        (&plain, "S C s=10 c=11", Some((true, true, 10, 11))),
        (&plain, "c=9", Some((false, false, 15, 9))),
        (&plain, "c=8", None),
        (&alone, "S C", Some((true, true, 15, 15))),
        (&alone, "S", Some((true, true, 15, 15))),
        (&alone, "C", None),
        (&alone, "", None),
        (&small, "s=12 c=10", Some((false, false, 12, 10))),
        (&small, "s=9 c=9", Some((false, false, 9, 9))),
        (&small, "s=12", Some((false, false, 12, 10))),
        (&small, "c=10", None),
        (&small, "s=13", None),
        (&small, "s=12 c=11", None),
    ] {
        let read = accept([long(answer).as_bytes()], offered);
        let seen = read.map(|params| {
            let params = params.unwrap();
            let flags = (params.server_no_context_takeover, params.client_no_context_takeover);
            (flags.0, flags.1, params.server_max_window_bits, params.client_max_window_bits)
        });
        assert_eq!(seen, agreed.ok_or(ExtensionError::Unacceptable), "{answer:?} to {offered:?}");
    }
    for (answer, error) in [
        ("permessage-deflate; client_max_window_bits", ExtensionError::Unacceptable),
        ("permessage-deflate; server_max_window_bits", ExtensionError::Unacceptable),
        ("permessage-deflate; unknown", ExtensionError::Unacceptable),
        ("permessage-deflate; server_no_context_takeover=1", ExtensionError::Unacceptable),
        (
            "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
            ExtensionError::Unacceptable,
        ),
        ("permessage-bzip2", ExtensionError::NotOffered),
        ("permessage-deflate, permessage-deflate", ExtensionError::NotOffered),
        ("permessage-deflate, x", ExtensionError::NotOffered),
    ] {
        assert_eq!(accept([answer.as_bytes()], &plain), Err(error), "{answer}");
    }
    let mut disabled = plain;
    disabled.enabled = false;
    assert_eq!(accept([&b"permessage-deflate"[..]], &disabled), Err(ExtensionError::NotOffered));
}

/// Whatever both ends want, the server's answer is one that the client takes, and both find the same in it.
#[test]
fn our_ends_agree() {
    let sides = [(false, false), (true, false), (false, true), (true, true)];
    let windows = [(15, 15), (9, 9), (15, 10), (12, 15)];
    let all: Vec<DeflateOptions> = sides
        .iter()
        .flat_map(|side| windows.map(|window| options(side.0, side.1, window.0, window.1)))
        .collect();
    for client in &all {
        for server in &all {
            let offered = offer(client).unwrap();
            let (by_server, answer) = negotiate([offered.as_bytes()], server).unwrap().unwrap();
            let by_client = accept([answer.as_bytes()], client).unwrap().unwrap();
            let what = format!("{offered:?} {answer:?}");
            assert_eq!(by_client.server_max_window_bits, by_server.server_max_window_bits, "{what}");
            assert_eq!(by_client.server_no_context_takeover, by_server.server_no_context_takeover, "{what}");
            assert_eq!(by_client.client_no_context_takeover, by_server.client_no_context_takeover, "{what}");
            // A client may keep to less than it was told to.
            assert!(by_client.client_max_window_bits <= by_server.client_max_window_bits, "{what}");
        }
    }
}

#[test]
fn long_lists_are_read_once() {
    let plain = options(false, false, 15, 15);
    for (unit, is_list) in [
        ("permessage-deflate; unknown, ", true),
        ("x;a;b=\"c\", ", true),
        (",", false),
        ("x; a=\"", false),
        ("permessage-deflate; client_max_window_bits, ", true),
    ] {
        let list = unit.repeat(20_000);
        assert_eq!(negotiate([list.as_bytes()], &plain).is_ok(), is_list, "{unit}");
    }
    let parameters = format!("permessage-deflate{}", "; client_no_context_takeover".repeat(20_000));
    assert_eq!(negotiate([parameters.as_bytes()], &plain), Ok(None));
    let protocols: Vec<String> = (0..20_000).map(|number| format!("p{number}")).collect();
    let offer = check(&format!("sec-websocket-protocol: {}", protocols.join(","))).unwrap();
    assert_eq!(offer.protocols().count(), 20_000);
}

fn opening() -> Opening {
    Opening::new(*b"the sample nonce", ["chat", "superchat"], options(false, false, 15, 15)).unwrap()
}

#[test]
fn clients_ask() {
    let expected = "upgrade: websocket
connection: Upgrade
sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==
sec-websocket-version: 13
sec-websocket-protocol: chat, superchat
sec-websocket-extensions: permessage-deflate; client_max_window_bits";
    assert_eq!(opening().headers(), headers(expected, ""));
    let offer = Offer::check(&Method::GET, Version::HTTP_11, &opening().headers()).unwrap();
    assert_eq!(offer.protocols().collect::<Vec<_>>(), ["chat", "superchat"]);

    let mut disabled = DeflateOptions::default();
    disabled.enabled = false;
    let bare = Opening::new([0; 16], [""; 0], disabled).unwrap().headers();
    assert!(!bare.contains_key("sec-websocket-protocol") && !bare.contains_key("sec-websocket-extensions"));

    for protocols in [vec![""], vec!["a b"], vec!["chat", "chat"], vec!["a,b"]] {
        let refused = Opening::new([0; 16], protocols, DeflateOptions::default());
        assert_eq!(refused.err(), Some(OpeningError::InvalidProtocols));
    }
}

#[test]
fn clients_check_the_answer() {
    use OpeningError::*;
    let deflate = "sec-websocket-extensions: permessage-deflate";
    for (changes, expected) in [
        ("", Ok((Some("chat"), false))),
        ("upgrade: WebSocket\nconnection: keep-alive, upgrade", Ok((Some("chat"), false))),
        ("sec-websocket-protocol: -", Ok((None, false))),
        ("sec-websocket-protocol: superchat", Ok((Some("superchat"), false))),
        (deflate, Ok((Some("chat"), true))),
        ("upgrade: -", Err(NotUpgraded)),
        ("upgrade: h2c, websocket", Err(NotUpgraded)),
        ("upgrade: websocket\nupgrade: websocket", Err(NotUpgraded)),
        ("connection: -", Err(NotUpgraded)),
        ("connection: close", Err(NotUpgraded)),
        ("sec-websocket-accept: -", Err(WrongAccept)),
        ("sec-websocket-accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=", Err(WrongAccept)),
        ("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo", Err(WrongAccept)),
        ("sec-websocket-accept: dGhlIHNhbXBsZSBub25jZQ==", Err(WrongAccept)),
        ("sec-websocket-protocol: Chat", Err(ProtocolNotOffered)),
        ("sec-websocket-protocol: ", Err(ProtocolNotOffered)),
        ("sec-websocket-protocol: chat, superchat", Err(ProtocolNotOffered)),
        ("sec-websocket-protocol: chat\nsec-websocket-protocol: chat", Err(ProtocolNotOffered)),
        ("sec-websocket-extensions: x", Err(Extension(ExtensionError::NotOffered))),
        ("sec-websocket-extensions: ", Err(Extension(ExtensionError::Malformed))),
        (
            "sec-websocket-extensions: permessage-deflate\nsec-websocket-extensions: permessage-deflate",
            Err(Extension(ExtensionError::NotOffered)),
        ),
        (
            "sec-websocket-extensions: permessage-deflate; client_max_window_bits=8",
            Err(Extension(ExtensionError::Unacceptable)),
        ),
    ] {
        let opening = opening();
        let verified = opening.verify(StatusCode::SWITCHING_PROTOCOLS, &headers(ANSWERED, changes));
        let seen = verified.map(|agreed| (agreed.protocol, agreed.deflate.is_some()));
        assert_eq!(seen, expected, "{changes}");
    }
    for status in [StatusCode::OK, StatusCode::UPGRADE_REQUIRED, StatusCode::FOUND] {
        let opening = opening();
        let refused = opening.verify(status, &headers(ANSWERED, ""));
        assert_eq!(refused.err(), Some(NotSwitched(status)));
    }
}
