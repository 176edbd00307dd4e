//! A form of several parts, as browsers write it (HTML Standard, section 4.10.21.8; RFC 7578).
//!
//! The rule: names and file names are escaped as browsers do, so that no part can be taken for another; all else is written
//! as it is given.
//!
//! ```text
//! body = *( "--" boundary CRLF head CRLF content CRLF ) "--" boundary "--" CRLF
//! head = 'Content-Disposition: form-data; name="' name '"' [ '; filename="' filename '"' ] CRLF
//!        [ "Content-Type: " type CRLF ]
//! ```

use bakestone::Bytes;

/// A form of several parts, that a request [takes](super::ClientRequest::multipart).
///
/// ```
/// use bakestone_testkit::client::MultipartBody;
///
/// let form = MultipartBody::new().text("title", "scones").file("photo", "\"best\".jpg", "image/jpeg", "...");
/// let (content_type, body) = form.encode(7);
/// assert!(content_type.starts_with("multipart/form-data; boundary="));
/// let body = String::from_utf8(body.to_vec()).unwrap();
/// assert!(body.contains("form-data; name=\"title\"\r\n\r\nscones\r\n"));
/// assert!(body.contains("name=\"photo\"; filename=\"%22best%22.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n...\r\n"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct MultipartBody {
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
struct Part {
    name: String,
    file_name: Option<String>,
    content_type: Option<String>,
    content: Bytes,
}

impl MultipartBody {
    /// A form without parts.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with a field after those that are there.
    #[must_use]
    pub fn text(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.part(name.into(), None, None, value.into().into())
    }

    /// The same with a file: its field's name, its own name, its type, and what is in it.
    #[must_use]
    pub fn file(
        self,
        name: impl Into<String>,
        file_name: impl Into<String>,
        content_type: impl Into<String>,
        content: impl Into<Bytes>,
    ) -> Self {
        self.part(name.into(), Some(file_name.into()), Some(content_type.into()), content.into())
    }

    /// The same with a field that has a type, and is no file.
    #[must_use]
    pub fn typed(
        self,
        name: impl Into<String>,
        content_type: impl Into<String>,
        content: impl Into<Bytes>,
    ) -> Self {
        self.part(name.into(), None, Some(content_type.into()), content.into())
    }

    fn part(
        mut self,
        name: String,
        file_name: Option<String>,
        content_type: Option<String>,
        content: Bytes,
    ) -> Self {
        self.parts.push(Part { name, file_name, content_type, content });
        self
    }

    /// The value of `Content-Type`, and the content, with a boundary that is made of `seed` and in none of the parts.
    pub fn encode(&self, seed: u64) -> (String, Bytes) {
        let boundary = self.boundary(seed);
        let mut body = Vec::new();
        for part in &self.parts {
            body.extend_from_slice(part.head(&boundary).as_bytes());
            body.extend_from_slice(&part.content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        (format!("multipart/form-data; boundary={boundary}"), body.into())
    }

    fn boundary(&self, seed: u64) -> String {
        let is_in = |boundary: &str| {
            let mut parts = self.parts.iter();
            parts.any(|part| part.content.windows(boundary.len()).any(|window| window == boundary.as_bytes()))
        };
        let mut seed = seed;
        loop {
            let boundary = format!("----bakestone{seed:016x}");
            if !is_in(&boundary) {
                return boundary;
            }
            seed = seed.wrapping_add(1);
        }
    }
}

impl Part {
    fn head(&self, boundary: &str) -> String {
        let mut head =
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"", escaped(&self.name));
        if let Some(file_name) = &self.file_name {
            head += &format!("; filename=\"{}\"", escaped(file_name));
        }
        if let Some(content_type) = &self.content_type {
            head += &format!("\r\nContent-Type: {}", content_type.replace(['\r', '\n'], " "));
        }
        head + "\r\n\r\n"
    }
}

fn escaped(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}
