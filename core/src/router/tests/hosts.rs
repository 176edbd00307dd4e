//! Routes that name hosts.

use super::*;

#[test]
fn h23_hosts() {
    check(
        &[
            "GET a.example.com/{x}",
            "GET *.example.com/{x}/",
            "GET *.example.com/{x}",
            "POST example.com,[::1]/p",
            "GET /one",
            "GET /p",
        ],
        &[
            ("GET /one on A.example.COM:8000", "GET a.example.com/{x} x=one"),
            ("GET /one on b.example.com.", "GET *.example.com/{x} x=one"),
            ("GET /one on c.b.example.com", "GET *.example.com/{x} x=one"),
            ("GET /one/ on a.example.com", "GET *.example.com/{x}/ x=one"),
            ("GET /one on example.com", "GET /one"),
            ("GET /one on other.org", "GET /one"),
            ("GET /one", "GET /one"),
            ("GET /two on other.org", "404"),
            ("POST /two on other.org", "404"),
            ("POST /two on b.example.com", "405 GET, HEAD, OPTIONS"),
            ("POST /p on [::1]:80", "POST example.com,[::1]/p"),
            ("POST /p on [::2]", "405 GET, HEAD, OPTIONS"),
            ("DELETE /p on example.com", "405 GET, HEAD, POST, OPTIONS"),
            ("GET /p on example.com", "GET /p"),
        ],
    );
    assert!(routes(&["GET a.b/"]).build().unwrap().names_hosts());
    assert!(!routes(&["GET /"]).build().unwrap().names_hosts());
}

#[test]
fn hosts_that_meet_conflict() {
    let taken = routes(&["GET a.com,b.com/x", "GET b.com,c.com,B.com/x", "GET /x"]).build().unwrap_err();
    assert_eq!(taken.errors().len(), 1, "{taken}");
    assert!(taken.to_string().contains("GET is taken by `/x`"), "{taken}");
    assert!(routes(&["GET a.com/x", "GET *.com/x", "GET b.com/x", "GET /x"]).build().is_ok());
    let mut routes = Router::builder();
    routes.add(RouteSpec::new("/{").hosts(["a:80", "b"]), ());
    let errors = routes.build().unwrap_err();
    let problems: Vec<&Problem> = errors.errors().iter().map(|error| &error.problem).collect();
    assert_eq!(problems, [&Problem::Braces, &Problem::Host("a:80".to_owned())]);
}
