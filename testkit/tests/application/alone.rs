//! The parts of the toolkit without an `App`.

use super::*;

/// Middleware without an application: a service around a service.
struct Stamped<S>(S);

impl<S: Service<Response: 'static, Future: 'static>> Service for Stamped<S> {
    type Response = Result<Response>;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Response>>>>;

    fn call(&self, request: Request) -> Self::Future {
        let answer = self.0.call(request);
        Box::pin(async move {
            let mut response = answer.await.into_response()?;
            response.headers.insert("x-stamp", "seen".parse().unwrap());
            Ok(response)
        })
    }
}

#[test]
fn a12_d01_d03_a_bare_function_is_converted_and_may_be_wrapped() {
    async fn bare(mut request: Request) -> Result<(StatusCode, Text<String>)> {
        let number: u8 =
            request.text().await?.parse().map_err(|_| Error::new(StatusCode::CONFLICT, "no number"))?;
        Ok((StatusCode::CREATED, Text(number.to_string())))
    }
    let plain = Client::new(bare);
    let wrapped = Client::new(Stamped(bare.into_service()));
    for (body, status, expected) in [("7", 201, "7"), ("seven", 409, "no number"), ("8", 201, "8")] {
        plain.post("/").body(body).send().expect_status(status).expect_text(expected);
        let mut response = wrapped.post("/").body(body).send();
        response.expect_status(status).expect_text(expected);
        assert_eq!(response.header("x-stamp"), if status == 201 { "seen" } else { "" });
    }
    // So it is around a whole application, whose errors are responses.
    let app = App::new().build().unwrap();
    Client::new(Stamped(app)).get("/").send().expect_status(404).expect_header("x-stamp", "seen");
}

#[test]
fn d04_d07_a_life_and_background_work_around_a_bare_function() {
    let log = Log::default();
    let noted = log.clone();
    let lifecycle = Lifecycle::new().on_startup(log.hook("open")).on_shutdown(log.hook("close"));
    let spawner = lifecycle.spawner();
    let mut life = Wire::new(lifecycle);
    life.settle();
    let bare = move |request: Request| {
        let noted = noted.clone();
        request.context().after_response(async move |_: Context| noted.note("after")).map(|()| Text("answer"))
    };
    let mut wire = Wire::new(Session::new(bare).lifecycle(&spawner));
    wire.feed(request("GET /", ""));
    assert_eq!(answer(&wire.take_text()), found(200, "answer"));
    wire.drain();
    drop(wire);
    life.drain();
    assert_eq!(log.read(), "open after close");
    life.expect_closed();
    // What serves a bare function gets it with a life that is empty.
    Client::new(|_: Request| Text("bare")).get("/").send().expect_status(200).expect_text("bare");
}

#[test]
fn d05_a_router_in_a_bare_function() {
    use bakestone::Method;
    use bakestone::router::{Match, Router};

    let mut routes = Router::builder();
    routes.insert("/cakes/{id:int}", Method::GET, "a cake");
    let router = routes.build().unwrap();
    let bare = move |request: Request| match router.find(request.method(), request.uri(), None) {
        Match::Found { value, params, .. } => {
            Ok(Text(format!("{value} {}", params.get("id").unwrap_or_default())))
        }
        Match::MethodNotAllowed { .. } => Err(Error::from_status(StatusCode::METHOD_NOT_ALLOWED)),
        _ => Err(Error::not_found()),
    };
    let client = Client::new(bare);
    for (method, path, status, expected) in [
        ("GET", "/cakes/7", 200, "a cake 7"),
        ("PUT", "/cakes/7", 405, "Method Not Allowed"),
        ("GET", "/", 404, "Not Found"),
    ] {
        client.request(method, path).send().expect_status(status).expect_text(expected);
    }
}
