//! What stands around handlers: order, what it sees, and what it may do.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// Notes its name, and the status that comes back to it.
fn mark(name: &'static str) -> impl Middleware<()> {
    move |request: Request, next: Next| async move { noted(next.run(request).await, name) }
}

fn noted(mut response: Response, name: &str) -> Response {
    let error = response.error().map_or(String::new(), |error| format!("!{}", error.status().as_u16()));
    let note = format!("{name}:{}{error}", response.status.as_u16());
    response.headers.append("seen", note.parse().unwrap());
    response
}

/// As [`mark`], for [`App::wrap`].
fn around(name: &'static str) -> impl FnOnce(Rest) -> Marked {
    move |rest| Marked(rest, name)
}

struct Marked(Rest, &'static str);

impl Service for Marked {
    type Response = Response;
    type Future = std::pin::Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(&self, request: Request) -> Self::Future {
        let (answer, name) = (self.0.call(request), self.1);
        Box::pin(async move { noted(answer.await, name) })
    }
}

fn respond(app: &AppService, line: &str, body: &'static str) -> Response {
    let (method, target) = line.split_once(' ').unwrap();
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    block_on(app.call(Request::new(method, target.parse().unwrap(), body)))
}

/// Who saw the response, the innermost first.
fn witnesses(app: &AppService, line: &str) -> String {
    let response = respond(app, line, "");
    let notes: Vec<&str> =
        response.headers.get_all("seen").iter().map(|note| note.to_str().unwrap()).collect();
    notes.join(" ")
}

fn text(app: &AppService, line: &str, body: &'static str) -> (u16, String) {
    let Seen { status, body, .. } = look(respond(app, line, body));
    (status, body)
}

#[test]
fn m01_m02_m03_n08_the_first_registered_is_outermost_whatever_its_shape() {
    let inner = App::new().middleware(mark("inner")).route("/", get(|| ""));
    let shop = App::new()
        .route("/cakes", get(|| "").middleware(mark("route-1")).middleware(mark("route-2")))
        .wrap(around("mount-1"))
        .middleware(mark("mount-2"))
        .mount("/inner", inner);
    let merged = App::new().middleware(mark("merged")).route("/merged", get(|| ""));
    let app = App::new()
        .route("/", get(|| "").middleware(mark("route")))
        .middleware(mark("2"))
        .wrap(around("3"))
        .middleware(mark("4"))
        .middleware_first(mark("1"))
        .merge(merged)
        .mount("/shop", shop)
        .build()
        .unwrap();
    let all = "4:200 3:200 2:200 1:200";
    for (path, expected) in [
        ("/", format!("route:200 {all}")),
        ("/merged", format!("merged:200 {all}")),
        ("/shop/cakes", format!("route-2:200 route-1:200 mount-2:200 mount-1:200 {all}")),
        ("/shop/inner", format!("inner:200 mount-2:200 mount-1:200 {all}")),
    ] {
        assert_eq!(witnesses(&app, &format!("GET {path}")), expected, "{path}");
    }
}

#[test]
fn m05_e07_every_answer_is_seen_as_a_response() {
    let shop = App::new().middleware(mark("mount")).route("/cakes/{id}", get(|_: Path<u8>| ""));
    let aside = App::new().middleware(mark("aside")).fallback(|| Text("aside"));
    let app = App::new()
        .middleware(mark("app"))
        .route(
            "/{id}",
            get(|_: Path<u8>| "").post(|| Err::<&str, _>(Error::internal())).middleware(mark("route")),
        )
        .route("/as-value", get(|| StatusCode::CONFLICT))
        .on_status(409, |_| "never asked: it is no error")
        .mount("/shop", shop)
        .mount("/aside", aside)
        .build()
        .unwrap();
    for (line, expected) in [
        ("GET /1", "route:200 app:200"),
        ("HEAD /1", "route:200 app:200"),
        ("GET /one", "route:400!400 app:400!400"),
        ("POST /1", "route:500!500 app:500!500"),
        ("GET /as-value", "app:409"),
        ("GET /no/thing", "app:404!404"),
        ("DELETE /1", "app:405!405"),
        ("OPTIONS /1", "app:204"),
        ("OPTIONS *", "app:204"),
        ("BREW /1", "app:501!501"),
        ("GET /%zz", "app:400!400"),
        ("GET /shop/nothing", "mount:404!404 app:404!404"),
        ("PUT /shop/cakes/1", "mount:405!405 app:405!405"),
        ("OPTIONS /shop/cakes/1", "mount:204 app:204"),
        ("GET /shop/cakes/x", "mount:400!400 app:400!400"),
        ("GET /aside/x", "aside:200 app:200"),
    ] {
        assert_eq!(witnesses(&app, line), expected, "{line}");
    }
}

#[derive(Clone)]
struct Name(&'static str);

struct ByType(&'static str);

impl Middleware for ByType {
    async fn call(&self, request: Request, next: Next, states: &States) -> Result<Response> {
        let state = states.get::<Name>().map_or("none", |name| name.0);
        Ok(noted(next.run(request).await, &format!("{}-{state}", self.0)))
    }

    fn requirements(requirements: &mut Requirements) {
        requirements.state::<Name>();
    }
}

async fn function(State(name): State<Name>, request: Request, next: Next) -> Response {
    noted(next.run(request).await, name.0)
}

async fn four(
    method: Method,
    _: Option<State<u8>>,
    State(name): State<Name>,
    _: HeaderMap,
    request: Request,
    next: Next,
) -> Result<Response> {
    Ok(noted(next.run(request).await, &format!("{method}-{}", name.0)))
}

#[test]
fn m06_middleware_comes_in_many_shapes() {
    let shared = Arc::new(ByType("shared"));
    let counter = AtomicUsize::new(0);
    let app = App::new()
        .state(Name("state"))
        .middleware(function)
        .middleware(four)
        .middleware(async |request: Request, next: Next| noted(next.run(request).await, "async-closure"))
        .middleware(move |_: Method, _: Uri, request: Request, next: Next| {
            counter.fetch_add(1, Ordering::Relaxed);
            next.run(request)
        })
        .middleware(|_: Method, _: Uri, _: Context, request: Request, next: Next| async {
            Ok::<_, Error>(noted(next.run(request).await, "three"))
        })
        .middleware(ByType("type"))
        .middleware(shared.clone())
        .route("/", get(|| "").middleware(shared))
        .build()
        .unwrap();
    assert_eq!(
        witnesses(&app, "GET /"),
        "shared-state:200 shared-state:200 type-state:200 three:200 async-closure:200 GET-state:200 state:200"
    );
}

#[test]
fn m06_what_it_needs_of_the_application_is_looked_for_when_it_is_built() {
    let line = line!() + 2;
    let app = App::new()
        .middleware(function)
        .middleware(Arc::new(ByType("")))
        .mount("/named", App::new().state(Name("")).middleware(function))
        .mount("/m", App::new().middleware(function))
        .route("/r", get(|| "").middleware(function));
    let errors = app.build().unwrap_err();
    let at: Vec<(u32, &str)> = errors
        .errors()
        .iter()
        .map(|error| match error {
            BuildError::NoState { state, of, path: None, location } => {
                assert!(state.ends_with("::Name"), "{state}");
                (location.line() - line, of.rsplit("::").next().unwrap())
            }
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(at, [(0, "function"), (1, "ByType>"), (4, "function"), (3, "function")]);
}

async fn doorman(mut request: Request, next: Next) -> Result<Response> {
    match request.raw_query().unwrap_or_default() {
        "refuse" => Err(Error::new(StatusCode::FORBIDDEN, "not you")),
        "cause" => Ok(Response::text(StatusCode::OK, "x".parse::<u8>()?.to_string())),
        "reply" => Ok(Response::text(StatusCode::OK, "from the door")),
        "drop" => {
            drop(next.run(request));
            Ok(Response::text(StatusCode::OK, "dropped"))
        }
        "read" => {
            let body = request.bytes().await?;
            *request.body() = Body::from([&body[..], b" was read"].concat());
            Ok(next.run(request).await)
        }
        "around" => {
            let mut response = next.run(request).await;
            let body = response.body.bytes(100).await?;
            response.body = Body::from(format!("<{}>", String::from_utf8_lossy(&body)));
            Ok(response)
        }
        "instead" => match next.run(request).await.error() {
            Some(error) => Ok(Response::text(StatusCode::OK, format!("instead of {}", error.message()))),
            None => Err(Error::internal()),
        },
        "attach" => {
            request.extensions_mut().insert(Name("attached"));
            Ok(next.run(request).await)
        }
        _ => Ok(next.run(request).await),
    }
}

#[test]
fn m07_n09_what_it_may_do() {
    let calls = Arc::new(AtomicUsize::new(0));
    let handler = {
        let calls = calls.clone();
        move |mut request: Request| {
            calls.fetch_add(1, Ordering::Relaxed);
            async move {
                let name = request.extensions().get::<Name>().map_or("", |name| name.0);
                Ok::<_, Error>(Text(format!("{}{name}", request.text().await?)))
            }
        }
    };
    let inner = App::new().middleware(doorman).route("/", post(handler.clone()));
    let app = App::new()
        .middleware(mark("app"))
        .route("/r", post(handler).middleware(doorman))
        .mount(
            "/m",
            inner.on_status(403, |failure: Failure<Error>| Text(format!("mount: {}", failure.message()))),
        )
        .on_status(403, |failure: Failure<Error>| Text(format!("app: {}", failure.message())))
        .on_error(|failure: Failure<std::num::ParseIntError>| Text(format!("cause: {}", *failure)))
        .build()
        .unwrap();
    for (target, status, expected, witness, called) in [
        ("/r?refuse", 403, "app: not you", "app:403!403", false),
        ("/m?refuse", 403, "mount: not you", "app:403!403", false),
        ("/m?cause", 500, "cause: invalid digit found in string", "app:500!500", false),
        ("/r?reply", 200, "from the door", "app:200", false),
        ("/r?drop", 200, "dropped", "app:200", false),
        ("/m?read", 200, "sent was read", "app:200", true),
        ("/r?read", 200, "sent was read", "app:200", true),
        ("/r?around", 200, "<sent>", "app:200", true),
        ("/m/none?around", 404, "<Not Found>", "app:404!404", false),
        ("/m/none?instead", 200, "instead of Not Found", "app:200", false),
        ("/r?attach", 200, "sentattached", "app:200", true),
        ("/m", 200, "sent", "app:200", true),
    ] {
        let line = format!("POST {target}");
        let before = calls.load(Ordering::Relaxed);
        assert_eq!(text(&app, &line, "sent"), (status, expected.to_owned()), "{line}");
        assert_eq!(calls.load(Ordering::Relaxed) - before, usize::from(called), "{line}");
        assert_eq!(witnesses(&app, &line), witness, "{line}");
    }
}

async fn rewrite(mut request: Request, next: Next) -> Result<Response> {
    if let Some(method) = request.headers().get("x-method").map(|name| Method::from_bytes(name.as_bytes())) {
        *request.method_mut() = method.map_err(|_| Error::from_status(StatusCode::BAD_REQUEST))?;
    }
    if let Some(target) = request.raw_path().strip_prefix("/old") {
        *request.uri_mut() = target.parse().map_err(|_| Error::from_status(StatusCode::BAD_REQUEST))?;
    }
    Ok(next.run(request).await)
}

#[test]
fn a06_what_is_rewritten_before_the_routing_changes_the_route() {
    let show = |request: Request| Text(format!("{} {}", request.method(), request.path()));
    let app = |middleware_at_mount: bool| {
        let shop = App::new().route("/x", any(show)).route("/old/x", any(|| Text("the old one")));
        let shop = if middleware_at_mount { shop.middleware(rewrite) } else { shop };
        let app = App::new().route("/x", put(show)).mount("/shop", shop);
        let app = if middleware_at_mount { app } else { app.middleware(rewrite) };
        app.build().unwrap()
    };
    let send = |app: &AppService, line: &str, method: &str| {
        let (given, target) = line.split_once(' ').unwrap();
        let method_given = Method::from_bytes(given.as_bytes()).unwrap();
        let mut request = Request::new(method_given, target.parse().unwrap(), "");
        if !method.is_empty() {
            request.headers_mut().insert("x-method", method.parse().unwrap());
        }
        let Seen { status, body, .. } = look(block_on(app.call(request)));
        (status, body)
    };
    let outside = app(false);
    for (line, method, status, expected) in [
        ("POST /x", "PUT", 200, "PUT /x"),
        ("POST /x", "", 405, "Method Not Allowed"),
        ("POST /x", "NO METHOD", 400, "Bad Request"),
        ("POST /old/x", "PUT", 200, "PUT /x"),
        ("GET /old/shop/x", "", 200, "GET /shop/x"),
        ("GET /old/nothing", "", 404, "Not Found"),
    ] {
        assert_eq!(send(&outside, line, method), (status, expected.to_owned()), "{line} {method}");
    }
    // In a mount the route is chosen already.
    let inside = app(true);
    assert_eq!(send(&inside, "POST /shop/x", "BREW"), (200, "BREW /shop/x".to_owned()));
    assert_eq!(send(&inside, "GET /shop/old/x", ""), (200, "the old one".to_owned()));
}

/// What a service around the application does with a request.
#[derive(Clone, Copy, PartialEq)]
enum Does {
    HandsOn,
    MakesAnother,
    CallsTwice,
    Fails,
    Keeps,
}

struct Odd(Rest, Does, Arc<Mutex<Vec<Request>>>);

impl Service for Odd {
    type Response = Result<Response>;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Response>> + Send>>;

    fn call(&self, mut request: Request) -> Self::Future {
        let (rest, does) = (self.0, self.1);
        match does {
            Does::MakesAnother => request = Request::new(Method::GET, Uri::from_static("/"), ""),
            Does::Fails => return Box::pin(async { Err("x".parse::<u8>().unwrap_err().into()) }),
            Does::Keeps => {
                self.2.lock().unwrap().push(request);
                return Box::pin(async { Ok(Response::text(StatusCode::OK, "kept")) });
            }
            Does::HandsOn | Does::CallsTwice => {}
        }
        Box::pin(async move {
            let first = rest.call(request).await;
            if does != Does::CallsTwice {
                return Ok(first);
            }
            Ok(rest.call(Request::new(Method::GET, Uri::from_static("/"), "")).await)
        })
    }
}

#[test]
fn m01_a_service_around_the_rest() {
    let kept = Arc::new(Mutex::new(Vec::new()));
    for (does, status, expected) in [
        (Does::HandsOn, 200, "handled"),
        (Does::MakesAnother, 500, "Internal Server Error"),
        (Does::CallsTwice, 500, "Internal Server Error"),
        (Does::Fails, 500, "no number"),
        (Does::Keeps, 200, "kept"),
    ] {
        let kept = kept.clone();
        let app = App::new()
            .middleware(mark("outside"))
            .wrap(|rest| Odd(rest, does, kept))
            .on_error(|_: Failure<std::num::ParseIntError>| Text("no number"))
            .route("/", get(|| Text("handled")))
            .build()
            .unwrap();
        let mut response = respond(&app, "GET /", "");
        let cause = response.error().map(|error| error.is::<NotItsRequest>());
        let typed = matches!(does, Does::MakesAnother | Does::CallsTwice);
        assert_eq!(cause, (status == 500).then_some(typed));
        let body = block_on(response.body.bytes(100)).unwrap();
        assert_eq!((response.status.as_u16(), &body[..]), (status, expected.as_bytes()));
        assert!(response.headers.contains_key("seen"));
    }
    assert_eq!(kept.lock().unwrap().len(), 1);
}

#[test]
fn m04_the_same_one_twice_runs_twice() {
    let app = App::new().state(Name("x")).middleware(function).middleware(function).build().unwrap();
    assert_eq!(witnesses(&app, "GET /"), "x:404!404 x:404!404");
}
