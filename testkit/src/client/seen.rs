//! What a connection's machine tells of itself, for the one whose request it was.
//!
//! The rule: answers leave a connection in the order of their requests, so the first that was not taken yet is that of the
//! response that is being read.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bakestone::Error;
use bakestone::session::{Entry, Event, Observer};

/// How much is kept of what an endless connection may tell.
const NOTES: usize = 100;

/// What was behind one answer.
#[derive(Debug, Default)]
pub(super) struct Behind {
    /// The error that the response was made of.
    pub(super) error: Option<Arc<Error>>,
    /// What user code panicked with.
    pub(super) panic: Option<String>,
    /// What else went wrong, a line each.
    pub(super) notes: Vec<String>,
    /// Its handler was called, and has not come to its end.
    pub(super) runs: bool,
}

pub(super) type SharedBehind = Arc<Mutex<Behind>>;

/// Whatever panicked while it was held has left nothing half-done.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The observer of one connection, or of the lifecycle.
#[derive(Default)]
pub(super) struct Seen {
    answers: Mutex<Answers>,
    also: Option<Arc<dyn Observer>>,
}

#[derive(Default)]
struct Answers {
    /// Those that nobody has taken yet.
    waiting: VecDeque<SharedBehind>,
    current: Option<SharedBehind>,
}

impl Seen {
    /// One that tells `also` too.
    pub(super) fn new(also: Option<Arc<dyn Observer>>) -> Self {
        Self { answers: Mutex::default(), also }
    }

    /// What is behind the first answer that was not taken; nothing yet if its request has not begun.
    pub(super) fn first(&self) -> Option<SharedBehind> {
        lock(&self.answers).waiting.front().cloned()
    }

    /// The first answer was read to its end.
    pub(super) fn take_first(&self) {
        lock(&self.answers).waiting.pop_front();
    }

    /// All that is kept, as lines.
    pub(super) fn notes(&self) -> Vec<String> {
        let answers = lock(&self.answers);
        answers.waiting.iter().flat_map(|behind| lock(behind).notes.clone()).collect()
    }

    fn note(&self, note: impl FnOnce(&mut Behind)) {
        let mut answers = lock(&self.answers);
        if answers.current.is_none() {
            // A request that could not be read has an answer too.
            answers.begin();
        }
        if let Some(behind) = &answers.current {
            note(&mut lock(behind));
        }
    }
}

impl Answers {
    fn begin(&mut self) {
        let behind = SharedBehind::default();
        self.waiting.push_back(behind.clone());
        self.current = Some(behind);
    }

    fn end(&mut self) {
        if let Some(behind) = self.current.take() {
            lock(&behind).runs = false;
        }
    }
}

impl Behind {
    fn add(&mut self, note: String) {
        if self.notes.len() < NOTES {
            self.notes.push(note);
        }
    }
}

impl Observer for Seen {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::RequestStarted(_) => {
                let mut answers = lock(&self.answers);
                answers.begin();
                if let Some(behind) = &answers.current {
                    lock(behind).runs = true;
                }
            }
            Event::RequestEnded(_) => lock(&self.answers).end(),
            Event::Failed(error) => self.note(|behind| behind.error = Some(Arc::clone(error))),
            Event::Panicked(entry, message) => {
                let is_late = *entry == Entry::Drop && lock(&self.answers).current.is_none();
                if !is_late {
                    self.note(|behind| {
                        behind.panic.get_or_insert_with(|| (*message).to_owned());
                        behind.add(format!("{entry:?} panicked: {message}"));
                    });
                }
            }
            Event::Refused(refusal) => {
                self.note(|behind| behind.add(format!("the request was refused: {refusal}")))
            }
            Event::Misused(misuse) => {
                self.note(|behind| behind.add(format!("the response cannot be sent: {misuse}")));
            }
            Event::SentByAnother => {
                self.note(|behind| behind.add("the handler returned another request's answer".to_owned()));
            }
            Event::BodyFailed(error) => {
                self.note(|behind| behind.add(format!("the response's body failed: {error}")));
            }
            Event::TaskFailed(error) => self.note(|behind| behind.add(format!("a task failed: {error:#}"))),
            _ => {}
        }
        if let Some(also) = &self.also {
            also.observe(event);
        }
    }
}
