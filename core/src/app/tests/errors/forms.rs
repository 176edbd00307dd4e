//! The forms in which errors are told by default.

use super::*;

const PROBLEM: &str = "application/problem+json";

#[test]
fn the_form_is_the_one_that_the_client_prefers() {
    let app = failing().build().unwrap();
    let chrome =
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8";
    for (accept, expected) in [
        (None, TEXT),
        (Some("*/*"), TEXT),
        (Some("image/avif,image/webp,*/*;q=0.8"), TEXT),
        (Some("image/png"), TEXT),
        (Some("text/*"), TEXT),
        (Some("text/plain, text/html"), TEXT),
        (Some("text/html, *; q=.2"), TEXT),
        (Some("text/html;q=0"), TEXT),
        (Some(chrome), HTML),
        (Some("text/html, text/plain"), HTML),
        (Some("application/json;q=0.8, text/html;q=0.9"), HTML),
        (Some("application/json"), PROBLEM),
        (Some("application/problem+json"), PROBLEM),
        (Some("application/json, text/plain, */*"), PROBLEM),
        (Some("application/*"), PROBLEM),
    ] {
        for line in ["GET /parse", "GET /nothing", "DELETE /parse"] {
            let response = response(&app, line, accept);
            assert_eq!(response.headers["vary"], "accept", "{accept:?}");
            assert_eq!(look(response).content_type.as_deref(), Some(expected), "{line} {accept:?}");
        }
    }
    let unread = ready(app.fail(Error::bad_request("no request"), None));
    assert!(!unread.headers.contains_key(VARY));
    assert_eq!(look(unread), seen(400, TEXT, "no request"));
}

#[test]
fn problem_details_name_the_kind_of_problem() {
    for (error, expected) in [
        (Error::not_found(), r#"{"type":"about:blank","title":"Not Found","status":404}"#),
        (
            Error::conflict("a \"b\" \\ \u{1}\n </é>"),
            r#"{"type":"about:blank","title":"Conflict","status":409,"detail":"a \"b\" \\ \u0001\u000a </é>"}"#,
        ),
        (
            LimitExceeded::new("x", 1, 2).into(),
            r#"{"type":"urn:bakestone:limit-exceeded","title":"Payload Too Large","status":413,"detail":"x is 1, and at least 2 were sent"}"#,
        ),
        (
            Error::gone("x").with_code("sold-out"),
            r#"{"type":"urn:bakestone:sold-out","title":"Gone","status":410,"detail":"x"}"#,
        ),
        (
            Error::gone("x").with_code("https://example.com/sold-out"),
            r#"{"type":"https://example.com/sold-out","title":"Gone","status":410,"detail":"x"}"#,
        ),
        (Outer(Inner).into(), r#"{"type":"about:blank","title":"Internal Server Error","status":500}"#),
    ] {
        let app = App::new().build().unwrap();
        let mut fields = HeaderMap::new();
        fields.insert(ACCEPT, HeaderValue::from_static(PROBLEM));
        let asked = Asked::new(&Method::GET, &Uri::from_static("/"), &fields);
        let found = body(ready(app.fail(error, Some(&asked))));
        assert_eq!(found, expected);
        #[cfg(feature = "json")]
        assert!(serde_json::from_str::<serde_json::Value>(&found).is_ok(), "{found}");
    }
}

const FORMS: [&str; 3] = ["text/plain", "text/html", PROBLEM];

#[test]
fn causes_are_shown_in_debug_only() {
    let routes = || failing().route("/endless", get(async || Err::<&str, Error>(Endless.into())));
    let outside = App::new().mount("/m", routes()).mount("/own", routes().debug(false)).debug(true);
    let (quiet, loud) = (routes().build().unwrap(), outside.build().unwrap());
    for form in FORMS {
        let text = body(response(&quiet, "GET /outer?token=secret", Some(form)));
        assert!(!text.contains("secret") && !text.contains("Inner"), "{form}: {text}");
        let text = body(response(&loud, "GET /own/outer", Some(form)));
        assert!(!text.contains("secret"), "a mount may keep quiet: {form}: {text}");

        let text = body(response(&loud, "GET /m/outer?q=1", Some(form)));
        for shown in ["Internal Server Error", "500", "GET /m/outer?q=1", "outer", "Inner"] {
            assert!(text.contains(shown), "{form}: {shown}: {text}");
        }
        let text = body(response(&loud, "GET /m/endless", Some(form)));
        assert_eq!(text.matches("Endless").count(), 64, "{form}: {text}");
    }
    let text = body(response(&loud, "GET /m/outer", None));
    assert_eq!(
        text,
        "Internal Server Error\n\nstatus: 500 Internal Server Error\nrequest: GET /m/outer\nroute: /m/outer\n\
         cause: outer <secret>\n  Outer(\n      Inner,\n  )\ncause: inner \"secret\"\n  Inner\n"
    );
    let text = body(response(&loud, "GET /m/outer", Some(PROBLEM)));
    assert_eq!(
        text,
        r#"{"type":"about:blank","title":"Internal Server Error","status":500,"request":"GET /m/outer","route":"/m/outer","causes":[{"text":"outer <secret>","debug":"Outer(\u000a    Inner,\u000a)"},{"text":"inner \"secret\"","debug":"Inner"}]}"#
    );
}

#[test]
fn whatever_goes_into_a_page_is_escaped() {
    let markup = "<script>alert('\"&')</script>";
    let escaped = "&lt;script&gt;alert(&#39;&quot;&amp;&#39;)&lt;/script&gt;";
    for debug in [false, true] {
        let fail = move || async move {
            Err::<&str, _>(Error::conflict(markup).with_code(markup).with_source(markup))
        };
        let app = App::new().route("/{rest:path}", get(fail)).debug(debug).build().unwrap();
        let found = look(response(&app, "GET /%3Cscript%3E'\"&amp", Some("text/html")));
        assert_eq!((found.status, found.content_type.as_deref()), (409, Some(HTML)));
        assert!(!found.body.contains("<script") && !found.body.contains("'\"&amp "), "{}", found.body);
        let expected = if debug { 3 } else { 1 };
        assert_eq!(found.body.matches(escaped).count(), expected, "{}", found.body);
        assert!(found.body.contains("<title>409 Conflict</title>"), "{}", found.body);
    }
}

#[test]
fn a_handler_may_offer_several_forms_itself() {
    for (fields, expected) in [
        (&[][..], Some("text/html")),
        (&["application/json"], Some("application/json")),
        (&["image/png", "application/json;q=0.1"], Some("application/json")),
        (&["text/html;q=0.5", "application/json;q=0.6"], Some("application/json")),
        (&["text/html;q=0.5", "application/json;q=high"], Some("text/html")),
        (&["application/json, \u{e9}"], Some("text/html")),
        (&["image/png"], None),
    ] {
        let mut request = Request::new(Method::GET, Uri::from_static("/"), ());
        for field in fields {
            request.headers_mut().append(ACCEPT, HeaderValue::from_bytes(field.as_bytes()).unwrap());
        }
        assert_eq!(request.accepts(&["text/html", "application/json"]), expected, "{fields:?}");
    }
    assert_eq!(Request::new(Method::GET, Uri::from_static("/"), ()).accepts(&[]), None);
}
