//! What a test expects of a response; whatever fails prints the transcript, and the handler's own error.

use super::response::ClientResponse;
use crate::transcript::escape;

/// More characters than this of a content are not shown.
const SHOWN: usize = 2_000;

impl ClientResponse {
    /// The status is this one.
    ///
    /// # Panics
    ///
    /// If it is another.
    #[track_caller]
    pub fn expect_status(&mut self, status: u16) -> &mut Self {
        if self.status.as_u16() != status {
            self.fail(&format!("the status {status}, but it is {}", self.status));
        }
        self
    }

    /// There is a field of this name with this value.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[track_caller]
    pub fn expect_header(&mut self, name: &str, value: &str) -> &mut Self {
        let mut values = self.headers.get_all(name).iter();
        if !values.any(|other| other == value) {
            let values: Vec<_> = self.headers.get_all(name).iter().collect();
            self.fail(&format!("{name}: {value}, but of that name there are {values:?}"));
        }
        self
    }

    /// There is no field of this name.
    ///
    /// # Panics
    ///
    /// If there is one.
    #[track_caller]
    pub fn expect_no_header(&mut self, name: &str) -> &mut Self {
        if let Some(value) = self.headers.get(name) {
            self.fail(&format!("no {name}, but there is {value:?}"));
        }
        self
    }

    /// All of the content is this text.
    ///
    /// # Panics
    ///
    /// If it is not, or does not come.
    #[track_caller]
    pub fn expect_text(&mut self, expected: &str) -> &mut Self {
        self.expect_content(&format!("the content\n{expected}\n-- but it is"), |content| content == expected)
    }

    /// The content has this text somewhere.
    ///
    /// # Panics
    ///
    /// If it has not, or does not come.
    #[track_caller]
    pub fn expect_contains(&mut self, expected: &str) -> &mut Self {
        self.expect_content(&format!("{expected:?} in"), |content| content.contains(expected))
    }

    /// There is no content.
    ///
    /// # Panics
    ///
    /// If there is some, or it does not come to an end.
    #[track_caller]
    pub fn expect_empty(&mut self) -> &mut Self {
        self.expect_content("no content, but it is", str::is_empty)
    }

    /// All of the content is JSON of this value, which may be of [`json!`](https://docs.rs/serde_json), a struct, a list.
    ///
    /// # Panics
    ///
    /// If it is not, or does not come.
    #[cfg(feature = "json")]
    #[track_caller]
    pub fn expect_json<T: serde_core::Serialize + ?Sized>(&mut self, expected: &T) -> &mut Self {
        let expected = serde_json::to_value(expected).expect("a value that JSON can hold");
        self.expect_content(&format!("the JSON\n{expected}\n-- but it is"), |content| {
            serde_json::from_str::<serde_json::Value>(content).is_ok_and(|value| value == expected)
        })
    }

    /// The whole response as text for a snapshot: the status, the fields by their names, and all of the content, of which
    /// what is not UTF-8 is escaped. Nothing in it changes from run to run, `Date` included, unless the application does it.
    ///
    /// ```
    /// use bakestone::{App, Text, get};
    /// use bakestone_testkit::Client;
    ///
    /// let client = Client::new(App::new().route("/", get(|| Text("hello"))));
    /// assert_eq!(
    ///     client.get("/").send().snapshot(),
    ///     "HTTP/1.1 200 OK\n\
    ///     content-length: 5\n\
    ///     content-type: text/plain; charset=utf-8\n\
    ///     date: Mon, 01 Jan 2024 00:00:00 GMT\n\
    ///     \n\
    ///     hello"
    /// );
    /// ```
    ///
    /// # Panics
    ///
    /// If the content does not come.
    #[track_caller]
    pub fn snapshot(&mut self) -> String {
        let content = self.bytes();
        let mut fields: Vec<_> = self.headers.iter().collect();
        fields.sort_by_key(|(name, _)| name.as_str());
        let mut text = format!("{:?} {}\n", self.version, self.status);
        for (name, value) in fields {
            text += &format!("{name}: {}\n", as_text(value.as_bytes()));
        }
        text + "\n" + &as_text(&content)
    }

    #[track_caller]
    fn expect_content(&mut self, what: &str, holds: impl FnOnce(&str) -> bool) -> &mut Self {
        let content = match self.collect() {
            Ok(content) => String::from_utf8_lossy(content).into_owned(),
            Err(error) => panic!("{error}"),
        };
        if !holds(&content) {
            self.fail(&format!("{what}\n{}", shown(&content)));
        }
        self
    }

    #[track_caller]
    pub(super) fn fail(&self, what: &str) -> ! {
        let held = self.held();
        panic!("{}\nexpected {what}\n-- the transcript\n{}", held.place(), self.transcript())
    }
}

fn as_text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| escape(bytes), str::to_owned)
}

fn shown(content: &str) -> String {
    match content.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}\n... of {} bytes", &content[..at], content.len()),
        None => content.to_owned(),
    }
}
