//! Inputs that are large, or made to be slow. The bounds are on work, which no clock measures here: were one of
//! them broken, a test would run for hours.

use super::*;

/// The longest path that `http` takes, made of `piece`.
fn long(prefix: &str, piece: &str) -> String {
    let mut path = prefix.to_owned();
    while path.len() + piece.len() < 65_500 {
        path.push_str(piece);
    }
    path
}

#[test]
fn long_paths() {
    let lines = [
        "GET /{a}-{b}-{c}-{d}-{e}.{f}",
        "GET /{a:int}{b:int}{c:int}{d:int}x",
        "GET /{a}{b}{c}{d}{e:float}{f}y",
        "GET /s/{x}",
        "GET /{a}/{b:int}/{c}/{d:int}/{e}/{f:int}",
        "GET /tail/{x:path}",
    ];
    let router = routes(&lines).build().unwrap();
    for (path, expected) in [
        (long("/", "a"), 404),
        (long("/", "-"), 404),
        (long("/", "-."), 200),
        (long("/", "7"), 404),
        (long("/", "1.5"), 404),
        (long("/", "7/"), 404),
        (long("/", "%37"), 404),
        (long("/", "/"), 404),
        (long("/s/", "%C3%A9"), 200),
        (long("/s/", "aaaa"), 200),
        (long("/tail/", "/"), 200),
    ] {
        let found = matches!(router.find(&Method::GET, &path.parse().unwrap(), None), Match::Found { .. });
        assert_eq!(found, expected == 200, "{}", &path[..20]);
    }
    let dashes = long("/", "--");
    assert!(outcome(&router, &format!("GET {dashes}.x")).starts_with(lines[0]));
}

#[cfg(feature = "regex")]
#[test]
fn slow_regular_expressions() {
    let lines = ["GET /i/{x:(a+)+}", "GET /j/{x:(a|aa)+}{y:(a|a)*}b", "GET re:/w/((a*)*)*b"];
    let router = routes(&lines).build().unwrap();
    for prefix in ["/i/", "/j/", "/w/"] {
        let path = format!("{prefix}{}!", "a".repeat(5_000));
        assert_eq!(outcome(&router, &format!("GET {path}")), "404", "{prefix}");
    }
    // An expression that would be too large is refused, not compiled.
    let mut routes = Router::builder();
    routes.insert(r"/{x:((\w{500}){500}){500}}", Methods::Any, ());
    assert!(matches!(routes.build().unwrap_err().errors()[0].problem, Problem::Regex(_)));
}

/// Every way through this tree is open but for its end.
#[test]
fn many_ways() {
    let mut routes = Router::builder();
    for ways in 0..1 << 10 {
        let segment =
            |at: usize| if ways >> at & 1 == 0 { format!("/{{x{at}}}") } else { format!("/{{x{at}:int}}") };
        let pattern: String = (0..10).map(segment).collect();
        routes.insert(format!("{pattern}/{ways}"), Methods::Any, ways);
    }
    let router = routes.build().unwrap();
    let found = |end: &str| match router.find(
        &Method::GET,
        &format!("/1/2/3/4/5/6/7/8/9/0/{end}").parse().unwrap(),
        None,
    ) {
        Match::Found { value, .. } => Some(*value),
        _ => None,
    };
    assert_eq!((found("7"), found("1023"), found("0"), found("x")), (Some(7), Some(1023), Some(0), None));
}

#[test]
fn many_routes() {
    let mut routes = Router::builder();
    for index in 0..10_000 {
        let spec =
            RouteSpec::new(format!("/r{index}/{{id:int}}")).name(format!("n{index}")).methods(Method::GET);
        routes.add(spec, index);
        routes.add(RouteSpec::new("/x").host(format!("h{index}.example.com")), index);
        routes.add(RouteSpec::new(format!("/m/{index}-{{x}}")), index);
    }
    let router = routes.build().unwrap();
    for index in [0, 1, 4_999, 9_999] {
        assert_eq!(router.url_for(&format!("n{index}"), [("id", 7)]).unwrap(), format!("/r{index}/7"));
        for (path, host) in [
            (format!("/r{index}/7"), None),
            ("/x".to_owned(), Some(format!("H{index}.example.com:80"))),
            (format!("/m/{index}-y"), None),
        ] {
            let uri = path.parse().unwrap();
            let Match::Found { value, .. } = router.find(&Method::GET, &uri, host.as_deref()) else {
                panic!("{path}")
            };
            assert_eq!(*value, index, "{path}");
        }
    }
    let dots = ".".repeat(60_000);
    assert!(matches!(router.find(&Method::GET, &Uri::from_static("/x"), Some(&dots)), Match::NotFound));
}
