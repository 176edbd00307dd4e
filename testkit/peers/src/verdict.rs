//! Holds what a server did against what a case tells, as far as it matters to whoever shares a connection.
//!
//! The rule: texts, reasons and fields of an answer are everybody's own. What counts is whether a request was
//! taken, what was understood of it, how many answers came, and whether another request is answered behind it.

use bakestone_testkit::cases::{Answer, Case, Content, End, Turn};

use crate::client::{Fate, Outcome};
use crate::reply::{Replies, Reply, is_success};

/// How a server did on a case: the last of these that is true of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// Nothing that counts differs.
    AsTold,
    /// As many answers of the same kind, at least one with another status.
    OtherStatus,
    /// No answer where the case refuses: closes, or waits for more.
    Silent,
    /// Refuses, does not answer or closes where the case does not.
    Strict,
    /// Refuses as the case does, or closes too late: what comes behind is answered.
    KeepsOpen,
    /// Takes what the case refuses.
    Lenient,
    /// Takes what the case takes, for something else; or a client takes the answer for something else.
    Misread,
}

impl Verdict {
    /// All of them.
    pub(crate) const ALL: [Self; 7] = [
        Self::AsTold,
        Self::OtherStatus,
        Self::Silent,
        Self::Strict,
        Self::KeepsOpen,
        Self::Lenient,
        Self::Misread,
    ];

    /// What it is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AsTold => "as told",
            Self::OtherStatus => "other status",
            Self::Silent => "silent",
            Self::Strict => "strict",
            Self::KeepsOpen => "keeps open",
            Self::Lenient => "lenient",
            Self::Misread => "misread",
        }
    }
}

/// The verdict on `outcome`; trailers are not asked for where the server tells its handlers nothing of them.
///
/// Whoever takes what the case refuses is not asked what becomes of the connection, since the case cannot tell.
pub(crate) fn judge(case: &Case, outcome: &Outcome, tells_trailers: bool) -> Verdict {
    let none = Replies::default();
    let (mut answers, mut surplus) = (Verdict::AsTold, Verdict::AsTold);
    for (index, turn) in case.turns.iter().enumerate() {
        let replies = outcome.turns.get(index).unwrap_or(&none);
        let (on_answers, on_surplus) = on_turn(turn, replies, tells_trailers);
        answers = answers.max(on_answers);
        surplus = surplus.max(on_surplus);
    }
    match answers {
        Verdict::Lenient => Verdict::Lenient,
        Verdict::Silent if outcome.fate == Fate::Astray => on_late(&outcome.late),
        _ => answers.max(surplus).max(on_end(case.end(), outcome)),
    }
}

/// The verdict on the answers that are told, and on what else came.
fn on_turn(turn: &Turn, replies: &Replies, tells_trailers: bool) -> (Verdict, Verdict) {
    let mut verdict = Verdict::AsTold;
    let mut rest = replies.whole.iter().peekable();
    for answer in &turn.answers {
        if answer.status != 100 {
            while rest.next_if(|reply| reply.is_interim()).is_some() {}
        }
        let reply = rest.next_if(|reply| answer.status != 100 || reply.status == 100);
        verdict = verdict.max(on_answer(answer, reply, tells_trailers));
    }
    let surplus: Vec<_> = rest.filter(|reply| !reply.is_interim()).collect();
    // The beginning of an answer that broke off is no surplus: that it is missing has been said.
    let is_broken_off = replies.whole.len() < turn.answers.len() && replies.rest.starts_with(b"HTTP/1.");
    let rest = if is_broken_off { &[][..] } else { &replies.rest };
    (verdict, on_surplus(turn, &surplus, rest))
}

/// The answer that did not come came when more bytes did.
fn on_late(late: &Replies) -> Verdict {
    match late.whole.iter().any(|reply| !reply.is_interim() && reply.is_success()) {
        true => Verdict::Lenient,
        false => Verdict::Silent,
    }
}

/// One answer; or none, where one must come.
fn on_answer(answer: &Answer, reply: Option<&Reply>, tells_trailers: bool) -> Verdict {
    match (is_success(answer.status), reply) {
        (true, None) => Verdict::Strict,
        (false, None) => Verdict::Silent,
        (true, Some(reply)) if !reply.is_success() => Verdict::Strict,
        (false, Some(reply)) if reply.is_success() => Verdict::Lenient,
        (_, Some(reply)) if reply.status != answer.status => Verdict::OtherStatus,
        (true, Some(reply)) => on_content(answer, reply, tells_trailers),
        (false, Some(_)) => Verdict::AsTold,
    }
}

/// What the service has understood, which it says with 200 and 101; and whether a client can read that.
fn on_content(answer: &Answer, reply: &Reply, tells_trailers: bool) -> Verdict {
    let is_chunked = reply.field("transfer-encoding").is_some();
    let must_not_be_chunked =
        answer.fields.iter().any(|(name, value)| name == "transfer-encoding" && value.is_none());
    if is_chunked && must_not_be_chunked {
        return Verdict::Misread;
    }
    match &answer.content {
        Content::Is(text) if matches!(reply.status, 101 | 200) => {
            on_text(text, &reply.content, tells_trailers)
        }
        Content::Begins(text) if !reply.content.starts_with(split_trailers(text).0) => Verdict::Misread,
        _ => Verdict::AsTold,
    }
}

/// What was to be understood against what was.
fn on_text(told: &[u8], got: &[u8], tells_trailers: bool) -> Verdict {
    let ((told, told_trailers), (got, got_trailers)) = (split_trailers(told), split_trailers(got));
    match () {
        () if by_name(told) != by_name(got) => Verdict::Misread,
        () if !tells_trailers || told_trailers == got_trailers => Verdict::AsTold,
        // Trailers that the case has dropped; where there are fewer some are lost.
        () if got_trailers.len() > told_trailers.len() => Verdict::Lenient,
        () => Verdict::Misread,
    }
}

/// The service says trailers last.
fn split_trailers(text: &[u8]) -> (&[u8], &[u8]) {
    const THEN: &[u8] = b", then ";
    let at = text.windows(THEN.len()).position(|piece| piece == THEN);
    text.split_at(at.unwrap_or(text.len()))
}

/// `/fields` says one field after the other; the order of those with different names means nothing (RFC 9110,
/// section 5.3).
fn by_name(text: &[u8]) -> Vec<&[u8]> {
    let mut fields: Vec<&[u8]> = text.split(|byte| *byte == b';').map(<[u8]>::trim_ascii).collect();
    fields.sort_by_key(|field| field.split(|byte| *byte == b':').next());
    fields
}

/// What came beside the answers that are told: whole ones, and bytes that are none.
fn on_surplus(turn: &Turn, surplus: &[&Reply], rest: &[u8]) -> Verdict {
    let takes = surplus.iter().any(|reply| reply.is_success());
    match turn.end {
        _ if surplus.is_empty() && rest.is_empty() => Verdict::AsTold,
        End::Reset if surplus.is_empty() => Verdict::AsTold,
        End::Reset if !takes => Verdict::OtherStatus,
        End::Waits if !takes => Verdict::Strict,
        End::Closed if !surplus.is_empty() => Verdict::KeepsOpen,
        _ => Verdict::Misread,
    }
}

fn on_end(end: End, outcome: &Outcome) -> Verdict {
    let is_half_taken = outcome.late.whole.iter().any(|reply| !reply.is_interim() && reply.is_success());
    match (end, outcome.fate) {
        (End::Waits, _) if is_half_taken => Verdict::Misread,
        (End::Open | End::Waits | End::Tunnel, Fate::Open) => Verdict::AsTold,
        (End::Open | End::Waits | End::Tunnel, Fate::Closed) => Verdict::Strict,
        (End::Open | End::Waits | End::Tunnel, Fate::Astray | Fate::Waits) => Verdict::Misread,
        (End::Closed | End::Reset, Fate::Closed) => Verdict::AsTold,
        (End::Closed, Fate::Waits) => Verdict::AsTold,
        (End::Closed, Fate::Open | Fate::Astray) => Verdict::KeepsOpen,
        (End::Reset, _) => Verdict::Misread,
    }
}

#[cfg(test)]
mod tests;
