//! Limits that a route, a mount or an application sets, and work that blocks.

use super::*;

async fn length(mut request: Request) -> Result<Text<String>> {
    Ok(Text(request.bytes().await?.len().to_string()))
}

async fn reads(mut request: Request, next: Next) -> Result<Response> {
    let body = request.bytes().await?;
    *request.body() = Body::from(body);
    Ok(next.run(request).await)
}

#[test]
fn r15_a_body_that_is_declared_too_long_is_refused_before_it_is_sent() {
    let app = App::new()
        .buffered_body_bytes(4)
        .route("/", post(length))
        .route("/own", post(length).buffered_body_bytes(6))
        .mount("/m", App::new().route("/", post(length)).buffered_body_bytes(8))
        .mount("/r", App::new().route("/", post(length).buffered_body_bytes(6)).middleware(reads));
    let server = Server::new(app);
    for (path, limit) in [("/", 4), ("/own", 6), ("/m", 8), ("/r", 6)] {
        for (length, expected) in [(limit, "HTTP/1.1 100 "), (limit + 1, "HTTP/1.1 413 ")] {
            let mut wire = server.connect();
            wire.feed(format!(
                "POST {path} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
            ));
            wire.expect_start(expected);
        }
        let chunked = format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n0\r\n\r\n",
            limit + 1,
            "x".repeat(limit + 1)
        );
        server.connect().feed(chunked).expect_start("HTTP/1.1 413 ");
    }
}

#[test]
fn d08_the_time_of_a_handler_is_that_of_its_route() {
    let slow = || get(|context: Context| async move { context.sleep(HOUR).await });
    let app = App::new()
        .route("/session", slow())
        .route("/own", slow().handler_time(2 * SECOND))
        .route("/endless", slow().handler_time(None))
        .mount(
            "/m",
            App::new().route("/", slow()).route("/endless", slow().handler_time(None)).handler_time(SECOND),
        )
        .on_status(503, |_| Text("too late"));
    let mut server = Server::new(app);
    let mut limits = Limits::default();
    limits.handler_time = Some(5 * SECOND);
    server.limits = Arc::new(limits);
    for (path, time, status) in [
        ("/session", 5 * SECOND, 503),
        ("/own", 2 * SECOND, 503),
        ("/m", SECOND, 503),
        ("/m/endless", HOUR, 200),
        ("/endless", HOUR, 200),
    ] {
        let mut wire = server.connect();
        wire.feed(request(&format!("GET {path}"), ""));
        wire.advance(time - SECOND / 2).expect_silence();
        wire.advance(SECOND / 2);
        let body = if status == 503 { "too late" } else { "null" };
        assert_eq!(answer(&wire.take_text()), found(status, body), "{path}");
    }
}

#[test]
fn o03_what_happens_when_the_client_is_gone_is_the_routes_to_say() {
    struct Ends(Log, &'static str);
    impl Drop for Ends {
        fn drop(&mut self) {
            self.0.note(self.1);
        }
    }
    for (path, expected) in [
        ("/", "dropped"),
        ("/finish", "finished"),
        ("/m", "finished"),
        ("/m/cancel", "dropped"),
        ("/m/none", "finished"),
    ] {
        let log = Log::default();
        let noted = log.clone();
        let handler = move |context: Context| {
            let noted = noted.clone();
            async move {
                let mut ends = Ends(noted, "dropped");
                context.sleep(SECOND).await;
                ends.1 = "finished";
            }
        };
        let module = App::new()
            .on_disconnect(OnDisconnect::Finish)
            .route("/", get(handler.clone()))
            .route("/cancel", get(handler.clone()).on_disconnect(OnDisconnect::Cancel))
            .fallback(handler.clone());
        let app = App::new()
            .route("/", get(handler.clone()))
            .route("/finish", get(handler).on_disconnect(OnDisconnect::Finish))
            .mount("/m", module);
        let server = Server::new(app);
        let mut wire = server.connect();
        wire.feed(request(&format!("GET {path}"), "")).reset();
        wire.advance(2 * SECOND);
        assert_eq!(log.read(), expected, "{path}");
        wire.expect_closed();
    }
}

#[test]
fn o04_work_that_blocks_runs_in_the_drivers_pool() {
    let calls = Arc::new(AtomicUsize::new(0));
    let called = calls.clone();
    let app = App::new()
        .route("/none", get(blocking(|| Text("no arguments"))))
        .route(
            "/{name}",
            post(blocking(move |Path(name): Path<String>, State(Pool(size)): State<Pool>, body: Bytes| {
                called.fetch_add(1, Ordering::Relaxed);
                match name.as_str() {
                    "panic" => panic!("on purpose"),
                    "fail" => Err(Error::new(StatusCode::CONFLICT, "no")),
                    _ => Ok(Text(format!("{name} {size} {}", body.len()))),
                }
            })),
        )
        .state(Pool(3));
    let server = Server::new(app);
    for (line, body, status, expected) in [
        ("GET /none", "", 200, "no arguments"),
        ("POST /name", "body", 200, "name 3 4"),
        ("POST /fail", "", 409, "no"),
        ("POST /panic", "", 500, "Internal Server Error"),
    ] {
        let mut wire = server.connect();
        wire.hold_effects(true);
        wire.feed(request(line, body)).expect_silence();
        assert_eq!(wire.held().len(), 1, "{line}");
        wire.answer_held();
        assert_eq!(answer(&wire.take_text()), found(status, expected), "{line}");
    }
    // A driver that has no pool.
    let mut wire = server.connect();
    wire.hold_effects(true);
    wire.feed(request("GET /none", ""));
    drop(wire.take_held());
    wire.settle();
    assert_eq!(answer(&wire.take_text()).0, 500);
    // A client that goes away stops nothing that has begun.
    let before = calls.load(Ordering::Relaxed);
    let mut wire = server.connect();
    wire.hold_effects(true);
    wire.feed(request("POST /name", "")).reset();
    wire.answer_held();
    assert_eq!(calls.load(Ordering::Relaxed) - before, 1);
    wire.expect_closed();
}
