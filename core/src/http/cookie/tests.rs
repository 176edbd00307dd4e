//! Both fields, as tables.

use std::time::Duration;

use super::*;
use crate::http::HttpDate;
use crate::{IntoResponse, Response, StatusCode, Text};

#[test]
fn r06_q05_pieces() {
    for (field, expected) in [
        ("", &[][..]),
        (" \t ; ;", &[]),
        ("a=b", &[("a", "b")]),
        ("a=b;c=d", &[("a", "b"), ("c", "d")]),
        ("a=1; a=2", &[("a", "1"), ("a", "2")]),
        ("  a  =  b  ;  c  ", &[("a", "b"), ("", "c")]),
        ("a=b=c", &[("a", "b=c")]),
        ("=b", &[("", "b")]),
        ("=", &[("", "")]),
        ("a=", &[("a", "")]),
        (r#"a="b""#, &[("a", "b")]),
        (r#"a=" b ""#, &[("a", " b ")]),
        (r#"a=""#, &[("a", r#"""#)]),
        (r#"a="""#, &[("a", "")]),
        (r#"a="b"#, &[("a", r#""b"#)]),
        (r#"b="q;x""#, &[("b", r#""q"#), ("", r#"x""#)]),
        (r#"a="\073""#, &[("a", r"\073")]),
        ("a=b, c=d", &[("a", "b, c=d")]),
        ("a=%41+b", &[("a", "%41+b")]),
        ("a=\u{e9}", &[("a", "\u{e9}")]),
    ] {
        let expected: Vec<(Cow<'_, str>, Cow<'_, str>)> =
            expected.iter().map(|&(name, value)| (name.into(), value.into())).collect();
        assert_eq!(parse(field.as_bytes()).collect::<Vec<_>>(), expected, "{field}");
    }
    assert_eq!(parse(b"a=\xff").next(), Some(("a".into(), "\u{fffd}".into())));
}

/// As a handler would write it.
fn cookie() -> SetCookie {
    SetCookie::new("a", "b")
}

#[test]
fn p14_p15_s26_attributes_in_their_order() {
    let day = HttpDate::new(Duration::from_secs(784_111_777));
    let bare = || cookie().http_only(false).same_site(None);
    for (cookie, expected) in [
        (cookie(), "a=b; HttpOnly; SameSite=Lax"),
        (bare(), "a=b"),
        (bare().path("/a b").domain("Example.org"), "a=b; Domain=Example.org; Path=/a b"),
        (bare().domain(".example.org"), "a=b; Domain=.example.org"),
        (bare().max_age(Duration::from_secs(60)), "a=b; Max-Age=60"),
        (bare().max_age(Duration::from_millis(1)), "a=b; Max-Age=1"),
        (bare().max_age(Duration::MAX), "a=b; Max-Age=18446744073709551615"),
        (bare().expires(day), "a=b; Expires=Sun, 06 Nov 1994 08:49:37 GMT"),
        (bare().same_site(SameSite::Strict), "a=b; SameSite=Strict"),
        (cookie().secure(true).same_site(SameSite::None), "a=b; Secure; HttpOnly; SameSite=None"),
        (bare().secure(true).partitioned(true), "a=b; Secure; Partitioned"),
        (
            cookie()
                .partitioned(true)
                .secure(true)
                .expires(day)
                .max_age(Duration::ZERO)
                .path("/")
                .domain("a.b"),
            "a=b; Domain=a.b; Path=/; Max-Age=0; Expires=Sun, 06 Nov 1994 08:49:37 GMT; Secure; HttpOnly; \
             SameSite=Lax; Partitioned",
        ),
        (
            SetCookie::delete("a").domain("a.b").path("/c").http_only(false).same_site(None),
            "a=; Domain=a.b; Path=/c; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        ),
    ] {
        assert_eq!(cookie.field().unwrap(), expected);
    }
}

#[test]
fn what_cannot_be_set_is_an_error_that_says_why() {
    let named = |name: &str| SetCookie::new(name, "x");
    let too_long = |part, bytes, most: usize| CookieError::TooLong { part, bytes, most };
    let secure = CookieError::NeedsSecure;
    for (cookie, error) in [
        (named(""), CookieError::Name),
        (named("a b"), CookieError::Name),
        (named("a=b"), CookieError::Name),
        (named("a;b"), CookieError::Name),
        (named("a\r\nb"), CookieError::Name),
        (named("\u{e9}"), CookieError::Name),
        (SetCookie::delete("a;"), CookieError::Name),
        (SetCookie::new("a", "x; Domain=evil.example"), CookieError::Value),
        (SetCookie::new("a", "x\r\nX-Injected: 1"), CookieError::Value),
        (SetCookie::new("a", "x\0"), CookieError::Value),
        (SetCookie::new("a", "x y"), CookieError::Value),
        (SetCookie::new("a", "\"x\""), CookieError::Value),
        (SetCookie::new("a", "x,y"), CookieError::Value),
        (SetCookie::new("a", "x\\y"), CookieError::Value),
        (SetCookie::new("a", "\u{e9}"), CookieError::Value),
        (cookie().path(""), CookieError::Path),
        (cookie().path("a"), CookieError::Path),
        (cookie().path("/; Secure"), CookieError::Path),
        (cookie().path("/\n"), CookieError::Path),
        (cookie().path("/ "), CookieError::Path),
        (cookie().path("/\u{e9}"), CookieError::Path),
        (cookie().domain(""), CookieError::Domain),
        (cookie().domain("."), CookieError::Domain),
        (cookie().domain("..a"), CookieError::Domain),
        (cookie().domain("a."), CookieError::Domain),
        (cookie().domain("a.b; Secure"), CookieError::Domain),
        (cookie().domain("a.b\r\n"), CookieError::Domain),
        (cookie().domain("a b"), CookieError::Domain),
        (cookie().domain("\u{e9}.example"), CookieError::Domain),
        (cookie().domain("a".repeat(1025)), too_long("the domain", 1025, 1024)),
        (cookie().path("/".repeat(1025)), too_long("the path", 1025, 1024)),
        (SetCookie::new("a", "b".repeat(4096)), too_long("the name and the value", 4097, 4096)),
        (cookie().same_site(SameSite::None), secure("SameSite=None")),
        (cookie().partitioned(true), secure("Partitioned")),
        (named("__Secure-a"), secure("a name that begins with __Secure-")),
        (named("__sECURE-a"), secure("a name that begins with __Secure-")),
        (named("__Host-a"), CookieError::Host),
        (named("__Host-a").path("/"), CookieError::Host),
        (named("__Host-a").secure(true), CookieError::Host),
        (named("__hOST-a").secure(true).path("/a"), CookieError::Host),
        (named("__HOST-").secure(true).path("/").domain("a.b"), CookieError::Host),
        (SetCookie::delete("__Host-a"), CookieError::Host),
    ] {
        assert_eq!(cookie.field(), Err(error), "{cookie:?}");
        assert!(!error.to_string().contains("evil"));
    }
}

#[test]
fn what_is_just_within_the_rules_is_set() {
    for cookie in [
        SetCookie::new("!#$%&'*+-.^_`|~09azAZ", ""),
        SetCookie::new("a", "!#$%&'()*+-./09:<=>?@AZ[]^_`az{|}~"),
        SetCookie::new("a", "b".repeat(4095)),
        cookie().path(format!("/{}", "p".repeat(1023))),
        cookie().domain("d".repeat(1024)),
        SetCookie::new("__Secure-a", "b").secure(true).path("/a").domain("a.b"),
        SetCookie::new("__Host-a", "b").secure(true).path("/"),
        SetCookie::delete("__Host-a").secure(true).path("/"),
        SetCookie::new("__Hosta", "b"),
        cookie().domain("127.0.0.1"),
    ] {
        let field = cookie.field().unwrap();
        assert_eq!(SetCookie::parse(field.as_bytes()), Some(cookie));
    }
}

#[test]
fn any_text_comes_back() {
    let all: String = (0..=0x2ff).filter_map(char::from_u32).collect();
    for text in ["", "plain", "a b", "%41", "%", "a;b=c,\"d\"\\", "\u{1f370}\r\n\0", &all] {
        let cookie = SetCookie::encoded("a", text);
        let field = cookie.field().unwrap();
        assert_eq!(decode(&SetCookie::parse(field.as_bytes()).unwrap().value), text);
        let sent = format!("a={}", cookie.value);
        let (_, value) = parse(sent.as_bytes()).next().unwrap();
        assert_eq!(decode(&value), text);
    }
    for (value, text) in [("%", "%"), ("%4", "%4"), ("%zz", "%zz"), ("a+b", "a+b"), ("%ff", "\u{fffd}")] {
        assert_eq!(decode(value), text);
    }
}

#[test]
fn a_user_agent_reads_what_other_servers_send() {
    let read = |name: &str, value: &str| SetCookie::new(name, value).http_only(false).same_site(None);
    let second = |second| HttpDate::new(Duration::from_secs(second));
    for (field, expected) in [
        ("a=b", Some(read("a", "b"))),
        (" a = b ; Path = /c ", Some(read("a", "b").path("/c"))),
        ("a=\"b\"", Some(read("a", "\"b\""))),
        ("lone", Some(read("", "lone"))),
        ("=b", Some(read("", "b"))),
        ("a=b=c", Some(read("a", "b=c"))),
        ("a=;;;", Some(read("a", ""))),
        ("a=b; path=c; Domain=", Some(read("a", "b"))),
        ("a=b; path=/; path=/c", Some(read("a", "b").path("/c"))),
        ("a=b; path=/; path", Some(read("a", "b"))),
        ("a=b; domain=.Example.ORG", Some(read("a", "b").domain("example.org"))),
        ("a=b; max-age=-5", Some(read("a", "b").max_age(Duration::ZERO))),
        ("a=b; max-age=1; Max-Age=1.5", Some(read("a", "b").max_age(Duration::from_secs(1)))),
        ("a=b; max-age=+1; max-age", Some(read("a", "b"))),
        ("a=b; max-age=99999999999999999999", Some(read("a", "b").max_age(Duration::from_secs(u64::MAX)))),
        ("a=b; expires=Sunday, 06-Nov-94 08:49:37 GMT", Some(read("a", "b").expires(second(784_111_777)))),
        ("a=b; expires=soon; Expires=Thu, 01 Jan 1970 00:00:00 GMT", Some(read("a", "b").expires(second(0)))),
        ("a=b; samesite=NONE; SECURE=no; Partitioned", {
            Some(read("a", "b").same_site(SameSite::None).secure(true).partitioned(true))
        }),
        ("a=b; samesite=strict; samesite=else; httponly", Some(read("a", "b").http_only(true))),
        ("a=\tb", Some(read("a", "b"))),
        ("", None),
        (" ; Path=/", None),
        ("=", None),
        ("a=\x01", None),
        ("a=b\n", None),
        ("a=\x7f", None),
    ] {
        assert_eq!(SetCookie::parse(field.as_bytes()), expected, "{field}");
    }
    assert_eq!(SetCookie::parse(b"a=\xff"), Some(read("a", "\u{fffd}")));
    let long =
        |name, bytes| SetCookie::parse(format!("a=b; {name}={}", "/".repeat(bytes)).as_bytes()).unwrap();
    assert_eq!((long("path", 1024).path.is_some(), long("path", 1025).path.is_some()), (true, false));
    let longest = format!("a={}", "b".repeat(4095));
    assert!(SetCookie::parse(longest.as_bytes()).is_some());
    assert!(SetCookie::parse(format!("{longest}b").as_bytes()).is_none());
}

#[test]
fn p16_the_same_name_domain_and_path_is_set_once() {
    let set = |cookies: &[SetCookie]| {
        let mut response = Response::new("");
        for cookie in cookies {
            response.set_cookie(cookie.clone()).unwrap();
        }
        let fields = response.headers.get_all("set-cookie").into_iter();
        fields.map(|field| field.to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let bare = |value: &str| SetCookie::new("a", value).http_only(false).same_site(None);
    for (cookies, expected) in [
        (vec![bare("1"), bare("2")], vec!["a=2"]),
        (
            vec![bare("1"), SetCookie::delete("a")],
            vec!["a=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax"],
        ),
        (vec![bare("1"), bare("2").path("/"), bare("3")], vec!["a=2; Path=/", "a=3"]),
        (
            vec![bare("1").domain("a.b"), bare("2").domain("c.d"), bare("3").domain(".A.B")],
            vec!["a=2; Domain=c.d", "a=3; Domain=.A.B"],
        ),
    ] {
        assert_eq!(set(&cookies), expected);
    }
    let mut response = Response::new("").with_cookie(bare("1")).unwrap();
    assert_eq!(response.set_cookie(bare(";")), Err(CookieError::Value));
    response.headers.append("set-cookie", HeaderValue::from_static("foreign; path=/"));
    let mut other = SetCookie::new("b", "2");
    other.path = Some("/".into());
    response.set_cookie(other.clone()).unwrap();
    let cookies: Vec<SetCookie> = response.cookies().collect();
    assert_eq!(cookies, [bare("1"), SetCookie::parse(b"foreign; path=/").unwrap(), other]);
}

#[test]
fn s26_a_handler_returns_cookies_with_its_answer() {
    let answer = (cookie(), (SetCookie::new("c", "d"), (StatusCode::CREATED, Text("made"))));
    let response = answer.into_response().unwrap();
    assert_eq!((response.status, response.body.length()), (StatusCode::CREATED, Some(4)));
    let names: Vec<String> = response.cookies().map(|cookie| cookie.name).collect();
    assert_eq!(names, ["c", "a"]);
    let error = (SetCookie::new("a", "secret;"), Text("")).into_response().unwrap_err();
    assert!(error.is::<CookieError>());
    assert_eq!(error.to_string(), "500: Internal Server Error");
}
