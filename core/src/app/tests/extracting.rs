//! What handlers take.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::Version;

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
        .route("/one/{a}/{b}", get(|Path((a,)): Path<(String,)>| Text(a)))
        .route("/rest/{a:path}", get(|Path(a): Path<String>| Text(a)))
        .build()
        .unwrap();
    let text = |text: &str| seen(200, TEXT, text);
    let refused = |expected: &str| seen(400, TEXT, &format!("the path's `n` must be {expected}"));
    let unknown = || seen(404, TEXT, "Not Found");
    for (line, expected) in [
        ("GET /u8/7", text("7")),
        ("GET /u8/007", text("7")),
        ("GET /u8/%37", text("7")),
        ("GET /u8/256", refused("a whole number in range")),
        ("GET /u8/x", refused("a whole number in range")),
        ("GET /int/127", text("127")),
        ("GET /int/128", unknown()),
        ("GET /int/99999999999999999999", unknown()),
        ("GET /int/x", unknown()),
        ("GET /f64/1.5", text("1.5")),
        ("GET /f64/x", refused("a number")),
        ("GET /bool/true", text("true")),
        ("GET /bool/1", refused("`true` or `false`")),
        ("GET /char/%C3%A9", text("é")),
        ("GET /char/ab", refused("one character")),
        ("GET /two/x/9", text("9 x")),
        ("GET /one/x/y", text("x")),
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
    struct Even(u32);
    impl FromParam for Even {
        const EXPECTED: &'static str = "even";

        fn from_param(value: Cow<'_, str>) -> Option<Self> {
            value.parse().ok().filter(|number| number % 2 == 0).map(Self)
        }
    }
    let app = App::new().route("/{n}", get(|Path(n): Path<Even>| Text(n.0.to_string()))).build().unwrap();
    assert_eq!(send(&app, "GET /4", ""), seen(200, TEXT, "4"));
    assert_eq!(send(&app, "GET /5", ""), seen(400, TEXT, "the path's `n` must be even"));
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

    let app = App::new().route("/", post(|Json(list): Json<Vec<u8>>| Json(list.len()))).build().unwrap();
    assert_eq!(send(&app, "POST /", "[1, 2]"), seen(200, JSON, "2"));
    let refused = send(&app, "POST /", "[1, <b>");
    assert_eq!((refused.status, refused.content_type.as_deref()), (400, Some(TEXT)));
    assert!(refused.body.contains("line 1 column 5"), "{refused:?}");
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
