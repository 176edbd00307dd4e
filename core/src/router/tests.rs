//! The router against tables, and against a matcher too naive to be wrong.

use super::*;

mod explaining;
mod hostile;
mod hosts;
// Its routes have regular expressions.
#[cfg(feature = "regex")]
mod oracle;
mod patterns;
mod random;
mod slashes;
mod urls;

fn method(name: &str) -> Method {
    Method::from_bytes(name.as_bytes()).unwrap()
}

/// The route that a line says: `"GET,POST /path"`; `*` is any method, `GET~trim` and `GET~redirect` are policies,
/// `GET a.com,b.com/path` names hosts, and `GET re:/path` and `GET pre:/path` are regular expressions.
#[track_caller]
fn spec(line: &str) -> RouteSpec {
    let (methods, rest) = line.split_once(' ').unwrap();
    let (methods, slashes) = methods.split_once('~').unwrap_or((methods, ""));
    let methods = match methods {
        "*" => Methods::Any,
        names => Methods::Only(names.split(',').map(method).collect()),
    };
    let spec = if let Some(text) = rest.strip_prefix("re:") {
        RouteSpec::new(regex(text))
    } else if let Some(text) = rest.strip_prefix("pre:") {
        RouteSpec::new(regex(text).prefix())
    } else {
        let slash = rest.find('/').unwrap();
        let hosts = rest[..slash].split(',').filter(|host| !host.is_empty());
        RouteSpec::new(&rest[slash..]).hosts(hosts)
    };
    spec.methods(methods).slashes(match slashes {
        "" => Slashes::Strict,
        "trim" => Slashes::Trim,
        _ => Slashes::Redirect,
    })
}

/// Routes of lines, whose values are the lines.
fn routes(lines: &[&'static str]) -> RouterBuilder<&'static str> {
    let mut routes = Router::builder();
    for line in lines {
        routes.add(spec(line), *line);
    }
    routes
}

/// What the router says of `"GET /path"`, or `"GET /path on host"`: the route's line and its parameters, or why
/// not.
fn outcome(router: &Router<&'static str>, request: &str) -> String {
    let (name, rest) = request.split_once(' ').unwrap();
    let (path, host) = rest.split_once(" on ").map_or((rest, None), |(path, host)| (path, Some(host)));
    match router.find(&method(name), &path.parse().unwrap(), host) {
        Match::Found { value, params, pattern } => {
            assert!(value.ends_with(pattern));
            assert_eq!(params.iter().len(), params.len());
            let params: String = params.iter().map(|(name, value)| format!(" {name}={value}")).collect();
            format!("{value}{params}")
        }
        Match::Redirect { path } => format!("308 {path}"),
        Match::MethodNotAllowed { allow } => format!("405 {allow}"),
        Match::NotImplemented => "501".to_owned(),
        Match::NotFound => "404".to_owned(),
        Match::BadPath => "400".to_owned(),
    }
}

#[track_caller]
fn check(lines: &[&'static str], table: &[(&str, &str)]) {
    let forward = routes(lines).build().unwrap();
    let mut reversed = lines.to_vec();
    reversed.reverse();
    let backward = routes(&reversed).build().unwrap();
    for (request, expected) in table {
        assert_eq!(outcome(&forward, request), *expected, "{request}");
        assert_eq!(outcome(&backward, request), *expected, "{request}, routes reversed");
    }
}

#[test]
fn h01_methods() {
    check(
        &["GET,POST /both", "* /any", "PURGE /own"],
        &[
            ("GET /both", "GET,POST /both"),
            ("POST /both", "GET,POST /both"),
            ("PUT /both", "405 GET, HEAD, POST, OPTIONS"),
            ("BREW /any", "* /any"),
            ("OPTIONS /any", "* /any"),
            ("PURGE /own", "PURGE /own"),
            ("purge /own", "405 OPTIONS, PURGE"),
        ],
    );
}

#[test]
fn h05_static_paths() {
    check(
        &["GET /", "GET /a", "GET /a/b", "GET /a b/é"],
        &[
            ("GET /", "GET /"),
            ("GET /a", "GET /a"),
            ("GET /a?x=/a/b", "GET /a"),
            ("GET /a/b", "GET /a/b"),
            ("GET /a%20b/%C3%A9", "GET /a b/é"),
            ("GET /%61", "GET /a"),
            ("GET /a%2Fb", "404"),
            ("GET /a/b/c", "404"),
            ("GET //", "404"),
            ("GET //a", "404"),
            ("GET /b", "404"),
            ("GET http://host/a", "GET /a"),
            ("GET http://host", "GET /"),
            ("OPTIONS *", "404"),
            ("CONNECT host:80", "404"),
        ],
    );
}

#[test]
fn h12_h13_h14_whole_matches_decoded_once() {
    check(
        &["GET /abc", "GET /x/{x}", "GET /a.c/d"],
        &[
            ("GET /abcd", "404"),
            ("GET /abc%0A", "404"),
            ("GET /ABC", "404"),
            ("GET /abc/d", "404"),
            ("GET /x/%2520", "GET /x/{x} x=%20"),
            ("GET /x/a%2Fb", "GET /x/{x} x=a/b"),
            ("GET /x/..", "GET /x/{x} x=.."),
            ("GET /x/%c3%a9", "GET /x/{x} x=é"),
            ("GET /x/%", "400"),
            ("GET /x/%4", "400"),
            ("GET /x/%zz", "400"),
            ("GET /x/%ff", "400"),
            ("GET /x/%c3/%a9", "400"),
            ("GET /nowhere/%zz", "400"),
        ],
    );
}

#[test]
fn h15_precedence() {
    check(
        &[
            "GET /u/me",
            "GET /u/{id:int}",
            "GET /u/{name}",
            "GET /u/{rest:path}",
            "GET /{a}/{b}/end",
            "GET /u/{id:int}/x",
        ],
        &[
            ("GET /u/me", "GET /u/me"),
            ("GET /u/%6De", "GET /u/me"),
            ("GET /u/7", "GET /u/{id:int} id=7"),
            ("GET /u/seven", "GET /u/{name} name=seven"),
            ("GET /u/", "GET /u/{rest:path} rest="),
            ("GET /u/me/too", "GET /u/{rest:path} rest=me/too"),
            ("GET /u/7/x", "GET /u/{id:int}/x id=7"),
            ("GET /u/7/end", "GET /u/{rest:path} rest=7/end"),
            ("GET /v/7/end", "GET /{a}/{b}/end a=v b=7"),
        ],
    );
}

#[test]
fn h16_another_route_takes_the_method() {
    check(
        &["POST /a/b", "GET /a/{x}", "DELETE /a/{y:path}", "* /any", "GET /any", "PUT /{z}"],
        &[
            ("POST /a/b", "POST /a/b"),
            ("GET /a/b", "GET /a/{x} x=b"),
            ("HEAD /a/b", "GET /a/{x} x=b"),
            ("DELETE /a/b", "DELETE /a/{y:path} y=b"),
            ("PUT /a/b", "405 GET, HEAD, POST, DELETE, OPTIONS"),
            ("PUT /any", "* /any"),
            ("GET /any", "GET /any"),
            ("GET /other", "405 PUT, OPTIONS"),
        ],
    );
    // Two names for one place: each route keeps its own.
    check(
        &["GET /c/{x}", "POST /c/{y}"],
        &[("GET /c/1", "GET /c/{x} x=1"), ("POST /c/1", "POST /c/{y} y=1")],
    );
}

#[test]
fn h17_h18_not_allowed_head_and_options() {
    check(
        &["GET /g", "POST /p", "HEAD /h", "GET /h", "OPTIONS /o", "GET /ga", "* /ga"],
        &[
            ("HEAD /g", "GET /g"),
            ("HEAD /h", "HEAD /h"),
            ("HEAD /ga", "GET /ga"),
            ("HEAD /p", "405 POST, OPTIONS"),
            ("OPTIONS /g", "405 GET, HEAD, OPTIONS"),
            ("OPTIONS /o", "OPTIONS /o"),
            ("DELETE /g", "405 GET, HEAD, OPTIONS"),
            ("DELETE /nowhere", "404"),
        ],
    );
}

#[test]
fn unknown_methods() {
    let lines = ["GET /g", "PURGE /own"];
    let table = [
        ("BREW /g", "501"),
        ("PROPFIND /g", "405 GET, HEAD, OPTIONS"),
        ("PURGE /g", "405 GET, HEAD, OPTIONS"),
    ];
    check(&lines, &table);
    check(&lines, &[("BREW /nowhere", "404"), ("get /g", "501")]);
    // A server that takes any method somewhere implements all of them.
    check(&["GET /g", "* /any"], &[("BREW /g", "405 GET, HEAD, OPTIONS"), ("BREW /any", "* /any")]);
}

#[test]
fn h19_slashes_are_strict() {
    check(
        &["GET /a", "GET /b/", "GET /c", "GET /c/"],
        &[
            ("GET /a/", "404"),
            ("GET /b", "404"),
            ("GET /b/", "GET /b/"),
            ("GET /c", "GET /c"),
            ("GET /c/", "GET /c/"),
            ("GET /c//", "404"),
        ],
    );
}

#[test]
fn h21_h24_routes_are_data() {
    let router = routes(&["GET /b/{x}", "POST /a", "GET /a"]).build().unwrap();
    let seen: Vec<_> = router.routes().map(|route| *route.value()).collect();
    assert_eq!(seen, ["POST /a", "GET /a", "GET /b/{x}"]);
    assert_eq!(router.routes().last().unwrap().params().collect::<Vec<_>>(), ["x"]);
    assert_eq!(router.allow().to_string(), "GET, HEAD, POST, OPTIONS");
    let any = routes(&["* /b", "LINK /a"]).build().unwrap();
    assert_eq!(any.allow().to_string(), "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, LINK");
    assert!(format!("{router:?}").contains("/b/{x}"));
}

#[test]
fn more_parameters_than_are_kept_inline() {
    let line = "GET /{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}/{j}";
    let router = routes(&[line, "GET /{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i:int}/{j}/x"]).build().unwrap();
    let expected = format!("{line} a=0 b=1 c=2 d=3 e=4 f=5 g=6 h=7 i=8 j=9");
    assert_eq!(outcome(&router, "GET /0/1/2/3/4/5/6/7/8/9"), expected);
}

#[test]
fn parameters_outlive_the_target() {
    let router = routes(&["GET /{x}/{rest:path}"]).build().unwrap();
    let uri: Uri = "http://host/a%20b/c%2Fd/e?q".parse().unwrap();
    let Match::Found { params, .. } = router.find(&Method::GET, &uri, None) else {
        panic!("there is a route")
    };
    drop(uri);
    assert_eq!((params.get("x").as_deref(), params.raw("rest")), (Some("a b"), Some("c%2Fd/e")));
    assert_eq!(format!("{params:?}"), r#"{"x": "a b", "rest": "c/d/e"}"#);
}

#[test]
fn all_errors_at_once_with_both_places() {
    let mut routes = Router::builder();
    routes.insert("/{a}/x", Method::GET, 1);
    let first = line!() - 1;
    routes.insert("/{b:str}/x", [Method::GET, Method::POST], 2);
    routes.insert("/{", Methods::Any, 3);
    routes.insert("/n", Vec::new(), 4);
    routes.insert("/any", Methods::Any, 5);
    routes.insert("/any", Methods::Any, 6);
    routes.insert("/twice", [Method::GET, Method::GET], 7);
    let errors = routes.build().unwrap_err();
    let text = errors.to_string();
    assert_eq!(text, format!("{errors:?}"));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 5, "{text}");
    assert_eq!(lines[0], "4 problems with the routes:");
    let file = file!();
    let conflict = format!(
        "  {file}:{}:12: `/{{b:str}}/x`: GET is taken by `/{{a}}/x`, which has the same shape, at {file}:{first}:12",
        first + 2
    );
    assert_eq!(lines[1], conflict);
    assert!(lines[2].ends_with("`/{`: the braces do not match"), "{text}");
    assert!(lines[3].ends_with("`/n`: the route takes no method"), "{text}");
    assert!(lines[4].contains("`/any`: any method is taken by `/any`"), "{text}");
}
