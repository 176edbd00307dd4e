//! How an error looks to its client.
//!
//! The rule: outside of debug a client sees the status, the message, the fields and the code of an error, and nothing
//! of its causes; and whatever is written into markup is escaped.
//!
//! | `Accept` prefers | the form |
//! |---|---|
//! | `text/html` | a page |
//! | `application/problem+json`, `application/json` | problem details (RFC 9457) |
//! | anything else, anything at all, or is missing or malformed | the message as plain text |
//!
//! Between those that are preferred alike, the more specific speaks, and then the first: see
//! [`Accept::best`](crate::http::Accept::best).

use std::fmt::{self, Write};
use std::sync::Arc;

use http::header::{ACCEPT, CONTENT_TYPE, VARY};
use http::{HeaderValue, StatusCode};

use crate::error::{Error, Result, phrase};
use crate::http::Accept;
use crate::message::{Asked, Response};

/// What may be shown in debug, beside the error and the request.
#[derive(Clone, Copy)]
pub(super) struct Inside<'a> {
    /// The pattern of the route that was to answer, if there was one.
    pub(super) route: Option<&'a str>,
}

/// The response for an error that no handler renders; `inside` in debug.
pub(super) fn render(error: Arc<Error>, asked: Option<&Asked>, inside: Option<Inside<'_>>) -> Response {
    let details = inside.map(|inside| Details::new(&error, asked, inside));
    let mut response = match (Form::of(asked), details) {
        (Form::Text, None) => error.as_text(),
        (form, details) => form.response(&error, details.as_ref()),
    };
    if asked.is_some() {
        response.headers.append(VARY, ACCEPT.into());
    }
    note(error, response)
}

/// The response for an error that a handler rendered: it keeps the error's status unless it sets one, and the
/// fields that go with it. A handler that fails gives way to a bare 500.
pub(super) fn finish(error: Arc<Error>, rendered: Result<Response>) -> Response {
    let Ok(mut response) = rendered else {
        return note(error, Error::internal().into_response());
    };
    if response.status == StatusCode::OK {
        response.status = error.status();
    }
    error.add_fields(&mut response);
    note(error, response)
}

/// Leaves the error where middleware, and tests, find it.
fn note(error: Arc<Error>, mut response: Response) -> Response {
    response.extensions.insert(error);
    response
}

/// The form in which an error is told.
#[derive(Clone, Copy)]
enum Form {
    Text,
    Html,
    Problem,
}

impl Form {
    const OFFERS: [(&'static str, Self); 4] = [
        ("text/plain", Self::Text),
        ("text/html", Self::Html),
        ("application/problem+json", Self::Problem),
        ("application/json", Self::Problem),
    ];

    fn of(asked: Option<&Asked>) -> Self {
        let field = asked.and_then(Asked::accept);
        let offers = Self::OFFERS.map(|(media_type, _)| media_type);
        let best = field.as_deref().and_then(Accept::parse).and_then(|accept| accept.best(&offers));
        best.and_then(|place| Self::OFFERS.get(place)).map_or(Self::Text, |(_, form)| *form)
    }

    fn response(self, error: &Error, details: Option<&Details>) -> Response {
        let (content_type, body) = match self {
            Self::Text => ("text/plain; charset=utf-8", text(error, details)),
            Self::Html => ("text/html; charset=utf-8", page(error, details)),
            Self::Problem => ("application/problem+json", problem(error, details)),
        };
        let mut response = Response::new(body)
            .with_status(error.status())
            .with_header(CONTENT_TYPE, HeaderValue::from_static(content_type));
        error.add_fields(&mut response);
        response
    }
}

/// What is shown in debug.
struct Details {
    /// The method and the target.
    request: Option<String>,
    route: Option<String>,
    code: Option<String>,
    causes: Vec<Cause>,
}

/// A cause, in its words for people and for programmers.
struct Cause {
    text: String,
    debug: String,
}

impl Details {
    fn new(error: &Error, asked: Option<&Asked>, inside: Inside<'_>) -> Self {
        let causes = error.causes().map(|cause| Cause {
            text: print(format_args!("{cause}")),
            debug: print(format_args!("{cause:#?}")),
        });
        Self {
            request: asked.map(|asked| format!("{} {}", asked.method, asked.uri)),
            route: inside.route.map(str::to_owned),
            code: error.code().map(str::to_owned),
            causes: causes.collect(),
        }
    }

    /// The names and the values of all there is.
    fn rows(&self) -> impl Iterator<Item = (&'static str, String)> {
        let request = self.request.iter().map(|request| ("request", request.clone()));
        let route = self.route.iter().map(|route| ("route", route.clone()));
        let code = self.code.iter().map(|code| ("code", code.clone()));
        let causes = self.causes.iter().map(|Cause { text, debug }| ("cause", format!("{text}\n{debug}")));
        request.chain(route).chain(code).chain(causes)
    }
}

/// As `format!`, which would panic where a cause cannot print itself.
fn print(text: fmt::Arguments<'_>) -> String {
    let mut printed = String::new();
    let _ = printed.write_fmt(text);
    printed
}

fn title(status: StatusCode) -> String {
    format!("{} {}", status.as_u16(), phrase(status))
}

fn text(error: &Error, details: Option<&Details>) -> String {
    let mut text = error.message().to_owned();
    if let Some(details) = details {
        text += &format!("\n\nstatus: {}\n", title(error.status()));
        text.extend(details.rows().map(|(name, value)| format!("{name}: {}\n", value.replace('\n', "\n  "))));
    }
    text
}

/// Without colours of its own, so that it is light or dark as its reader likes it.
const STYLE: &str = ":root{color-scheme:light dark}\
    body{font:1rem/1.5 system-ui,sans-serif;max-width:45rem;margin:4rem auto;padding:0 1rem}\
    p,pre{overflow-wrap:anywhere;white-space:pre-wrap}dt{font-weight:bold}dd{margin:0}";

fn page(error: &Error, details: Option<&Details>) -> String {
    let (title, message) = (title(error.status()), Escaped(error.message()));
    let mut body = format!("<h1>{title}</h1>\n");
    if error.message() != phrase(error.status()) {
        body += &format!("<p>{message}</p>\n");
    }
    if let Some(details) = details {
        let row =
            |(name, value): (_, String)| format!("<dt>{name}</dt><dd><pre>{}</pre></dd>\n", Escaped(&value));
        body += &format!("<dl>\n{}</dl>\n", details.rows().map(row).collect::<String>());
    }
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )
}

/// Problem details (RFC 9457, section 3). The title is that of the status; the detail is left out where it would say
/// the same.
fn problem(error: &Error, details: Option<&Details>) -> String {
    let (status, title) = (error.status().as_u16(), phrase(error.status()));
    let kind = match error.code() {
        None => "about:blank".to_owned(),
        Some(uri) if uri.contains(':') => uri.to_owned(),
        Some(name) => format!("urn:bakestone:{name}"),
    };
    let mut problem = format!(r#"{{"type":{},"title":{},"status":{status}"#, Json(&kind), Json(title));
    if error.message() != title {
        problem += &format!(r#","detail":{}"#, Json(error.message()));
    }
    if let Some(Details { request, route, causes, .. }) = details {
        for (name, value) in [("request", request), ("route", route)] {
            if let Some(value) = value {
                problem += &format!(r#","{name}":{}"#, Json(value));
            }
        }
        let cause =
            |Cause { text, debug }: &_| format!(r#"{{"text":{},"debug":{}}}"#, Json(text), Json(debug));
        problem += &format!(r#","causes":[{}]"#, causes.iter().map(cause).collect::<Vec<_>>().join(","));
    }
    problem + "}"
}

/// A text in markup, in an element or in a quoted attribute.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            other => f.write_char(other),
        })
    }
}

/// A text as a JSON string (RFC 8259, section 7).
struct Json<'a>(&'a str);

impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        self.0.chars().try_for_each(|character| match character {
            '"' | '\\' => write!(f, "\\{character}"),
            control if u32::from(control) < 0x20 => write!(f, "\\u{:04x}", u32::from(control)),
            other => f.write_char(other),
        })?;
        f.write_char('"')
    }
}
