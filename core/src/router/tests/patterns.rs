//! What each pattern takes, and which are none.

use super::*;

#[test]
fn h06_converters() {
    check(
        &[
            "GET /s/{x}",
            "GET /t/{x:str}",
            "GET /i/{x:int}",
            "GET /f/{x:float}",
            "GET /u/{x:uuid}",
            "GET /p/{x:path}",
            "GET /{ spaced : int }",
        ],
        &[
            ("GET /s/one", "GET /s/{x} x=one"),
            ("GET /s/", "404"),
            ("GET /s/one/two", "404"),
            ("GET /t/one", "GET /t/{x:str} x=one"),
            ("GET /i/42", "GET /i/{x:int} x=42"),
            ("GET /i/x", "404"),
            ("GET /p/a/b//c/", "GET /p/{x:path} x=a/b//c/"),
            ("GET /p/a%2Fb%20/c", "GET /p/{x:path} x=a/b /c"),
            ("GET /7", "GET /{ spaced : int } spaced=7"),
            ("GET /f/42", "GET /f/{x:float} x=42"),
            ("GET /f/4%2e20", "GET /f/{x:float} x=4.20"),
            ("GET /f/.5", "404"),
            ("GET /f/5.", "404"),
            ("GET /f/1.2.3", "404"),
            ("GET /f/-1.5", "404"),
            ("GET /f/1e3", "404"),
            ("GET /f/inf", "404"),
            ("GET /f/", "404"),
            (
                "GET /u/0123abCD-0123-4567-89ab-cdefABCDEF01",
                "GET /u/{x:uuid} x=0123abCD-0123-4567-89ab-cdefABCDEF01",
            ),
            ("GET /u/0123abCD0123-4567-89ab-cdefABCDEF01-", "404"),
            ("GET /u/0123abCD-0123-4567-89ab-cdefABCDEF0g", "404"),
            ("GET /u/0123abCD-0123-4567-89ab-cdefABCDEF0", "404"),
            ("GET /u/0123abCD-0123-4567-89ab-cdefABCDEF012", "404"),
        ],
    );
    let router = routes(&["GET /{x:float}"]).build().unwrap();
    let (finite, infinite) = (format!("1{}", "0".repeat(308)), format!("1{}", "0".repeat(309)));
    assert_eq!(outcome(&router, &format!("GET /{finite}.5")), format!("GET /{{x:float}} x={finite}.5"));
    assert_eq!(outcome(&router, &format!("GET /{infinite}.5")), "404");
}

#[test]
fn h07_int() {
    let found = |digits: &str| format!("GET /{{x:int}} x={digits}");
    let router = routes(&["GET /{x:int}"]).build().unwrap();
    for digits in ["0", "007", "18446744073709551615", "000000000000000000000000000000000000042"] {
        assert_eq!(outcome(&router, &format!("GET /{digits}")), found(digits));
    }
    assert_eq!(outcome(&router, "GET /%34%32"), found("42"));
    let long = "9".repeat(5000);
    for other in
        ["-1", "+1", "1.0", "1e3", "%D9%A3", "٣", "42%0A", "", "18446744073709551616", &long, "0x1", "1%20"]
    {
        assert_eq!(outcome(&router, &format!("GET /{other}")), "404", "{other}");
    }
}

#[test]
fn h08_path_may_be_empty() {
    check(
        &["GET /path/{x:path}", "GET /all/{y:path}", "GET /all/", "GET /all"],
        &[
            ("GET /path/", "GET /path/{x:path} x="),
            ("GET /path", "404"),
            ("GET /all/", "GET /all/"),
            ("GET /all", "GET /all"),
            ("GET /all//", "GET /all/{y:path} y=/"),
        ],
    );
    check(&["GET /{x:path}"], &[("GET /", "GET /{x:path} x="), ("GET /a/b", "GET /{x:path} x=a/b")]);
}

#[test]
fn h09_h10_h11_malformed_patterns() {
    let wrong = |pattern: &str| {
        let mut routes = Router::builder();
        routes.insert(pattern, Methods::Any, ());
        let errors = routes.build().unwrap_err();
        errors.errors().iter().map(|error| error.problem.clone()).collect::<Vec<_>>()
    };
    let text = str::to_owned;
    for (pattern, problem) in [
        ("", Problem::NoLeadingSlash),
        ("a", Problem::NoLeadingSlash),
        ("{a}", Problem::NoLeadingSlash),
        ("/{", Problem::Braces),
        ("/}", Problem::Braces),
        ("/}{", Problem::Braces),
        ("/{a", Problem::Braces),
        ("/{a}}", Problem::Braces),
        ("/{}", Problem::Name(text(""))),
        ("/{1x}", Problem::Name(text("1x"))),
        ("/{{a}}", Problem::Name(text("{a}"))),
        ("/{a b}", Problem::Name(text("a b"))),
        ("/{é}", Problem::Name(text("é"))),
        ("/{a/b}", Problem::Name(text("a/b"))),
        ("/{a:}", Problem::UnknownConverter(text(""))),
        ("/{a:integer}", Problem::UnknownConverter(text("integer"))),
        (r"/{a:[{]}", Problem::Braces),
        ("/v{a:path}", Problem::PartOfSegment(text("v{a:path}"))),
        ("/{a}-{a}", Problem::SameName(text("a"))),
        ("/{a:path}/b", Problem::PathNotLast(text("a"))),
        ("/{a:path}/", Problem::PathNotLast(text("a"))),
        ("/{a}/{a:int}", Problem::SameName(text("a"))),
        (&"/x".repeat(257), Problem::TooManySegments(257)),
    ] {
        assert_eq!(wrong(pattern), [problem], "{pattern}");
    }
    assert_eq!(wrong("/{1}/{a:path}x/{b:no}").len(), 3);
    for pattern in ["/{_}", "/{_a1}", "/{a}/{b}", "/{A}", "/v{a}", "/{a}{b}", &"/x".repeat(256)] {
        assert!(Pattern::parse(pattern).is_ok(), "{pattern}");
    }
}

#[cfg(feature = "regex")]
#[test]
fn h09_inline_regular_expressions() {
    check(
        &[
            r"GET /i/{x:\d{3}}",
            "GET /l/{x:[^/]+?}",
            "GET /a/{x:a|ab}",
            r"GET /b/{x:\{\w*\}}",
            "GET /e/{x:x*}",
        ],
        &[
            ("GET /i/123", r"GET /i/{x:\d{3}} x=123"),
            ("GET /i/%31%32%33", r"GET /i/{x:\d{3}} x=123"),
            ("GET /i/1234", "404"),
            ("GET /i/123%0A", "404"),
            ("GET /i/٣٣٣", "404"),
            ("GET /l/whole", "GET /l/{x:[^/]+?} x=whole"),
            ("GET /l/a%2Fb", "404"),
            ("GET /a/ab", "GET /a/{x:a|ab} x=ab"),
            ("GET /b/%7Bab%7D", r"GET /b/{x:\{\w*\}} x={ab}"),
            ("GET /e/", "GET /e/{x:x*} x="),
            ("GET /e", "404"),
        ],
    );
    for malformed in [r"/{x:[}", "/{x:a)|(b}", r"/{x:\p{Greek}}", "/v{x:(}"] {
        let mut routes = Router::builder();
        routes.insert(malformed, Methods::Any, ());
        let problem = routes.build().unwrap_err().errors()[0].problem.clone();
        assert!(matches!(problem, Problem::Regex(_)), "{malformed}: {problem}");
    }
}

#[cfg(not(feature = "regex"))]
#[test]
fn without_the_feature_the_errors_name_it() {
    let mut routes = Router::builder();
    routes.insert(r"/{x:\d{3}}", Methods::Any, ());
    routes.insert(r"/v{x:\d{3}}", Methods::Any, ());
    routes.insert(regex("/"), Methods::Any, ());
    let errors = routes.build().unwrap_err();
    assert_eq!(errors.errors().len(), 3);
    for error in errors.errors() {
        assert!(error.to_string().ends_with("which needs the crate's feature `regex`"), "{error}");
    }
}

#[test]
fn h11_several_parameters_in_a_segment() {
    check(
        &[
            "GET /1/{a}-{b}.{ext}",
            "GET /2/v{a}",
            "GET /3/{a}.html",
            "GET /4/{a}{b:int}",
            "GET /5/{a:float}.{b}",
            "GET /6/{a:int}x{b:uuid}",
            "GET /7/{a}{b}",
            "GET /8/{a}--{b}",
            "GET /9/é{a}é{b}",
        ],
        &[
            ("GET /1/a-b-c.d.e", "GET /1/{a}-{b}.{ext} a=a-b b=c.d ext=e"),
            ("GET /1/a-b.c", "GET /1/{a}-{b}.{ext} a=a b=b ext=c"),
            ("GET /1/a%2Db%2Ec%2Fd", "GET /1/{a}-{b}.{ext} a=a b=b ext=c/d"),
            ("GET /1/-b.c", "404"),
            ("GET /1/a-.c", "404"),
            ("GET /1/a-b.", "404"),
            ("GET /1/a.b-c", "404"),
            ("GET /1/--.c", "404"),
            ("GET /1/---.c", "GET /1/{a}-{b}.{ext} a=- b=- ext=c"),
            ("GET /2/v1", "GET /2/v{a} a=1"),
            ("GET /2/vv", "GET /2/v{a} a=v"),
            ("GET /2/v", "404"),
            ("GET /2/w1", "404"),
            ("GET /3/.html.html", "GET /3/{a}.html a=.html"),
            ("GET /3/.html", "404"),
            ("GET /3/a.htm", "404"),
            ("GET /4/ab12", "GET /4/{a}{b:int} a=ab1 b=2"),
            ("GET /4/ab", "404"),
            ("GET /4/1", "404"),
            ("GET /5/1.5.x", "GET /5/{a:float}.{b} a=1.5 b=x"),
            ("GET /5/1.x.y", "GET /5/{a:float}.{b} a=1 b=x.y"),
            ("GET /5/1.5", "GET /5/{a:float}.{b} a=1 b=5"),
            ("GET /5/x.5", "404"),
            (
                "GET /6/7x0123abCD-0123-4567-89ab-cdefABCDEF01",
                "GET /6/{a:int}x{b:uuid} a=7 b=0123abCD-0123-4567-89ab-cdefABCDEF01",
            ),
            ("GET /6/99999999999999999999x0123abCD-0123-4567-89ab-cdefABCDEF01", "404"),
            ("GET /7/a%C3%A9", "GET /7/{a}{b} a=a b=é"),
            ("GET /7/%C3%A9%C3%A9", "GET /7/{a}{b} a=é b=é"),
            ("GET /7/%C3%A9", "404"),
            ("GET /8/a---b", "GET /8/{a}--{b} a=a- b=b"),
            ("GET /9/%c3%a9%C3%A9é%C3%a91", "GET /9/é{a}é{b} a=éé b=1"),
        ],
    );
}

#[cfg(feature = "regex")]
#[test]
fn h11_with_regular_expressions() {
    check(
        &[r"GET /{a:[a-z]+}{b:\d+}.{c}", "GET /x/{a:(?P<g>x|y)}-{b:int}"],
        &[
            ("GET /ab12.gz", r"GET /{a:[a-z]+}{b:\d+}.{c} a=ab b=12 c=gz"),
            ("GET /a%621%32%2Egz", r"GET /{a:[a-z]+}{b:\d+}.{c} a=ab b=12 c=gz"),
            ("GET /12.gz", "404"),
            ("GET /x/y-7", "GET /x/{a:(?P<g>x|y)}-{b:int} a=y b=7"),
            ("GET /x/y-99999999999999999999", "404"),
        ],
    );
}

#[cfg(feature = "regex")]
#[test]
fn h13_whole_regular_expressions() {
    check(
        &[r"GET re:/files/(?P<id>\d+)(\.(?P<ext>\w+))?", "GET pre:/a", "POST re:/x|/y/z"],
        &[
            ("GET /files/42", r"GET re:/files/(?P<id>\d+)(\.(?P<ext>\w+))? id=42 ext="),
            ("GET /files/%34%32.gz", r"GET re:/files/(?P<id>\d+)(\.(?P<ext>\w+))? id=42 ext=gz"),
            ("GET /files/42/", "404"),
            ("GET /files/42%0A", "404"),
            ("GET /x/files/42", "404"),
            ("GET /abc/d", "GET pre:/a"),
            ("GET /abc%2Fd", "404"),
            ("GET /abc%2fd", "404"),
            ("GET /abc%252Fd", "GET pre:/a"),
            ("GET /ba", "404"),
            ("POST /x", "POST re:/x|/y/z"),
            ("POST /y/z", "POST re:/x|/y/z"),
            ("GET /y/z", "405 POST, OPTIONS"),
            ("POST /x/z", "404"),
        ],
    );
}
