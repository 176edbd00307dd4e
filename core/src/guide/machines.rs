//! Writing a machine: a protocol of your own, or one that stands around another.
//!
//! A [`Machine`](crate::machine::Machine) is one function, [`step`](crate::machine::Machine::step): take what can be taken of
//! `io.input`, put what there is to say into `io.output`, and tell what you want. It waits for nothing. Every driver then
//! drives it, every test tests it, and any other machine may stand around it.
//!
//! # One around another
//!
//! HAProxy and others may begin a connection with a line that says who the client is: the PROXY protocol, version 1. This
//! machine reads it, and lets the one inside see that client in place of the proxy.
//!
//! ```
//! use bakestone::machine::{Io, Machine, Moment, Now, Peer, Phase, Read, Wants};
//! use bytes::Buf;
//! use std::net::{IpAddr, SocketAddr};
//! use std::sync::Arc;
//! use std::task::Context;
//! use std::time::Duration;
//!
//! /// The longest line that there is, its CRLF included.
//! const LINE: usize = 107;
//!
//! struct Proxied<M> {
//!     inner: M,
//!     head: Head,
//!     /// When the line must be there.
//!     ends_at: Option<Moment>,
//! }
//!
//! #[derive(Clone, Copy, PartialEq)]
//! enum Head {
//!     Awaited,
//!     Read,
//!     Wrong,
//! }
//!
//! impl<M> Proxied<M> {
//!     fn new(inner: M) -> Self {
//!         Self { inner, head: Head::Awaited, ends_at: None }
//!     }
//!
//!     fn read_head(&mut self, now: Now, io: &mut Io) {
//!         let ends_at = *self.ends_at.get_or_insert(now.mono + Duration::from_secs(5));
//!         let seen = &io.input[..io.input.len().min(LINE)];
//!         let length = seen.windows(2).position(|pair| pair == b"\r\n");
//!         self.head = match length.map(|length| (length, client(&seen[..length]))) {
//!             Some((length, Some(client))) => {
//!                 io.input.advance(length + 2);
//!                 let mut connection = (*io.connection).clone();
//!                 connection.peer = Some(client.into());
//!                 io.connection = Arc::new(connection);
//!                 Head::Read
//!             }
//!             None if seen.len() < LINE && now.mono < ends_at && io.peer == Peer::Open && !io.drain => Head::Awaited,
//!             _ => Head::Wrong,
//!         };
//!     }
//! }
//!
//! /// The client of a line like `PROXY TCP4 192.0.2.7 198.51.100.1 40022 443`.
//! fn client(line: &[u8]) -> Option<SocketAddr> {
//!     let mut words = std::str::from_utf8(line).ok()?.split(' ');
//!     let is_tcp = words.next()? == "PROXY" && matches!(words.next()?, "TCP4" | "TCP6");
//!     let (address, _, port) = (words.next()?.parse::<IpAddr>().ok()?, words.next()?, words.next()?.parse().ok()?);
//!     is_tcp.then_some(SocketAddr::new(address, port))
//! }
//!
//! impl<M: Machine> Machine for Proxied<M> {
//!     fn step(&mut self, now: Now, io: &mut Io, cx: &mut Context<'_>) -> Wants {
//!         if self.head == Head::Awaited {
//!             self.read_head(now, io);
//!         }
//!         match self.head {
//!             Head::Awaited => Wants { read: Read::Need, wake_at: self.ends_at, phase: Phase::Open },
//!             Head::Read => self.inner.step(now, io, cx),
//!             Head::Wrong => Wants::DONE,
//!         }
//!     }
//! }
//!
//! // What it does, by hand.
//! use bakestone::{Request, Session, Text};
//! let mut machine = Proxied::new(Session::new(|request: Request| Text(format!("{}", request.peer().unwrap()))));
//! let (mut io, mut cx) = (Io::default(), Context::from_waker(std::task::Waker::noop()));
//! let mut step = |io: &mut Io| machine.step(Now::default(), io, &mut cx);
//! io.input.extend_from_slice(b"PROXY TCP4 192.0.2.7 198.5");
//! assert_eq!(step(&mut io).read, Read::Need);
//! io.input.extend_from_slice(b"1.100.1 40022 443\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
//! let _ = step(&mut io);
//! assert!(io.output.copy_to_bytes(io.output.remaining()).ends_with(b"\r\n\r\n192.0.2.7:40022"));
//! ```
//!
//! It reads no clock, opens nothing, and allocates for one line at most. Whether it may be believed is the listener's
//! matter: a port on which others than the proxy can connect must not have it.
//!
//! A machine that changes the bytes of the one inside, as TLS does, keeps an `Io` of its own for it, and takes from its output
//! only while the outer one has room: so a slow reader outside is one inside, too. `bakestone_testkit::Xor` is the
//! smallest of this kind, and `tape` the recorder has another. `drain`, `connection` and effects are passed through.
//!
//! # The laws
//!
//! Every machine obeys [nine of them](crate::machine#the-laws-of-every-machine), and drivers rely on each. In short: a
//! second step without cause changes nothing; cuts in the input make no difference; deadlines lie in the future; a step does
//! bounded work; nothing panics; a peer that does not read costs no memory; `Done` comes with the output empty, and is the
//! end.
//!
//! They are one call of the testkit:
//!
//! ```ignore
//! use bakestone_testkit::{Bounds, http1_view, laws, laws_within};
//!
//! laws(|| Proxied::new(Echo), "PROXY TCP4 192.0.2.7 198.51.100.1 40022 443\r\nhello");
//! laws_within(|| Proxied::new(Session::new(hello)), SCRIPT, &Bounds::default().view(http1_view));
//! ```
//!
//! A script says what the peer sends; the laws cut it, repeat it, break it off, mutate it, and let deadlines pass. What no
//! script touches is not checked, so there is one for every kind of exchange.
//!
//! # Rules of thumb
//!
//! - A state is a variant of an enum with a name. A flag that is true in two of them is a state that has none.
//! - Decide by `now`, never by the timer: a step may come early, late, or twice.
//! - What you did not understand yet stays in `io.input`; remember how far you looked, or long input is searched again and
//!   again.
//! - Work that would take long is cut: do a part, wake yourself (`cx.waker().wake_by_ref()`), and return. Then never say
//!   [`Read::Need`](crate::machine::Read::Need).
//! - Randomness is [`connection.seed`](crate::machine::ConnectionInfo::seed).
//! - A waker that you hand to somebody is stored anew at each step: the last one counts.
//!
//! # Where it can go
//!
//! A driver of your own takes any machine. The adapters' `Server` makes its sessions itself, and puts nothing around them
//! but the recorder; there is no setting for a machine of yours yet. A protocol that begins as HTTP needs none: a handler
//! [takes the connection over](crate::Request::upgrade).
//!
//! # What goes wrong
//!
//! | the law that fails | the usual reason |
//! |---|---|
//! | 1, idempotent | something is written, or counted, for the step and not for what came |
//! | 2, cuts | a decision was made by what had arrived so far: `input.len()` in place of the message's length |
//! | 3, deadlines | a deadline is counted from `now` at each step, so it never comes; or one that has passed is told again |
//! | 4, bounded | a `while` over all of the input |
//! | 5, quiet | `Done` with bytes in the output |
//! | 6, total | an index, an `unwrap`, a subtraction of lengths |
//! | 7, backpressure | `Need` or `Watch` while the output is full |
//! | 9, lazy | something changes by itself between two steps: a future that is polled with another waker than the driver's |
