//! The rows about forms of several parts, and their files.
//!
//! The rule: a file is never held whole; its checksum is made piece by piece.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bakestone::message::Part;
use bakestone::{Body, FormData, FormOptions, Json, Multipart, Request, Result, State, Text, multipart};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::profiles::hex;

/// Where `/upload` saves, and how many it has saved.
#[derive(Clone)]
pub(crate) struct Uploads {
    folder: Arc<Path>,
    count: Arc<AtomicU64>,
}

impl Uploads {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.into(), count: Arc::default() }
    }

    /// No two requests have the same, whatever server saves there.
    fn fresh_path(&self, request: &Request) -> PathBuf {
        let seed = request.context().connection().seed;
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        self.folder.join(format!("bakestone-upload-{seed:016x}-{count}"))
    }
}

/// What a field of `/multipart` may hold, in bytes: as much as the form.
const MOST_PART_BYTES: usize = 10 << 20;

pub(super) async fn form_files(form: FormData) -> Result<Json<Value>> {
    let (fields, files) = form.into_parts();
    let mut described = Vec::new();
    for file in files {
        let mut described_file = json!({
            "name": file.name(), "filename": file.filename(), "size": file.size(),
            "content_type": file.head().field("content-type").map(String::from_utf8_lossy),
        });
        described_file["sha256"] = checksum(file.stream()).await?.into();
        described.push(described_file);
    }
    Ok(Json(json!({"fields": fields, "files": described})))
}

/// The SHA-256 of what comes piece by piece, and its length.
#[derive(Default)]
pub(super) struct Checksum {
    digest: Sha256,
    length: u64,
}

impl Checksum {
    pub(super) fn add(&mut self, piece: &[u8]) {
        self.digest.update(piece);
        self.length += piece.len() as u64;
    }

    /// The length, and the sum in hexadecimal digits.
    pub(super) fn finish(self) -> (u64, String) {
        (self.length, hex(&self.digest.finalize()))
    }
}

async fn checksum(mut body: Body) -> Result<String> {
    let mut checksum = Checksum::default();
    while let Some(piece) = body.chunk().await? {
        checksum.add(&piece);
    }
    Ok(checksum.finish().1)
}

pub(super) async fn parts(mut parts: Multipart) -> Result<Json<Vec<Value>>> {
    let mut described = Vec::new();
    while let Some(mut part) = parts.next().await? {
        let data = hex(&part.bytes(MOST_PART_BYTES).await?);
        described.push(json!({
            "name": part.name(), "filename": part.filename(), "content_type": content_type(&part), "data_hex": data,
        }));
    }
    Ok(Json(described))
}

fn content_type<'a>(part: &'a Part<'_>) -> Option<Cow<'a, str>> {
    part.head().field("content-type").map(String::from_utf8_lossy)
}

pub(super) async fn count(mut request: Request) -> Result<Json<Value>> {
    let mut limits = multipart::Limits::default();
    limits.total_bytes = u64::MAX;
    let mut parts = request.multipart_with(limits)?;
    let mut described = Vec::new();
    while let Some(mut part) = parts.next().await? {
        let mut size = 0;
        while let Some(piece) = part.chunk().await? {
            size += piece.len();
        }
        described.push(json!({
            "name": part.name(), "filename": part.filename(), "content_type": content_type(&part), "size": size,
        }));
    }
    Ok(Json(json!({"parts": described})))
}

/// Saves the field `file` under a name that nobody else knows of, and answers with it.
pub(super) async fn upload(State(uploads): State<Uploads>, mut request: Request) -> Result<Text<String>> {
    let options = FormOptions::new().form_bytes(u64::MAX).folder(&*uploads.folder);
    let file = request.form_with(options).await?.file("file")?;
    let path = uploads.fresh_path(&request);
    let answer = path.display().to_string();
    file.persist(path).await?;
    Ok(Text(answer))
}

#[cfg(test)]
mod tests {
    use bakestone_testkit::{Client, ClientResponse, MemoryFiles};

    use super::super::tests::service;
    use super::*;

    const URLENCODED: &str = "application/x-www-form-urlencoded";
    const MULTIPART: &str = "multipart/form-data; boundary=b";

    fn client(files: &MemoryFiles) -> Client {
        Client::setup().files(files.clone()).start(service())
    }

    fn post(client: &Client, target: &str, content_type: &str, body: &str) -> ClientResponse {
        client.post(target).header("content-type", content_type).body(body.to_owned()).send()
    }

    /// The form of these parts: what each says of itself, and its data.
    fn form(parts: &[(&str, &str)]) -> String {
        let part = |(says, data): &(&str, &str)| {
            format!("--b\r\nContent-Disposition: form-data; {says}\r\n\r\n{data}\r\n")
        };
        parts.iter().map(part).collect::<String>() + "--b--\r\n"
    }

    fn sum(bytes: &[u8]) -> String {
        hex(&Sha256::digest(bytes))
    }

    #[test]
    fn what_is_told_of_a_form() {
        let large = "x".repeat((1 << 20) + 1);
        let parts = form(&[
            ("name=\"a\"", "1"),
            ("name=\"f\"; filename=\"../f.txt\"\r\nContent-Type: text/plain; charset=x", "two"),
            ("name=\"a\"", "\u{e9}"),
            ("name=\"g\"; filename=\"\"", &large),
        ]);
        let of_type = "text/plain; charset=x";
        let fields_and_files = json!({
            "fields": [["a", "1"], ["a", "\u{e9}"]],
            "files": [
                {"name": "f", "filename": "../f.txt", "content_type": of_type, "size": 3, "sha256": sum(b"two")},
                {"name": "g", "filename": "", "content_type": null, "size": large.len(),
                    "sha256": sum(large.as_bytes())},
            ],
        });
        let counted = json!({"parts": [
            {"name": "a", "filename": null, "content_type": null, "size": 1},
            {"name": "f", "filename": "../f.txt", "content_type": of_type, "size": 3},
            {"name": "a", "filename": null, "content_type": null, "size": 2},
            {"name": "g", "filename": "", "content_type": null, "size": large.len()},
        ]});
        let whole = json!([
            {"name": "a", "filename": null, "content_type": null, "data_hex": "31"},
            {"name": "f", "filename": "../f.txt", "content_type": of_type, "data_hex": "74776f"},
            {"name": "a", "filename": null, "content_type": null, "data_hex": "c3a9"},
            {"name": "g", "filename": "", "content_type": null, "data_hex": hex(large.as_bytes())},
        ]);
        let files = MemoryFiles::new();
        let client = client(&files);
        for (target, content_type, body, expected) in [
            ("/form-files", MULTIPART, &parts[..], fields_and_files),
            (
                "/form-files",
                URLENCODED,
                "a=1&b=+&a=",
                json!({"fields": [["a", "1"], ["b", " "], ["a", ""]], "files": []}),
            ),
            ("/form-files", MULTIPART, "--b--\r\n", json!({"fields": [], "files": []})),
            ("/multipart-count", MULTIPART, &parts, counted),
            ("/multipart", MULTIPART, &parts, whole),
            ("/multipart", MULTIPART, "--b--", json!([])),
        ] {
            post(&client, target, content_type, body).expect_status(200).expect_json(&expected);
        }
        assert_eq!((files.temporaries(), files.paths().len()), (0, 0));
    }

    #[test]
    fn what_is_refused() {
        let files = MemoryFiles::new();
        let client = client(&files);
        let cut = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\ndata";
        let much = form(&[("name=\"file\"; filename=\"f\"", &"x".repeat(10 << 20))]);
        for (target, content_type, body, expected) in [
            ("/form-files", "text/plain", "a=1", 415),
            ("/form-files", MULTIPART, cut, 400),
            ("/form-files", MULTIPART, &much, 413),
            ("/multipart", URLENCODED, "a=1", 415),
            ("/multipart", "multipart/form-data", cut, 400),
            ("/multipart", MULTIPART, cut, 400),
            ("/multipart", MULTIPART, &much, 413),
            ("/multipart-count", MULTIPART, cut, 400),
            ("/multipart-count", MULTIPART, &much, 200),
            ("/upload", MULTIPART, cut, 400),
            ("/upload", MULTIPART, &form(&[]), 400),
            ("/upload", MULTIPART, &form(&[("name=\"file\"", "x")]), 400),
            ("/upload", MULTIPART, &form(&[("name=\"f\"; filename=\"f\"", "x")]), 400),
            ("/upload", URLENCODED, "file=x", 400),
        ] {
            post(&client, target, content_type, body).expect_status(expected);
        }
        assert_eq!((files.temporaries(), files.paths().len()), (0, 0));
    }

    #[test]
    fn an_upload_is_saved_under_a_fresh_name() {
        let large = "x".repeat(11 << 20);
        for data in ["small", &large] {
            let files = MemoryFiles::new();
            let form = form(&[("name=\"file\"; filename=\"../f\"", data), ("name=\"a\"", "1")]);
            let path = post(&client(&files), "/upload", MULTIPART, &form).expect_status(200).text();
            assert!(path.starts_with("uploads/bakestone-upload-"), "{path}");
            assert!(files.get(&path).unwrap() == data.as_bytes(), "{path}");
            assert_eq!(files.temporaries(), 0);
            // The same seed and the same count, since each is asked of an application of its own.
            let mut again = post(&client(&files), "/upload", MULTIPART, &form);
            again.expect_status(500);
            assert!(files.get(&path).unwrap() == data.as_bytes(), "what is there is not replaced");
        }
    }
}
