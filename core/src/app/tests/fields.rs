//! Queries, forms and cookies, as they are and as types.
#![allow(dead_code, reason = "what is shown is read by `Debug`, which does not count")]

use std::collections::BTreeMap;

use http::HeaderValue;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::*;

const FORM: &str = "application/x-www-form-urlencoded";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Cake,
    Bread,
}

#[derive(Debug, Deserialize)]
struct Id(u16);

#[derive(Debug, Deserialize)]
struct Everything {
    #[serde(default)]
    text: String,
    #[serde(default)]
    tick: bool,
    number: Option<i8>,
    float: Option<f32>,
    letter: Option<char>,
    kind: Option<Kind>,
    id: Option<Id>,
    note: Option<String>,
    #[serde(default)]
    many: Vec<u8>,
    pair: Option<(u8, u8)>,
}

/// What is there of an [`Everything`].
fn show(all: Everything) -> Text<String> {
    let text = format!("{all:?}");
    let text = text.trim_start_matches("Everything { ").trim_end_matches(" }");
    let nothing = [r#"text: """#, "tick: false", "many: []"];
    let there = text.split(", ").filter(|part| !part.ends_with(": None") && !nothing.contains(part));
    Text(there.collect::<Vec<_>>().join(", "))
}

fn everything() -> AppService {
    App::new()
        .route(
            "/",
            get(|Query(all): Query<Everything>| show(all)).post(|Form(all): Form<Everything>| show(all)),
        )
        .build()
        .unwrap()
}

/// As a query and as a form.
#[track_caller]
fn both(app: &AppService, fields: &'static str, status: u16, expected: &str) {
    let query = send(app, &format!("GET /?{fields}"), "");
    assert_eq!(query, seen(status, TEXT, expected), "{fields}");
    let form = send_as(app, "POST /", FORM, fields);
    assert_eq!(form, seen(status, TEXT, &expected.replace("query", "form")), "{fields}");
}

#[test]
fn values_by_type() {
    let app = everything();
    for (fields, expected) in [
        ("", ""),
        ("other=1&another", ""),
        ("text=a+b%26", r#"text: "a b&""#),
        ("tick=on", "tick: true"),
        ("tick=true", "tick: true"),
        ("tick=1", "tick: true"),
        ("tick=yes", "tick: true"),
        ("tick=off", ""),
        ("number=-128", "number: Some(-128)"),
        ("number=", ""),
        ("float=1.5", "float: Some(1.5)"),
        ("letter=%C3%A9", "letter: Some('é')"),
        ("kind=bread", "kind: Some(Bread)"),
        ("kind=cake", "kind: Some(Cake)"),
        ("id=7", "id: Some(Id(7))"),
        ("note=x", r#"note: Some("x")"#),
        ("note=", ""),
        ("many=1", "many: [1]"),
        ("many=1&text=x&many=2&many=1", r#"text: "x", many: [1, 2, 1]"#),
        ("pair=1&pair=2", "pair: Some((1, 2))"),
    ] {
        both(&app, fields, 200, expected);
    }
}

#[test]
fn what_does_not_fit_is_told_without_the_value() {
    let app = everything();
    for (fields, field, expected, found) in [
        ("tick=%3Cb%3E", "tick", "`true` or `false`", "is something else"),
        ("tick=", "tick", "`true` or `false`", "is empty"),
        ("number=128", "number", "a whole number from -128 to 127", "is something else"),
        ("number=1&number=2", "number", "one value", "is there more than once"),
        ("text=1&text=2", "text", "one value", "is there more than once"),
        ("float=NaN", "float", "a number", "is something else"),
        ("float=-inf", "float", "a number", "is something else"),
        ("letter=ab", "letter", "one character", "is something else"),
        ("kind=pie", "kind", "`cake` or `bread`", "is something else"),
        ("id=x", "id", "a whole number from 0 to 65535", "is something else"),
        ("many=1&many=", "many", "a whole number from 0 to 255", "is empty"),
        ("pair=1", "pair", "2 values", "is something else"),
        ("pair=1&pair=2&pair=3", "pair", "2 values", "is there more than once"),
    ] {
        both(&app, fields, 400, &format!("the query's `{field}` must be {expected}, and {found}"));
    }
}

#[test]
fn what_is_missing_and_what_is_too_much() {
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Strict {
        name: String,
        tick: bool,
    }
    let app = App::new()
        .route(
            "/",
            get(|Query(Strict { name, tick }): Query<Strict>| Text(format!("{name} {tick}")))
                .post(|Form(Strict { name, tick }): Form<Strict>| Text(format!("{name} {tick}"))),
        )
        .build()
        .unwrap();
    both(&app, "name=a&tick=on", 200, "a true");
    both(&app, "tick=on", 400, "the query's `name` is missing");
    // A box that is not ticked sends nothing: it is for `#[serde(default)]` to say that this is `false`.
    both(&app, "name=a", 400, "the query's `tick` is missing");
    both(&app, "name=a&%3Cb%3E=1", 400, "the query may hold only `name` or `tick`");
}

#[derive(Debug, Deserialize)]
struct Wrapped(BTreeMap<String, u8>);

/// The names, in the order in which a map is given them.
#[derive(Debug)]
struct Names(Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self(Vec::new()))
    }
}

impl<'de> Visitor<'de> for Names {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self, A::Error> {
        while let Some((name, IgnoredAny)) = map.next_entry()? {
            self.0.push(name);
        }
        Ok(self)
    }
}

#[test]
fn other_shapes_than_structs() {
    fn debug<T: std::fmt::Debug>(value: T) -> Text<String> {
        Text(format!("{value:?}"))
    }
    let app = App::new()
        .route("/names", get(|Query(names): Query<Names>| debug(names)))
        .route("/multi", get(|Query(all): Query<MultiMap>| debug(all)))
        .route("/pairs", get(|Query(all): Query<Vec<(String, u8)>>| debug(all)))
        .route("/map", get(|Query(all): Query<Wrapped>| debug(all)))
        .route("/lists", get(|Query(all): Query<BTreeMap<String, Vec<String>>>| debug(all)))
        .route("/option", get(|Query(all): Query<Option<BTreeMap<String, u8>>>| debug(all)))
        .route("/unit", get(|Query(()): Query<()>| debug(())))
        .route("/number", get(|Query(number): Query<u8>| debug(number)))
        .route("/nested", get(|Query(all): Query<BTreeMap<String, Wrapped>>| debug(all)))
        .build()
        .unwrap();
    for (line, status, expected) in [
        ("GET /names?b=1&c=2&a=3&c=4&b=5", 200, r#"Names(["b", "c", "a"])"#),
        ("GET /multi?b=1&a=2&b=3", 200, r#"{"b": "1", "a": "2", "b": "3"}"#),
        ("GET /pairs?b=1&a=2&b=3", 200, r#"[("b", 1), ("a", 2), ("b", 3)]"#),
        ("GET /map?b=1&a=2", 200, r#"Wrapped({"a": 2, "b": 1})"#),
        // The name is the client's, and is not repeated.
        (
            "GET /map?%3Cb%3E=x",
            400,
            "a value of the query must be a whole number from 0 to 255, and is something else",
        ),
        ("GET /lists?b=1&a=2&b=3", 200, r#"{"a": ["2"], "b": ["1", "3"]}"#),
        ("GET /option", 200, "None"),
        ("GET /option?a=1", 200, r#"Some({"a": 1})"#),
        ("GET /unit?a=1", 200, "()"),
        // Whatever a client sends, such handlers are never called.
        ("GET /number?a=1", 500, "Internal Server Error"),
        ("GET /nested?a=1", 500, "Internal Server Error"),
    ] {
        assert_eq!(send(&app, line, ""), seen(status, TEXT, expected), "{line}");
    }
}

#[test]
fn r07_q03_q04_f06_f07_as_they_are() {
    let show = |fields: MultiMap| Text(format!("{fields:?}"));
    let app = App::new()
        .route(
            "/",
            get(move |request: Request| show(request.query()))
                .post(move |Form(form): Form<MultiMap>| show(form)),
        )
        .build()
        .unwrap();
    for (fields, expected) in [
        ("", "{}"),
        ("a=1&a=2&A=3", r#"{"a": "1", "a": "2", "A": "3"}"#),
        ("d=%26x", r#"{"d": "&x"}"#),
        ("d=%2526", r#"{"d": "%26"}"#),
        ("a;b=1;c", r#"{"a;b": "1;c"}"#),
        ("a&b=&=c&&", r#"{"a": "", "b": "", "": "c"}"#),
        ("a=b=c", r#"{"a": "b=c"}"#),
        ("z=%zz&y=%ff", r#"{"z": "%zz", "y": "�"}"#),
    ] {
        both(&app, fields, 200, expected);
    }
}

#[test]
fn f05_q10_a_form_is_told_by_its_content_type() {
    let app = App::new()
        .route("/", post(|Form(form): Form<MultiMap>| Text(form.len().to_string())))
        .build()
        .unwrap();
    let expected = "the content type must be `application/x-www-form-urlencoded` or `multipart/form-data`";
    let unsupported = || seen(415, TEXT, expected);
    assert_eq!(send(&app, "POST /", "a=1"), unsupported());
    for (content_type, good) in [
        (FORM, true),
        ("Application/X-WWW-Form-URLencoded; charset=UTF-8", true),
        ("multipart/x-mixed; boundary=x", false),
        ("text/plain", false),
        ("application/json", false),
    ] {
        let expected = if good { seen(200, TEXT, "1") } else { unsupported() };
        assert_eq!(send_as(&app, "POST /", content_type, "a=1"), expected, "{content_type}");
    }
}

#[test]
fn f04_q11_a_form_has_limits() {
    let app = App::new()
        .route("/", post(|Form(form): Form<MultiMap>| Text(form.len().to_string())))
        .build()
        .unwrap();
    let post = |body: String| {
        let mut request = Request::new(Method::POST, Uri::from_static("/"), body);
        request.headers_mut().insert("content-type", HeaderValue::from_static(FORM));
        look(block_on(app.call(request)))
    };
    let exceeded = |limit: &str, value: usize| {
        seen(413, TEXT, &format!("{limit} is {value}, and at least {} were sent", value + 1))
    };
    assert_eq!(post("a&".repeat(1_000)), seen(200, TEXT, "1000"));
    assert_eq!(post("a&".repeat(1_001)), exceeded("form_fields", 1_000));
    assert_eq!(post("a".repeat(1 << 20)), seen(200, TEXT, "1"));
    assert_eq!(post("a".repeat((1 << 20) + 1)), exceeded("form_field_bytes", 1 << 20));
    assert_eq!(post("&".repeat(2 << 20)), seen(200, TEXT, "0"));
    assert_eq!(post("&".repeat((2 << 20) + 1)), exceeded("buffered_body_bytes", 2 << 20));
}

#[test]
fn r06_q05_cookies_of_all_fields() {
    let app =
        App::new().route("/", get(|Cookies(cookies): Cookies| Text(format!("{cookies:?}")))).build().unwrap();
    for (fields, expected) in [
        (&[][..], "{}"),
        (&["a=1; b=\"2\"; c"], r#"{"a": "1", "b": "2", "": "c"}"#),
        (&["a=1", "a=2; b=3"], r#"{"a": "1", "a": "2", "b": "3"}"#),
    ] {
        let mut request = Request::new(Method::GET, Uri::from_static("/"), ());
        for field in fields {
            request.headers_mut().append("cookie", HeaderValue::from_static(field));
        }
        assert_eq!(look(block_on(app.call(request))), seen(200, TEXT, expected), "{fields:?}");
    }
}

#[test]
fn r09_r10_r11_q06_fields_about_the_body() {
    let of = |content_types: &[&'static str], lengths: &[&'static str]| {
        let mut request = Request::new(Method::POST, Uri::from_static("/"), ());
        for content_type in content_types {
            request.headers_mut().append("content-type", HeaderValue::from_static(content_type));
        }
        for length in lengths {
            request.headers_mut().append("content-length", HeaderValue::from_static(length));
        }
        let content_type = request.content_type().map(|content_type| content_type.into_owned());
        (content_type, request.charset(), request.content_length())
    };
    let found = |content_type: &str, charset: &str| {
        (Some(content_type.to_owned()), Some(charset.to_owned()).filter(|charset| !charset.is_empty()), None)
    };
    assert_eq!(of(&[], &[]), (None, None, None));
    assert_eq!(of(&["Text/HTML"], &[]), found("text/html", ""));
    assert_eq!(of(&[r#"text/html; Charset="UTF-8""#], &[]), found("text/html", "utf-8"));
    assert_eq!(of(&["text/html", "text/html"], &[]), (None, None, None));
    assert_eq!(of(&["nonsense"], &[]), (None, None, None));
    for (lengths, expected) in [
        (&["0"][..], Some(0)),
        (&["12"], Some(12)),
        (&["+1"], None),
        (&["1", "1"], None),
        (&["18446744073709551616"], None),
    ] {
        assert_eq!(of(&[], lengths).2, expected, "{lengths:?}");
    }
}
