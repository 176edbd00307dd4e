//! Folders on routes.

use bakestone::app::{Embedded, Failure, Folder, Next};
use bakestone::router::Slashes;
use bakestone::{HeaderValue, Request, Response, StatusCode, Text, get, header};

use super::*;

fn site() -> MemoryFiles {
    memory(&[
        ("public/a.txt", "hello"),
        ("public/sub/b.css", "b {}"),
        ("public/sub/deep/c.bin", "c"),
        ("public/.env", "secret"),
        ("public/.git/config", "secret"),
        ("public/with space.txt", "space"),
        ("public/a%2fb", "percent"),
        ("secret.txt", "secret"),
    ])
}

#[test]
fn x03_x05_x06_x07_x08_x09_what_is_served() {
    let long = format!("GET /static/{}", "x".repeat(300));
    let service = folder(StaticFiles::folder("public"));
    for (line, status, body) in [
        ("GET /static/a.txt", 200, "hello"),
        ("GET /static/a.txt?v=1", 200, "hello"),
        ("HEAD /static/a.txt", 200, ""),
        ("GET /static/sub/b.css", 200, "b {}"),
        ("GET /static/sub/deep/c.bin", 200, "c"),
        ("GET /static/%61.txt", 200, "hello"),
        ("GET /static/with%20space.txt", 200, "space"),
        ("GET /static/a%252fb", 200, "percent"),
        ("GET http://a/static/a.txt", 200, "hello"),
        // Of the name as it is sent there is one reading.
        ("GET /static/a.txt/", 404, "Not Found"),
        ("GET /static//a.txt", 404, "Not Found"),
        ("GET /static/sub//b.css", 404, "Not Found"),
        ("GET /static/A.TXT", 404, "Not Found"),
        ("GET /static", 404, "Not Found"),
        ("GET /static/", 404, "Not Found"),
        ("GET /static/sub", 404, "Not Found"),
        ("GET /static/sub/", 404, "Not Found"),
        ("GET /static/nothing", 404, "Not Found"),
        // It matches whole segments.
        ("GET /staticfoo", 404, "Not Found"),
        ("GET /static.txt", 404, "Not Found"),
        // Ways out.
        ("GET /static/../secret.txt", 404, "Not Found"),
        ("GET /static/%2e%2e/secret.txt", 404, "Not Found"),
        ("GET /static/..%2fsecret.txt", 404, "Not Found"),
        ("GET /static/%2e%2e%2fsecret.txt", 404, "Not Found"),
        ("GET /static/sub/../../secret.txt", 404, "Not Found"),
        ("GET /static/..%5csecret.txt", 404, "Not Found"),
        ("GET /static/sub%5cb.css", 404, "Not Found"),
        ("GET /static/sub%2fb.css", 404, "Not Found"),
        ("GET /static//secret.txt", 404, "Not Found"),
        ("GET /static/%2fsecret.txt", 404, "Not Found"),
        ("GET /static/./a.txt", 404, "Not Found"),
        ("GET /static/.env", 404, "Not Found"),
        ("GET /static/.git/config", 404, "Not Found"),
        (&long, 404, "Not Found"),
        // The router takes no such path for one.
        ("GET /static/a%00.txt", 400, "Bad Request"),
        ("GET /static/%ff", 400, "Bad Request"),
        // Nothing but GET and HEAD.
        ("POST /static/a.txt", 405, "Method Not Allowed"),
        ("DELETE /static/nothing", 405, "Method Not Allowed"),
        ("OPTIONS /static/a.txt", 204, ""),
    ] {
        let seen = ask(service.clone(), &site(), line, &[]);
        assert_eq!((seen.status, &*seen.body), (status, body), "{line}");
        if [204, 405].contains(&status) {
            assert_eq!(seen.field("allow"), "GET, HEAD, OPTIONS", "{line}");
        }
        if line.starts_with("HEAD") {
            assert_eq!(seen.field("content-length"), "5");
        }
    }
}

#[test]
fn x07_hidden_files_by_option() {
    let service = folder(StaticFiles::folder("public").hidden(true));
    for (line, status) in [
        ("GET /static/.env", 200),
        ("GET /static/.git/config", 200),
        ("GET /static/./a.txt", 404),
        ("GET /static/../secret.txt", 404),
    ] {
        assert_eq!(ask(service.clone(), &site(), line, &[]).status, status, "{line}");
    }
}

#[test]
fn x06_links_by_option_and_never_out() {
    let tree = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("links_by_option");
    let _ = std::fs::remove_dir_all(&tree);
    std::fs::create_dir_all(tree.join("public/sub")).unwrap();
    std::fs::write(tree.join("public/sub/a.txt"), "hello").unwrap();
    std::fs::write(tree.join("secret.txt"), "secret").unwrap();
    #[cfg(unix)]
    for (target, link) in [("sub/a.txt", "a"), ("sub", "folder"), ("../secret.txt", "secret"), ("..", "up")] {
        std::os::unix::fs::symlink(target, tree.join("public").join(link)).unwrap();
    }
    let files = FolderFiles::new(&tree).unwrap();
    for (path, without, with) in [
        ("sub/a.txt", 200, 200),
        ("a", 404, 200),
        ("folder/a.txt", 404, 200),
        ("secret", 404, 404),
        ("up/secret.txt", 404, 404),
        // Out, and back in again.
        ("up/public/sub/a.txt", 404, 200),
    ] {
        let line = format!("GET /static/{path}");
        let plain = folder(StaticFiles::folder("public"));
        assert_eq!(ask(plain, &files, &line, &[]).status, without, "{path}");
        if cfg!(unix) {
            let following = folder(StaticFiles::new(Folder::new("public").symlinks(true)));
            assert_eq!(ask(following, &files, &line, &[]).status, with, "{path}, links followed");
        }
    }
    std::fs::remove_dir_all(&tree).unwrap();
}

#[test]
fn x04_several_folders_the_first_hit_wins() {
    let files =
        memory(&[("one/a", "1a"), ("two/a", "2a"), ("two/b", "2b"), ("one/c/x", "1x"), ("two/c/y", "2y")]);
    let service = folder(StaticFiles::new(Folder::new("none").also("one").also("two")));
    for (path, body) in [("a", "1a"), ("b", "2b"), ("c/x", "1x"), ("c/y", "2y"), ("d", "Not Found")] {
        assert_eq!(ask(service.clone(), &files, &format!("GET /static/{path}"), &[]).body, body, "{path}");
    }
}

#[test]
fn x05_index_files_and_the_slash_before_them() {
    let files = memory(&[
        ("public/index.html", "root"),
        ("public/docs/index.html", "docs"),
        ("public/empty/a.txt", "a"),
    ]);
    let site = || StaticFiles::folder("public").index("index.html");
    let inner = || App::new().files("/static", site()).files("/at/{tenant}", site());
    let app = built(inner().mount("/shop", inner()).mount("/all", App::new().files("/", site())));
    for (target, status, expected) in [
        ("/static/", 200, "root"),
        ("/static", 307, "/static/"),
        ("/static?a=b", 307, "/static/?a=b"),
        ("/static/index.html", 200, "root"),
        ("/static/docs/", 200, "docs"),
        ("/static/docs", 307, "/static/docs/"),
        ("/static/docs?a=b", 307, "/static/docs/?a=b"),
        ("/static/docs/index.html/", 404, ""),
        ("/static/empty", 404, ""),
        ("/static/empty/", 404, ""),
        ("/static/empty/a.txt", 200, "a"),
        ("/static//docs", 404, ""),
        ("/shop/static/docs/", 200, "docs"),
        ("/shop/static/docs", 307, "/shop/static/docs/"),
        ("/at/x/docs", 307, "/at/x/docs/"),
        ("/at/x/empty/a.txt", 200, "a"),
        ("/all/docs", 307, "/all/docs/"),
        ("/all/", 200, "root"),
        ("/all", 307, "/all/"),
        ("/at/x", 307, "/at/x/"),
        ("/at/x/", 200, "root"),
        ("/shop/static", 307, "/shop/static/"),
    ] {
        let seen = ask(app.clone(), &files, &format!("GET {target}"), &[]);
        assert_eq!(seen.status, status, "{target}");
        match status {
            200 => assert_eq!(seen.body, expected, "{target}"),
            404 => {}
            _ => assert_eq!(seen.field("location"), expected, "{target}"),
        }
    }
    // At the root of all, a target that looks like another site leads to none.
    let root = built(App::new().files("/", site()));
    for (target, status) in [("//docs", 404), ("//evil.com/..", 404), ("/docs", 307), ("/", 200), ("//", 404)]
    {
        assert_eq!(ask(root.clone(), &files, &format!("GET {target}"), &[]).status, status, "{target}");
    }
}

#[test]
fn x05_no_redirect_leads_back() {
    let files = memory(&[("public/index.html", "root"), ("public/docs/index.html", "docs")]);
    let site = || App::new().files("/s", StaticFiles::folder("public").index("index.html"));
    for slashes in [Slashes::Strict, Slashes::Redirect, Slashes::Trim] {
        let app = built(site().mount("/in", site()).slashes(slashes));
        for (target, status, location) in [
            ("/s", 307, "/s/"),
            ("/s/", 200, ""),
            ("/s/docs", 307, "/s/docs/"),
            ("/s/docs/", 200, ""),
            ("/in/s", 307, "/in/s/"),
            ("/in/s/", 200, ""),
        ] {
            let seen = ask(app.clone(), &files, &format!("GET {target}"), &[]);
            assert_eq!((seen.status, seen.field("location")), (status, location), "{slashes:?} {target}");
        }
    }
}

#[test]
fn x02_routes_come_first_and_a_fallback_last() {
    let files =
        memory(&[("dist/index.html", "app"), ("dist/main.js", "js"), ("dist/docs/index.html", "docs")]);
    let page = StaticFiles::folder("dist").index("index.html").fallback("index.html");
    let page = page.cache_control(HeaderValue::from_static("max-age=60"));
    let app = App::new()
        .files("/", page)
        .route("/api/cakes", get(|| Text("cakes")))
        .mount("/admin", App::new().files("/assets", StaticFiles::folder("dist")));
    let app = built(app);
    for (target, status, body, cache) in [
        ("/", 200, "app", "max-age=60"),
        ("/main.js", 200, "js", "max-age=60"),
        ("/users/7", 200, "app", "no-cache"),
        ("/users/jane.doe", 200, "app", "no-cache"),
        ("/users/", 200, "app", "no-cache"),
        ("/docs/", 200, "docs", "max-age=60"),
        ("/missing.js", 404, "Not Found", ""),
        ("/.env", 404, "Not Found", ""),
        ("/a/%2e%2e/main.js", 404, "Not Found", ""),
        ("/api/cakes", 200, "cakes", ""),
        ("/api/none", 200, "app", "no-cache"),
        ("/admin/assets/main.js", 200, "js", ""),
        ("/admin/assets/none", 404, "Not Found", ""),
        ("/admin/users", 404, "Not Found", ""),
    ] {
        let seen = ask(app.clone(), &files, &format!("GET {target}"), &[]);
        assert_eq!((seen.status, &*seen.body), (status, body), "{target}");
        assert_eq!(seen.field("cache-control"), cache, "{target}");
    }
    let service = folder(StaticFiles::folder("dist").fallback("nothing.html"));
    assert_eq!(ask(service, &files, "GET /static/users", &[]).status, 404);
}

#[test]
fn x02_x08_errors_and_middleware_are_those_of_the_application() {
    async fn stamp(request: Request, next: Next) -> Response {
        let mut response = next.run(request).await;
        response.headers.insert("x-stamp", HeaderValue::from_static("seen"));
        response
    }
    let shop = App::new()
        .files("/static", StaticFiles::folder("public"))
        .on_status(404, |_: Failure<_>| Text("no such shelf"))
        .on_status(416, |_: Failure<_>| Text("a shorter shelf"));
    let app = built(
        App::new().middleware(stamp).mount("/shop", shop).files("/static", StaticFiles::folder("public")),
    );
    for (target, status, body) in [
        ("/shop/static/a.txt", 200, "hello"),
        ("/shop/static/nothing", 404, "no such shelf"),
        ("/shop/static/..%2fa", 404, "no such shelf"),
        ("/static/nothing", 404, "Not Found"),
    ] {
        let seen = ask(app.clone(), &site(), &format!("GET {target}"), &[]);
        assert_eq!((seen.status, &*seen.body, seen.field("x-stamp")), (status, body, "seen"), "{target}");
    }
    let seen = ask(app, &site(), "GET /shop/static/a.txt", &[("Range", "bytes=9-")]);
    assert_eq!(
        (seen.status, &*seen.body, seen.field("content-range")),
        (416, "a shorter shelf", "bytes */5")
    );
}

/// A folder some of whose files are there in compressed forms as well.
fn compressed() -> MemoryFiles {
    memory(&[
        ("public/a.js", "plain"),
        ("public/a.js.br", "brotli"),
        ("public/a.js.gz", "gzipped"),
        ("public/b.js", "plain"),
        ("public/b.js.zst", "zstd"),
        ("public/c.js.gz", "gzipped"),
        ("public/index.html", "plain"),
        ("public/index.html.gz", "gzipped"),
        ("public/.br", "hidden"),
    ])
}

#[test]
fn s37_precompressed_siblings() {
    let files = compressed();
    let service = folder(StaticFiles::folder("public").index("index.html").precompressed(true));
    for (path, accept, coding, body) in [
        ("a.js", "gzip, deflate, br, zstd", "br", "brotli"),
        ("a.js", "gzip", "gzip", "gzipped"),
        ("a.js", "gzip, br;q=0.5", "gzip", "gzipped"),
        ("a.js", "x-gzip", "gzip", "gzipped"),
        ("a.js", "deflate", "", "plain"),
        ("a.js", "", "", "plain"),
        ("a.js", "identity", "", "plain"),
        ("a.js", "br;q=0", "", "plain"),
        ("a.js", "nonsense;;", "", "plain"),
        ("b.js", "gzip, deflate, br, zstd", "zstd", "zstd"),
        ("b.js", "gzip", "", "plain"),
        ("c.js", "gzip", "gzip", "gzipped"),
        ("a.js.gz", "gzip", "", "gzipped"),
        ("", "gzip", "gzip", "gzipped"),
    ] {
        let seen =
            ask(service.clone(), &files, &format!("GET /static/{path}"), &[("Accept-Encoding", accept)]);
        assert_eq!(
            (seen.status, seen.field("content-encoding"), &*seen.body),
            (200, coding, body),
            "{path} {accept}"
        );
        assert_eq!(seen.field("vary"), "accept-encoding");
        let expected = match path {
            "" => "text/html; charset=utf-8",
            "a.js.gz" => "application/gzip",
            _ => "text/javascript; charset=utf-8",
        };
        assert_eq!(seen.field("content-type"), expected, "{path} {accept}");
    }
}

/// Each form has a tag of its own, and parts are those of what is sent.
#[test]
fn s37_each_form_of_a_file_is_itself() {
    let files = compressed();
    let site = || StaticFiles::folder("public");
    let service = folder(site().precompressed(true));
    let with = |fields: &[(&str, &str)]| ask(service.clone(), &files, "GET /static/a.js", fields);
    let (plain, brotli) = (with(&[]), with(&[("Accept-Encoding", "br")]));
    assert_ne!(plain.field("etag"), brotli.field("etag"));
    assert_eq!(plain.field("content-encoding"), "");
    let known = [("Accept-Encoding", "br"), ("If-None-Match", plain.field("etag"))];
    assert_eq!(with(&known).status, 200);
    let known = [("Accept-Encoding", "br"), ("If-None-Match", brotli.field("etag"))];
    let seen = with(&known);
    assert_eq!((seen.status, seen.field("vary")), (304, "accept-encoding"));
    let seen = with(&[("Accept-Encoding", "br"), ("Range", "bytes=1-2")]);
    assert_eq!((&*seen.body, seen.field("content-range")), ("ro", "bytes 1-2/6"));
    // Several would be a multipart, which has no coding.
    let seen = with(&[("Accept-Encoding", "br"), ("Range", "bytes=1-2,4-4")]);
    assert_eq!((seen.status, &*seen.body, seen.field("content-encoding")), (200, "brotli", "br"));
    // Without the option nothing depends on it.
    let seen = ask(folder(site()), &files, "GET /static/a.js", &[("Accept-Encoding", "br")]);
    assert_eq!((&*seen.body, seen.field("vary")), ("plain", ""));
    let one = HeaderValue::from_static("\"one\"");
    let service = folder(site().precompressed(true).header(header::ETAG, one));
    for (accept, etag) in [("br", "\"one-br\""), ("gzip", "\"one-gzip\""), ("", "\"one\"")] {
        let fields = [("Accept-Encoding", accept), ("If-None-Match", etag)];
        let seen = ask(service.clone(), &files, "GET /static/a.js", &fields);
        assert_eq!((seen.status, seen.field("etag")), (304, etag), "{accept}");
    }
}

#[test]
fn s37_every_answer_says_what_it_depends_on() {
    let files = memory(&[("public/a.js", "plain"), ("public/index.html", "plain")]);
    let site = || StaticFiles::folder("public").index("index.html").precompressed(true);
    for (own, expected) in [
        (None, "accept-encoding"),
        (Some("Origin"), "Origin, accept-encoding"),
        (Some("Origin, Accept-Encoding"), "Origin, Accept-Encoding"),
        (Some("*"), "*"),
    ] {
        let site = own.map_or_else(site, |own| site().header(header::VARY, HeaderValue::from_static(own)));
        let service = folder(site);
        for (target, fields, status) in [
            ("/static/a.js", &[][..], 200),
            ("/static/a.js", &[("Range", "bytes=1-1")], 206),
            ("/static/a.js", &[("If-None-Match", "*")], 304),
            ("/static/a.js", &[("If-Match", "\"other\"")], 412),
            ("/static/a.js", &[("Range", "bytes=9-")], 416),
            ("/static", &[], 307),
            ("/static/none", &[], 404),
            ("/static/.env", &[], 404),
        ] {
            let seen = ask(service.clone(), &files, &format!("GET {target}"), fields);
            // Beside it an error depends on `Accept`.
            let says_it = seen.head.lines().any(|line| line == format!("vary: {expected}"));
            assert_eq!((seen.status, says_it), (status, true), "{target} {fields:?}: {}", seen.head);
        }
    }
}

#[test]
fn s33_s34_types_and_fields_of_a_folder() {
    let files = memory(&[
        ("public/a.HTML", "a"),
        ("public/a.tar.gz", "a"),
        ("public/a.cake", "a"),
        ("public/a.pie", "a"),
        ("public/a", "a"),
    ]);
    let site = StaticFiles::folder("public")
        .media_type("cake", HeaderValue::from_static("application/x-cake"))
        .media_type(".PIE", HeaderValue::from_static("application/x-pie"))
        .cache_control(HeaderValue::from_static("max-age=60"))
        .header("x-shelf".parse().unwrap(), HeaderValue::from_static("top"));
    let service = folder(site);
    for (path, expected) in [
        ("a.HTML", "text/html; charset=utf-8"),
        ("a.tar.gz", "application/gzip"),
        ("a.cake", "application/x-cake"),
        ("a.pie", "application/x-pie"),
        ("a", "application/octet-stream"),
    ] {
        let seen = ask(service.clone(), &files, &format!("GET /static/{path}"), &[]);
        assert_eq!(seen.field("content-type"), expected, "{path}");
        assert_eq!(seen.field("x-content-type-options"), "nosniff");
        assert_eq!((seen.field("cache-control"), seen.field("x-shelf")), ("max-age=60", "top"));
    }
    let seen = ask(service.clone(), &files, "GET /static/a", &[("If-None-Match", "*")]);
    assert_eq!((seen.status, seen.field("cache-control"), seen.field("x-shelf")), (304, "max-age=60", "top"));
}

#[test]
fn x06_files_in_memory_of_the_program() {
    let files =
        Embedded::new().with("index.html", "root").with("/docs/index.html", "docs").with("a/b.txt", "b");
    let service = built(App::new().files("/", StaticFiles::new(files).index("index.html")));
    let nothing = MemoryFiles::new();
    for (target, status, body) in [
        ("/", 200, "root"),
        ("/docs", 307, ""),
        ("/docs/", 200, "docs"),
        ("/a/b.txt", 200, "b"),
        ("/a", 404, "Not Found"),
        ("/a/", 404, "Not Found"),
        ("/b.txt", 404, "Not Found"),
        ("/doc", 404, "Not Found"),
    ] {
        let seen = ask(service.clone(), &nothing, &format!("GET {target}"), &[]);
        assert_eq!((seen.status, &*seen.body), (status, body), "{target}");
    }
    let seen = ask(service.clone(), &nothing, "GET /a/b.txt", &[]);
    assert!(seen.field("etag").starts_with('"') && seen.field("last-modified").is_empty(), "{}", seen.head);
    let known = ask(service, &nothing, "GET /a/b.txt", &[("If-None-Match", seen.field("etag"))]);
    assert_eq!(known.status, 304);
}

#[test]
fn x11_one_trip_to_the_driver_before_the_body() {
    #[derive(Clone)]
    struct Counting(MemoryFiles, std::sync::Arc<std::sync::Mutex<Vec<&'static str>>>);

    impl Files for Counting {
        fn answer(&mut self, op: FileOp) -> Result<FileAnswer, FileError> {
            let name = match &op {
                FileOp::OpenBelow { .. } => "open",
                FileOp::Read { .. } => "read",
                _ => "other",
            };
            self.1.lock().unwrap().push(name);
            self.0.answer(op)
        }
    }
    let files = memory(&[("public/a.js", "plain"), ("public/a.js.gz", "gzipped")]);
    let site = Folder::new("none").also("public");
    let service = folder(StaticFiles::new(site).precompressed(true));
    for (line, fields, expected) in [
        ("GET /static/a.js", &[("Accept-Encoding", "br, gzip, zstd")][..], "open read"),
        ("GET /static/a.js", &[("Range", "bytes=1-1")], "open read"),
        ("GET /static/a.js", &[("If-None-Match", "*")], "open"),
        ("HEAD /static/a.js", &[], "open"),
        ("GET /static/none", &[], "open"),
        ("GET /static/..%2fa", &[], ""),
    ] {
        let counting = Counting(files.clone(), std::sync::Arc::default());
        ask(service.clone(), &counting, line, fields);
        assert_eq!(counting.1.lock().unwrap().join(" "), expected, "{line} {fields:?}");
    }
}

#[test]
fn x08_what_a_file_system_says_and_no_client_hears() {
    use bakestone::effect::FileErrorKind;
    for (kind, status) in [
        (FileErrorKind::NotFound, 404),
        (FileErrorKind::IsADirectory, 404),
        (FileErrorKind::InvalidPath, 404),
        (FileErrorKind::PermissionDenied, 404),
        (FileErrorKind::Other, 500),
        (FileErrorKind::Unsupported, 500),
    ] {
        let failing = move |_: FileOp| Err(FileError::new(kind, "/home/secret says no"));
        let seen = ask(folder(StaticFiles::folder("public")), &failing, "GET /static/a", &[]);
        assert_eq!(seen.status, status, "{kind:?}");
        assert!(!seen.body.contains("secret"), "{}", seen.body);
    }
    let mut wire = Wire::new(Session::new(folder(StaticFiles::folder("public"))));
    let seen = Seen::parse(&wire.feed(request("GET /static/a", &[])).take_text());
    assert_eq!(seen.status, StatusCode::INTERNAL_SERVER_ERROR.as_u16());
}

#[test]
fn static_files_are_a_route_like_any() {
    let app = App::new().route("/pictures/{rest:path}", get(StaticFiles::folder("public")).name("pictures"));
    let service = built(app.files("/static", StaticFiles::folder("public")));
    let lines: Vec<String> = service.routes().map(|route| route.to_string()).collect();
    assert!(lines[0].starts_with(
        "GET /pictures/{rest:path} -> bakestone::app::static_files::StaticFiles, named pictures"
    ));
    assert!(
        lines[1].starts_with("GET /static/{file:path} -> bakestone::app::static_files::StaticFiles, at ")
    );
    assert!(lines[1].contains("folders.rs"), "{}", lines[1]);
    assert_eq!(ask(service, &site(), "GET /pictures/a.txt", &[]).body, "hello");
    let twice = App::new().files("/a", StaticFiles::folder("x")).files("/a/", StaticFiles::folder("y"));
    assert!(twice.build().is_err());
    assert!(App::new().route("/a", get(StaticFiles::folder("x"))).build().is_err());
    let same_name = App::new().mount("/{file}", App::new().files("/a", StaticFiles::folder("x")));
    assert!(same_name.build().is_err());
}
