//! Static files around a bare service, without an application.

use bakestone::app::Embedded;
use bakestone::{Error, Request, StatusCode, Text};

use super::*;

#[test]
fn d06_static_files_around_a_bare_function() {
    async fn bare(mut request: Request) -> Result<Text<String>, Error> {
        if request.raw_path() == "/none" {
            return Err(Error::not_found());
        }
        let body = request.text().await?;
        Ok(Text(format!("{} {} {body}", request.method(), request.raw_path())))
    }
    let files = memory(&[("public/a.txt", "hello"), ("public/index.html", "root"), ("secret", "secret")]);
    let service = std::rc::Rc::new(StaticFiles::folder("public").index("index.html").or("/static", bare));
    for (line, status, body) in [
        ("GET /static/a.txt", 200, "hello"),
        ("HEAD /static/a.txt", 200, ""),
        ("GET /static/", 200, "root"),
        ("GET /static", 307, ""),
        // What is no file is for the service behind.
        ("POST /static/a.txt", 200, "POST /static/a.txt body"),
        ("GET /static/none", 200, "GET /static/none body"),
        ("GET /static/../secret", 200, "GET /static/../secret body"),
        ("GET /static/%00", 200, "GET /static/%00 body"),
        ("GET /static/%zz", 200, "GET /static/%zz body"),
        ("GET /staticfoo", 200, "GET /staticfoo body"),
        ("GET /", 200, "GET / body"),
        ("GET /none", 404, "Not Found"),
    ] {
        let mut wire = on_wire(service.clone(), files.clone());
        wire.feed(format!("{line} HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"));
        let seen = Seen::parse(&wire.take_text());
        assert_eq!((seen.status, &*seen.body), (status, body), "{line}");
    }
}

#[test]
fn d06_the_prefix_is_compared_as_it_reads_decoded() {
    let files = memory(&[("public/a.txt", "hello")]);
    for (prefix, target, status) in [
        ("/static", "/st%61tic/a.txt", 200),
        ("/static", "/static%2Fa.txt", 404),
        ("/static", "/static/st%61tic/a.txt", 404),
        ("/static", "/st%zztic/a.txt", 404),
        ("/static", "/STATIC/a.txt", 404),
        ("/static", "//static/a.txt", 404),
        ("static", "/static/a.txt", 200),
        ("static/", "/static/a.txt", 200),
        ("/\u{e9}", "/%C3%A9/a.txt", 200),
        ("/a b/c", "/a%20b/%63/a.txt", 200),
        ("/a/b", "/a%2fb/a.txt", 404),
        ("/a/b", "/a/a.txt", 404),
        ("/", "/a.txt", 200),
        ("", "/a.txt", 200),
        ("", "//a.txt", 404),
    ] {
        let site = StaticFiles::folder("public").or(prefix, |_: Request| StatusCode::NOT_FOUND);
        let seen = ask(std::rc::Rc::new(site), &files, &format!("GET {target}"), &[]);
        assert_eq!(seen.status, status, "{prefix} {target}");
    }
}

#[test]
fn d06_static_files_and_nothing_else() {
    let files = Embedded::new().with("a.txt", "hello");
    let service = StaticFiles::new(files);
    for (line, status, body) in [
        ("GET /a.txt", 200, "hello"),
        ("HEAD /a.txt", 200, ""),
        ("GET /", 404, "Not Found"),
        ("GET /b", 404, "Not Found"),
        ("GET /%00", 404, "Not Found"),
        ("GET /%ff", 404, "Not Found"),
        ("POST /a.txt", 405, "Method Not Allowed"),
        ("OPTIONS *", 405, "Method Not Allowed"),
    ] {
        let seen = ask(service.clone(), &MemoryFiles::new(), line, &[]);
        assert_eq!((seen.status, &*seen.body), (status, body), "{line}");
        assert_eq!(seen.field("allow"), if status == 405 { "GET, HEAD" } else { "" }, "{line}");
    }
}
