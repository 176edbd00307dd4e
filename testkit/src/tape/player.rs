//! The driver that does what a tape says.
//!
//! The rule: it makes the steps of the tape, each at its time and with all that the tape has before it, and none besides;
//! what the machine says is written by the same recorder that wrote the tape, so that the two are compared like with
//! like.

use std::collections::BTreeMap;
use std::task::{Context, Waker};
use std::time::Duration;

use bakestone::effect::{Effect, FileAnswer, FileError, FileErrorKind, FileHandle};
use bakestone::machine::{Io, Machine, Now, Peer, Phase};
use bakestone::tape::{Answer, End, Line, Log, Recorder, Recording, Sink, SinkError, Step, Tape, Track};
use bytes::Buf;

use super::divergence::{Difference, Divergence};
use super::life::Life;
use super::{ReplayError, Replayed};
use crate::files::Files;

pub(super) struct Player<'a, M> {
    tape: &'a Tape,
    recorder: Recorder<M>,
    log: Log,
    io: Io,
    /// The wall clock at the first step, as it runs now.
    wall: Duration,
    /// What the machine asked for, by the number that the tape has for it.
    held: BTreeMap<u32, Effect>,
    output: Vec<u8>,
    woken_at: Option<usize>,
}

/// A file as a tape knows it: not at all.
struct TapedFile;

/// A sink of the machine's own tape.
struct Kept(Log);

impl Sink for Kept {
    fn open(&self, _: &bakestone::tape::Head) -> Result<Option<Box<dyn Track>>, SinkError> {
        Ok(Some(Box::new(self.0.clone())))
    }
}

impl<'a, M: Machine> Player<'a, M> {
    pub(super) fn new(machine: M, tape: &'a Tape) -> Self {
        let log = Log::default();
        let recording =
            Recording::new(Kept(log.clone())).redaction(tape.head.redaction.clone()).bytes(u64::MAX);
        Self {
            tape,
            recorder: Recorder::new(machine, recording),
            log,
            io: Io::new(tape.head.connection.clone()),
            wall: tape.head.wall,
            held: BTreeMap::new(),
            output: Vec::new(),
            woken_at: None,
        }
    }

    pub(super) fn play(
        mut self,
        mut life: Option<&mut Life>,
        mut files: Option<Box<dyn Files>>,
    ) -> Result<Replayed, ReplayError> {
        for (index, step) in self.tape.steps.iter().enumerate() {
            if let Some(wall) = step.wall {
                self.wall = wall.saturating_sub(step.at);
            }
            let now = Now::new(self.tape.head.mono + step.at, self.wall.saturating_add(step.at));
            let files = life.as_mut().map_or(files.as_mut(), |life| life.files());
            self.tell(step, files)?;
            let waker = Waker::noop();
            let _ = self.recorder.step(now, &mut self.io, &mut Context::from_waker(waker));
            let is_last = index + 1 == self.tape.steps.len();
            self.compare(step, is_last && self.tape.end != End::Whole)?;
            if let Some(life) = &mut life {
                life.run(now);
            }
        }
        Ok(Replayed { steps: self.tape.steps.len(), output: self.output })
    }

    /// Tells the machine what the tape has before this step.
    fn tell(&mut self, step: &Step, mut files: Option<&mut Box<dyn Files>>) -> Result<(), ReplayError> {
        self.take_output(step);
        for line in &step.lines {
            match line {
                Line::Input(bytes) => self.io.input.extend_from_slice(bytes),
                Line::Finished => self.io.peer = Peer::Finished,
                Line::Gone => self.io.peer = Peer::Gone,
                Line::Drain => self.io.drain = true,
                Line::Wake => self.woken_at = Some(step.line),
                Line::Answer(number, answer) => {
                    let Some(effect) = self.held.remove(number) else {
                        return Err(self.diverged(step, Difference::Unasked(*number)));
                    };
                    respond(effect, answer, files.as_deref_mut());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The driver has written what the tape does not say it has not.
    fn take_output(&mut self, step: &Step) {
        if step.lines.contains(&Line::Gone) {
            return self.io.output.clear();
        }
        let waits = step.lines.iter().find_map(|line| match line {
            Line::Waits(count) => Some(*count as usize),
            _ => None,
        });
        let there = self.io.output.remaining();
        self.io.output.advance(there - waits.unwrap_or(0).min(there));
    }

    /// Holds what the machine said against the tape, of which the end may be missing.
    fn compare(&mut self, step: &Step, is_cut: bool) -> Result<(), ReplayError> {
        let said = self.said();
        let (expected, got) = (output(&step.lines), output(&said));
        let same = expected.iter().zip(&got).take_while(|(left, right)| left == right).count();
        if same < expected.len() || (same < got.len() && !is_cut) {
            let offset = (self.output.len() + same) as u64;
            let (expected, got) = (expected[same..].to_vec(), got[same..].to_vec());
            let before = output(&step.lines)[..same].to_vec();
            return Err(self.diverged(step, Difference::Output { offset, before, expected, got }));
        }
        self.output.extend_from_slice(&got);
        self.compare_wishes(step, &said, is_cut)
    }

    fn compare_wishes(&mut self, step: &Step, said: &[Line], is_cut: bool) -> Result<(), ReplayError> {
        let mut effects = std::mem::take(&mut self.io.effects).into_iter();
        let (mut expected, mut got) = (wishes(&step.lines), wishes(said));
        loop {
            let (left, right) = (expected.next(), got.next());
            match (left, right) {
                (None, None) => return Ok(()),
                (None, Some(_)) if is_cut => return Ok(()),
                (Some(Line::Effect(number, left)), Some(Line::Effect(_, right)))
                    if without_file(left) == without_file(right) =>
                {
                    self.held.extend(effects.next().map(|effect| (*number, effect)));
                }
                (Some(Line::Phase(left)), Some(Line::Phase(right))) if left == right => {}
                _ => {
                    let (expected, got) = (wish(left), wish(right));
                    return Err(self.diverged(step, Difference::Wish { expected, got }));
                }
            }
        }
    }

    /// What the machine said in the step that was just made.
    fn said(&mut self) -> Vec<Line> {
        self.recorder.flush();
        let text = self.log.take();
        let text = if text.starts_with("tape ") { text } else { format!("tape 1\n{text}") };
        let steps = Tape::parse(&text).map(|tape| tape.steps).unwrap_or_default();
        steps.into_iter().flat_map(|step| step.lines).collect()
    }

    fn diverged(&self, step: &Step, what: Difference) -> ReplayError {
        let (at, line, woken_at) = (step.at, step.line, self.woken_at);
        ReplayError::Diverged(Box::new(Divergence { at, line, what, woken_at }))
    }
}

fn output(lines: &[Line]) -> Vec<u8> {
    let outputs = lines.iter().filter_map(|line| match line {
        Line::Output(bytes) => Some(&bytes[..]),
        _ => None,
    });
    outputs.collect::<Vec<_>>().concat()
}

/// What the machine wanted beside its output.
fn wishes(lines: &[Line]) -> impl Iterator<Item = &Line> {
    lines.iter().filter(|line| matches!(line, Line::Effect(..) | Line::Phase(_)))
}

fn wish(line: Option<&Line>) -> String {
    match line {
        Some(Line::Effect(_, what)) => what.clone(),
        Some(Line::Phase(Phase::Done)) => "the end".to_owned(),
        Some(line) => line.to_string(),
        None => String::new(),
    }
}

/// The number of a file is its place among those that were opened, and changes when a request is cut out.
fn without_file(what: &str) -> &str {
    match what.rsplit_once(" of file ") {
        Some((what, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => what,
        _ => what,
    }
}

/// Answers as the tape says; a file operation from `files`, if there are some.
fn respond(effect: Effect, answer: &Answer, files: Option<&mut Box<dyn Files>>) {
    match (effect, answer) {
        (_, Answer::Unanswered) => {}
        (Effect::Blocking(job), _) => job.run(),
        (Effect::File(op, reply), answer) => match files {
            Some(files) => reply.send(files.answer(op)),
            None => reply.send(taped(answer)),
        },
        _ => {}
    }
}

fn taped(answer: &Answer) -> Result<FileAnswer, FileError> {
    let file = || FileHandle::new(TapedFile);
    Ok(match answer {
        Answer::Opened(_, None, metadata) => FileAnswer::Opened(file(), *metadata),
        Answer::Opened(_, Some(index), metadata) => FileAnswer::OpenedBelow(file(), *metadata, *index),
        Answer::Metadata(metadata) => FileAnswer::Metadata(*metadata),
        Answer::Data(data) => FileAnswer::Data(data.clone()),
        Answer::Done => FileAnswer::Done,
        Answer::Failed(error) => return Err(error.clone()),
        _ => return Err(FileError::new(FileErrorKind::Unsupported, "the tape has no such answer")),
    })
}
