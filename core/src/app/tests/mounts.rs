//! Applications within applications: prefixes, whose answer it is, what is shared.

use super::*;

async fn tenant(Path(tenant): Path<String>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers.insert("allow", tenant.parse().unwrap());
    response
}

#[test]
fn n01_what_runs_without_a_route_knows_the_parameters_of_the_prefix() {
    let inner = App::new()
        .middleware(tenant)
        .route("/{page}", get(|| Text("page")).middleware(tenant))
        .fallback(|Path(tenant): Path<String>| Text(format!("{tenant} has no such page")));
    let merged = App::new().middleware(tenant).route("/merged/{id}", get(|| Text("merged")));
    let app = App::new().mount("/t/{tenant}", inner).merge(merged).build().unwrap();
    for (path, expected) in [
        ("/t/acme/x", "200 page (acme)"),
        ("/t/acme", "200 acme has no such page (acme)"),
        ("/t/acme/x/y", "200 acme has no such page (acme)"),
        ("/merged/7", "200 merged (7)"),
    ] {
        assert_eq!(body(&app, &format!("GET {path}")), expected, "{path}");
    }
}

#[test]
fn n01_what_runs_without_a_route_takes_no_more_than_the_prefix_has() {
    let line = line!() + 2;
    let app = App::new()
        .middleware(tenant)
        .fallback(|_: Path<u8>| "")
        .mount("/m", App::new().middleware(tenant).route("/{x}", get(|| "")))
        .route("/r", get(|| "").middleware(tenant))
        .merge(App::new().middleware(tenant).route(["/a/{x}", "/a"], get(|| "")))
        .fallback(|| "");
    let errors = app.build().unwrap_err();
    let at: Vec<(u32, &str)> = errors
        .errors()
        .iter()
        .map(|error| match error {
            BuildError::TooFewParams { needed: 1, found: 0, path, location, .. } => {
                (location.line() - line, &**path)
            }
            BuildError::SameFallback { location, first } => {
                assert_eq!(first.line() - line, 1);
                (location.line() - line, "")
            }
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(at, [(0, "/"), (5, ""), (1, "/"), (3, "/r"), (2, "/m"), (4, "/a")], "{errors}");
}

/// Who answers, and where it thinks it is.
fn here(name: &'static str) -> MethodRouter {
    get(move |request: Request| Text(format!("{name} {}", place(&request))))
}

fn place(request: &Request) -> String {
    let params: Vec<String> =
        request.params().iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("[{}][{}] {}", request.root_path(), request.path_in_mount(), params.join(","))
}

fn body(app: &AppService, line: &str) -> String {
    let Seen { status, body, allow, .. } = send(app, line, "");
    let allow = allow.map_or(String::new(), |allow| format!(" ({allow})"));
    format!("{status} {}{allow}", body.trim_end())
}

#[test]
fn n01_to_n04_a_prefix_matches_whole_segments_and_is_known() {
    let deep = App::new().route("/", here("deep")).route("/{x}", here("deep-x"));
    let sub = App::new()
        .route("/", here("sub"))
        .route("/{x}", here("sub-x"))
        .route("/files/{rest:path}", here("files"))
        .mount("/deep", deep)
        .fallback(|request: Request| Text(format!("lost {}", place(&request))));
    let tenant = App::new().route("/", here("tenant")).route("/{page}", here("page"));
    let app = App::new()
        .mount("/sub", sub)
        .mount("/t/{tenant}/", tenant)
        .route("/submarine/{x}", here("marine"))
        .route("/", here("root"))
        .build()
        .unwrap();
    for (path, expected) in [
        ("/", "200 root [][/]"),
        ("/sub", "200 sub [/sub][/]"),
        ("/sub?q=/a/b", "200 sub [/sub][/]"),
        ("/sub/", "200 sub [/sub][/]"),
        ("/sub/a", "200 sub-x [/sub][/a] x=a"),
        ("/s%75b/%61", "200 sub-x [/s%75b][/%61] x=a"),
        ("/sub/a%2Fb", "200 sub-x [/sub][/a%2Fb] x=a/b"),
        ("/sub/files/a/b/", "200 files [/sub][/files/a/b/] rest=a/b/"),
        ("/sub/a/b", "200 lost [/sub][/a/b]"),
        ("/sub//", "200 lost [/sub][//]"),
        ("/submarine/1", "200 marine [][/submarine/1] x=1"),
        ("/submarine", "404 Not Found"),
        ("/sub/deep", "200 deep [/sub/deep][/]"),
        ("/sub/deep/", "200 deep [/sub/deep][/]"),
        ("/s%75b/d%65ep/x", "200 deep-x [/s%75b/d%65ep][/x] x=x"),
        ("/sub/deep/x/y", "404 Not Found"),
        ("/t/acme", "200 tenant [/t/acme][/] tenant=acme"),
        ("/t/acme/", "200 tenant [/t/acme][/] tenant=acme"),
        ("/t/a%2Fb/x", "200 page [/t/a%2Fb][/x] tenant=a/b,page=x"),
        ("/t", "404 Not Found"),
    ] {
        assert_eq!(body(&app, &format!("GET {path}")), expected, "{path}");
    }
}

#[test]
fn n01_the_prefix_has_the_first_parameters() {
    async fn page(Path((tenant, page)): Path<(String, u8)>) -> Text<String> {
        Text(format!("{page} of {tenant}"))
    }
    let tenant = || App::new().route("/{page:int}", get(page));
    let app = App::new().mount("/{tenant}", tenant()).build().unwrap();
    assert_eq!(body(&app, "GET /acme/7"), "200 7 of acme");
    let errors = App::new().mount("/acme", tenant()).build().unwrap_err();
    assert!(matches!(errors.errors(), [BuildError::TooFewParams { needed: 2, found: 1, .. }]), "{errors}");
}

#[test]
fn n05_n06_who_answers_below_a_prefix() {
    let shop = App::new()
        .route("/cakes/{id:int}", here("shop-cake").put(|| ""))
        .route("/post", post(|| ""))
        .route("/any/{x}", here("shop").any(|| Text("whatever")));
    let tenant = App::new().route("/x", here("tenant"));
    let app = App::new()
        .mount("/shop", shop)
        .mount("/{tenant}", tenant)
        .route("/{a}/{b}", here("pair").delete(|| ""))
        .route("/{rest:path}", any(|| Text("the rest")))
        .route("/shop/cakes/best", here("best"))
        .route("/acme/special", here("special"))
        .route("/pot/brew", on("BREW", || ""))
        .fallback(|| Text("fallback"))
        .build()
        .unwrap();
    for (line, expected) in [
        ("GET /shop/cakes/1", "200 shop-cake [/shop][/cakes/1] id=1"),
        ("GET /shop/cakes/best", "200 best [][/shop/cakes/best]"),
        ("PUT /shop/cakes/best", "405 Method Not Allowed (GET, HEAD, OPTIONS)"),
        ("OPTIONS /shop/cakes/1", "204  (GET, HEAD, PUT, OPTIONS)"),
        ("HEAD /shop/cakes/1", "200 shop-cake [/shop][/cakes/1] id=1"),
        // What is less specific than the prefix has no say below it.
        ("GET /shop/nothing", "404 Not Found"),
        ("DELETE /shop/nothing", "404 Not Found"),
        ("BREW /shop/nothing", "404 Not Found"),
        ("GET /shop/post", "405 Method Not Allowed (POST, OPTIONS)"),
        ("DELETE /shop/post", "405 Method Not Allowed (POST, OPTIONS)"),
        ("OPTIONS /shop/post", "204  (POST, OPTIONS)"),
        ("BREW /shop/post", "405 Method Not Allowed (POST, OPTIONS)"),
        ("BREW /shop/any/x", "200 whatever"),
        ("GET /shop", "404 Not Found"),
        ("GET /shop/%zz", "400 Bad Request"),
        // What is more specific than the prefix has.
        ("GET /acme/special", "200 special [][/acme/special]"),
        ("GET /acme/x", "200 tenant [/acme][/x] tenant=acme"),
        ("GET /acme/other", "200 pair [][/acme/other] a=acme,b=other"),
        ("GET /acme/other/x", "404 Not Found"),
        ("GET /", "200 the rest"),
        ("CONNECT a:1", "405 Method Not Allowed ()"),
        ("OPTIONS *", "204  (GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, BREW)"),
    ] {
        assert_eq!(body(&app, line), expected, "{line}");
    }
}

#[test]
fn n06_fallbacks_are_not_inherited() {
    let app = App::new()
        .mount("/own", App::new().fallback(|| Text("own")).mount("/deep", App::new()))
        .mount("/none", App::new().route("/x", post(|| "")))
        .fallback(|| Text("outside"))
        .build()
        .unwrap();
    for (line, expected) in [
        ("GET /", "200 outside"),
        ("GET /owner", "200 outside"),
        ("GET /own", "200 own"),
        ("PUT /own/x", "200 own"),
        ("GET /own/deep", "404 Not Found"),
        ("GET /none/y", "404 Not Found"),
        ("GET /none/x", "405 Method Not Allowed (POST, OPTIONS)"),
        ("OPTIONS /none/y", "404 Not Found"),
    ] {
        assert_eq!(body(&app, line), expected, "{line}");
    }
}

#[test]
fn n03_mounts_at_the_root() {
    let module = || App::new().route("/", here("root")).route("/a", here("a"));
    for (prefix, inner) in [("/", "/"), ("", ""), ("/", ""), ("", "/")] {
        let app = App::new().mount(prefix, module()).route("/b", here("b")).build().unwrap();
        assert_eq!(body(&app, "GET /"), "200 root [][/]");
        assert_eq!(body(&app, "GET /a"), "200 a [][/a]");
        assert_eq!(body(&app, "GET /b"), "200 b [][/b]");
        let shop = App::new().mount(inner, module().fallback(|| Text("innermost")));
        let app = App::new().mount("/shop", shop.route("/b", here("b"))).build().unwrap();
        assert_eq!(body(&app, "GET /shop"), "200 root [/shop][/]");
        assert_eq!(body(&app, "GET /shop/a"), "200 a [/shop][/a]");
        assert_eq!(body(&app, "GET /shop/b"), "200 b [/shop][/b]");
        assert_eq!(body(&app, "GET /shop/c"), "200 innermost");
    }
}

#[derive(Clone)]
struct Outer(&'static str);
#[derive(Clone)]
struct Own(&'static str);

async fn states(outer: State<Outer>, own: Option<State<Own>>) -> Text<String> {
    Text(format!("{} {}", outer.0.0, own.map_or("none", |own| own.0.0)))
}

#[test]
fn n07_states_go_inwards_and_may_be_replaced() {
    let module = || App::new().route("/", get(states));
    let app = module()
        .state(Outer("outer"))
        .mount("/sees", module())
        .mount("/adds", module().state(Own("own")).mount("/deep", module()))
        .mount("/replaces", module().state(Outer("replaced")).mount("/deep", module()))
        .merge(App::new().state(Own("merged")).route("/merged", get(states)))
        .build()
        .unwrap();
    for (path, expected) in [
        ("/", "200 outer none"),
        ("/sees", "200 outer none"),
        ("/adds", "200 outer own"),
        ("/adds/deep", "200 outer own"),
        ("/replaces", "200 replaced none"),
        ("/replaces/deep", "200 replaced none"),
        ("/merged", "200 outer merged"),
    ] {
        assert_eq!(body(&app, &format!("GET {path}")), expected, "{path}");
    }
    async fn needs_own(own: State<Own>) -> &'static str {
        own.0.0
    }
    let app = App::new().mount("/m", App::new().state(Own("own"))).route("/", get(needs_own));
    assert!(matches!(app.build().unwrap_err().errors(), [BuildError::NoState { .. }]));
}

#[test]
fn n07_error_handlers_of_the_mount_come_first() {
    let fails = || get(|| async { Ok::<_, Error>("x".parse::<u8>()?.to_string()) });
    let say = |text: &'static str| move |_: Failure<Error>| Text(text);
    let module = || App::new().route("/fails", fails());
    let app = module()
        .on_status(404, say("outer 404"))
        .on_error(|_: Failure<std::num::ParseIntError>| Text("outer cause"))
        .on_error(say("outer all"))
        .mount("/none", module())
        .mount("/all", module().on_error(say("own all")).mount("/deep", module()))
        .mount(
            "/404",
            module().on_status(404, say("own 404")).fallback(|| Err::<&str, _>(Error::not_found())),
        )
        .build()
        .unwrap();
    for (path, expected) in [
        ("/fails", "500 outer cause"),
        ("/nothing", "404 outer 404"),
        ("/none/fails", "500 outer cause"),
        ("/none/nothing", "404 outer 404"),
        ("/all/fails", "500 own all"),
        ("/all/nothing", "404 own all"),
        ("/all/deep/nothing", "404 own all"),
        ("/404/nothing", "404 own 404"),
        ("/404/fails", "500 outer cause"),
    ] {
        assert_eq!(body(&app, &format!("GET {path}")), expected, "{path}");
    }
    // What the session refuses is rendered where the request leads.
    for (target, expected) in
        [("/all/fails", "own all"), ("/all/nothing", "own all"), ("/404/x", "outer all")]
    {
        let request = Request::new(Method::GET, target.parse().unwrap(), ());
        let asked = crate::message::Asked::new(request.method(), request.uri(), request.headers());
        let response = match app.fail(Error::new(StatusCode::REQUEST_TIMEOUT, "late"), Some(&asked)) {
            Answer::Ready(response) => response,
            Answer::Future(response) => block_on(response),
        };
        assert_eq!(look(response), seen(408, TEXT, expected), "{target}");
    }
}

#[test]
fn a03_n07_debug_is_inherited_unless_a_mount_says_otherwise() {
    let module = || App::new().route("/", get(|| async { Ok::<_, Error>("x".parse::<u8>()?.to_string()) }));
    let app = module()
        .debug(true)
        .mount("/as-outside", module())
        .mount("/quiet", module().debug(false).mount("/deep", module()))
        .merge(App::new().debug(false).mount("/merged", module()))
        .build()
        .unwrap();
    for (path, shown) in
        [("/", true), ("/as-outside", true), ("/quiet", false), ("/quiet/deep", false), ("/merged", false)]
    {
        let body = body(&app, &format!("GET {path}"));
        assert_eq!(body.contains("invalid digit"), shown, "{path}: {body}");
    }
}

fn cakes() -> App {
    App::new().state(Own("cakes")).route("/{id}", here("cake"))
}

#[test]
fn n01_the_same_module_in_two_places() {
    let app = App::new().mount("/a", cakes()).mount("/b/c", cakes()).build().unwrap();
    assert_eq!(body(&app, "GET /a/1"), "200 cake [/a][/1] id=1");
    assert_eq!(body(&app, "GET /b/c/1"), "200 cake [/b/c][/1] id=1");
    assert_eq!(body(&app, "GET /b/1"), "404 Not Found");
}

#[test]
fn n01_what_is_wrong_is_told_with_its_places() {
    let first = line!() + 1;
    let app = App::new()
        .mount("shop", App::new())
        .mount("/{", App::new())
        .mount("/{rest:path}", App::new())
        .mount("/a", App::new())
        .mount("/a/", App::new().route("cakes", get(|| "")))
        .mount("/{x}", App::new())
        .mount("/{y}", App::new())
        .mount("/b", App::new().route("/c", get(|| "")))
        .route("/b/c", get(|| ""))
        .merge(App::new().route("/b/c", get(|| "")))
        .merge(App::new().fallback(|| ""))
        .mount("", App::new())
        .mount("/", App::new())
        .mount("/{id}/z", App::new().route("/{id}", get(|| "")));
    let errors = app.build().unwrap_err().to_string();
    let at = |line: u32, column: u32| format!("{}:{}:{column}", file!(), first + line);
    let expected = [
        "11 problems with the application:".to_owned(),
        format!("  {}: `shop`: the prefix of a mount begins with `/`", at(1, 10)),
        format!("  {}: `/{{`: the braces do not match", at(2, 10)),
        format!(
            "  {}: `/{{rest:path}}`: `{{rest:path}}` takes all that is left, so it is the last segment",
            at(3, 10)
        ),
        format!(
            "  {}: an application that is merged cannot have a fallback: mount it, or give the fallback to the \
             application around it",
            at(11, 27)
        ),
        format!("  {}: `cakes`: a pattern begins with `/`", at(5, 34)),
        format!(
            "  {}: `/b/c`: GET is taken by `/b/c`, which has the same shape, at {}",
            at(8, 33),
            at(9, 10)
        ),
        format!(
            "  {}: `/b/c`: GET is taken by `/b/c`, which has the same shape, at {}",
            at(10, 27),
            at(9, 10)
        ),
        format!("  {}: `/{{id}}/z/{{id}}`: two parameters are named `id`", at(14, 38)),
        format!("  {}: `/a`: there is a mount at `/a` already, at {}", at(5, 10), at(4, 10)),
        format!("  {}: `/{{y}}`: there is a mount at `/{{x}}` already, at {}", at(7, 10), at(6, 10)),
        format!("  {}: `/`: there is a mount at `/` already, at {}", at(13, 10), at(12, 10)),
    ];
    assert_eq!(errors.lines().collect::<Vec<_>>(), expected, "{errors}");
}

#[test]
fn routes_are_listed_with_all_that_belongs_to_them() {
    async fn stamp(request: Request, next: Next) -> Response {
        next.run(request).await
    }
    async fn guard(request: Request, next: Next) -> Response {
        next.run(request).await
    }
    async fn show() -> &'static str {
        ""
    }
    let line = line!() + 1;
    let shop = App::new().route("/{id}", get(show).put(show).middleware(guard)).buffered_body_bytes(1);
    let app = App::new()
        .middleware(stamp)
        .mount("/shop", shop.handler_time(None))
        .route("/", any(show).buffered_body_bytes(2))
        .build()
        .unwrap();
    let module = concat!(module_path!(), "::routes_are_listed_with_all_that_belongs_to_them");
    let lines: Vec<String> = app.routes().map(|route| route.to_string()).collect();
    let within = format!("{module}::show, within {module}::stamp");
    let at = |line: u32, column: u32| format!("at {}:{line}:{column}", file!());
    assert_eq!(
        lines,
        [
            format!("any / -> {within}, {}", at(line + 4, 10)),
            format!("GET /shop/{{id}} -> {within}, {module}::guard, {}", at(line, 27)),
            format!("PUT /shop/{{id}} -> {within}, {module}::guard, {}", at(line, 27)),
        ]
    );
    let more: Vec<_> = app
        .routes()
        .map(|route| (route.prefix, route.limits.buffered_body_bytes, route.limits.handler_time))
        .collect();
    assert_eq!(more, [("", Some(2), None), ("/shop", Some(1), Some(None)), ("/shop", Some(1), Some(None))]);
}

/// What is mounted at the root was taken for something merged, and a fallback that takes a parameter was 500.
#[test]
fn n01_a_fallback_at_the_root_has_no_parameters() {
    let inner = || App::new().route("/{x}", get(|| "")).fallback(|Path(x): Path<String>| Text(x));
    for prefix in ["/", ""] {
        let errors = App::new().mount(prefix, inner()).build().unwrap_err().to_string();
        assert!(errors.contains("the path has 0 of the 1 parameters"), "{errors}");
    }
}
