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
