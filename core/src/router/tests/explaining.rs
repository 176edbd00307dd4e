//! What is said of each route.

use super::*;

#[test]
fn each_route_has_its_verdict() {
    let router = routes(&[
        "GET /cakes/{id:int}",
        "GET /cakes/{name}",
        "POST /cakes/{name}",
        "GET /cakes/{a}-{b:int}",
        "GET /bread/{name}",
        "GET /cakes",
        "GET /cakes/{name}/pages",
        "GET~redirect /cakes/{name}/",
        "GET a.com/cakes/7",
        "GET /{rest:path}",
    ])
    .build()
    .unwrap();
    let explained = router.explain(&Method::GET, &Uri::from_static("/cakes/7"), Some("b.com"));
    let lines: Vec<String> = explained.to_string().lines().map(str::to_owned).collect();
    let expected = [
        "GET /cakes/7 on b.com",
        "  GET /bread/{name}: segment 1 is not `bread`",
        "  GET /cakes: the path has too many segments",
        "  GET a.com/cakes/7: is for another host",
        "  GET /cakes/{a}-{b:int}: segment 2 is nothing for `{str}-{int}`",
        "  GET /cakes/{id:int}: takes it",
        "  GET /cakes/{name}: is less specific",
        "  POST /cakes/{name}: does not take the method",
        "  GET /cakes/{name}/: is less specific",
        "  GET /cakes/{name}/pages: the path has too few segments",
        "  GET /{rest:path}: is less specific",
    ];
    assert_eq!(lines, expected);
    let redirected = router.explain(&Method::GET, &Uri::from_static("/cakes/plum/"), None);
    assert!(redirected.verdicts().any(|(_, verdict)| *verdict == Verdict::Takes), "{redirected}");
    let bad = router.explain(&Method::GET, &Uri::from_static("/%"), None);
    assert!(bad.verdicts().all(|(_, verdict)| *verdict == Verdict::NoPath), "{bad}");
}

#[test]
fn a_redirect_is_one() {
    let router = routes(&["GET~redirect /a", "GET~redirect /b"]).build().unwrap();
    let explained = router.explain(&Method::GET, &Uri::from_static("/a/"), None);
    assert_eq!(
        explained.to_string(),
        "GET /a/\n  GET /a: redirects to its own path\n  GET /b: segment 1 is not `b`"
    );
}
