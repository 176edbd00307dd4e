//! Names, hosts, slashes and whole expressions of an application's routes.

use http::header::{ALLOW, HOST, LOCATION};

use super::*;
use crate::message::Asked;
#[cfg(feature = "regex")]
use crate::router::{PathPattern, Slashes, UrlError, regex};

/// The status, the text, and in brackets what is allowed or where the client is sent.
pub(super) fn ask(app: &AppService, line: &str, host: Option<&str>) -> String {
    let (method, target) = line.split_once(' ').unwrap();
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = Request::new(method, target.parse().unwrap(), ());
    if let Some(host) = host {
        request.headers_mut().insert(HOST, host.parse().unwrap());
    }
    let mut response = block_on(app.call(request));
    let said = [LOCATION, ALLOW].into_iter().find_map(|name| response.headers.remove(name));
    let said = said.map_or(String::new(), |said| format!(" ({})", said.to_str().unwrap()));
    let body = block_on(response.body.bytes(1000)).unwrap();
    format!("{} {}{said}", response.status.as_u16(), String::from_utf8_lossy(&body))
}

fn here(name: &'static str) -> MethodRouter {
    get(move |request: Request| {
        let params: Vec<String> =
            request.params().iter().map(|(name, value)| format!(" {name}={value}")).collect();
        Text(format!("{name}{}", params.concat()))
    })
}

#[cfg(feature = "regex")]
fn named(name: &'static str) -> MethodRouter {
    here(name).name(name)
}

/// What handlers, middleware and fallbacks of an application find.
async fn find(urls: Urls, request: Request) -> Text<String> {
    let name = request.raw_query().unwrap_or_default().to_owned();
    Text(urls.url(&name).unwrap_or_else(|error| error.to_string()))
}

async fn note(urls: Urls, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if let Ok(path) = urls.url("own") {
        response.headers.insert(LOCATION, path.parse().unwrap());
    }
    response
}

#[test]
#[cfg(feature = "regex")]
fn h27_names_lead_to_whole_paths() {
    let pages = named("pages");
    let tenant = App::new()
        .route("/", named("home"))
        .route(["/p", "/p/{page:int}", "/p/{first:int}/{last:int}"], pages)
        .mount("/deep", App::new().route("/{x:path}", named("tail")).name("d"));
    let app = App::new()
        .route("/a b", named("text"))
        .route("/cakes/{id:int}", named("cake"))
        .route("/cakes/{id:int}", put(|| "").name("cake"))
        .route(regex("/x+"), here("").name("expression"))
        .route([PathPattern::from(regex("/y+")), "/y".into()], here("").name("both"))
        .mount("/t/{tenant}", tenant.name("t"))
        .merge(App::new().route("/merged", named("merged")).name("m"))
        .merge(App::new().route("/plain", named("plain")))
        .name("ignored")
        .build()
        .unwrap();
    let value = |name: &str, value: &str, converter: &str| UrlError::Value {
        name: name.to_owned(),
        value: value.to_owned(),
        converter: converter.to_owned(),
    };
    let (missing, superfluous) =
        (|name: &str| UrlError::Missing(name.into()), |name: &str| UrlError::Superfluous(name.into()));
    for (name, params, expected) in [
        ("text", &[][..], Ok("/a%20b")),
        ("cake", &[("id", "7")], Ok("/cakes/7")),
        ("cake", &[("id", "x")], Err(value("id", "x", "int"))),
        ("cake", &[], Err(missing("id"))),
        ("cake", &[("id", "7"), ("id", "8")], Err(UrlError::Twice("id".into()))),
        ("cake", &[("id", "7"), ("x", "8")], Err(superfluous("x"))),
        ("t:home", &[("tenant", "a/b")], Ok("/t/a%2Fb")),
        ("t:home", &[], Err(missing("tenant"))),
        ("t:home", &[("tenant", "..")], Err(UrlError::Unsafe("/t/..".into()))),
        ("t:pages", &[("tenant", "a")], Ok("/t/a/p")),
        ("t:pages", &[("tenant", "a"), ("page", "7")], Ok("/t/a/p/7")),
        ("t:pages", &[("last", "9"), ("tenant", "a"), ("first", "7")], Ok("/t/a/p/7/9")),
        ("t:pages", &[("tenant", "a"), ("pgae", "7")], Err(superfluous("pgae"))),
        ("t:d:tail", &[("tenant", "a"), ("x", "b/c")], Ok("/t/a/deep/b/c")),
        ("m:merged", &[], Ok("/merged")),
        ("plain", &[], Ok("/plain")),
        ("both", &[], Ok("/y")),
        ("expression", &[], Err(UrlError::Regex("expression".into()))),
        ("home", &[], Err(UrlError::NoRoute("home".into()))),
        ("ignored:text", &[], Err(UrlError::NoRoute("ignored:text".into()))),
    ] {
        let found = app.url_for(name, params.iter().copied());
        assert_eq!(found.as_deref(), expected.as_ref().map(|path| *path), "{name} {params:?}");
    }
    assert_eq!(app.urls().url("plain").as_deref(), Ok("/plain"));
}

#[test]
fn h27_names_are_looked_for_from_the_inside() {
    let module = || {
        App::new()
            .middleware(note)
            .route("/own", find_route().name("own"))
            .mount("/deep", App::new().route("/x", find_route().name("x")).fallback(find).name("deep"))
    };
    fn find_route() -> MethodRouter {
        get(find)
    }
    let app = App::new()
        .mount("/one", module().name("one"))
        .mount("/two", module().name("two"))
        .route("/outer", get(find).name("outer"))
        .fallback(find)
        .build()
        .unwrap();
    for (target, expected) in [
        ("/one/own?own", "200 /one/own (/one/own)"),
        ("/two/own?own", "200 /two/own (/two/own)"),
        ("/two/own?deep:x", "200 /two/deep/x (/two/own)"),
        ("/two/own?one:own", "200 /one/own (/two/own)"),
        ("/two/own?two:deep:x", "200 /two/deep/x (/two/own)"),
        ("/two/own?x", "200 no route is named `x` (/two/own)"),
        ("/two/deep/x?x", "200 /two/deep/x (/two/own)"),
        ("/two/deep/x?own", "200 /two/own (/two/own)"),
        ("/two/deep/x?outer", "200 /outer (/two/own)"),
        ("/two/deep/nothing?own", "200 /two/own (/two/own)"),
        ("/outer?one:own", "200 /one/own"),
        ("/outer?own", "200 no route is named `own`"),
        ("/nothing?two:own", "200 /two/own"),
    ] {
        assert_eq!(ask(&app, &format!("GET {target}"), None), expected, "{target}");
    }
}

#[test]
fn a_dropped_application_leaves_nothing() {
    let state = Arc::new(());
    let app = App::new().state(state.clone()).route("/", get(find).name("own"));
    let app = app.mount("/m", App::new().route("/", get(find).name("inner"))).build().unwrap();
    let urls = app.urls().clone();
    drop(app);
    assert_eq!(Arc::strong_count(&state), 1, "the names keep no handlers and no states");
    assert_eq!(urls.url("inner").as_deref(), Ok("/m"));
    assert_eq!(format!("{urls:?}"), r#"Urls { namespace: "", names: ["inner", "own"] }"#);
}

#[test]
#[cfg(feature = "regex")]
fn h20_slashes_of_routes_mounts_and_applications() {
    let module = || {
        App::new()
            .route("/", here("root"))
            .route("/x", here("x"))
            .route("/y/", here("y").post(|| ""))
            .route("/strict", here("strict").slashes(Slashes::Strict))
            .route("/{a:.*}/{b}", here("two"))
    };
    let app = App::new()
        .slashes(Slashes::Redirect)
        .mount("/trim", module().slashes(Slashes::Trim))
        .mount("/sub", module())
        .merge(module())
        .middleware(async |request: Request, next: Next| {
            let mut response = next.run(request).await;
            response.headers.remove("content-type");
            response
        })
        .build()
        .unwrap();
    for (line, expected) in [
        ("GET /x", "200 x"),
        ("GET /x/", "308  (/x)"),
        ("GET /x/?q=/a//b&r=%2f", "308  (/x?q=/a//b&r=%2f)"),
        ("HEAD /x/", "308  (/x)"),
        ("GET /x//", "404 Not Found"),
        ("GET /y?q", "308  (/y/?q)"),
        ("POST /y", "308  (/y/)"),
        ("PUT /y", "405 Method Not Allowed (GET, HEAD, POST, OPTIONS)"),
        ("POST /x/", "405 Method Not Allowed (GET, HEAD, OPTIONS)"),
        ("OPTIONS /x/", "204  (GET, HEAD, OPTIONS)"),
        ("GET /strict/", "404 Not Found"),
        ("GET /sub/x/?q=1", "308  (/sub/x?q=1)"),
        ("GET /s%75b/%78/", "308  (/s%75b/%78)"),
        ("POST /sub/y", "308  (/sub/y/)"),
        ("DELETE /sub/y", "405 Method Not Allowed (GET, HEAD, POST, OPTIONS)"),
        ("GET /sub/strict/", "404 Not Found"),
        ("GET /sub/", "200 root"),
        ("GET /sub", "200 root"),
        ("GET /trim/x/", "200 x"),
        ("GET /trim/y", "200 y"),
        ("GET /trim/strict/", "404 Not Found"),
        ("POST /trim/x/", "405 Method Not Allowed (GET, HEAD, OPTIONS)"),
        // Never to another host.
        ("GET //evil.example/", "308  (/.//evil.example)"),
        ("GET //evil.example/?q=//a", "308  (/.//evil.example?q=//a)"),
        ("GET /sub//evil.example/", "308  (/sub//evil.example)"),
        ("GET http://h.example//evil.example/", "308  (/.//evil.example)"),
        ("GET /%5Cevil.example/b/", "308  (/%5Cevil.example/b)"),
    ] {
        assert_eq!(ask(&app, line, None), expected, "{line}");
    }
}

#[test]
fn h23_hosts_of_routes() {
    let app = App::new()
        .route("/", here("all"))
        .route("/", here("own").hosts(["example.com", "[::1]"]))
        .route("/", here("below").host("*.example.com"))
        .route("/only", here("only").put(|| "").host("example.com"))
        .route("/any/{x}", here("any").host("example.com"))
        .route("/any/x", here("text"))
        .build()
        .unwrap();
    for (line, host, expected) in [
        ("GET /", None, "200 all"),
        ("GET /", Some("other.org"), "200 all"),
        ("GET /", Some("EXAMPLE.com:8080"), "200 own"),
        ("GET /", Some("[::1]:80"), "200 own"),
        ("GET /", Some("a.b.example.com."), "200 below"),
        ("GET http://example.com/", Some("other.org"), "200 own"),
        ("HEAD /only", Some("example.com"), "200 only"),
        ("GET /only", Some("a.example.com"), "404 Not Found"),
        ("POST /only", Some("a.example.com"), "404 Not Found"),
        ("OPTIONS /only", Some("a.example.com"), "404 Not Found"),
        ("BREW /only", Some("a.example.com"), "404 Not Found"),
        ("GET /only", None, "404 Not Found"),
        ("POST /only", Some("example.com"), "405 Method Not Allowed (GET, HEAD, PUT, OPTIONS)"),
        ("OPTIONS /only", Some("example.com"), "204  (GET, HEAD, PUT, OPTIONS)"),
        ("OPTIONS *", Some("other.org"), "204  (GET, HEAD, PUT, OPTIONS)"),
        // The host comes before the path.
        ("GET /any/x", Some("example.com"), "200 any x=x"),
        ("GET /any/x", None, "200 text"),
    ] {
        assert_eq!(ask(&app, line, host), expected, "{line} {host:?}");
    }
}

#[test]
fn h23_hosts_of_mounts() {
    let module = |name: &'static str| {
        App::new().route("/", here(name)).on_status(404, move |_| Text(format!("{name} has none")))
    };
    let app = App::new()
        .mount("/", module("site").route("/x", here("site")).fallback(|| Text("lost")))
        .mount(
            "/",
            module("api").host("api.a").route("/pub", here("pub").host("*.a")).route("/{x}", put(|| "")),
        )
        .mount("/shop", module("shop").hosts(["*.a", "b"]).mount("/deep", module("deep")))
        .mount("/shop/", module("elsewhere").mount("/", module("inner").host("c").route("/i", here("inner"))))
        .merge(App::new().route("/merged", here("merged")).host("b"))
        .route("/shop/own", here("outer"))
        .route("/shop/special", here("special").host("www.a"))
        .build()
        .unwrap();
    for (target, host, expected) in [
        ("/", None, "200 site"),
        ("/y", None, "200 lost"),
        ("/", Some("api.a"), "200 api"),
        ("/x", Some("api.a"), "405 Method Not Allowed (PUT, OPTIONS)"),
        ("/x/y", Some("api.a"), "404 api has none"),
        // The host comes first, and this one is the closest.
        ("/shop", Some("api.a"), "405 Method Not Allowed (PUT, OPTIONS)"),
        ("/pub", Some("www.a"), "200 pub"),
        ("/pub", Some("api.a"), "405 Method Not Allowed (PUT, OPTIONS)"),
        ("/shop", Some("www.a"), "200 shop"),
        ("/shop/", Some("b:80"), "200 shop"),
        ("/shop/x", Some("b"), "404 shop has none"),
        ("/shop/deep", Some("b"), "200 deep"),
        ("/shop/deep", Some("d"), "404 elsewhere has none"),
        ("/shop/own", Some("d"), "200 outer"),
        ("/shop/own", Some("b"), "404 shop has none"),
        ("/shop/special", Some("www.a"), "200 special"),
        ("/shop/special", Some("other.a"), "404 shop has none"),
        ("/shop", Some("d"), "200 elsewhere"),
        ("/shop", None, "200 elsewhere"),
        ("/shop/i", Some("c"), "200 inner"),
        ("/shop/i", Some("d"), "404 elsewhere has none"),
        ("/merged", Some("b"), "200 merged"),
        ("/merged", Some("c"), "200 lost"),
    ] {
        assert_eq!(ask(&app, &format!("GET {target}"), host), expected, "{target} {host:?}");
        // What the session fails with is rendered where the request leads, if its target says where.
        let target = format!("{}{target}", host.map_or(String::new(), |host| format!("http://{host}")));
        let asked = Asked::new(&Method::GET, &target.parse().unwrap(), &HeaderMap::new());
        let response = match app.fail(Error::not_found(), Some(&asked)) {
            Answer::Ready(response) => response,
            Answer::Future(response) => block_on(response),
        };
        if expected.starts_with("404") {
            assert_eq!(format!("404 {}", look(response).body), expected, "{target} {host:?}");
        }
    }
}

#[test]
fn h23_an_application_with_hosts() {
    let app = App::new()
        .host("example.com")
        .route("/", here("here"))
        .route("/there", here("there").host("example.org"))
        .mount("/m", App::new().route("/", here("mount")).fallback(|| Text("lost")))
        .build()
        .unwrap();
    for (target, host, expected) in [
        ("/", "example.com", "200 here"),
        ("/", "example.org", "404 Not Found"),
        ("/there", "example.org", "200 there"),
        ("/there", "example.com", "404 Not Found"),
        ("/m", "example.com", "200 mount"),
        ("/m/x", "example.com", "200 lost"),
        ("/m", "example.org", "404 Not Found"),
        ("/m/x", "example.org", "404 Not Found"),
    ] {
        assert_eq!(ask(&app, &format!("GET {target}"), Some(host)), expected, "{target} {host}");
    }
}

#[test]
#[cfg(feature = "regex")]
fn h13_expressions_for_the_whole_path() {
    let week = r"/(?P<year>\d{4})-(?P<week>\d\d)";
    async fn numbers(Path((year, week)): Path<(u16, u8)>) -> Text<String> {
        Text(format!("week {week} of {year}"))
    }
    let inner = App::new()
        .route(regex(week), get(numbers))
        .route(regex(r"/a|/b"), here("either"))
        .route(regex(r"/p-").prefix(), here("prefix"))
        .route(regex(r"\w+/y"), here("beside"))
        .fallback(|| Text("lost"));
    let app = App::new()
        .route(regex(week), get(numbers))
        .route([regex("/x+"), regex("/y+")], here("xy").any(|| Text("any")))
        .route(regex("/(?P<all>.+)/end"), here("end"))
        .mount("/c.d", inner.mount("/deep", App::new().route(regex("/z+"), here("z"))))
        .mount("/t/{tenant}", App::new().route("/{page}/end", here("page")))
        .route("/{x}", here("other"))
        .build()
        .unwrap();
    for (line, expected) in [
        ("GET /2026-07", "200 week 7 of 2026"),
        ("GET /2026-071", "200 other x=2026-071"),
        ("GET /xxx", "200 xy"),
        ("BREW /yy", "200 any"),
        ("GET /a/b/end", "200 end all=a/b"),
        ("GET /c.d/2026-07", "200 week 7 of 2026"),
        ("POST /c.d/2026-07", "405 Method Not Allowed (GET, HEAD, OPTIONS)"),
        ("GET /c.d/a", "200 either"),
        ("GET /c.d/b", "200 either"),
        ("GET /b", "200 other x=b"),
        ("GET /c.d/p-1/2", "200 prefix"),
        ("GET /c.d/ab", "200 lost"),
        ("GET /cXd/a", "404 Not Found"),
        ("GET /c.d/deep/zz", "200 z"),
        ("GET /c.d/deep/a", "404 Not Found"),
        // What does not lead into the mount is not its own.
        ("GET /c.dx/y", "404 Not Found"),
        // Outside, it comes after what has no parameters, and before what has.
        ("GET /c.d/x/end", "200 lost"),
        ("GET /t/acme/x/end", "200 end all=t/acme/x"),
    ] {
        assert_eq!(ask(&app, line, None), expected, "{line}");
    }
}

#[test]
#[cfg(feature = "regex")]
fn what_is_wrong_with_names_hosts_and_expressions() {
    let first = line!() + 1;
    let app = App::new()
        .host("a/b")
        .route("/a", get(|| "").name("n").host("*"))
        .route("/b", get(|| "").name("n"))
        .mount("/m", App::new().route(["/", "/x"], get(|| "").name("m")).host("a"))
        .merge(App::new().route("/m/", get(|| "").name("m").host("a")).host("b"))
        .mount("/{t}", App::new().route(regex("/x"), get(|| "")))
        .mount("/m/", App::new().hosts(["b", "A"]))
        .build();
    let text = app.unwrap_err().to_string();
    let at = |line: u32, column: u32| format!("{}:{}:{column}", file!(), first + line);
    let no_host = "is no host: a name as `example.com` or `*.example.com`, or an address";
    let expected = [
        format!("  {}: `a/b` {no_host}", at(1, 10)),
        format!("  {}: `*` {no_host}", at(2, 43)),
        format!("  {}: `/b`: the name `n` is that of `/a`, at {}", at(3, 10), at(2, 10)),
        format!(
            "  {}: `/x`: a regular expression for the whole path cannot stand in a mount at `/{{t}}`, since that \
             has parameters",
            at(6, 35)
        ),
        format!("  {}: `/m/`: GET is taken by `/m/`, which has the same shape, at {}", at(5, 27), at(4, 33)),
        format!("  {}: `/m`: there is a mount at `/m` already, at {}", at(7, 10), at(4, 10)),
    ];
    let lines: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!(lines, expected, "{text}");
}

/// What answers can be told apart without the values of the parameters: for metrics, for logs, on a debug page.
#[test]
fn a07_the_route_that_answers() {
    let told = |request: Request| Text(request.route().unwrap_or("none").to_owned());
    let around = async |request: Request, next: Next| {
        let before = request.route().is_some();
        next.run(request).await.with_header("x-before".parse().unwrap(), before.to_string().parse().unwrap())
    };
    let inner = App::new().route(["/", "/{id:int}"], get(told)).fallback(told);
    let app = App::new().middleware(around).route("/a/{b}", get(told)).mount("/in/{side}", inner);
    let app = app.build().unwrap();
    for (line, route) in [
        ("GET /a/x", "/a/{b}"),
        ("GET /in/x", "/in/{side}"),
        ("GET /in/x/", "/in/{side}/"),
        ("GET /in/x/7", "/in/{side}/{id:int}"),
        ("GET /in/x/y", "none"),
    ] {
        assert_eq!(send(&app, line, "").body, route, "{line}");
        let (_, target) = line.split_once(' ').unwrap();
        let response = block_on(app.call(Request::new(Method::GET, target.parse().unwrap(), "")));
        assert_eq!(response.headers["x-before"], "false", "around the routing nobody knows yet");
    }

    let fails = || Err::<(), _>(Error::internal().with_source("no flour"));
    for (debug, shown) in [(true, true), (false, false)] {
        let app =
            App::new().debug(debug).route("/cakes/{id}", get(move || fails().map(|()| ""))).build().unwrap();
        let page = send(&app, "GET /cakes/7", "").body;
        assert_eq!((page.contains("/cakes/{id}"), page.contains("no flour")), (shown, shown), "{page}");
        let Answer::Ready(response) = app.fail(
            Error::internal(),
            Some(&Asked::new(&Method::GET, &Uri::from_static("/cakes/7"), &HeaderMap::new())),
        ) else {
            panic!("it is there at once")
        };
        assert_eq!(look(response).body.contains("/cakes/{id}"), shown, "of a panic");
    }
}
