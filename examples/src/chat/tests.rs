//! Several people in one process, in a test's own time.

use std::time::Duration;

use bakestone::Session;
use bakestone::app::AppService;
use bakestone_testkit::{Client, WebSocketClient, WebSocketRequest};
use serde_json::{Value, json};

use crate::app::{KEPT, LONGEST, LONGEST_NAME, MOST_ROOMS, PAGE, REFUSED, app};

type Person = WebSocketClient<Session<AppService>>;

fn service() -> AppService {
    app().build().unwrap()
}

/// Somebody at the door of a room.
fn come(service: &AppService, room: &str, name: &str) -> Person {
    let request = WebSocketRequest::new(format!("/room/{room}/socket?name={name}"));
    request.origin("http://test").connect(Session::new(service.clone())).unwrap()
}

/// All that somebody was told by now.
fn told(client: &mut Person) -> Vec<Value> {
    client.settle();
    std::iter::from_fn(|| client.receive_json()).collect()
}

/// The same without the times.
fn in_words(client: &mut Person) -> Vec<String> {
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let line = |told: Value| {
        let fields = ["type", "name", "text", "people", "why"].map(|key| told[key].clone());
        fields.iter().filter(|field| !field.is_null()).map(word).collect::<Vec<_>>().join(" ")
    };
    told(client).into_iter().map(line).collect()
}

#[test]
fn what_one_says_all_in_the_room_are_told() {
    let service = service();
    let mut ada = come(&service, "kitchen", "Ada");
    assert_eq!(in_words(&mut ada), ["welcome 1", "joined Ada 1"]);
    let mut bo = come(&service, "kitchen", "Bo");
    let mut eve = come(&service, "cellar", "Eve");
    assert_eq!(in_words(&mut bo), ["welcome 2", "joined Bo 2"]);
    ada.send_json(&json!({"text": " Is it hot? "}));
    bo.send_json(&json!({"text": "It is."}));
    assert_eq!(in_words(&mut ada), ["joined Bo 2", "said Ada Is it hot?", "said Bo It is."]);
    assert_eq!(in_words(&mut bo), ["said Ada Is it hot?", "said Bo It is."]);
    assert_eq!(in_words(&mut eve), ["welcome 1", "joined Eve 1"]);
}

#[test]
fn whoever_goes_is_missed_however_it_happens() {
    let service = service();
    let mut ada = come(&service, "kitchen", "Ada");
    let goes: [fn(&mut Person); 4] = [
        |client| _ = client.close(1001, ""),
        |client| _ = client.close_without_code(),
        |client| _ = client.finish(),
        |client| _ = client.disconnect(),
    ];
    for go in goes {
        let mut bo = come(&service, "kitchen", "Bo");
        told(&mut ada);
        go(&mut bo);
        assert_eq!(in_words(&mut ada), ["left Bo 1"]);
    }
    // One that says nothing any more, not even to a ping, is taken for lost.
    let mut bo = come(&service, "kitchen", "Bo");
    told(&mut ada);
    bo.answer(false).advance(Duration::from_secs(50));
    assert_eq!(in_words(&mut ada), ["left Bo 1"]);
}

#[test]
fn markup_is_text() {
    const MARKUP: &str = "<img src=x onerror=alert(1)></script><b>\u{2028}\"";
    let service = service();
    let mut ada = come(&service, "kitchen", "%3Cb%3EAda");
    ada.send_json(&json!({"text": MARKUP}));
    let told = told(&mut ada);
    assert_eq!((&told[2]["name"], &told[2]["text"]), (&json!("<b>Ada"), &json!(MARKUP)));
    // It is JSON from the server, and text in the page, which never makes markup of anything.
    for sink in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
        assert!(!PAGE.contains(sink), "{sink}");
    }
}

#[test]
fn the_last_that_was_said_is_told_to_whoever_comes() {
    let service = service();
    let mut ada = come(&service, "kitchen", "Ada");
    for n in 1..=60 {
        ada.send_json(&json!({"text": format!("message {n}")}));
    }
    ada.close(1000, "");
    // The room was empty for a while, and another was not.
    let mut bo = come(&service, "kitchen", "Bo");
    let welcome = told(&mut bo).remove(0);
    let said = welcome["said"].as_array().unwrap();
    assert_eq!((said.len(), &said[0]["text"]), (KEPT, &json!("message 11")));
    assert_eq!((&said[49]["name"], &said[49]["text"]), (&json!("Ada"), &json!("message 60")));
    // All were said at the same moment, and each has one of its own.
    assert_eq!(said[0]["at"], json!(1_704_067_200_010_u64));
    assert!(said.windows(2).all(|two| two[0]["at"].as_u64() < two[1]["at"].as_u64()));
    assert_eq!(told(&mut come(&service, "cellar", "Eve"))[0]["said"], json!([]));
}

#[test]
fn what_cannot_be_said_is_told_why() {
    let service = service();
    let (mut ada, mut bo) = (come(&service, "kitchen", "Ada"), come(&service, "kitchen", "Bo"));
    told(&mut ada);
    told(&mut bo);
    let longest = "\u{1f9c1}".repeat(LONGEST);
    for (message, why) in [
        (
            json!({"text": format!("{longest}!")}).to_string(),
            "a message has at most 500 characters, and this one 501",
        ),
        (json!({"text": " \n"}).to_string(), "there is nothing in this message"),
        (json!({"words": "hello"}).to_string(), "a message must be JSON with a `text`"),
        ("hello".to_owned(), "a message must be JSON with a `text`"),
    ] {
        ada.send(message);
        assert_eq!(in_words(&mut ada), [format!("refused {why}")]);
    }
    assert_eq!(in_words(&mut bo), [""; 0]);
    ada.send_json(&json!({"text": longest}));
    for client in [&mut ada, &mut bo] {
        assert_eq!(in_words(client), [format!("said Ada {longest}")]);
    }
    ada.send("x".repeat(9 << 10)).expect_close(1009);
    assert_eq!(in_words(&mut bo), ["left Ada 1"]);
}

#[test]
fn names_are_short_and_on_one_line() {
    let service = service();
    let long = "x".repeat(LONGEST_NAME + 1);
    let name = "the name of a person has 1 to 40 characters on one line";
    let room = "the name of a room has 1 to 40 characters on one line";
    for (target, why) in [
        ("/room/kitchen/socket".to_owned(), name),
        ("/room/kitchen/socket?name=%20".to_owned(), name),
        ("/room/kitchen/socket?name=a%0Ab".to_owned(), name),
        (format!("/room/kitchen/socket?name={long}"), name),
        (format!("/room/{long}/socket?name=Ada"), room),
        ("/room/%20/socket?name=Ada".to_owned(), room),
    ] {
        let mut client = WebSocketRequest::new(&target).connect(Session::new(service.clone())).unwrap();
        assert_eq!(client.close_frame().map(|frame| frame.reason()), Some(why), "{target}");
        client.expect_close(REFUSED);
    }
}

#[test]
fn only_so_many_rooms_are_kept_and_an_empty_one_makes_place() {
    let service = service();
    let mut first = come(&service, "room-0", "Ada");
    first.send_json(&json!({"text": "hello"}));
    let mut others: Vec<Person> =
        (1..MOST_ROOMS).map(|n| come(&service, &format!("room-{n}"), "Bo")).collect();
    let late = come(&service, "one-more", "Cy");
    assert_eq!(late.close_frame().map(|frame| frame.reason()), Some("there are too many rooms already"));
    first.close(1000, "");
    assert_eq!(in_words(&mut come(&service, "one-more", "Cy")), ["welcome 1", "joined Cy 1"]);
    others[0].close(1000, "");
    assert_eq!(told(&mut come(&service, "room-0", "Ada"))[0]["said"], json!([]));
}

#[test]
fn a_server_that_stops_says_so() {
    let service = service();
    let mut ada = come(&service, "kitchen", "Ada");
    told(&mut ada);
    ada.drain().expect_close(1001);
}

#[test]
fn another_site_gets_no_socket() {
    let request = WebSocketRequest::new("/room/kitchen/socket?name=Eve").origin("https://evil.example");
    let denied = request.connect(Session::new(service())).err().unwrap();
    assert_eq!(denied.status, 403);
}

#[test]
fn the_page_is_the_same_at_the_door_and_in_each_room() {
    let client = Client::new(app());
    for path in ["/", "/room/kitchen", "/room/%3Cscript%3E"] {
        client.get(path).send().expect_status(200).expect_text(PAGE);
    }
}
