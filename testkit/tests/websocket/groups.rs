//! Many sockets that get the same messages.

use std::sync::{Arc, Mutex};

use bakestone::app::AppService;
use bakestone::message::{Group, Overflow, Rooms, WebSocketUpgrade};
use bakestone::ws::{DeflateOptions, Message};
use bakestone::{App, Context, Limits, Path, Result, Session, State, get};
use bakestone_testkit::{Received, WebSocketClient, WebSocketRequest, Wire};

use crate::{Client, counting};

/// Everyone hears everyone, and a speaker hears how many have heard it.
async fn everyone(State(group): State<Group>, upgrade: WebSocketUpgrade) -> Result<()> {
    let mut socket = upgrade.accept().await?;
    let member = group.join(&socket.sender());
    while let Some(message) = socket.receive().await? {
        let heard = group.send_except(&member, message).await;
        socket.send(heard.to_string()).await?;
    }
    Ok(())
}

/// Speaks to all, being none of them.
async fn speaker(State(group): State<Group>, upgrade: WebSocketUpgrade) -> Result<()> {
    let mut socket = upgrade.accept().await?;
    while let Some(message) = socket.receive().await? {
        let heard = group.send(message).await;
        socket.send(heard.to_string()).await?;
    }
    Ok(())
}

struct Hall {
    service: Arc<AppService>,
    limits: Arc<Limits>,
}

impl Hall {
    fn new(group: &Group) -> Self {
        let app = App::new().state(group.clone()).route("/", get(everyone)).route("/speaker", get(speaker));
        let mut limits = Limits::default();
        (limits.output_bytes, limits.websocket_queue_bytes) = (1000, 1000);
        Self { service: Arc::new(app.build().unwrap()), limits: Arc::new(limits) }
    }

    fn enter(&self, request: &WebSocketRequest) -> WebSocketClient<Session<Arc<AppService>>> {
        let session = Session::with_limits(self.service.clone(), self.limits.clone());
        let mut client = request.connect(session).unwrap();
        client.wire_mut().record(false);
        client
    }
}

#[test]
fn everyone_hears_everyone_else() {
    let group = Group::new(Overflow::Wait);
    let hall = Hall::new(&group);
    let request = WebSocketRequest::new("/");
    let mut members: Vec<_> = (0..3).map(|_| hall.enter(&request)).collect();
    assert_eq!((group.len(), group.is_empty()), (3, false));
    members[0].send("hello").expect("2");
    members[1].settle().expect("hello").expect_silence();
    members[2].settle().expect("hello").expect_silence();
    // Who leaves hears nothing more, however it leaves.
    members[1].close(1000, "");
    assert_eq!(group.len(), 2);
    members[2].disconnect();
    assert_eq!(group.len(), 1);
    members[0].send("anybody?").expect("0");
    drop(members);
    assert!(group.is_empty());
}

/// One of a thousand reads nothing.
#[test]
fn a_slow_member_is_dealt_with_and_the_others_get_all() {
    const MEMBERS: usize = 1000;
    const SENT: usize = 25;
    for overflow in [Overflow::DropOldest, Overflow::Close] {
        let group = Group::new(overflow);
        let hall = Hall::new(&group);
        let request = WebSocketRequest::new("/");
        let mut members: Vec<_> = (0..MEMBERS).map(|_| hall.enter(&request)).collect();
        let mut speaker = hall.enter(&WebSocketRequest::new("/speaker"));
        let (slow, others) = members.split_first_mut().unwrap();
        slow.hold_output(true);
        let message = |number: usize| format!("{number:<100}");
        for number in 0..SENT {
            speaker.send(message(number));
            let heard: usize = speaker.receive().unwrap().as_text().unwrap().parse().unwrap();
            assert!(heard == MEMBERS || (overflow == Overflow::Close && heard == MEMBERS - 1), "{heard}");
            for member in &mut *others {
                member.settle().expect(message(number));
                while member.next_frame().is_some() {}
            }
            slow.settle();
        }
        slow.hold_output(false);
        let got: Vec<Message> = std::iter::from_fn(|| slow.receive()).collect();
        assert!(got.len() < 20, "{}", got.len());
        match overflow {
            Overflow::Close => _ = slow.expect_close(1013).expect_event(&Received::Finished),
            _ => assert_eq!(got.last(), Some(&Message::from(message(SENT - 1)))),
        }
        assert_eq!(group.len(), if overflow == Overflow::Close { MEMBERS - 1 } else { MEMBERS });
    }
}

/// A message is there once for all who get it.
#[test]
fn a_member_costs_a_message_no_copy() {
    let group = Group::new(Overflow::Wait);
    let hall = Hall::new(&group);
    let request = WebSocketRequest::new("/");
    let mut members: Vec<_> = (0..100).map(|_| hall.enter(&request)).collect();
    let mut speaker = hall.enter(&WebSocketRequest::new("/speaker"));
    for member in &mut members {
        member.hold_output(true);
    }
    let message = "x".repeat(100_000);
    let before = counting::live();
    speaker.send(message.clone()).expect("100");
    let queued = counting::live() - before;
    for member in &mut members {
        member.settle();
    }
    let sent = counting::live() - before;
    assert!(queued < 500_000 && sent < 500_000, "{queued} and then {sent} bytes");
    for member in &mut members {
        member.hold_output(false).expect(message.clone());
    }
}

#[test]
fn the_slowest_sets_the_pace_where_the_group_waits() {
    let group = Group::new(Overflow::Wait);
    let hall = Hall::new(&group);
    let request = WebSocketRequest::new("/");
    let (mut slow, mut fast) = (hall.enter(&request), hall.enter(&request));
    let mut speaker = hall.enter(&WebSocketRequest::new("/speaker"));
    slow.hold_output(true);
    let message = "x".repeat(500);
    let mut heard = 0;
    for _ in 0..20 {
        speaker.send(message.clone());
        slow.settle();
        fast.settle();
        heard += usize::from(speaker.settle().receive().is_some());
    }
    assert!((2..6).contains(&heard), "{heard}");
    // The others have the message that the slow one still waits for.
    let fast_got = std::iter::from_fn(|| fast.receive()).count();
    assert_eq!(fast_got, heard + 1);
    // As it goes, nobody waits for it any more.
    slow.disconnect();
    for _ in 0..20 {
        speaker.settle();
        fast.settle();
    }
    assert_eq!(std::iter::from_fn(|| fast.receive()).count() + fast_got, 20);
    assert_eq!(std::iter::from_fn(|| speaker.receive()).count() + heard, 20);
}

#[test]
fn each_member_gets_it_in_the_form_that_it_agreed_on() {
    let group = Group::new(Overflow::Wait);
    let hall = Hall::new(&group);
    let plain = WebSocketRequest::new("/");
    let mut narrow = DeflateOptions::default();
    narrow.server_max_window_bits = 9;
    let requests = [
        plain.clone(),
        plain.clone().deflate(DeflateOptions::default()),
        plain.clone().deflate(narrow),
        plain,
    ];
    let mut members = requests.map(|request| hall.enter(&request));
    let mut speaker = hall.enter(&WebSocketRequest::new("/speaker"));
    for text in ["short", &"long ".repeat(100)] {
        speaker.send(text.to_owned()).expect("4");
        for (member, compressed) in members.iter_mut().zip([false, true, true, false]) {
            member.settle().expect(text.to_owned());
            let frame = member.next_frame().unwrap();
            assert_eq!(frame.rsv != 0, compressed && text.len() > 128);
        }
    }
}

/// What the bus of [`Rooms`] has carried.
#[derive(Clone, Default)]
struct Bus(Arc<Mutex<Vec<(String, Message)>>>);

/// Everybody in a room hears what is said there.
async fn chat(State(rooms): State<Rooms>, Path(room): Path<String>, upgrade: WebSocketUpgrade) -> Result<()> {
    let mut socket = upgrade.accept().await?;
    let _member = rooms.join(&room, &socket.sender());
    while let Some(message) = socket.receive().await? {
        rooms.send(&room, message).await;
    }
    Ok(())
}

#[test]
fn rooms_are_there_while_somebody_is_in_them() {
    let bus = Bus::default();
    let carried = bus.clone();
    let relay = move |room: &str, message: &Message| {
        carried.0.lock().unwrap().push((room.to_owned(), message.clone()));
    };
    let rooms = Rooms::new(Overflow::Close).with_relay(relay);
    let service = App::new().state(rooms.clone()).route("/{room}", get(chat)).build().unwrap();
    let service = Arc::new(service);
    let enter = |room: &str| WebSocketClient::connect(Session::new(service.clone()), room).unwrap();
    let names = || {
        let mut names = rooms.names();
        names.sort();
        names
    };
    assert_eq!(names(), [""; 0]);
    let (mut ann, mut bob, mut eve) = (enter("/a"), enter("/a"), enter("/b"));
    assert_eq!(
        (names(), rooms.members("a"), rooms.members("b"), rooms.members("c")),
        (vec!["a".to_owned(), "b".to_owned()], 2, 1, 0)
    );
    ann.send("hello").expect("hello");
    bob.settle().expect("hello");
    eve.settle().expect_silence();
    assert_eq!(*bus.0.lock().unwrap(), [("a".to_owned(), "hello".into())]);

    // What the bus brings goes to those who are here, and not back to it.
    let mut app = Wire::new(Session::new({
        let rooms = rooms.clone();
        move |_: bakestone::Request| {
            let rooms = rooms.clone();
            async move {
                let here = [rooms.deliver("b", "news").await, rooms.deliver("c", "news").await];
                bakestone::Text(format!("{here:?}"))
            }
        }
    }));
    app.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(app.take_text().ends_with("[1, 0]"));
    eve.settle().expect("news");
    assert_eq!(bus.0.lock().unwrap().len(), 1);

    eve.close(1000, "");
    assert_eq!(names(), ["a"]);
    bob.disconnect();
    assert_eq!(rooms.members("a"), 1);
    drop(ann);
    assert_eq!(names(), [""; 0]);
    enter("/a").send("again").expect("again");
}

/// A member is a place in the group and not a hand on the socket.
#[test]
fn a_membership_keeps_no_socket_open() {
    let (group, kept) = (Group::new(Overflow::Wait), Arc::new(Mutex::new(Vec::new())));
    let (joins, keeps) = (group.clone(), kept.clone());
    let app = crate::app(move |socket, _: Context| {
        keeps.lock().unwrap().push(joins.join(&socket.sender()));
        async move {
            drop(socket);
            Ok(())
        }
    });
    let mut client: Client = crate::connect(app);
    client.expect_close(1000);
    assert_eq!(group.len(), 1);
    kept.lock().unwrap().clear();
    assert!(group.is_empty());
}
