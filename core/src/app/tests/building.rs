//! What is found when the application is built.

use super::*;

async fn greet(_: State<u32>, _: State<u32>, _: Path<(String, u32)>, _: Path<String>) -> &'static str {
    "hello"
}

async fn forgiving(_: Option<State<u32>>, _: Option<Path<String>>) -> &'static str {
    "whatever"
}

#[test]
fn everything_at_once() {
    let none: [&str; 0] = [];
    let first = line!() + 1;
    let app = App::new()
        .route("/a/{x}", get(|| ""))
        .route("/a/{y}", get(|| "").post(|| ""))
        .route(["/b/{", "/{x:integer}"], get(|| "").post(|| ""))
        .route("/c", get(|| "").put(|| "").get(|| ""))
        .route("/c2", any(|| "").any(|| ""))
        .route("/d", on("NO METHOD", || ""))
        .route(none, get(|| ""))
        .route("/e", MethodRouter::default())
        .route(["/f/{x}", "/g/{x}/{y}"], get(greet))
        .state("a")
        .state("b");
    let errors = app.build().unwrap_err();
    let text = errors.to_string();
    assert_eq!(format!("{errors:?}"), text);
    let at = |line: u32, column: u32| format!("{}:{}:{column}", file!(), first + line);
    let handler = concat!(module_path!(), "::greet");
    let expected = [
        "11 problems with the application:".to_owned(),
        format!("  {}: there is a state of type `&str` already, at {}", at(11, 10), at(10, 10)),
        format!("  {}: GET has a handler already, at {}", at(4, 44), at(4, 22)),
        format!("  {}: any method has a handler already, at {}", at(5, 34), at(5, 23)),
        format!("  {}: `NO METHOD` is no method's name", at(6, 22)),
        format!("  {}: the route has no path", at(7, 10)),
        format!("  {}: `/e`: the route has no handler", at(8, 10)),
        format!(
            "  {}: `/f/{{x}}`: the handler `{handler}` takes `State<u32>`, and the application has no such state",
            at(9, 42)
        ),
        format!(
            "  {}: `/f/{{x}}`: the path has 1 of the 2 parameters that the handler `{handler}` takes \
             (take an `Option<Path<..>>` where they may be missing)",
            at(9, 42)
        ),
        format!(
            "  {}: `/a/{{y}}`: GET is taken by `/a/{{x}}`, which has the same shape, at {}",
            at(2, 10),
            at(1, 10)
        ),
        format!("  {}: `/b/{{`: the braces do not match", at(3, 10)),
        format!(
            "  {}: `/{{x:integer}}`: there is no converter `integer`, only `int`, `str` and `path`",
            at(3, 10)
        ),
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), expected, "{text}");
    assert_eq!(errors.errors().len(), expected.len() - 1);
}

#[test]
fn one_error_is_one_line() {
    let errors = App::new().route("cakes", get(|| "")).build().unwrap_err();
    let [BuildError::Route(error)] = errors.errors() else { panic!("{errors}") };
    assert_eq!(error.problem, Problem::NoLeadingSlash);
    assert!(errors.to_string().ends_with("`cakes`: a pattern begins with `/`"), "{errors}");
}

#[test]
fn what_is_optional_needs_nothing() {
    let app = App::new().route(["/", "/{name}"], get(forgiving)).build().unwrap();
    assert_eq!(send(&app, "GET /", ""), seen(200, HTML, "whatever"));
}

#[test]
fn paths_come_in_many_forms() {
    let owned = String::from("/3");
    let fives = &["/5"];
    let slice: &[&str] = &["/6", "/7"];
    let app = App::new()
        .route("/1", get(|| ""))
        .route(String::from("/2"), get(|| ""))
        .route(&owned, get(|| ""))
        .route(["/4"], get(|| ""))
        .route(fives, get(|| ""))
        .route(slice, get(|| ""))
        .route(vec![String::from("/8")], get(|| ""));
    assert_eq!(
        format!("{app:?}"),
        r#"App { paths: ["/1", "/2", "/3", "/4", "/5", "/6", "/7", "/8"], groups: [] }"#
    );
    let app = app.build().unwrap();
    for path in 1..=8 {
        assert_eq!(send(&app, &format!("GET /{path}"), "").status, 200, "/{path}");
    }
}
