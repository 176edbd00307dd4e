//! Runs a case in memory, in every way.
//!
//! The rule: what must come back is the same for every way, but for a 100 (Continue) that the cut decides on.

use std::fmt;

use bakestone::Session;
use bakestone::app::AppService;
use bakestone::machine::{Peer, Phase};

use super::{Answer, Case, Content, Difference, End, Failure, NEXT, NEXT_ANSWER, Turn, app};
use crate::seed::Random;
use crate::view::http1_view;
use crate::wire::Wire;

/// Up to so many bytes a case is cut in two at every byte; a longer one at so many places, evenly spread, and
/// at every byte of its first and last hundred.
const EVERY_CUT: usize = 4096;
const SOME_CUTS: usize = 256;
const EDGE: usize = 100;
const RANDOM_CUTS: u64 = 3;

/// How the bytes of a case are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Way {
    /// All bytes of a turn at once.
    Whole,
    /// One by one.
    Bytes,
    /// In two, at this byte of the case.
    InTwo(usize),
    /// In pieces, at places that follow from this seed.
    Random(u64),
    /// Whole, with another request right behind it on a connection that closes.
    Trailed,
    /// One by one, with the same behind it.
    TrailedBytes,
    /// Whole, with the same sent after the answer.
    TrailedLater,
    /// Whole, with another request right behind it on a connection that stays open.
    Followed,
    /// One by one, with the same behind it.
    FollowedBytes,
    /// Whole, with the same sent after the answer.
    FollowedLater,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => f.write_str("whole"),
            Self::Bytes => f.write_str("byte by byte"),
            Self::InTwo(at) => write!(f, "in two, cut at byte {at}"),
            Self::Random(seed) => write!(f, "in pieces, cut at random (seed {seed:#x})"),
            Self::Trailed => f.write_str("whole, with a request behind it that nobody may read"),
            Self::TrailedBytes => f.write_str("byte by byte, with a request behind it that nobody may read"),
            Self::TrailedLater => f.write_str("whole, and after the answer a request that nobody may read"),
            Self::Followed => f.write_str("whole, with the next request right behind it"),
            Self::FollowedBytes => f.write_str("byte by byte, with the next request right behind it"),
            Self::FollowedLater => f.write_str("whole, and after the answer the next request"),
        }
    }
}

impl Way {
    fn is_bytewise(self) -> bool {
        matches!(self, Self::Bytes | Self::TrailedBytes | Self::FollowedBytes)
    }

    /// What is sent right behind the last turn.
    fn glued(self) -> &'static str {
        match self {
            Self::Trailed | Self::TrailedBytes | Self::Followed | Self::FollowedBytes => NEXT,
            _ => "",
        }
    }

    fn is_followed(self) -> bool {
        matches!(self, Self::Followed | Self::FollowedBytes | Self::FollowedLater)
    }
}

/// Cuts `bytes` into at most `pieces` pieces, at places that follow from `seed`.
pub fn cut_at_random(bytes: &[u8], pieces: usize, seed: u64) -> Vec<&[u8]> {
    let mut random = Random::new(seed);
    let mut places: Vec<usize> =
        (1..pieces).map(|_| random.below(bytes.len())).filter(|at| *at > 0).collect();
    places.sort_unstable();
    places.dedup();
    places.push(bytes.len());
    let mut from = 0;
    places.into_iter().map(|to| &bytes[std::mem::replace(&mut from, to)..to]).collect()
}

/// Runs `case` in memory in every way; how many ways that were. The random cuts follow from `seed`.
///
/// # Errors
///
/// The first way in which something else came back than must.
pub fn run(case: &Case, seed: u64) -> Result<usize, Box<Failure>> {
    let service = app().build().expect("the application of the cases is sound");
    let whole = play(&service, case, Way::Whole, None)?;
    let mut ways = vec![Way::Bytes];
    let length = case.length();
    let stride = if length <= EVERY_CUT { 1 } else { length.div_ceil(SOME_CUTS) };
    let is_place = |at: &usize| at % stride == 0 || *at < EDGE || at + EDGE > length;
    ways.extend((1..length).filter(is_place).map(Way::InTwo));
    ways.extend((0..RANDOM_CUTS).map(|round| Way::Random(seed ^ (case.line as u64) << 8 ^ round)));
    ways.extend(match case.end() {
        End::Closed => &[Way::Trailed, Way::TrailedBytes, Way::TrailedLater][..],
        End::Open => &[Way::Followed, Way::FollowedBytes, Way::FollowedLater],
        End::Reset | End::Waits | End::Tunnel => &[],
    });
    for way in &ways {
        play(&service, case, *way, Some(&whole))?;
    }
    Ok(1 + ways.len())
}

/// The pieces of each turn.
fn pieces(case: &Case, way: Way) -> Vec<Vec<Vec<u8>>> {
    let mut before = 0;
    let last = case.turns.len() - 1;
    let turn = |(index, turn): (usize, &Turn)| {
        let mut bytes = turn.request.clone();
        let start = before;
        before += bytes.len();
        if index == last {
            bytes.extend_from_slice(way.glued().as_bytes());
        }
        match way {
            Way::InTwo(at) if at > start && at - start < bytes.len() => {
                vec![bytes[..at - start].to_vec(), bytes[at - start..].to_vec()]
            }
            Way::Random(seed) => cut_at_random(&bytes, 3, seed).into_iter().map(<[u8]>::to_vec).collect(),
            _ if way.is_bytewise() => bytes.iter().map(|byte| vec![*byte]).collect(),
            _ => vec![bytes],
        }
    };
    case.turns.iter().enumerate().map(turn).collect()
}

/// Runs `case` in one way; what came back.
fn play(service: &AppService, case: &Case, way: Way, whole: Option<&[u8]>) -> Result<Vec<u8>, Box<Failure>> {
    let pieces = pieces(case, way);
    let mut conversation = Conversation::new(service, case);
    let outcome = conversation.hold(case, way, &pieces, whole);
    outcome.map_err(|difference| {
        let pieces: Vec<&[u8]> = pieces.iter().flatten().map(|piece| &piece[..]).collect();
        Box::new(Failure::new(case, way, &pieces, &conversation.received, difference))
    })?;
    Ok(conversation.received)
}

/// One connection, and what came back over it since its beginning.
struct Conversation {
    wire: Wire<Session<AppService>>,
    received: Vec<u8>,
    /// Where what came back for this turn begins.
    turn_at: usize,
}

impl Conversation {
    fn new(service: &AppService, case: &Case) -> Self {
        let session = Session::with_limits(service.clone(), case.limits().into());
        let mut wire = Wire::new(session);
        wire.record(false);
        Self { wire, received: Vec::new(), turn_at: 0 }
    }

    fn hold(
        &mut self,
        case: &Case,
        way: Way,
        pieces: &[Vec<Vec<u8>>],
        whole: Option<&[u8]>,
    ) -> Result<(), Difference> {
        let interim = whole.is_some();
        let last = case.turns.len() - 1;
        for (index, (turn, pieces)) in case.turns.iter().zip(pieces).enumerate() {
            self.turn_at = self.received.len();
            pieces.iter().for_each(|piece| self.send(piece));
            match index == last && way.is_followed() {
                true => self.check_next(turn, way, interim)?,
                false => self.check(turn, interim)?,
            }
        }
        if way == Way::TrailedLater {
            self.send(NEXT.as_bytes());
            self.check(&case.turns[last], interim)?;
        }
        self.check_end(case.end())?;
        match whole {
            Some(whole) if !way.is_followed() && case.end() != End::Reset => {
                match http1_view(&self.received) == http1_view(whole) {
                    true => Ok(()),
                    false => Err(Difference::Unlike(whole.to_vec())),
                }
            }
            _ => Ok(()),
        }
    }

    fn send(&mut self, piece: &[u8]) {
        if self.wire.io().peer == Peer::Open {
            self.wire.feed(piece);
            self.received.append(&mut self.wire.take());
        }
    }

    /// What a client sees of the connection.
    fn seen(&self) -> End {
        let fate = self.wire.fate();
        match () {
            () if fate.reset_sent => End::Reset,
            () if fate.fin_sent || fate.phase == Phase::Done => End::Closed,
            () => End::Open,
        }
    }

    fn check(&self, turn: &Turn, interim: bool) -> Result<(), Difference> {
        turn.check(&self.received[self.turn_at..], self.seen(), interim)
    }

    /// The next request, sent already or now, is answered as itself.
    fn check_next(&mut self, turn: &Turn, way: Way, interim: bool) -> Result<(), Difference> {
        if way == Way::FollowedLater {
            self.check(turn, interim)?;
            self.send(NEXT.as_bytes());
        }
        let mut turn = turn.clone();
        turn.answers.push(Answer {
            status: 200,
            fields: Vec::new(),
            content: Content::Is(NEXT_ANSWER.into()),
            trailers: Vec::new(),
        });
        self.check(&turn, interim)
    }

    /// The client finishes: what is closed says nothing more, and half a request is no success.
    fn check_end(&mut self, end: End) -> Result<(), Difference> {
        match end {
            End::Closed => {
                self.wire.finish();
                let more = self.wire.take();
                match (more.is_empty(), self.wire.is_done()) {
                    (true, true) => Ok(()),
                    (true, false) => Err(Difference::End { expected: End::Closed, got: End::Open }),
                    (false, _) => Err(Difference::Surplus(more)),
                }
            }
            End::Waits => {
                self.wire.finish();
                check_half(&self.wire.take())
            }
            End::Open | End::Reset | End::Tunnel => Ok(()),
        }
    }
}

/// What comes back when the client finishes in the middle of its request must not be a success.
///
/// # Errors
///
/// [`Difference::Success`] if a response of 2xx begins in `received`.
pub fn check_half(received: &[u8]) -> Result<(), Difference> {
    match received.windows(10).any(|piece| piece == b"HTTP/1.1 2") {
        true => Err(Difference::Success(received.to_vec())),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_means_the_same_cuts_and_they_hold_all_the_bytes() {
        let bytes: Vec<u8> = (0..100).collect();
        for seed in 0..100 {
            let pieces = cut_at_random(&bytes, 4, seed);
            assert_eq!(pieces.concat(), bytes);
            assert!((1..=4).contains(&pieces.len()) && pieces == cut_at_random(&bytes, 4, seed));
        }
        assert_eq!(cut_at_random(b"", 4, 0), [b""]);
    }
}
