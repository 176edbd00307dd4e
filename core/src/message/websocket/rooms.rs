//! Many sockets that get the same messages.
//!
//! The rule: a message is framed once for all, and compressed once for all that agree on how; each member has its own
//! bounded queue, so that who reads slowly is dealt with by the group's policy and never by its memory.

use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll};

use super::socket::{Queueing, WebSocketSender};
use crate::message::Overflow;
use crate::session::scope::lock;
use crate::session::websocket::{Outgoing, Shared};
use crate::ws::{Message, Prepared};

/// Sockets that get the same messages. Its clones are the same one.
///
/// ```
/// use bakestone::message::{Group, Overflow, WebSocketUpgrade};
/// use bakestone::{App, Result, State, get};
///
/// async fn everyone(State(group): State<Group>, upgrade: WebSocketUpgrade) -> Result<()> {
///     let mut socket = upgrade.accept().await?;
///     let _member = group.join(&socket.sender());
///     while let Some(message) = socket.receive().await? {
///         group.send(message).await;
///     }
///     Ok(())
/// }
///
/// App::new().state(Group::new(Overflow::Close)).route("/everyone", get(everyone));
/// ```
#[derive(Clone)]
pub struct Group(Arc<Members>);

struct Members {
    overflow: Overflow,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    sockets: BTreeMap<u64, Arc<Shared>>,
    next_id: u64,
}

/// A socket's place in a [`Group`], which it leaves when this is dropped. It does not keep the socket open.
#[must_use = "the socket leaves the group when this is dropped"]
pub struct Member {
    id: u64,
    group: Group,
    room: Option<(Weak<Map>, Arc<str>)>,
}

impl Group {
    /// A group without members. `overflow` says what happens to a member whose queue is full, whatever its own socket
    /// says: under [`Overflow::Wait`] the slowest sets the pace of all; under [`Overflow::DropOldest`] the oldest goes that
    /// is queued for it, whoever sent that; under [`Overflow::Close`] it is closed with 1013.
    pub fn new(overflow: Overflow) -> Self {
        Self(Arc::new(Members { overflow, state: Mutex::default() }))
    }

    /// Lets a socket have what is sent from now on.
    pub fn join(&self, socket: &WebSocketSender) -> Member {
        let mut state = lock(&self.0.state);
        state.next_id += 1;
        let id = state.next_id;
        state.sockets.insert(id, socket.shared().clone());
        Member { id, group: self.clone(), room: None }
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        lock(&self.0.state).sockets.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sends `message` to all members: how many it was queued for. Those that are closed do not count. If the future is
    /// dropped, those that had no room yet do not get it.
    pub async fn send(&self, message: impl Into<Message>) -> usize {
        self.send_to_others(message, None).await
    }

    /// As [`send`](Self::send), to all but `member`.
    pub async fn send_except(&self, member: &Member, message: impl Into<Message>) -> usize {
        let is_here = Arc::ptr_eq(&self.0, &member.group.0);
        self.send_to_others(message, is_here.then_some(member.id)).await
    }

    async fn send_to_others(&self, message: impl Into<Message>, except: Option<u64>) -> usize {
        let prepared = Arc::new(Prepared::new(message.into()));
        let members: Vec<Arc<Shared>> = {
            let state = lock(&self.0.state);
            let others = state.sockets.iter().filter(|(id, _)| Some(**id) != except);
            others.map(|(_, socket)| socket.clone()).collect()
        };
        let outgoing = Outgoing::Prepared(prepared);
        let mut waiting: Vec<Queueing<'_>> =
            members.iter().map(|socket| Queueing::new(socket, outgoing.clone(), self.0.overflow)).collect();
        let mut sent = 0;
        poll_fn(|cx| poll_all(&mut waiting, &mut sent, cx)).await;
        sent
    }
}

/// Lets all send that can; over when none waits.
fn poll_all(waiting: &mut Vec<Queueing<'_>>, sent: &mut usize, cx: &mut Context<'_>) -> Poll<()> {
    waiting.retain_mut(|queueing| match Pin::new(queueing).poll(cx) {
        Poll::Ready(result) => {
            *sent += usize::from(result.is_ok());
            false
        }
        Poll::Pending => true,
    });
    if waiting.is_empty() { Poll::Ready(()) } else { Poll::Pending }
}

impl Drop for Member {
    fn drop(&mut self) {
        let left = {
            let mut state = lock(&self.group.0.state);
            (state.sockets.remove(&self.id), state.sockets.is_empty())
        };
        if let (true, Some((map, name))) = (left.1, &self.room) {
            if let Some(map) = map.upgrade() {
                map.forget_empty(name);
            }
        }
    }
}

/// Groups by name: the rooms of a chat. A room is there while it has members.
///
/// ```
/// use bakestone::message::{Overflow, Rooms, WebSocketUpgrade};
/// use bakestone::{App, Path, Result, State, get};
///
/// async fn chat(State(rooms): State<Rooms>, Path(room): Path<String>, upgrade: WebSocketUpgrade) -> Result<()> {
///     let mut socket = upgrade.accept().await?;
///     let _member = rooms.join(&room, &socket.sender());
///     while let Some(message) = socket.receive().await? {
///         rooms.send(&room, message).await;
///     }
///     Ok(())
/// }
///
/// App::new().state(Rooms::new(Overflow::Close)).route("/chat/{room}", get(chat));
/// ```
#[derive(Clone)]
pub struct Rooms {
    map: Arc<Map>,
    relay: Option<Arc<dyn Relay>>,
}

struct Map {
    overflow: Overflow,
    rooms: Mutex<BTreeMap<Arc<str>, Group>>,
}

impl Map {
    fn forget_empty(&self, name: &Arc<str>) {
        let mut rooms = lock(&self.rooms);
        if rooms.get(name).is_some_and(Group::is_empty) {
            rooms.remove(name);
        }
    }
}

/// What carries the messages of [`Rooms`] to other processes: a message bus, a database.
///
/// What arrives from there is given to [`Rooms::deliver`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` carries no messages to other processes",
    label = "this does not implement `Relay`",
    note = "a function `Fn(&str, &Message)` is one: it is given the room's name and the message"
)]
pub trait Relay: Send + Sync {
    /// A message was sent to the room of this name, here. It must not block: it queues what is to be carried.
    fn relay(&self, room: &str, message: &Message);
}

impl<F: Fn(&str, &Message) + Send + Sync> Relay for F {
    fn relay(&self, room: &str, message: &Message) {
        self(room, message);
    }
}

impl Rooms {
    /// No rooms yet. `overflow` is that of each room's [`Group`].
    pub fn new(overflow: Overflow) -> Self {
        let map = Map { overflow, rooms: Mutex::default() };
        Self { map: Arc::new(map), relay: None }
    }

    /// The same with a way to other processes.
    #[must_use]
    pub fn with_relay(mut self, relay: impl Relay + 'static) -> Self {
        self.relay = Some(Arc::new(relay));
        self
    }

    /// Lets a socket have what is sent to this room from now on.
    pub fn join(&self, room: &str, socket: &WebSocketSender) -> Member {
        let mut rooms = lock(&self.map.rooms);
        if !rooms.contains_key(room) {
            rooms.insert(room.into(), Group::new(self.map.overflow));
        }
        let Some((name, group)) = rooms.get_key_value(room) else {
            return Group::new(self.map.overflow).join(socket);
        };
        let mut member = group.join(socket);
        member.room = Some((Arc::downgrade(&self.map), name.clone()));
        member
    }

    /// Sends `message` to all in the room, here and, through the [`Relay`], elsewhere; how many got it here.
    pub async fn send(&self, room: &str, message: impl Into<Message>) -> usize {
        let message = message.into();
        if let Some(relay) = &self.relay {
            relay.relay(room, &message);
        }
        self.deliver(room, message).await
    }

    /// Sends `message` to all in the room here, and only here: what a [`Relay`] has brought.
    pub async fn deliver(&self, room: &str, message: impl Into<Message>) -> usize {
        match self.group(room) {
            Some(group) => group.send(message).await,
            None => 0,
        }
    }

    fn group(&self, room: &str) -> Option<Group> {
        lock(&self.map.rooms).get(room).cloned()
    }

    /// As [`send`](Self::send), to all in the room but `member`.
    pub async fn send_except(&self, room: &str, member: &Member, message: impl Into<Message>) -> usize {
        let message = message.into();
        if let Some(relay) = &self.relay {
            relay.relay(room, &message);
        }
        match self.group(room) {
            Some(group) => group.send_except(member, message).await,
            None => 0,
        }
    }

    /// How many are in the room.
    pub fn members(&self, room: &str) -> usize {
        lock(&self.map.rooms).get(room).map_or(0, Group::len)
    }

    /// The names of the rooms that there are, in their order.
    pub fn names(&self) -> Vec<String> {
        lock(&self.map.rooms).keys().map(ToString::to_string).collect()
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("members", &self.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member").field("id", &self.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for Rooms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rooms").field("rooms", &lock(&self.map.rooms).len()).finish_non_exhaustive()
    }
}
