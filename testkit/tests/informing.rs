//! Informational responses, before the final one.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

use std::time::Duration;

use bakestone::message::{Sent, WriteError};
use bakestone::{Body, HeaderMap, HeaderValue, Request, Response, Result, Session, StatusCode, Text, header};
use bakestone_testkit::Wire;

const EARLY_HINTS: u16 = 103;

fn hints(link: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(header::LINK, HeaderValue::from_static(link))])
}

async fn inform(request: &Request, status: u16, link: &'static str) -> Result<(), WriteError> {
    request.inform(StatusCode::from_u16(status).unwrap(), hints(link)).await
}

const HINT: &str = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n";

#[test]
fn a_hint_leaves_while_the_handler_works() {
    let page = |request: Request| async move {
        inform(&request, EARLY_HINTS, "</a>").await?;
        request.context().sleep(Duration::from_secs(1)).await;
        Result::<_>::Ok(Text("page"))
    };
    let mut wire = Wire::new(Session::new(page));
    wire.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n").expect(HINT);
    wire.advance(Duration::from_secs(1)).expect_start("HTTP/1.1 200 OK\r\n").expect_open();
    // HTTP/1.0 knows of none.
    wire.feed("GET / HTTP/1.0\r\n\r\n").expect_silence();
    wire.advance(Duration::from_secs(1)).expect_start("HTTP/1.1 200 OK\r\n");
}

#[test]
fn several_leave_in_their_order_and_before_the_answer() {
    let returned = |request: Request| async move {
        for link in ["</a>", "</b>", "</c>"] {
            inform(&request, EARLY_HINTS, link).await?;
        }
        Result::<_>::Ok(Text("page"))
    };
    let written = |request: Request| async move {
        inform(&request, EARLY_HINTS, "</a>").await?;
        inform(&request, 102, "</b>").await?;
        let mut response = request.respond(StatusCode::OK, HeaderMap::new())?;
        assert_eq!(inform(&request, EARLY_HINTS, "</c>").await, Err(WriteError::AlreadyResponded));
        response.write("page").await?;
        Result::<Sent>::Ok(response.finish().await?)
    };
    for hold in [false, true] {
        let mut wire = Wire::new(Session::new(returned));
        wire.hold_output(hold).feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n").hold_output(false);
        let text = wire.take_text();
        let places: Vec<_> =
            ["</a>", "</b>", "</c>", "200 OK", "page"].iter().map(|part| text.find(part)).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{text}");

        let mut wire = Wire::new(Session::new(written));
        wire.hold_output(hold).feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n").hold_output(false);
        let text = wire.take_text();
        let places: Vec<_> =
            ["103 ", "</a>", "102 ", "</b>", "200 OK", "page"].iter().map(|part| text.find(part)).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted() && !text.contains("</c>"), "{text}");
    }
}

#[test]
fn what_is_no_informational_response_is_refused_or_left_out() {
    let page = |request: Request| async move {
        for status in [200, 304, 101] {
            let refused = inform(&request, status, "</a>").await;
            assert_eq!(refused, Err(WriteError::NotInformational(StatusCode::from_u16(status).unwrap())));
        }
        let mut framing = hints("</a>");
        framing.insert(header::CONTENT_LENGTH, HeaderValue::from_static("4"));
        request.inform(StatusCode::from_u16(EARLY_HINTS).unwrap(), framing).await?;
        Result::<_>::Ok(Text("page"))
    };
    let mut wire = Wire::new(Session::new(page));
    wire.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n").expect_start("HTTP/1.1 200 OK\r\n").expect_open();
}

#[test]
fn a_client_that_is_gone_is_told_of() {
    let page = |request: Request| async move {
        request.context().disconnected().await;
        let told = inform(&request, EARLY_HINTS, "</a>").await;
        assert!(matches!(told, Err(WriteError::Disconnected(_))));
        Text("page")
    };
    let mut wire = Wire::new(Session::new(page));
    wire.feed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").reset().expect_closed();
}

/// A response that was returned has begun: nothing can be told before it any more, and nothing be written in its place.
#[test]
fn a_returned_response_is_the_only_one() {
    let told = |request: Request| {
        Response::new(Body::written(move |mut out| async move {
            let seen = [
                inform(&request, EARLY_HINTS, "</a>").await.err(),
                request.respond(StatusCode::OK, HeaderMap::new()).err(),
            ];
            out.send(format!("{seen:?} ")).await?;
            request.context().sleep(Duration::from_secs(1)).await;
            out.send(format!("{:?}", inform(&request, EARLY_HINTS, "</b>").await.err())).await?;
            Ok(())
        }))
    };
    let mut wire = Wire::new(Session::new(told));
    wire.feed("GET / HTTP/1.0\r\n\r\n").advance(Duration::from_secs(1));
    let text = wire.take_text();
    let expected = "[Some(AlreadyResponded), Some(AlreadyResponded)] Some(AlreadyResponded)";
    assert!(text.ends_with(&format!("\r\n\r\n{expected}")), "{text}");
}
