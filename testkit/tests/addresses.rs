//! What a request says it asked for, and of whom.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

use bakestone::machine::{Address, ConnectionInfo};
use bakestone::{Request, Session, Text};
use bakestone_testkit::Wire;

fn connection(secure: bool, local: Option<&str>) -> ConnectionInfo {
    let address = |text: &str| Address::Ip(text.parse().unwrap());
    let mut connection = ConnectionInfo::new(Some(address("192.0.2.7:50000")), local.map(address));
    connection.secure = secure;
    connection
}

#[test]
fn r04_r08_the_url_is_made_of_what_was_sent_and_was_checked() {
    let show = |request: Request| Text(format!("{} {}", request.url(), request.host().unwrap_or("-")));
    for (request, secure, local, expected) in [
        (
            "GET /a%20b/%2F?q=%26 HTTP/1.1\r\nHost: example.com",
            false,
            None,
            "http://example.com/a%20b/%2F?q=%26 example.com",
        ),
        (
            "GET / HTTP/1.1\r\nHost: Example.com:8080",
            true,
            None,
            "https://Example.com:8080/ Example.com:8080",
        ),
        ("GET / HTTP/1.1\r\nHost: [::1]:80", false, None, "http://[::1]:80/ [::1]:80"),
        // The target's own host is the one that counts.
        (
            "GET http://other.example/x HTTP/1.1\r\nHost: other.example",
            false,
            None,
            "http://other.example/x other.example",
        ),
        ("OPTIONS * HTTP/1.1\r\nHost: a", false, None, "http://a/ a"),
        // Nobody said which host, so it is the one that was reached.
        ("GET /x HTTP/1.0", false, Some("192.0.2.1:8000"), "http://192.0.2.1:8000/x -"),
        ("GET /x HTTP/1.0", false, Some("[2001:db8::1]:80"), "http://[2001:db8::1]:80/x -"),
        ("GET /x HTTP/1.0", false, None, "http://localhost/x -"),
    ] {
        let mut wire = Wire::connected(Session::new(show), connection(secure, local));
        wire.feed(format!("{request}\r\n\r\n"));
        let answer = wire.take_text();
        assert!(answer.ends_with(&format!("\r\n\r\n{expected}")), "{request}: {answer}");
    }
}

/// A host that is none never gets into a URL: the request is refused.
#[test]
fn r08_a_host_that_is_none_is_refused() {
    for host in ["a/b", "a b", "a@b", "a?b", "a#b", "a\\b", "a:b", "[::1", "a,b", "a\tb"] {
        let mut wire = Wire::new(Session::new(|request: Request| Text(request.url().to_string())));
        wire.feed(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")).expect_start("HTTP/1.1 400 ");
    }
}

#[test]
fn r04_paths_and_addresses() {
    let show = |request: Request| {
        let address = |address: Option<&Address>| address.map_or("-".to_owned(), ToString::to_string);
        let (peer, local) = (address(request.peer()), address(request.local()));
        Text(format!("{} {} {peer} {local} {}", request.path(), request.raw_path(), request.scheme()))
    };
    for (path, expected) in [
        ("/caf%C3%A9%20x", "/caf\u{e9} x /caf%C3%A9%20x"),
        ("/%61%2Fb", "/a/b /%61%2Fb"),
        ("/100%25?%41", "/100% /100%25"),
        ("/%ff", "/\u{fffd} /%ff"),
        ("/%zz%", "/%zz% /%zz%"),
    ] {
        let mut wire = Wire::connected(Session::new(show), connection(false, Some("192.0.2.1:80")));
        wire.feed(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
        let answer = wire.take_text();
        let expected = format!("\r\n\r\n{expected} 192.0.2.7:50000 192.0.2.1:80 http");
        assert!(answer.ends_with(&expected), "{path}: {answer}");
    }
}
