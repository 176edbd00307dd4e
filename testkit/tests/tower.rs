//! What is written for tower, inside and around an application: through the conversions of requests, responses and
//! bodies, and nothing else.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bakestone::app::{Next, Rest};
use bakestone::message::BodyStream;
use bakestone::{
    App, Body, Bytes, Error, HeaderMap, IntoResponse, Request, Response, Service, Session, Text, get, post,
};
use bakestone_testkit::Wire;
use http_body::Body as _;
use tower_service::Service as Tower;

type HttpRequest = http::Request<Body>;
type HttpResponse = http::Response<Body>;
type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A service of tower's as one of ours.
struct FromTower<T>(T);

impl<T> Service for FromTower<T>
where
    T: Tower<HttpRequest, Response = HttpResponse, Future: Send, Error: Into<Error>> + Clone + Send + 'static,
{
    type Response = Result<HttpResponse, T::Error>;
    type Future = BoxFuture<Self::Response>;

    fn call(&self, request: Request) -> Self::Future {
        let mut inner = self.0.clone();
        Box::pin(async move {
            poll_fn(|cx| inner.poll_ready(cx)).await?;
            inner.call(request.into()).await
        })
    }
}

/// A service of ours as one of tower's.
#[derive(Clone)]
struct IntoTower<S>(S);

impl<S: Service<Response = Response, Future: Send + 'static>> Tower<HttpRequest> for IntoTower<S> {
    type Response = HttpResponse;
    type Error = Error;
    type Future = BoxFuture<Result<HttpResponse, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequest) -> Self::Future {
        let answer = self.0.call(request.into());
        Box::pin(async move { Ok(answer.await.into_response()?.into()) })
    }
}

/// What stands around a service in tower: it puts its mark on both messages.
#[derive(Clone)]
struct Marks<T>(T);

impl<T: Tower<HttpRequest, Response = HttpResponse, Future: Send + 'static>> Tower<HttpRequest> for Marks<T> {
    type Response = HttpResponse;
    type Error = T::Error;
    type Future = BoxFuture<Result<HttpResponse, T::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), T::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut request: HttpRequest) -> Self::Future {
        request.headers_mut().insert("x-mark", "in".parse().unwrap());
        let answer = self.0.call(request);
        Box::pin(async move {
            let mut response = answer.await?;
            response.headers_mut().insert("x-mark", "out".parse().unwrap());
            Ok(response)
        })
    }
}

/// A service that knows nothing of Bakestone but its body: it sends back the frames that it got, and not before its
/// second call to `poll_ready` does it say that it is ready.
#[derive(Clone)]
struct Echo {
    asked: bool,
}

impl Tower<HttpRequest> for Echo {
    type Response = HttpResponse;
    type Error = Infallible;
    type Future = BoxFuture<Result<HttpResponse, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        if std::mem::replace(&mut self.asked, true) {
            return Poll::Ready(Ok(()));
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn call(&mut self, request: HttpRequest) -> Self::Future {
        assert!(self.asked, "called before it was ready");
        Box::pin(async move { Ok(HttpResponse::new(Body::from_stream(Frames::of(request.into_body())))) })
    }
}

/// The frames of a body as a stream.
struct Frames {
    body: Body,
    trailers: Option<HeaderMap>,
}

impl Frames {
    fn of(body: Body) -> Self {
        Self { body, trailers: None }
    }
}

impl BodyStream for Frames {
    fn poll_chunk(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, bakestone::error::BoxError>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else { return Poll::Pending };
        Poll::Ready(match frame {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => Some(Ok(data)),
                Err(frame) => {
                    self.trailers = frame.into_trailers().ok();
                    None
                }
            },
            Some(Err(error)) => Some(Err(error.into())),
            None => None,
        })
    }

    fn trailers(self: Pin<&mut Self>) -> Option<HeaderMap> {
        self.get_mut().trailers.take()
    }
}

#[test]
fn a_service_of_tower_answers_a_session() {
    let mut wire = Wire::new(Session::new(FromTower(Echo { asked: false })));
    wire.feed("POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: te\r\n");
    wire.feed("Transfer-Encoding: chunked\r\n\r\n4\r\nbara\r\n");
    wire.feed("6\r\n brith\r\n0\r\nX-Sum: 10\r\n\r\n");
    let answer = wire.take_text();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains("\r\n4\r\nbara\r\n6\r\n brith\r\n0\r\nx-sum: 10\r\n\r\n"), "{answer}");
}

#[test]
fn an_application_is_a_service_of_tower() {
    let length = |mut request: Request| async move {
        let mark = request.headers()["x-mark"].clone();
        Ok::<_, Error>(Text(format!("{} {}", mark.to_str()?, request.bytes().await?.len())))
    };
    let app = App::new().route("/", post(length)).build().unwrap();
    let mut wire = Wire::new(Session::new(FromTower(Marks(IntoTower(std::sync::Arc::new(app))))));
    for (target, status, text) in [("/", 200, "in 3"), ("/none", 404, "")] {
        wire.feed(format!("POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"));
        let answer = wire.take_text();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.contains("\r\nx-mark: out\r\n") && answer.contains(text), "{answer}");
    }
}

/// What the application knows of a request comes back from tower's shape of it.
#[test]
fn nothing_of_a_request_is_lost_on_the_way_through_tower() {
    async fn there_and_back(request: Request, next: Next) -> Response {
        next.run(HttpRequest::from(request).into()).await
    }
    async fn show(mut request: Request) -> Result<Text<String>, Error> {
        request.context().sleep(Duration::from_secs(60)).await;
        let id = request.params().get("id").map(|id| id.into_owned());
        let (root, path) = (request.root_path().to_owned(), request.path_in_mount().to_owned());
        let mark = request.headers().get("x-mark").is_some();
        Ok(Text(format!("{id:?} {root} {path} {mark} {}", request.text().await?)))
    }
    let shop = App::new().route("/cakes/{id}", get(|| "").post(show).middleware(there_and_back));
    let app = App::new().wrap(|rest: Rest| FromTower(Marks(IntoTower(rest)))).mount("/shop", shop);
    let mut wire = Wire::new(Session::new(app.build().unwrap()));
    wire.feed("POST /shop/cakes/bara%20brith HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
    wire.expect_silence();
    let answer = wire.advance(Duration::from_secs(60)).take_text();
    assert!(answer.contains("\r\nx-mark: out\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nSome(\"bara brith\") /shop /cakes/bara%20brith true abc"), "{answer}");
}

/// Two pieces of a known length, then a trailer field or an error.
struct Pieces {
    pieces: Vec<&'static str>,
    length: Option<u64>,
    fails: bool,
}

impl BodyStream for Pieces {
    fn poll_chunk(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, bakestone::error::BoxError>>> {
        Poll::Ready(match self.pieces.pop() {
            Some(piece) => Some(Ok(piece.into())),
            None if self.fails => Some(Err("torn".into())),
            None => None,
        })
    }

    fn length(&self) -> Option<u64> {
        self.length
    }

    fn trailers(self: Pin<&mut Self>) -> Option<HeaderMap> {
        (self.length.is_none())
            .then(|| HeaderMap::from_iter([("x-sum".parse().unwrap(), "1".parse().unwrap())]))
    }
}

/// One frame after the other, each with what is told of the rest before it: whether it is the end, and how long.
fn frames(mut body: Body) -> Vec<String> {
    let mut frames = Vec::new();
    loop {
        let (hint, end) = (body.size_hint(), body.is_end_stream());
        let before = format!("{}..{:?}", hint.lower(), hint.upper()) + if end { " end" } else { "" };
        let poll = Pin::new(&mut body).poll_frame(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(frame) = poll else { panic!("no body here waits") };
        let told = match frame {
            None => return [frames, vec![before]].concat(),
            Some(Err(error)) => format!("{before}: {error}"),
            Some(Ok(frame)) => format!("{before}: {frame:?}"),
        };
        frames.push(told);
    }
}

#[test]
fn the_frames_of_a_body() {
    let pieces = |length, fails| Body::from_stream(Pieces { pieces: vec!["b", "a"], length, fails });
    let data = |before: &str, data: &str| format!("{before}: Frame {{ kind: Data(b\"{data}\") }}");
    let trailers = "0..None: Frame { kind: Trailers({\"x-sum\": \"1\"}) }".to_owned();
    let (none, end) = ("0..None", "0..Some(0) end".to_owned());
    for (body, expected) in [
        (Body::empty(), vec![end.clone()]),
        (Body::from(""), vec![end.clone()]),
        (Body::from(String::new()), vec![end.clone()]),
        (Body::from("cake"), vec![data("4..Some(4)", "cake"), end.clone()]),
        (Body::from(b"cake".to_vec()), vec![data("4..Some(4)", "cake"), end.clone()]),
        (pieces(Some(2), false), vec![data("2..Some(2)", "a"), data(none, "b"), none.to_owned()]),
        (pieces(None, false), vec![data(none, "a"), data(none, "b"), trailers, end.clone()]),
        (
            pieces(Some(3), true),
            vec![
                data("3..Some(3)", "a"),
                data(none, "b"),
                format!("{none}: the body's source failed: torn"),
                end.clone(),
            ],
        ),
    ] {
        let kind = format!("{body:?}");
        assert_eq!(frames(body), expected, "{kind}");
    }
}

#[test]
fn what_is_told_of_a_body_on_its_way_in_is_true_of_the_rest() {
    let tell = |mut request: Request| async move {
        let mut hints = Vec::new();
        while !request.body().is_end_stream() {
            let hint = request.body().size_hint();
            hints.push((hint.lower(), hint.upper()));
            if poll_fn(|cx| Pin::new(request.body()).poll_frame(cx)).await.transpose()?.is_none() {
                break;
            }
        }
        Ok::<_, Error>(Text(format!("{hints:?}")))
    };
    for (framing, content, expected) in [
        ("Content-Length: 4", ["ca", "ke"], "[(4, Some(4)), (2, Some(2)), (0, Some(0))]"),
        ("Content-Length: 0", ["", ""], "[]"),
        ("Transfer-Encoding: chunked", ["2\r\nca\r\n", "0\r\na: b\r\n\r\n"], "[(0, None), (0, None)]"),
    ] {
        let mut wire = Wire::new(Session::new(tell));
        wire.feed(format!("POST / HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n"));
        for piece in content {
            wire.feed(piece);
        }
        let answer = wire.take_text();
        assert!(answer.ends_with(&format!("\r\n\r\n{expected}")), "{framing}: {answer}");
    }
}
