//! From names to paths, and from paths back to the values.

use super::random::Random;
use super::*;

fn named(routes: &[(&str, &str)]) -> Router<()> {
    let mut builder = Router::builder();
    for (name, pattern) in routes {
        builder.add(RouteSpec::new(*pattern).name(*name), ());
    }
    builder.build().unwrap()
}

#[test]
fn h27_urls() {
    let router = named(&[
        ("static", "/a b/é%/"),
        ("str", "/s/{x}/end"),
        ("int", "/i/{x:int}"),
        ("two", "/t/{x}-{y}.{z}"),
        ("path", "/p/{x:path}"),
        ("root", "/{x:path}"),
    ]);
    let text = str::to_owned;
    let value = |value: &str, converter: &str| {
        Err(UrlError::Value { name: text("x"), value: text(value), converter: text(converter) })
    };
    type Values = &'static [(&'static str, &'static str)];
    let table: [(&str, Values, Result<&str, UrlError>); 20] = [
        ("static", &[], Ok("/a%20b/%C3%A9%25/")),
        ("str", &[("x", "a/b?c#%")], Ok("/s/a%2Fb%3Fc%23%25/end")),
        ("str", &[("x", r"\é")], Ok("/s/%5C%C3%A9/end")),
        ("str", &[("x", "")], value("", "str")),
        ("str", &[("x", "a\0")], value("a\0", "str")),
        ("str", &[("x", "..")], Err(UrlError::Unsafe(text("/s/..")))),
        ("str", &[], Err(UrlError::Missing(text("x")))),
        ("str", &[("x", "1"), ("y", "2")], Err(UrlError::Superfluous(text("y")))),
        ("str", &[("x", "1"), ("x", "1")], Err(UrlError::Twice(text("x")))),
        ("int", &[("x", "007")], Ok("/i/007")),
        ("int", &[("x", "-7")], value("-7", "int")),
        ("two", &[("y", "b"), ("x", "a-b"), ("z", "c")], Ok("/t/a-b-b.c")),
        ("two", &[("x", "a"), ("y", "b-c"), ("z", "d")], Err(UrlError::Ambiguous(text("a-b-c.d")))),
        ("path", &[("x", "a b//c/")], Ok("/p/a%20b//c/")),
        ("path", &[("x", "")], Ok("/p/")),
        ("path", &[("x", "/evil.com")], Ok("/p//evil.com")),
        ("path", &[("x", "a/./b")], Err(UrlError::Unsafe(text("/p/a/./b")))),
        ("root", &[("x", "/evil.com")], Err(UrlError::Unsafe(text("//evil.com")))),
        ("root", &[("x", r"\evil.com")], Ok("/%5Cevil.com")),
        ("none", &[], Err(UrlError::NoRoute(text("none")))),
    ];
    for (name, params, expected) in table {
        let url = router.url_for(name, params.iter().copied());
        assert_eq!(url, expected.map(str::to_owned), "{name} {params:?}");
    }
    let error = router.url_for("int", [("x", 1.5)]).unwrap_err();
    assert_eq!(error.to_string(), r#"the parameter `x` is `int`, which does not take "1.5""#);
}

#[test]
fn one_name_is_of_one_pattern() {
    let mut routes = Router::builder();
    let line = line!();
    routes.add(RouteSpec::new("/a").methods(Method::GET).name("n"), 1);
    routes.add(RouteSpec::new("/a").methods(Method::POST).name("n"), 2);
    routes.add(RouteSpec::new("/b").name("n"), 3);
    let errors = routes.build().unwrap_err();
    let file = file!();
    let expected =
        format!("{file}:{}:16: `/b`: the name `n` is that of `/a`, at {file}:{}:16", line + 3, line + 1);
    assert_eq!(errors.to_string(), expected);
}

#[cfg(feature = "regex")]
#[test]
fn a_whole_regular_expression_has_no_url() {
    let mut routes = Router::builder();
    routes.add(RouteSpec::new(regex("/a")).name("n"), ());
    let router = routes.build().unwrap();
    assert_eq!(router.url_for("n", [("x", "")]), Err(UrlError::Regex("n".to_owned())));
}

/// Whatever values a pattern takes, they are found again in the URL.
#[test]
fn values_come_back() {
    const PIECES: [&str; 14] = ["a", "7", "/", "%", "-", ".", "é", " ", "?", "\\", "+", "42", "1.5", ""];
    let patterns =
        ["/{a}/{b:int}", "/x{a}-{b}", "/{a}.{b:float}", "/{a:int}{b}", "/{b}/é/{a:path}", "/{a}/{b}/"];
    let named: Vec<_> = patterns.iter().map(|pattern| named(&[("n", pattern)])).collect();
    let (mut random, mut written) = (Random(7), 0);
    for round in 0..20_000 {
        let mut value = || (0..1 + random.below(4)).map(|_| random.of(&PIECES)).collect::<String>();
        let (a, b, router) = (value(), value(), &named[round % named.len()]);
        let Ok(url) = router.url_for("n", [("a", &a), ("b", &b)]) else { continue };
        let uri: Uri = url.parse().unwrap();
        let Match::Found { params, .. } = router.find(&Method::GET, &uri, None) else { panic!("{url}") };
        let found = (params.get("a").unwrap(), params.get("b").unwrap());
        assert_eq!(found, (a.into(), b.into()), "{url}");
        written += 1;
    }
    assert!(written > 4_000, "{written}");
}
