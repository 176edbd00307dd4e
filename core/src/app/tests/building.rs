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
        "12 problems with the application:".to_owned(),
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
            "  {}: `/g/{{x}}/{{y}}`: the path has 2 parameters, and the handler `{handler}` takes the first 1 \
             (take all as a tuple, or those you need by name as a struct)",
            at(9, 42)
        ),
        format!(
            "  {}: `/a/{{y}}`: GET is taken by `/a/{{x}}`, which has the same shape, at {}",
            at(2, 10),
            at(1, 10)
        ),
        format!("  {}: `/b/{{`: the braces do not match", at(3, 10)),
        format!(
            "  {}: `/{{x:integer}}`: there is no converter `integer`, only `uuid`, `int`, `float`, `str` and `path`",
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

#[test]
fn every_path_has_the_parameters_that_a_struct_names() {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Cake,
    }
    #[derive(serde::Deserialize)]
    #[allow(dead_code)]
    struct Record {
        kind: Kind,
        address: Option<std::net::IpAddr>,
        #[serde(alias = "number")]
        id: std::num::NonZeroU8,
        page: Option<u32>,
        #[serde(default)]
        flags: Vec<String>,
    }
    async fn record(_: Path<Record>) -> &'static str {
        "record"
    }
    let build = |path: &str| App::new().route(path, get(record)).build();
    for path in ["/{kind}/{id}", "/{id}/{kind}/{page}", "/{kind}/{number}", "/{kind}/{id:int}/{other}"] {
        assert!(build(path).is_ok(), "{path}: {:?}", build(path));
    }
    for (path, lacking) in [
        ("/", "kind"),
        ("/{kind}", "id"),
        ("/{id}/{knid}", "kind"),
        ("/{address}/{kind}", "id"),
        ("/{kind}/{ID}", "id"),
    ] {
        let errors = build(path).unwrap_err();
        let [BuildError::NoParam { param, .. }] = errors.errors() else { panic!("{errors}") };
        assert_eq!(param, lacking, "{path}");
        let text = format!(
            "`{path}`: the path has no parameter `{lacking}`, which the handler `{}::record` takes \
             (make it an `Option` where it may be missing)",
            concat!(module_path!(), "::every_path_has_the_parameters_that_a_struct_names"),
        );
        assert!(errors.to_string().ends_with(&text), "{errors}");
    }
}

#[test]
fn as_many_parameters_as_a_type_has_places() {
    #[derive(serde::Deserialize)]
    #[allow(dead_code)]
    struct Three(u8, String, char);
    fn needed<T: serde::de::DeserializeOwned + Send + 'static>(path: &str) -> usize {
        let errors = match App::new().route(path, get(|_: Path<T>| "")).build() {
            Ok(_) => return 0,
            Err(errors) => errors,
        };
        match errors.errors() {
            [
                BuildError::TooFewParams { needed: count, .. }
                | BuildError::TooManyParams { taken: count, .. },
            ] => *count,
            _ => panic!("{errors}"),
        }
    }
    assert_eq!((needed::<u8>("/"), needed::<u8>("/{a}"), needed::<u8>("/{a}/{b}")), (1, 0, 1));
    assert_eq!((needed::<(u8,)>("/{a}/{b}"), needed::<Option<u8>>("/{a}/{b}")), (1, 1));
    assert_eq!((needed::<(u8, String)>("/{a}"), needed::<(u8, String)>("/{a}/{b}")), (2, 0));
    assert_eq!((needed::<Three>("/{a}"), needed::<Three>("/{a}/{b}/{c}")), (3, 0));
    assert_eq!((needed::<Vec<u8>>("/"), needed::<()>("/"), needed::<Option<(u8, u8)>>("/")), (0, 0, 0));
    assert_eq!((needed::<crate::MultiMap>("/"), needed::<Box<str>>("/")), (0, 1));
}

/// In a mount whose prefix has a parameter, a handler that takes one would silently take that.
#[test]
fn n01_a_handler_takes_all_parameters_by_their_order_or_names_them() {
    let module = || App::new().route("/invoices/{id:int}", get(|Path(id): Path<u64>| Text(id.to_string())));
    assert!(module().build().is_ok());
    let errors = App::new().mount("/orgs/{org:int}", module()).build().unwrap_err().to_string();
    let said = "`/orgs/{org:int}/invoices/{id:int}`: the path has 2 parameters, and the handler `";
    assert!(errors.contains(said) && errors.contains("takes the first 1 (take all as a tuple"), "{errors}");

    // What stands around may look at the prefix alone.
    let tenant = async |Path(_): Path<u64>, request: Request, next: Next| next.run(request).await;
    let inner = App::new()
        .middleware(tenant)
        .route("/invoices/{id:int}", get(|Path((_, id)): Path<(u64, u64)>| Text(id.to_string())));
    let app = App::new().mount("/orgs/{org:int}", inner).build().unwrap();
    assert_eq!(send(&app, "GET /orgs/7/invoices/42", ""), seen(200, TEXT, "42"));
}
