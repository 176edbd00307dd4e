//! Limits of routes, mounts and applications: the innermost holds.

use super::*;

async fn length(mut request: Request) -> Result<Text<String>> {
    Ok(Text(request.bytes().await?.len().to_string()))
}

/// Reads the body before the route is looked up, and gives it on.
async fn reads(mut request: Request, next: Next) -> Result<Response> {
    let body = request.bytes().await?;
    *request.body() = Body::from(body);
    Ok(next.run(request).await)
}

#[test]
fn r15_the_innermost_bound_of_a_body_holds() {
    let module = || {
        App::new()
            .route("/", post(length))
            .route("/own", post(length).buffered_body_bytes(6))
            .fallback(length)
    };
    let app = App::new()
        .buffered_body_bytes(4)
        .merge(App::new().route("/merged", post(length)).buffered_body_bytes(8))
        .merge(App::new().route("/merged-none", post(length)))
        .mount("/none", module())
        .mount("/two", module().buffered_body_bytes(2).mount("/deep", module()))
        .mount("/more", App::new().mount("/two", module().buffered_body_bytes(2)).buffered_body_bytes(100))
        .route("/own", post(length).buffered_body_bytes(0))
        .route("/", post(length))
        .build()
        .unwrap();
    for (path, limit) in [
        ("/", 4),
        ("/own", 0),
        ("/merged", 8),
        ("/merged-none", 4),
        ("/none", 4),
        ("/none/own", 6),
        ("/none/fallback", 4),
        ("/two", 2),
        ("/two/own", 6),
        ("/two/fallback", 2),
        ("/two/deep", 2),
        ("/more/two", 2),
    ] {
        let ten = "0123456789";
        let line = format!("POST {path}");
        assert_eq!(send(&app, &line, &ten[..limit]), seen(200, TEXT, &limit.to_string()), "{path}");
        assert_eq!(send(&app, &line, &ten[..=limit]).status, 413, "{path}");
    }
}

#[test]
fn r15_middleware_reads_under_the_limit_of_its_place() {
    let module = || {
        let own = post(length).buffered_body_bytes(6);
        App::new().route("/own", own).route("/", post(length).middleware(reads))
    };
    // Around the routing no route is known yet.
    let app = module().middleware(reads).buffered_body_bytes(4).build().unwrap();
    assert_eq!(send(&app, "POST /own", "0123"), seen(200, TEXT, "4"));
    assert_eq!(send(&app, "POST /own", "01234").status, 413);
    // In a mount, and around a route, its limit holds.
    let app = App::new().mount("/m", module().middleware(reads)).buffered_body_bytes(4).build().unwrap();
    assert_eq!(send(&app, "POST /m/own", "012345"), seen(200, TEXT, "6"));
    assert_eq!(send(&app, "POST /m/own", "0123456").status, 413);
    assert_eq!(send(&app, "POST /m", "01234").status, 413);
}
