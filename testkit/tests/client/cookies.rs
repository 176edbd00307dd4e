//! Cookies between a client and its server.

use std::time::Duration;

use bakestone::http::cookie::{SameSite, SetCookie};
use bakestone::{App, Path, Redirect, Request, Text, get};
use bakestone_testkit::Client;

use super::HOUR;

async fn sent(request: Request) -> Text<String> {
    let cookies =
        request.headers().get_all("cookie").into_iter().map(|field| field.to_str().unwrap().to_owned());
    Text(cookies.collect::<Vec<_>>().join(" / "))
}

fn app() -> App {
    let cookie = |name| SetCookie::new(name, "1").path("/");
    App::new()
        .route("/login", get(move || (cookie("id").max_age(HOUR), Text("in"))))
        .route("/logout", get(|| (SetCookie::delete("id").path("/"), Text("out"))))
        .route(
            "/secure",
            get(move || (cookie("__Host-id").secure(true).same_site(SameSite::Strict), Text("in"))),
        )
        .route("/shop/basket", get(|| (SetCookie::new("basket", "2"), Redirect::to("/shop/"))))
        .route("/shop/", get(sent))
        .route(
            "/set/{domain}",
            get(|Path(domain): Path<String>| async {
                (SetCookie::new("d", "3").path("/").domain(domain), Text("set"))
            }),
        )
        .route("/", get(sent))
}

#[test]
fn z08_cookies_are_kept_sent_and_forgotten() {
    let client = Client::new(app());
    client.get("/").send().expect_empty();
    client.get("/login").send().expect_text("in");
    client.get("/").send().expect_text("id=1");
    // Of the request alone, in place of the client's.
    client.get("/").cookie("id", "other").cookie("x", "y").send().expect_text("id=other; x=y");
    client.get("/").header("cookie", "by=hand").send().expect_text("by=hand");
    client.get("/").without("cookie").send().expect_empty();
    client.get("/").send().expect_text("id=1");
    assert_eq!(client.cookie("id").as_deref(), Some("1"));

    client.advance(HOUR - Duration::from_secs(1)).get("/").send().expect_text("id=1");
    client.advance(Duration::from_secs(1)).get("/").send().expect_empty();
    client.get("/login").send();
    client.get("/logout").send();
    client.get("/").send().expect_empty();
}

#[test]
fn cookies_of_paths_redirects_and_hosts() {
    let client = Client::new(app());
    client.get("/shop/basket").send().expect_text("basket=2");
    client.get("/").send().expect_empty();
    for (host, domain, at, expected) in [
        ("a.example.org", "example.org", "b.example.org", "d=3"),
        ("a.example.org", "example.org", "example.org", "d=3"),
        ("a.example.org", "example.org", "evilexample.org", ""),
        ("a.example.org", "b.example.org", "b.example.org", ""),
        ("a.example.org", "org", "b.example.org", ""),
        ("localhost", "localhost", "localhost", "d=3"),
        ("127.0.0.1", "0.0.1", "10.0.0.1", ""),
    ] {
        client.with_cookies(bakestone_testkit::CookieJar::clear);
        client.get(format!("http://{host}/set/{domain}")).send();
        assert_eq!(client.get(format!("http://{at}/")).send().text(), expected, "{host} {domain} {at}");
    }
}

#[test]
fn what_is_secure_stays_on_secure_connections() {
    let plain = Client::new(app());
    plain.get("/secure").send();
    assert_eq!(plain.cookie("__Host-id"), None);

    let client = Client::setup().base_url("https://localhost").start(app());
    client.get("/secure").send();
    client.get("/").send().expect_text("__Host-id=1");
    client.get("http://localhost/").send().expect_empty();
    assert!(client.set_cookie("a=b; Max-Age=5"));
    client.with_cookies(|jar| assert!(jar.remove("__Host-id")));
    client.get("/").send().expect_text("a=b");
}

#[test]
fn a_jar_does_not_grow_for_ever() {
    let mut jar = bakestone_testkit::CookieJar::default();
    for i in 0..3_050_u32 {
        let url = bakestone_testkit::client::Url::parse(&format!("http://h{}.example/", i % 100)).unwrap();
        assert!(jar.store(&url, format!("c{i}=1").as_bytes(), HOUR));
    }
    assert_eq!(jar.iter().count(), 3_000);
    let url = bakestone_testkit::client::Url::parse("http://one.example/").unwrap();
    for i in 0..200 {
        assert!(jar.store(&url, format!("c{i}=1").as_bytes(), HOUR));
    }
    assert_eq!(jar.field(&url, HOUR).unwrap().split(';').count(), 180);
}
