//! What a server must answer, told from what the client means and not from its bytes.

use crate::naive::response::Asked;
use crate::script::{Ask, Content, Ending, Expect, Handler, Method, Script};

/// The longest unread content that is read to keep the connection.
pub(crate) const DRAINED: usize = 8;

/// What a response says of its content's length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Declared {
    Nothing,
    Length(usize),
    Chunked,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) declared: Declared,
    pub(crate) content: String,
    /// It says `Connection: close`.
    pub(crate) close: bool,
    /// It says `Connection: keep-alive`.
    pub(crate) keep_alive: bool,
}

/// What comes before the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interim {
    Never,
    /// How the bytes are cut decides.
    MayBe,
    Always,
}

/// What is to become of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Open,
    Closed,
    /// Reset, so that the last answer looks cut.
    Reset,
}

/// Everything that a client must see.
#[derive(Debug)]
pub(crate) struct Prediction {
    /// `None` where the words of a refusal are nobody's concern.
    pub(crate) answers: Vec<(Interim, Result<Answer, u16>)>,
    /// For the reader of the answers.
    pub(crate) asked: Vec<Asked>,
    pub(crate) fate: Fate,
}

impl Prediction {
    fn push(&mut self, interim: Interim, answer: Result<Answer, u16>, is_head: bool) {
        self.answers.push((interim, answer));
        self.asked.push(if is_head { Asked::Head } else { Asked::Get });
    }
}

/// What the server does with the script.
pub(crate) fn predict(script: &Script) -> Prediction {
    let mut told = Prediction { answers: Vec::new(), asked: Vec::new(), fate: Fate::Open };
    for (index, ask) in script.asks.iter().enumerate() {
        let ending = if index + 1 == script.asks.len() { script.ending } else { Ending::Silence };
        let is_head = ask.method == Method::Head;
        let spoilt = matches!(ending, Ending::CutContent(_) | Ending::BadChunk);
        told.fate = match ending {
            Ending::CutHead(length) => {
                // The method must be whole to be known.
                told.push(Interim::Never, Err(400), is_head && length > "HEAD".len());
                Fate::Closed
            }
            _ if spoilt && ask.reads() && ask.handler == Handler::Back => {
                let content = ask.content.arrived(ending);
                told.push(ask.interim(), Ok(Answer { content, ..ask.answer() }), is_head);
                Fate::Reset
            }
            _ if spoilt && ask.reads() => {
                told.push(ask.interim(), Err(400), is_head);
                Fate::Closed
            }
            _ => {
                let answer = ask.answer();
                let fate = if answer.close || spoilt { Fate::Closed } else { Fate::Open };
                told.push(ask.interim(), Ok(answer), is_head);
                fate
            }
        };
        if told.fate != Fate::Open {
            return told;
        }
    }
    match script.ending {
        Ending::Garbage(_) => {
            told.push(Interim::Never, Err(400), false);
            told.fate = Fate::Closed;
        }
        Ending::Finish => told.fate = Fate::Closed,
        _ => {}
    }
    told
}

impl Ask {
    /// Whether the content is read: the answer to HEAD needs none of what comes back.
    fn reads(&self) -> bool {
        match self.handler {
            Handler::Echo | Handler::Stream => true,
            Handler::Back => self.method != Method::Head,
            Handler::Unread | Handler::Slow | Handler::Empty | Handler::Fail => false,
        }
    }

    fn interim(&self) -> Interim {
        match self.expect {
            Expect::Patient if self.reads() => Interim::Always,
            Expect::Hasty if self.reads() => Interim::MayBe,
            _ => Interim::Never,
        }
    }

    /// Whether content is left over that is not worth reading, or that may never come.
    fn leaves_content(&self) -> bool {
        let is_long = self.content.is_chunked() || self.content.text().len() > DRAINED;
        !self.reads() && self.content.has_bytes() && (is_long || self.expect != Expect::No)
    }

    /// The answer to the request, if all of it comes.
    fn answer(&self) -> Answer {
        let text = self.content.text();
        let (status, content, has_length) = match self.handler {
            Handler::Echo => (200, text, true),
            Handler::Stream => (200, format!("streamed: {text}"), false),
            Handler::Back => (200, text, !matches!(self.content, Content::Chunks(_))),
            Handler::Unread => (200, "unread".to_owned(), true),
            Handler::Slow => (200, "slow".to_owned(), true),
            Handler::Empty => (204, String::new(), true),
            Handler::Fail => (409, "no".to_owned(), true),
        };
        let is_head = self.method == Method::Head;
        let declared = match content.len() {
            _ if status == 204 => Declared::Nothing,
            // A handler of HEAD may not have made what it would have sent.
            0 if has_length && is_head => Declared::Nothing,
            length if has_length => Declared::Length(length),
            _ if self.is_10 => Declared::Nothing,
            _ => Declared::Chunked,
        };
        let until_close = self.is_10 && !has_length && !is_head;
        let kept = if self.is_10 { self.keep == Some(true) } else { self.keep != Some(false) };
        let close = !kept || until_close || self.leaves_content();
        let content = if is_head { String::new() } else { content };
        Answer { status, declared, content, close, keep_alive: self.is_10 && !close }
    }
}
