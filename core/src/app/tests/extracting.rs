//! What handlers take.
#![allow(dead_code, reason = "what is shown is read by `Debug`, which does not count")]

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Version};
use serde::Deserialize;

use super::*;

#[test]
fn h06_h07_parameters_by_type() {
    let app = App::new()
        .route("/u8/{n}", get(|Path(n): Path<u8>| Text(n.to_string())))
        .route("/int/{n:int}", get(|Path(n): Path<i8>| Text(n.to_string())))
        .route("/f64/{n}", get(|Path(n): Path<f64>| Text(n.to_string())))
        .route("/bool/{n}", get(|Path(n): Path<bool>| Text(n.to_string())))
        .route("/char/{n}", get(|Path(n): Path<char>| Text(n.to_string())))
        .route("/two/{a}/{b:int}", get(|Path((a, b)): Path<(String, u16)>| Text(format!("{b} {a}"))))
        .route("/one/{a}", get(|Path((a,)): Path<(String,)>| Text(a)))
        .route("/rest/{a:path}", get(|Path(a): Path<String>| Text(a)))
        .build()
        .unwrap();
    let text = |text: &str| seen(200, TEXT, text);
    let refused = |expected: &str| {
        seen(400, TEXT, &format!("the path's `n` must be {expected}, and is something else"))
    };
    let unknown = || seen(404, TEXT, "Not Found");
    for (line, expected) in [
        ("GET /u8/7", text("7")),
        ("GET /u8/007", text("7")),
        ("GET /u8/%37", text("7")),
        ("GET /u8/256", refused("a whole number from 0 to 255")),
        ("GET /u8/x", refused("a whole number from 0 to 255")),
        ("GET /int/127", text("127")),
        ("GET /int/128", unknown()),
        ("GET /int/99999999999999999999", unknown()),
        ("GET /int/x", unknown()),
        ("GET /f64/1.5", text("1.5")),
        ("GET /f64/x", refused("a number")),
        ("GET /bool/true", text("true")),
        ("GET /f64/NaN", refused("a number")),
        ("GET /f64/1e999", refused("a number")),
        ("GET /bool/1", text("true")),
        ("GET /bool/maybe", refused("`true` or `false`")),
        ("GET /char/%C3%A9", text("é")),
        ("GET /char/ab", refused("one character")),
        ("GET /two/x/9", text("9 x")),
        ("GET /one/x", text("x")),
        ("GET /rest/a/b", text("a/b")),
        ("GET /rest/", text("")),
    ] {
        assert_eq!(send(&app, line, ""), expected, "{line}");
    }
}

#[test]
fn eight_parameters() {
    type Eight = (u8, u8, u8, u8, u8, u8, u8, String);
    let sum = |Path((a, b, c, d, e, f, g, h)): Path<Eight>| Text(format!("{}{h}", a + b + c + d + e + f + g));
    let app = App::new().route("/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}", get(sum)).build().unwrap();
    assert_eq!(send(&app, "GET /1/2/3/4/5/6/7/8", ""), seen(200, TEXT, "288"));
}

#[test]
fn a_parameter_of_ones_own() {
    #[derive(Deserialize)]
    #[serde(try_from = "u32")]
    struct Even(u32);
    impl TryFrom<u32> for Even {
        type Error = String;

        fn try_from(number: u32) -> Result<Self, String> {
            (number % 2 == 0).then_some(Self(number)).ok_or(format!("<b>{number}</b> is odd"))
        }
    }
    let even = |Path(n): Path<Even>| Text(n.0.to_string());
    let app = App::new().route("/{n}", get(even)).route("/int/{n:int}", get(even)).build().unwrap();
    assert_eq!(send(&app, "GET /4", ""), seen(200, TEXT, "4"));
    // What the type says may repeat what the client sent.
    assert_eq!(send(&app, "GET /5", ""), seen(400, TEXT, "the path's `n` must be of the needed form"));
    assert_eq!(send(&app, "GET /int/5", "").status, 404);
}

#[test]
fn parameters_by_name_and_as_other_shapes() {
    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Cake,
        Bread,
    }
    #[derive(Debug, Deserialize)]
    struct Id(u16);
    #[derive(Debug, Deserialize)]
    struct Record {
        id: Id,
        kind: Kind,
        page: Option<u8>,
    }
    #[derive(Debug, Deserialize)]
    struct Pair(String, u16);
    fn show<T: std::fmt::Debug>(value: T) -> Text<String> {
        Text(format!("{value:?}"))
    }
    let path = "/{kind}/{id}";
    let app = App::new()
        .route([path, "/paged/{kind}/{id}/{page}"], get(|Path(record): Path<Record>| show(record)))
        .route("/{kind}", post(|Path(kind): Path<Kind>| show(kind)))
        .route(path, put(|Path(pair): Path<Pair>| show(pair)))
        .route(path, patch(|Path(all): Path<Vec<String>>| show(all)))
        .route(path, delete(|Path(all): Path<BTreeMap<String, String>>| show(all)))
        .route(path, on("MULTI", |Path(all): Path<MultiMap>| show(all)))
        .route(path, on("NONE", |Path(()): Path<()>| show(())))
        .route("/", get(|Path(first): Path<Option<u8>>| show(first)))
        .route("/rest/{rest:path}", get(|Path(rest): Path<Option<String>>| show(rest)))
        .build()
        .unwrap();
    let text = |text: &str| seen(200, TEXT, text);
    let refused = |text: &str| seen(400, TEXT, text);
    for (line, expected) in [
        ("GET /cake/7", text("Record { id: Id(7), kind: Cake, page: None }")),
        ("GET /paged/bread/7/1", text("Record { id: Id(7), kind: Bread, page: Some(1) }")),
        ("GET /pie/7", refused("the path's `kind` must be `cake` or `bread`, and is something else")),
        (
            "GET /cake/x",
            refused("the path's `id` must be a whole number from 0 to 65535, and is something else"),
        ),
        ("POST /bread", text("Bread")),
        ("PUT /b/7", text(r#"Pair("b", 7)"#)),
        ("PATCH /a/7", text(r#"["a", "7"]"#)),
        ("DELETE /a/7", text(r#"{"id": "7", "kind": "a"}"#)),
        ("MULTI /a%20b/7", text(r#"{"kind": "a b", "id": "7"}"#)),
        ("NONE /a/7", text("()")),
        ("GET /", text("None")),
        ("GET /rest/", text("None")),
        ("GET /rest/a/b", text(r#"Some("a/b")"#)),
    ] {
        assert_eq!(send(&app, line, ""), expected, "{line}");
    }
}

#[test]
fn states_by_type() {
    async fn show(
        State(a): State<&'static str>,
        State(b): State<Arc<u32>>,
        c: Option<State<u8>>,
    ) -> Text<String> {
        Text(format!("{a} {b} {c:?}"))
    }
    let app = App::new().route("/", get(show)).state("a").state(Arc::new(7_u32)).build().unwrap();
    assert_eq!(send(&app, "GET /", ""), seen(200, TEXT, "a 7 None"));
}

#[test]
fn what_is_not_required_is_missing_without_a_panic() {
    struct Careless(String);
    impl FromParts for Careless {
        fn from_parts(request: &mut Request, states: &States) -> Result<Self> {
            let State(state) = State::<u64>::from_parts(request, states)?;
            Ok(Self(state.to_string()))
        }
    }
    let app = App::new()
        .route("/state", get(|careless: Careless| Text(careless.0)))
        .route("/path", get(|path: Option<Path<u8>>| Text(format!("{path:?}"))))
        .build()
        .unwrap();
    assert_eq!(send(&app, "GET /state", ""), seen(500, TEXT, "Internal Server Error"));
    assert_eq!(send(&app, "GET /path", ""), seen(200, TEXT, "None"));
}

#[test]
fn the_parts_of_a_request() {
    async fn show(
        method: Method,
        uri: Uri,
        version: Version,
        headers: HeaderMap,
        params: Params,
        _: Context,
    ) -> Text<String> {
        Text(format!("{method} {uri} {version:?} {} {params:?}", headers.len()))
    }
    let app = App::new().route("/{x}", get(show)).build().unwrap();
    assert_eq!(send(&app, "GET /a?b", ""), seen(200, TEXT, r#"GET /a?b HTTP/1.1 0 {"x": "a"}"#));
}

#[test]
fn the_body_comes_last() {
    let app = App::new()
        .route("/request", post(|request: Request| Response::new(request.into_body())))
        .route("/body", post(|_: Method, body: Body| Response::new(body)))
        .route("/bytes", post(|_: Uri, bytes: Bytes| async { Text(bytes) }))
        .route("/string", post(|_: Context, text: String| Text(text)))
        .route("/result", post(|text: Result<String>| Text(text.is_ok().to_string())))
        .build()
        .unwrap();
    for (line, expected) in [
        ("POST /request", seen(200, "", "cake")),
        ("POST /body", seen(200, "", "cake")),
        ("POST /bytes", seen(200, TEXT, "cake")),
        ("POST /string", seen(200, TEXT, "cake")),
        ("POST /result", seen(200, TEXT, "true")),
    ] {
        assert_eq!(send(&app, line, "cake"), expected, "{line}");
    }
}

#[test]
fn a_body_that_is_refused() {
    let app = App::new()
        .route("/string", post(|text: String| Text(text)))
        .route("/result", post(|text: Result<String>| Text(text.is_ok().to_string())))
        .build()
        .unwrap();
    let post = |path: &'static str, body: Vec<u8>| {
        look(block_on(app.call(Request::new(Method::POST, Uri::from_static(path), body))))
    };
    let refused = post("/string", b"cak\xff".to_vec());
    assert_eq!(refused, seen(400, TEXT, "the body is not UTF-8 after 3 bytes"));
    assert_eq!(post("/result", b"cak\xff".to_vec()), seen(200, TEXT, "false"));
    assert_eq!(post("/string", vec![b'a'; (2 << 20) + 1]).status, 413);
}

#[cfg(feature = "json")]
#[test]
fn json_bodies() {
    use crate::message::Json;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Cake {
        name: String,
        slices: u8,
    }
    let app = App::new()
        .route("/", post(|Json(cake): Json<Cake>| Json(format!("{}{}", cake.name, cake.slices))))
        .build()
        .unwrap();
    let json = |body: &'static str| send_as(&app, "POST /", "application/json", body);
    assert_eq!(json(r#"{"name": "a", "slices": 2}"#), seen(200, JSON, r#""a2""#));
    for (body, expected) in [
        (r#"{"name": <b>"#, "the body's JSON is malformed: expected value at line 1 column 10"),
        ("", "the body's JSON is malformed: EOF while parsing a value at line 1 column 0"),
        (r#"{"name": "a"}"#, "the body's `slices` is missing"),
        (
            r#"{"name": "a", "<b>": 1}"#,
            "the body's JSON may hold only `name` or `slices` at line 1 column 19",
        ),
        (r#"{"slices": "<b>, expected x"}"#, "a value of the body's JSON must be u8 at line 1 column 28"),
        (r#"{"slices": 256}"#, "a value of the body's JSON must be u8 at line 1 column 14"),
    ] {
        assert_eq!(json(body), seen(400, TEXT, expected), "{body}");
    }
}

#[cfg(feature = "json")]
#[test]
fn what_a_type_says_of_json_is_not_told() {
    use crate::message::Json;

    #[derive(Deserialize)]
    #[serde(try_from = "String")]
    struct Never;
    impl TryFrom<String> for Never {
        type Error = String;

        fn try_from(text: String) -> Result<Self, String> {
            Err(format!("{text}, expected {text}"))
        }
    }
    let app = App::new().route("/", post(|_: Json<Never>| "")).build().unwrap();
    let refused = send_as(&app, "POST /", "application/json", r#""<b>""#);
    assert_eq!(refused, seen(400, TEXT, "a value of the body's JSON must be of the needed form"));
}

#[test]
fn what_the_build_cannot_find_out_is_not_the_clients_fault() {
    #[derive(Deserialize)]
    struct Host {
        address: std::net::IpAddr,
        port: u16,
    }
    let app = App::new().route("/{address}", get(|_: Path<Host>| "")).build().unwrap();
    assert_eq!(send(&app, "GET /127.0.0.1", ""), seen(500, TEXT, "Internal Server Error"));
    assert_eq!(send(&app, "GET /nowhere", "").status, 400);
}

#[cfg(feature = "json")]
#[test]
fn r09_r17_r19_json_is_told_by_its_content_type() {
    use crate::message::Json;

    let app = App::new().route("/", post(|Json(list): Json<Vec<u8>>| Json(list.len()))).build().unwrap();
    let unsupported = || seen(415, TEXT, "the content type must be `application/json`");
    assert_eq!(send(&app, "POST /", "[1]"), unsupported());
    for (content_type, good) in [
        ("application/json", true),
        ("Application/JSON ; charset=utf-8", true),
        ("application/vnd.x+json", true),
        ("text/plain", false),
        ("text/json", false),
        ("json", false),
        ("", false),
    ] {
        let expected = if good { seen(200, JSON, "1") } else { unsupported() };
        assert_eq!(send_as(&app, "POST /", content_type, "[1]"), expected, "{content_type}");
    }
}

#[test]
fn header_fields_by_type() {
    struct RequestId(u64);
    impl FromHeader for RequestId {
        const NAME: HeaderName = HeaderName::from_static("x-request-id");
        const EXPECTED: &'static str = "a whole number";

        fn from_header(value: &HeaderValue) -> Option<Self> {
            value.to_str().ok()?.parse().ok().map(Self)
        }
    }
    let app = App::new()
        .route("/", get(|Header(id): Header<RequestId>| Text(id.0.to_string())))
        .route("/option", get(|id: Option<Header<RequestId>>| Text(id.is_some().to_string())))
        .build()
        .unwrap();
    let invalid = || seen(400, TEXT, "the header's `x-request-id` must be a whole number");
    for (target, fields, expected) in [
        ("/", &["7"][..], seen(200, TEXT, "7")),
        ("/", &[], seen(400, TEXT, "the header's `x-request-id` is missing")),
        ("/", &["<b>"], invalid()),
        ("/", &["7", "7"], invalid()),
        ("/option", &["7"], seen(200, TEXT, "true")),
        ("/option", &[], seen(200, TEXT, "false")),
    ] {
        let mut request = Request::new(Method::GET, Uri::from_static(target), ());
        for field in fields {
            request.headers_mut().append("x-request-id", HeaderValue::from_static(field));
        }
        assert_eq!(look(block_on(app.call(request))), expected, "{target} {fields:?}");
    }
}

#[test]
fn extensions_by_type() {
    let app = App::new()
        .route("/", get(|Extension(user): Extension<&'static str>| Text(user)))
        .route("/option", get(|user: Option<Extension<&'static str>>| Text(user.is_some().to_string())))
        .build()
        .unwrap();
    let mut request = Request::new(Method::GET, Uri::from_static("/"), ());
    request.extensions_mut().insert("Dewi");
    assert_eq!(look(block_on(app.call(request))), seen(200, TEXT, "Dewi"));
    assert_eq!(send(&app, "GET /", ""), seen(500, TEXT, "Internal Server Error"));
    assert_eq!(send(&app, "GET /option", ""), seen(200, TEXT, "false"));
    let mut request = Request::new(Method::GET, Uri::from_static("/"), ());
    let missing = Extension::<u64>::from_parts(&mut request, &States::default()).unwrap_err();
    assert!(
        format!("{missing:#}").ends_with("(no middleware attached an extension of type `u64`)"),
        "{missing}"
    );
}

#[test]
fn a_handler_may_judge_by_itself() {
    type Page = Result<Path<u8>, Rejection>;
    fn page(page: Page) -> Text<String> {
        Text(match page {
            Ok(Path(page)) => page.to_string(),
            Err(no) if !no.argument().ends_with("Path<u8>") => no.argument().to_owned(),
            Err(no) => format!(
                "{} {} {:?} {} {:?} {:?} {:?}",
                no.status().as_u16(),
                no.code(),
                no.reason(),
                no.place(),
                no.field(),
                no.expected(),
                no.detail()
            ),
        })
    }
    struct Never;
    impl FromParts for Never {
        fn from_parts(_: &mut Request, _: &States) -> Result<Self> {
            Err(Error::from_status(StatusCode::UNAUTHORIZED))
        }
    }
    let app = App::new()
        .route("/page/{page}", get(page))
        .route("/int/{page:int}", get(page))
        .route("/never", get(|never: Result<Never, Rejection>| Text(never.is_ok().to_string())))
        .route("/form", post(|form: Result<Form<MultiMap>, Rejection>| Text(form.is_ok().to_string())))
        .build()
        .unwrap();
    let expected = r#"400 invalid-value Invalid path Some("page") "a whole number from 0 to 255" None"#;
    for (line, expected) in [
        ("GET /page/7", seen(200, TEXT, "7")),
        ("GET /page/x", seen(200, TEXT, expected)),
        ("GET /int/256", seen(200, TEXT, r#"404 not-found NotFound path Some("page") "" None"#)),
        ("GET /never", seen(401, TEXT, "Unauthorized")),
        ("POST /form", seen(200, TEXT, "false")),
    ] {
        assert_eq!(send(&app, line, ""), expected, "{line}");
    }
    assert!(App::new().route("/", get(page)).build().is_err());
}

#[test]
fn twelve_arguments() {
    #[allow(clippy::too_many_arguments)]
    async fn many(
        _: Method,
        _: Uri,
        _: Version,
        _: HeaderMap,
        _: Params,
        _: Context,
        _: State<u8>,
        _: Path<u8>,
        _: Option<Path<u8>>,
        _: Result<Path<u8>>,
        _: Method,
        body: String,
    ) -> Text<String> {
        Text(body)
    }
    let app = App::new().route("/{n}", post(many)).state(1_u8).build().unwrap();
    assert_eq!(send(&app, "POST /1", "the last"), seen(200, TEXT, "the last"));
    assert_eq!(send(&app, "POST /x", "the last").status, 400);
}

#[test]
fn a_failed_extractor_answers_in_place_of_the_handler() {
    struct Never;
    impl FromParts for Never {
        fn from_parts(_: &mut Request, _: &States) -> Result<Self> {
            let mut error = Error::new(StatusCode::UNAUTHORIZED, "who are you?");
            error.headers_mut().insert("allow", "kept".parse().unwrap());
            Err(error)
        }
    }
    let app = App::new()
        .route("/", get(|_: Never| -> &'static str { panic!("it is not called") }))
        .route("/last", get(|_: Method, _: Never| async { "not reached" }))
        .build()
        .unwrap();
    let expected = || Seen { allow: Some("kept".to_owned()), ..seen(401, TEXT, "who are you?") };
    assert_eq!(send(&app, "GET /", ""), expected());
    assert_eq!(send(&app, "GET /last", ""), expected());
}

#[cfg(feature = "json")]
#[test]
fn a_body_may_be_none() {
    use crate::message::Json;

    let app = App::new()
        .route(
            "/json",
            post(|number: Option<Json<u8>>| Text(format!("{:?}", number.map(|Json(number)| number)))),
        )
        .route("/text", post(|text: Option<String>| Text(format!("{text:?}"))))
        .build()
        .unwrap();
    for (line, content_type, body, answer) in [
        ("POST /json", "application/json", "7", "Some(7)"),
        ("POST /json", "application/json", "", "None"),
        ("POST /json", "text/plain", "7", "None"),
        ("POST /text", "text/plain", "a", "Some(\"a\")"),
    ] {
        assert_eq!(send_as(&app, line, content_type, body), seen(200, TEXT, answer), "{line} {body}");
    }
}
