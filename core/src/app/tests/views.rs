//! Types whose methods answer.

use std::sync::Mutex;

use super::*;

struct Shelf(&'static str, Mutex<Vec<String>>);

impl Shelf {
    fn new(name: &'static str) -> Self {
        Self(name, Mutex::default())
    }

    /// One that is not asynchronous.
    fn list(self: Arc<Self>) -> Text<String> {
        Text(format!("{}: {}", self.0, self.1.lock().unwrap().join(",")))
    }

    async fn add(self: Arc<Self>, item: String) -> StatusCode {
        self.1.lock().unwrap().push(item);
        StatusCode::CREATED
    }

    async fn one(self: Arc<Self>, Path(index): Path<usize>) -> Result<Text<String>> {
        self.1.lock().unwrap().get(index).cloned().map(Text).ok_or_else(Error::not_found)
    }
}

impl View for Shelf {
    fn methods() -> MethodRouter {
        get(Self::list).post(Self::add)
    }
}

/// One with further routes.
struct Notes(Shelf);

impl Notes {
    async fn pinned(self: Arc<Self>) -> Text<&'static str> {
        Text(self.0.0)
    }
}

impl View for Notes {
    fn methods() -> MethodRouter {
        on("PIN", Self::pinned)
    }

    fn routes(app: App) -> App {
        app.route("/pinned", get(Self::pinned)).route("/pinned/{any}", any(Self::pinned))
    }
}

#[test]
fn v01_to_v07_methods_are_those_that_are_written_down() {
    let app = App::new()
        .view(["/a", "/a/all"], Shelf::new("a"))
        .view("/b", Shelf::new("b"))
        .mount("/m", App::new().view("/", Notes(Shelf::new("m"))))
        .view("/notes", Notes(Shelf::new("n")))
        .build()
        .unwrap();
    let allow = |status: u16, allow: &str| {
        let (content_type, body) = if status == 204 { ("", "") } else { (TEXT, "Method Not Allowed") };
        Seen { allow: Some(allow.to_owned()), ..seen(status, content_type, body) }
    };
    for (line, body, expected) in [
        ("POST /a", "cake", seen(201, "", "")),
        ("POST /b", "bread", seen(201, "", "")),
        ("GET /a", "", seen(200, TEXT, "a: cake")),
        ("HEAD /a", "", seen(200, TEXT, "a: cake")),
        ("GET /a/all", "", seen(200, TEXT, "a: cake")),
        ("GET /b", "", seen(200, TEXT, "b: bread")),
        ("PUT /b", "", allow(405, "GET, HEAD, POST, OPTIONS")),
        ("OPTIONS /b", "", allow(204, "GET, HEAD, POST, OPTIONS")),
        // A method on the wire never picks a function: there is one named `one`, and one named `pinned`.
        ("ONE /a", "", allow(405, "GET, HEAD, POST, OPTIONS")),
        ("PINNED /notes", "", allow(405, "OPTIONS, PIN")),
        ("PIN /notes", "", seen(200, TEXT, "n")),
        ("GET /notes", "", allow(405, "OPTIONS, PIN")),
        ("GET /pinned", "", seen(200, TEXT, "n")),
        ("GET /m/pinned", "", seen(200, TEXT, "m")),
        ("PIN /m", "", seen(200, TEXT, "m")),
        ("PIN /m/", "", seen(200, TEXT, "m")),
        ("BREW /m/pinned/x", "", seen(200, TEXT, "m")),
    ] {
        assert_eq!(send(&app, line, body), expected, "{line}");
    }
}

#[test]
fn v02_a_view_beside_a_route_of_its_own_kind() {
    let shelf = Arc::new(Shelf::new("shared"));
    let app = App::new()
        .state(shelf)
        .route("/{index:int}", get(Shelf::one))
        .route("/", Shelf::methods())
        .view("/view", Shelf::new("view"))
        .build()
        .unwrap();
    assert_eq!(send(&app, "POST /", "x").status, 201);
    assert_eq!(send(&app, "GET /0", ""), seen(200, TEXT, "x"));
    assert_eq!(send(&app, "GET /1", "").status, 404);
    assert_eq!(send(&app, "GET /view", ""), seen(200, TEXT, "view: "));
}

#[test]
fn v04_a_view_without_its_value_or_beside_another_is_not_built() {
    let line = line!() + 1;
    let errors = App::new().route("/", Shelf::methods()).build().unwrap_err();
    assert!(errors.errors().iter().all(|error| matches!(error, BuildError::NoState { .. })), "{errors}");
    let errors = App::new().view("/a", Shelf::new("")).view("/a", Shelf::new("")).build().unwrap_err();
    let text = errors.to_string();
    let places = (format!("{}:{}:29", file!(), line + 2), format!("{}:{}:56", file!(), line + 2));
    assert_eq!(errors.errors().len(), 2, "{text}");
    for line in text.lines().skip(1) {
        assert!(line.contains(&places.0) && line.contains(&places.1), "{text}");
    }
}
