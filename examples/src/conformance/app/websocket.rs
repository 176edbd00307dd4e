//! The rows that become WebSockets.
//!
//! The rule: they are open to any page, whatever its origin, since suites run in pages too and nobody is logged in here.

use std::collections::BTreeMap;

use bakestone::message::WebSocketUpgrade;
use bakestone::ws::{CloseCode, CloseFrame, OriginPolicy};
use bakestone::{Error, IntoResponse, Json, Query, Response, Result, StatusCode};
use serde::Deserialize;

/// Each message as it came.
pub(super) async fn echo(mut upgrade: WebSocketUpgrade) -> Result<()> {
    upgrade.options_mut().origin = OriginPolicy::Any;
    upgrade.select_protocol(["echo", "chat"]);
    let mut socket = upgrade.accept().await?;
    while let Some(message) = socket.receive().await? {
        socket.send(message).await?;
    }
    Ok(())
}

pub(super) fn deny(upgrade: WebSocketUpgrade) -> Result<Response> {
    let why = Json(BTreeMap::from([("error", "nobody gets in here")]));
    Ok(upgrade.deny((StatusCode::FORBIDDEN, why).into_response()?))
}

/// How a client wants it to end.
#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default = "normal")]
    code: u16,
    #[serde(default)]
    reason: String,
}

fn normal() -> u16 {
    CloseCode::NORMAL.get()
}

/// Closes at once, if that can be said in a close.
pub(super) async fn close(Query(wanted): Query<Wanted>, mut upgrade: WebSocketUpgrade) -> Result<()> {
    let code = CloseCode::new(wanted.code);
    if CloseFrame::with_reason(code, &wanted.reason).is_none() {
        return Err(Error::bad_request("this code and this reason cannot be sent in a close"));
    }
    upgrade.options_mut().origin = OriginPolicy::Any;
    upgrade.accept().await?.close(code, &wanted.reason)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::service;
    use super::*;
    use bakestone::Session;
    use bakestone::app::AppService;
    use bakestone::ws::DeflateOptions;
    use bakestone_testkit::{Denied, WebSocketClient, WebSocketRequest};

    type Machine = Session<AppService>;

    fn open(request: &WebSocketRequest) -> Result<WebSocketClient<Machine>, Box<Denied<Machine>>> {
        request.connect(Session::new(service().build().unwrap()))
    }

    #[test]
    fn messages_come_back_as_they_are_compressed_or_not() {
        for deflate in [false, true] {
            let mut request = WebSocketRequest::new("/ws").origin("https://elsewhere.example");
            if deflate {
                request = request.deflate(DeflateOptions::default());
            }
            let mut client = open(&request).unwrap();
            assert_eq!(client.extensions().contains("permessage-deflate"), deflate);
            for size in [0, 1, 1_000, 100_000] {
                client.send("\u{fc}".repeat(size)).expect("\u{fc}".repeat(size));
                client.send(vec![0xff; size]).expect(vec![0xff; size]);
            }
            client.send_fragments(["bara ", "", "brith"]).expect("bara brith");
            client.close(4001, "enough").expect_close(4001);
        }
    }

    #[test]
    fn two_subprotocols_are_known() {
        for (offered, chosen) in [
            (vec!["chat"], Some("chat")),
            (vec!["soap", "chat", "echo"], Some("echo")),
            (vec!["soap"], None),
            (vec![], None),
        ] {
            let client = open(&WebSocketRequest::new("/ws").protocols(offered.clone())).unwrap();
            assert_eq!(client.protocol(), chosen, "{offered:?}");
        }
    }

    #[test]
    fn a_message_past_the_limit_ends_it() {
        let mut client = open(&WebSocketRequest::new("/ws")).unwrap();
        client.send_raw(b"\x82\xff\0\0\0\0\x01\0\0\x01").expect_close(1009);
    }

    #[test]
    fn what_is_denied_is_a_response() {
        for (path, status, body) in [
            ("/ws/deny", 403, r#"{"error":"nobody gets in here"}"#),
            ("/ws/close?code=1005", 400, "this code and this reason cannot be sent in a close"),
            ("/ws/close?code=5000", 400, "this code and this reason cannot be sent in a close"),
            (
                &format!("/ws/close?reason={}", "x".repeat(124)),
                400,
                "this code and this reason cannot be sent in a close",
            ),
            ("/ws/nothing", 404, "Not Found"),
        ] {
            let denied = open(&WebSocketRequest::new(path)).err().unwrap();
            assert_eq!((denied.status.as_u16(), denied.text().as_str()), (status, body), "{path}");
        }
        let denied = open(&WebSocketRequest::new("/ws/deny")).err().unwrap();
        assert_eq!(denied.header("content-type"), "application/json");
        let plain = open(&WebSocketRequest::new("/ws").without("upgrade")).err().unwrap();
        assert_eq!((plain.status.as_u16(), plain.header("upgrade")), (426, "websocket"));
    }

    #[test]
    fn it_closes_as_it_is_asked_to() {
        for (query, code, reason) in [
            ("", 1000, ""),
            ("?code=4000", 4000, ""),
            ("?code=1011&reason=out+of+fl%C3%B6ur", 1011, "out of fl\u{f6}ur"),
        ] {
            let mut client = open(&WebSocketRequest::new(format!("/ws/close{query}"))).unwrap();
            assert_eq!(client.close_frame().map(|frame| frame.reason()), Some(reason), "{query}");
            client.expect_close(code);
        }
    }
}
