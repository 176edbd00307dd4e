//! One end of a connection under a script: bytes come in, events are taken, and messages are sent, in any order.
//!
//! The rule: whatever the end, a `Misuse`, and a `reuse` that fails, change nothing (a second run leaves them out
//! and must see the same), and a refusal stays.

use bakestone::Limits;
use bakestone::h1::{CloseReason, Conn, Event, Misuse, Refusal, Role};
use bakestone::machine::Output;
use bytes::{Buf, BytesMut};

use crate::records::records;

/// What an end of a connection does that the other one does not.
pub trait End: Sized {
    /// Which end it is.
    type Role: Role;
    /// One exchange, as this end took part in it.
    type Exchange: Default;

    /// Sends what a record asks for; `None` if no record of this end has that letter.
    fn send(run: &mut Run<Self>, letter: u8, payload: &[u8]) -> Option<Result<(), Misuse>>;

    /// Takes in what came.
    fn note(run: &mut Run<Self>, event: &Result<Event<<Self::Role as Role>::Received>, Refusal>);

    /// Reads what was written as the other end, and holds it against the exchanges.
    fn read_back(exchanges: &[Self::Exchange], written: &[u8]);
}

/// An end of a connection, and what it has done.
pub struct Run<E: End> {
    /// The end.
    pub conn: Conn<E::Role>,
    /// All that was written.
    pub output: Output,
    input: BytesMut,
    refusal: Option<String>,
    exchanges: Vec<E::Exchange>,
}

/// Performs a script on an end, and again without what was misused, and reads back what was written.
pub fn perform<E: End>(data: &[u8]) {
    let script: Vec<_> = records(data).collect();
    let mut run = Run::<E>::new();
    let results: Vec<_> = script.iter().map(|record| run.perform(*record)).collect();
    let failed = |result: &str| result.starts_with("Err(Misuse") || result.starts_with("Err(Close");
    let mut twin = Run::<E>::new();
    for (record, result) in script.iter().zip(&results).filter(|(_, result)| !failed(result)) {
        assert_eq!(twin.perform(*record), *result, "what was misused has changed what follows");
    }
    let written = run.output.copy_to_bytes(run.output.remaining());
    assert_eq!(twin.output.copy_to_bytes(twin.output.remaining()), written);
    E::read_back(&run.exchanges, &written);
}

impl<E: End> Run<E> {
    fn new() -> Self {
        Self {
            conn: Conn::new(Limits::default().into()),
            output: Output::default(),
            input: BytesMut::new(),
            refusal: None,
            exchanges: vec![E::Exchange::default()],
        }
    }

    /// The exchange that is under way.
    pub fn exchange(&mut self) -> &mut E::Exchange {
        self.exchanges.last_mut().expect("there always is one")
    }

    /// All that a failed call must leave as it was.
    fn state(&self) -> (String, u64) {
        (format!("{:?}", self.conn), self.output.len())
    }

    /// Performs one record; what came of it, as text.
    fn perform(&mut self, (letter, payload): (u8, &[u8])) -> String {
        match letter {
            b'f' => format!("{:?}", self.input.extend_from_slice(payload)),
            b'F' => format!("{:?}", self.conn.finish_input()),
            b'x' => format!("{:?}", self.conn.close(CloseReason::Draining)),
            b'n' => self.next(),
            b'a' => self.all(),
            b'r' => self.reuse(),
            _ => {
                let before = self.state();
                let Some(result) = E::send(self, letter, payload) else { return String::new() };
                assert!(result.is_ok() || self.state() == before, "{result:?} has changed {before:?}");
                format!("{:?}", result.map_err(Misused))
            }
        }
    }

    fn next(&mut self) -> String {
        let result = self.conn.next(&mut self.input);
        E::note(self, &result);
        let text = format!("{result:?}");
        if let Some(refusal) = &self.refusal {
            assert_eq!(*refusal, text, "a refusal does not stay");
        }
        if result.is_err() {
            self.refusal = Some(text.clone());
        }
        text
    }

    /// Takes events while they come.
    fn all(&mut self) -> String {
        let mut all = String::new();
        for _ in 0..64 {
            let one = self.next();
            all += &one;
            if !["Ok(Head", "Ok(Data", "Ok(End"].iter().any(|more| one.starts_with(more)) {
                break;
            }
        }
        all
    }

    fn reuse(&mut self) -> String {
        let before = self.state();
        let result = self.conn.reuse();
        match result {
            Ok(()) => self.exchanges.push(E::Exchange::default()),
            Err(_) => assert_eq!(before, self.state()),
        }
        format!("{:?}", result.map_err(Close))
    }
}

/// How failures look in the text of a result.
#[derive(Debug)]
#[allow(dead_code, reason = "it is printed")]
struct Misused(Misuse);

#[derive(Debug)]
#[allow(dead_code, reason = "it is printed")]
struct Close(CloseReason);
