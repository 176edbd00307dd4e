//! The chat: rooms, what was said in them, and the sockets of those who are there.
//!
//! The rule: what somebody says is data on its whole way, JSON to the page and text in it, and nothing is kept without a
//! bound.
//!
//! ```text
//! page:   {"text": ...}
//! server: {"type": "welcome", "people", "said": [{"at", "name", "text"}, ...], "longest"}    first of all
//!         {"type": "said", "at", "name", "text"}
//!         {"type": "joined" or "left", "name", "people"}
//!         {"type": "refused", "why"}
//!         a close with 4000 and the reason in words: nobody comes in like that
//! ```

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bakestone::message::{
    Member, Overflow, Rooms, WebSocket, WebSocketError, WebSocketSender, WebSocketUpgrade,
};
use bakestone::ws::CloseCode;
use bakestone::{App, Context, Html, Path, Query, Result, State, get};
use serde::{Deserialize, Serialize};

pub(crate) const PAGE: &str = include_str!("page.html");

/// Characters of what is said at once.
pub(crate) const LONGEST: usize = 500;
/// Characters of a person's or a room's name.
pub(crate) const LONGEST_NAME: usize = 40;
/// What was said last in a room, which whoever comes in is told.
pub(crate) const KEPT: usize = 50;
/// Rooms of which that is kept.
pub(crate) const MOST_ROOMS: usize = 200;
/// The page does not try again.
pub(crate) const REFUSED: CloseCode = CloseCode::new(4000);

/// Something that was said.
#[derive(Serialize)]
struct Said {
    /// In milliseconds since the Unix epoch, or a few later, so that a page knows it from all others of its room.
    at: u64,
    name: String,
    text: String,
}

/// What a page says.
#[derive(Deserialize)]
struct Say {
    text: String,
}

/// What a page is told.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Told<'a> {
    Welcome { people: usize, said: &'a VecDeque<Said>, longest: usize },
    Said(&'a Said),
    Joined { name: &'a str, people: usize },
    Left { name: &'a str, people: usize },
    Refused { why: String },
}

/// Why something cannot be done, as the person reads it.
#[derive(Debug, PartialEq)]
enum Refusal {
    Name(&'static str),
    Full,
    NotJson,
    Nothing,
    Long(usize),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(whose) => {
                write!(f, "the name of a {whose} has 1 to {LONGEST_NAME} characters on one line")
            }
            Self::Full => f.write_str("there are too many rooms already"),
            Self::NotJson => f.write_str("a message must be JSON with a `text`"),
            Self::Nothing => f.write_str("there is nothing in this message"),
            Self::Long(count) => {
                write!(f, "a message has at most {LONGEST} characters, and this one {count}")
            }
        }
    }
}

/// All rooms. A room's past stays when nobody is there, until its place is needed.
#[derive(Clone)]
struct Chat {
    rooms: Rooms,
    past: Arc<Mutex<Past>>,
}

/// What was said last in each room.
type Past = BTreeMap<String, VecDeque<Said>>;

impl Chat {
    fn new() -> Self {
        // Who cannot keep up is closed, connects again, and is told the last that was said.
        Self { rooms: Rooms::new(Overflow::Close), past: Arc::default() }
    }

    fn past(&self) -> MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place in the room, and the welcome. What is said meanwhile may come behind the welcome as well as in it: the
    /// page knows what it has.
    fn enter(&self, room: &str, socket: &WebSocketSender) -> Result<(Member, String), Refusal> {
        let mut past = self.past();
        if !past.contains_key(room) && past.len() >= MOST_ROOMS {
            let empty = past.iter().filter(|(name, _)| self.rooms.members(name) == 0);
            let oldest = empty.min_by_key(|(_, said)| said.back().map(|said| said.at));
            let oldest = oldest.ok_or(Refusal::Full)?.0.clone();
            past.remove(&oldest);
        }
        let said = past.entry(room.to_owned()).or_default();
        let member = self.rooms.join(room, socket);
        let people = self.rooms.members(room);
        Ok((member, json(&Told::Welcome { people, said, longest: LONGEST })))
    }

    /// Remembers what was said; as everybody is told it.
    fn remember(&self, room: &str, name: &str, text: String, at: Duration) -> String {
        let mut past = self.past();
        let all = past.entry(room.to_owned()).or_default();
        let now = u64::try_from(at.as_millis()).unwrap_or(u64::MAX);
        let at = all.back().map_or(now, |last| now.max(last.at.saturating_add(1)));
        let said = Said { at, name: name.to_owned(), text };
        let told = json(&Told::Said(&said));
        all.push_back(said);
        if all.len() > KEPT {
            all.pop_front();
        }
        told
    }

    /// Tells everybody in the room how many they are.
    async fn count(&self, room: &str, told: impl FnOnce(usize) -> String) {
        let told = told(self.rooms.members(room));
        self.rooms.send(room, told).await;
    }
}

fn json(told: &Told<'_>) -> String {
    serde_json::to_string(told).expect("strings and numbers are JSON")
}

/// A name as it is shown: in one line, and not endless.
fn named<'a>(name: &'a str, whose: &'static str) -> Result<&'a str, Refusal> {
    let name = name.trim();
    let is_fit = (1..=LONGEST_NAME).contains(&name.chars().count()) && !name.contains(char::is_control);
    is_fit.then_some(name).ok_or(Refusal::Name(whose))
}

/// What may be said.
fn checked(text: &str) -> Result<&str, Refusal> {
    match text.trim() {
        "" => Err(Refusal::Nothing),
        text if text.chars().count() > LONGEST => Err(Refusal::Long(text.chars().count())),
        text => Ok(text),
    }
}

#[derive(Deserialize)]
struct Person {
    #[serde(default)]
    name: String,
}

async fn socket(
    State(chat): State<Chat>,
    Path(room): Path<String>,
    Query(person): Query<Person>,
    context: Context,
    mut upgrade: WebSocketUpgrade,
) -> Result<()> {
    let options = upgrade.options_mut();
    // Room for the longest text, however JSON writes it; and for a whole past and what is said then.
    (options.message_bytes, options.queue_bytes) = (8 << 10, 512 << 10);
    let mut socket = upgrade.accept().await?;
    let names = named(&room, "room").and_then(|room| Ok((room, named(&person.name, "person")?)));
    let entered = names.and_then(|(room, name)| Ok((room, name, chat.enter(room, &socket.sender())?)));
    let (room, name, (member, welcome)) = match entered {
        Ok(entered) => entered,
        Err(refusal) => return Ok(socket.close(REFUSED, &refusal.to_string())?),
    };
    socket.send(welcome).await?;
    chat.count(room, |people| json(&Told::Joined { name, people })).await;
    listen(&chat, room, name, &context, &mut socket).await;
    drop(member);
    chat.count(room, |people| json(&Told::Left { name, people })).await;
    Ok(())
}

/// Passes on what this person says, up to the end.
async fn listen(chat: &Chat, room: &str, name: &str, context: &Context, socket: &mut WebSocket) {
    loop {
        let said = match socket.receive_json::<Say>().await {
            Ok(Some(say)) => checked(&say.text).map(str::to_owned),
            Err(WebSocketError::Json(_)) => Err(Refusal::NotJson),
            Ok(None) | Err(_) => return,
        };
        match said {
            Ok(text) => {
                let told = chat.remember(room, name, text, context.now().wall);
                chat.rooms.send(room, told).await;
            }
            // Whether the socket is over is what the next message says.
            Err(refusal) => _ = socket.send_json(&Told::Refused { why: refusal.to_string() }).await,
        }
    }
}

pub(crate) fn app() -> App {
    App::new()
        .state(Chat::new())
        .route(["/", "/room/{room}"], get(|| Html(PAGE)))
        .route("/room/{room}/socket", get(socket))
}
