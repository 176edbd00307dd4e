//! The HTTP/1 codec against naive readers, on generated and on spoilt messages.
//!
//! The rule: both must agree on everything that a peer could profit from if two readers did not: whether a
//! message is refused and with what status, all its parts, where it ends, and whether another may follow.
//! `BAKESTONE_LAWS_ROUNDS` says how many times longer to look.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

#[path = "oracle/codec.rs"]
mod codec;
#[path = "oracle/generate.rs"]
mod generate;
mod naive;
#[path = "../src/seed.rs"]
mod seed;

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use bakestone::Limits;
use bakestone_testkit::{cases, escape};

use codec::Verdict;
use generate::{Maker, line_at, mutate};
use naive::Framing;
use naive::connection::{End, Message};
use naive::fields::{Field, is_dropped_trailer};
use naive::response::Asked;
use naive::target::normal;
use seed::Random;

const SEED: u64 = 0xba4e_570e_04ac_1e00;
const ROUNDS: u64 = 50_000;

/// What both readers are given.
struct Input {
    bytes: Vec<u8>,
    /// Where the bytes are cut.
    cuts: Vec<usize>,
    /// Whether the peer finishes after them.
    finished: bool,
    limits: Arc<Limits>,
}

impl Input {
    fn new(bytes: Vec<u8>, random: &mut Random) -> Self {
        let mut limits = Limits::default();
        if random.below(4) == 0 {
            (limits.head_bytes, limits.head_fields, limits.target_bytes) = (250, 6, 24);
            (limits.chunk_extension_bytes, limits.trailer_bytes, limits.trailer_fields) = (8, 24, 2);
        }
        let mut cuts: Vec<usize> = (0..random.below(4)).map(|_| random.below(bytes.len())).collect();
        cuts.sort_unstable();
        Self { bytes, cuts, finished: random.below(2) == 0, limits: limits.into() }
    }

    fn pieces(&self) -> Vec<&[u8]> {
        let within = |cut: &usize| (*cut).min(self.bytes.len());
        let starts = std::iter::once(0).chain(self.cuts.iter().map(within));
        let ends = self.cuts.iter().map(within).chain([self.bytes.len()]);
        starts.zip(ends).map(|(start, end)| &self.bytes[start..end]).collect()
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tight = if *self.limits == Limits::default() { "default" } else { "tight" };
        let end = if self.finished { "a FIN" } else { "no FIN" };
        writeln!(f, "{tight} limits, {end}, cut at {:?}\n{}", self.cuts, escape(&self.bytes))
    }
}

/// How often something was seen: a test that sees little proves little.
#[derive(Debug, Default)]
struct Seen(BTreeMap<String, usize>);

impl Seen {
    fn note(&mut self, what: impl Into<String>) {
        *self.0.entry(what.into()).or_default() += 1;
    }

    fn expect(&self, what: &str, least: usize) {
        let count = self.0.get(what).copied().unwrap_or_default();
        assert!(count >= least, "{what} was seen {count} times, and should be {least} times: {self:?}");
    }
}

fn rounds() -> u64 {
    let times = std::env::var("BAKESTONE_LAWS_ROUNDS").ok();
    ROUNDS * times.map_or(1, |times| times.parse().expect("a number of rounds"))
}

/// All inputs of a run, one a round: `make` gives fresh bytes and what belongs to them, `judge` says how the two
/// readers differ.
fn compare<T>(
    seed: u64,
    make: impl Fn(&mut Random) -> (Vec<u8>, T),
    mut judge: impl FnMut(&Input, &T) -> Option<String>,
) {
    // Not by `eprintln!`, which the test runner keeps to itself where a test passes.
    let told = format!("{} rounds with the seed {seed:#x}\n", rounds());
    std::io::stderr().write_all(told.as_bytes()).unwrap();
    for round in 0..rounds() {
        let mut random = Random::new(seed ^ round.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let (mut bytes, others) = make(&mut random);
        for _ in 0..[0, 0, 1, 3][random.below(4)] {
            let (other, _) = make(&mut random);
            mutate(&mut bytes, &other, &mut random);
        }
        let mut input = Input::new(bytes, &mut random);
        if judge(&input, &others).is_some() {
            shrink(&mut input, |input| judge(input, &others).is_some());
            let difference = judge(&input, &others).unwrap_or_default();
            panic!("seed {seed:#x}, round {round}: {input}\n{difference}");
        }
    }
}

/// Leaves out what is not needed for `differs`: runs of bytes, long ones first, and then lines.
fn shrink(input: &mut Input, mut differs: impl FnMut(&Input) -> bool) {
    let mut length = usize::MAX;
    while input.bytes.len() < length {
        length = input.bytes.len();
        let mut size = length / 2;
        while size > 0 {
            leave_out(input, &mut differs, |bytes, at| (at + size).min(bytes.len()));
            size /= 2;
        }
        leave_out(input, &mut differs, |bytes, at| line_at(bytes, at).end);
    }
}

/// Leaves out the pieces, of which `end` says where the one at a place ends, that are not needed.
fn leave_out(
    input: &mut Input,
    differs: &mut impl FnMut(&Input) -> bool,
    end: impl Fn(&[u8], usize) -> usize,
) {
    let mut at = 0;
    while at < input.bytes.len() {
        let whole = input.bytes.clone();
        let end = end(&whole, at);
        input.bytes.drain(at..end);
        if !differs(input) {
            (input.bytes, at) = (whole, end);
        }
    }
}

/// How the two differ, if they do. Where the naive reader tells of no place, any will do.
fn difference<H: Debug + PartialEq>(naive: Verdict<H>, codec: Verdict<H>) -> Option<String> {
    let ends = match (naive.1, codec.1) {
        (End::Wrong { status, at: None }, End::Wrong { at, .. }) => (End::Wrong { status, at }, codec.1),
        ends => ends,
    };
    let same = naive.0.iter().zip(&codec.0).take_while(|(naive, codec)| naive == codec).count();
    if same == naive.0.len() && same == codec.0.len() && ends.0 == ends.1 {
        return None;
    }
    let shown = |(messages, end): &Verdict<H>| format!("{:?}, and then {end:?}", messages.get(same));
    let (naive, codec) = (shown(&naive), shown(&codec));
    Some(format!("message {same}\n\nthe naive reader: {naive}\n\nthe codec: {codec}"))
}

/// Runs what may panic; that differs from everything.
fn caught<H>(read: impl FnOnce() -> Verdict<H>) -> Result<Verdict<H>, String> {
    catch_unwind(AssertUnwindSafe(read)).map_err(|_| "the codec panicked".to_owned())
}

/// The naive message as far as it can be compared: fields in the order of their names, trailers without those on
/// which the reader has no opinion and those that are dropped.
fn ordered<H>(mut message: Message<H>, fields: impl Fn(&mut H) -> &mut Vec<Field>) -> Message<H> {
    fields(&mut message.head).sort_by(|(one, _), (other, _)| one.cmp(other));
    message.trailers.sort_by(|(one, _), (other, _)| one.cmp(other));
    message.trailers.retain(|(name, _)| is_dropped_trailer(name) == Some(false));
    message
}

/// The codec's message, without trailers on which the naive reader has no opinion.
fn without_unclear_trailers<H>((mut messages, end): Verdict<H>) -> Verdict<H> {
    for message in &mut messages {
        message.trailers.retain(|(name, _)| is_dropped_trailer(name).is_some());
    }
    (messages, end)
}

fn note_end(end: End, whole: usize, seen: &mut Seen) {
    match end {
        End::Wrong { status, .. } => {
            seen.note("refused");
            seen.note(status.to_string());
        }
        _ => seen.note("accepted"),
    }
    seen.note(format!("{end:?}").split(' ').next().unwrap_or_default());
    if whole > 2 {
        seen.note("pipelined");
    }
}

fn note_content<H>(message: &Message<H>, framing: Framing, seen: &mut Seen) {
    seen.note(match framing {
        Framing::Length(0) => "no content",
        Framing::Length(_) => "length",
        Framing::Chunked => "chunked",
        Framing::UntilClose => "until close",
    });
    if !message.trailers.is_empty() {
        seen.note("trailers");
    }
}

/// The requests of all wire cases.
fn cases() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/h1");
    let cases = cases::read(folder).unwrap_or_else(|error| panic!("{error}"));
    let short = |bytes: &Vec<u8>| (1..2_000).contains(&bytes.len());
    cases.iter().flat_map(|case| &case.turns).map(|turn| turn.request.clone()).filter(short).collect()
}

#[test]
fn requests_are_read_as_a_naive_reader_reads_them() {
    let cases = cases();
    let mut seen = Seen::default();
    let make = |random: &mut Random| match random.below(5) {
        0 => (cases[random.below(cases.len())].clone(), ()),
        _ => (Maker::new(random).requests(), ()),
    };
    compare(SEED, make, |input, ()| {
        let (messages, end) = naive::connection::requests(&input.bytes, &input.limits, input.finished);
        note_end(end, messages.iter().filter(|message| message.length.is_some()).count(), &mut seen);
        messages.iter().for_each(|message| note_content(message, message.head.framing, &mut seen));
        let comparable = |message: Message<_>| {
            let mut message = ordered(message, |head: &mut naive::request::Request| &mut head.fields);
            message.head.target = normal(&message.head.target);
            message
        };
        let naive = (messages.into_iter().map(comparable).collect(), end);
        match caught(|| codec::requests(&input.pieces(), &input.limits, input.finished)) {
            Ok(codec) => difference(naive, without_unclear_trailers(codec)),
            Err(panic) => Some(panic),
        }
    });
    let fifth = rounds() as usize / 5;
    let rare = rounds() as usize / 1_000;
    for (what, least) in [("accepted", fifth), ("refused", fifth), ("length", fifth), ("chunked", fifth)] {
        seen.expect(what, least);
    }
    for what in ["400", "414", "417", "431", "501", "505", "More", "Last", "Closed", "trailers", "pipelined"]
    {
        seen.expect(what, rare);
    }
}

#[test]
fn responses_are_read_as_a_naive_reader_reads_them() {
    let mut seen = Seen::default();
    let make = |random: &mut Random| Maker::new(random).responses();
    compare(SEED, make, |input, asked: &Vec<Asked>| {
        let (messages, end) =
            naive::connection::responses(&input.bytes, asked, &input.limits, input.finished);
        note_end(end, messages.iter().filter(|message| message.length.is_some()).count(), &mut seen);
        messages.iter().for_each(|message| note_content(message, message.head.framing, &mut seen));
        let comparable = |message| ordered(message, |head: &mut naive::response::Response| &mut head.fields);
        let naive = (messages.into_iter().map(comparable).collect(), end);
        match caught(|| codec::responses(&input.pieces(), asked, &input.limits, input.finished)) {
            Ok(codec) => difference(naive, without_unclear_trailers(codec)),
            Err(panic) => Some(panic),
        }
    });
    let fifth = rounds() as usize / 5;
    let rare = rounds() as usize / 1_000;
    for (what, least) in
        [("accepted", fifth), ("refused", fifth), ("length", fifth / 3), ("chunked", fifth / 2)]
    {
        seen.expect(what, least);
    }
    seen.expect("until close", fifth / 2);
    for what in ["502", "More", "Last", "trailers", "pipelined"] {
        seen.expect(what, rare);
    }
}
