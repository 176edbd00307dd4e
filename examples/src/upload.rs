//! Several files at once, with a progress bar in the page: `cargo run --bin upload`, then <http://127.0.0.1:8000>.
//!
//! The rule: what a client calls a file is shown to people and never part of a path; and there is a bound for everything: a
//! file, a form, and all that is kept, of which the oldest goes.

use std::collections::VecDeque;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bakestone::app::{Embedded, StaticFiles};
use bakestone::effect::FileError;
use bakestone::{
    App, Context, Error, FileResponse, FormOptions, HeaderValue, Json, Path, Request, Result, State,
    StatusCode, UploadedFile, get, header,
};
use bakestone_std::{ServeError, Server};
use serde::Serialize;

/// Bytes of one file, and of one form.
const FILE: u64 = 32 << 20;
const FORM: u64 = 64 << 20;
/// Files of one form, and all that are kept.
const FILES: usize = 10;
const KEPT: usize = 20;

/// A file as people see it.
#[derive(Clone, Serialize)]
struct Saved {
    id: u64,
    name: String,
    bytes: u64,
}

/// A new folder below the temporary one, which goes with the program.
struct Folder(PathBuf);

impl Folder {
    fn make() -> std::io::Result<Self> {
        let name = |n| format!("bakestone-upload-{}-{n}", std::process::id());
        let mut paths = (0..100).map(|n| std::env::temp_dir().join(name(n)));
        // One that is there already may be anybody's.
        let made = paths.find(|path| fs::create_dir(path).is_ok());
        made.map(Self).ok_or_else(|| std::io::ErrorKind::AlreadyExists.into())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is left to whoever cleans the temporary folder.
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Uploads {
    folder: Folder,
    /// The oldest first.
    files: Mutex<VecDeque<Saved>>,
    next: AtomicU64,
}

impl Uploads {
    async fn start(context: Context) -> Result<Arc<Self>> {
        let folder = context.blocking(Folder::make).await??;
        Ok(Arc::new(Self { folder, files: Mutex::default(), next: AtomicU64::new(1) }))
    }

    fn files(&self) -> MutexGuard<'_, VecDeque<Saved>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, id: u64) -> PathBuf {
        self.folder.0.join(id.to_string())
    }

    /// Keeps what has arrived; whatever there is no more room for goes.
    async fn keep(&self, file: UploadedFile, context: &Context) -> Result<Saved, FileError> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let name = file.safe_filename().unwrap_or_else(|| "unnamed".to_owned());
        let saved = Saved { id, name, bytes: file.size() };
        file.persist(self.path(id)).await?;
        let oldest = {
            let mut files = self.files();
            files.push_back(saved.clone());
            if files.len() > KEPT { files.pop_front() } else { None }
        };
        if let Some(oldest) = oldest {
            context.remove(self.path(oldest.id)).await?;
        }
        Ok(saved)
    }
}

async fn upload(
    State(uploads): State<Arc<Uploads>>,
    mut request: Request,
) -> Result<(StatusCode, Json<Vec<Saved>>)> {
    // Where the files will have their names, so that none of them is copied.
    let options = FormOptions::new().folder(&uploads.folder.0);
    let options = options.form_bytes(FORM).file_bytes(FILE).form_files(FILES).file_memory_bytes(0);
    let (_, files) = request.form_with(options).await?.into_parts();
    let mut saved = Vec::new();
    // A form in which nothing was chosen has an empty file.
    for file in files.into_iter().filter(|file| !file.is_empty()) {
        saved.push(uploads.keep(file, request.context()).await?);
    }
    if saved.is_empty() {
        return Err(Error::bad_request("there is no file in this form"));
    }
    Ok((StatusCode::CREATED, Json(saved)))
}

async fn list(State(uploads): State<Arc<Uploads>>) -> Json<Vec<Saved>> {
    Json(uploads.files().iter().rev().cloned().collect())
}

/// Always to be saved, never to be shown: a page that somebody left here would be one of ours.
async fn download(
    State(uploads): State<Arc<Uploads>>,
    Path(id): Path<u64>,
    request: Request,
) -> Result<FileResponse> {
    let saved = uploads.files().iter().find(|file| file.id == id).cloned();
    let saved = saved.ok_or_else(Error::not_found)?;
    let file = FileResponse::open(request.context(), uploads.path(id)).await?;
    Ok(file.attachment(&saved.name).for_request(&request))
}

async fn remove(
    State(uploads): State<Arc<Uploads>>,
    Path(id): Path<u64>,
    context: Context,
) -> Result<StatusCode> {
    let found = {
        let mut files = uploads.files();
        let at = files.iter().position(|file| file.id == id);
        at.and_then(|at| files.remove(at))
    };
    found.ok_or_else(Error::not_found)?;
    context.remove(uploads.path(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn page() -> StaticFiles {
    let files = Embedded::new()
        .with("index.html", include_str!("upload/page.html"))
        .with("page.js", include_str!("upload/page.js"))
        .with("style.css", include_str!("tour/style.css"))
        .with("icon.svg", include_str!("tour/icon.svg"));
    let policy = HeaderValue::from_static("default-src 'self'");
    StaticFiles::new(files).index("index.html").header(header::CONTENT_SECURITY_POLICY, policy)
}

pub(crate) fn app() -> App {
    App::new()
        .state_from(Uploads::start)
        .route("/files", get(list).post(upload))
        .route("/files/{id:int}", get(download).delete(remove))
        .files("/", page())
}

fn main() -> Result<(), ServeError> {
    let listening = |addresses: &[_]| eprintln!("listening on http://{}", addresses[0]);
    bakestone_tokio::run(app(), Server::new().address("127.0.0.1:8000").on_ready(listening))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bakestone::Bytes;
    use bakestone_testkit::{Client, MemoryFiles, MultipartBody};
    use serde_json::json;

    fn client() -> Client {
        Client::setup().files(MemoryFiles::new()).start(app())
    }

    fn cakes(count: usize) -> MultipartBody {
        let file =
            |form: MultipartBody, n| form.file("files", format!("cake {n}.txt"), "text/plain", "flour");
        (1..=count).fold(MultipartBody::new(), file)
    }

    #[test]
    fn two_files_from_their_coming_to_their_end() {
        let client = client();
        let form = cakes(1).file("files", "../../etc/<b>.html", "text/html", "<script>");
        let (cake, page) = (
            json!({"id": 1, "name": "cake 1.txt", "bytes": 5}),
            json!({"id": 2, "name": "_b_.html", "bytes": 8}),
        );
        client.post("/files").multipart(form).send().expect_status(201).expect_json(&json!([cake, page]));
        client.get("/files").send().expect_json(&json!([page, cake]));
        let mut saved = client.get("/files/2").send();
        saved.expect_status(200).expect_text("<script>");
        assert!(saved.header("content-disposition").starts_with("attachment; filename=\"_b_.html\""));
        client.delete("/files/2").send().expect_status(204);
        client.get("/files/2").send().expect_status(404);
        client.get("/files").send().expect_json(&json!([cake]));
    }

    #[test]
    fn the_oldest_goes_for_the_newest() {
        let client = client();
        for _ in 0..3 {
            client.post("/files").multipart(cakes(FILES)).send().expect_status(201);
        }
        let saved: Vec<serde_json::Value> = client.get("/files").send().json();
        assert_eq!((saved.len(), &saved[0]["id"], &saved[KEPT - 1]["id"]), (KEPT, &json!(30), &json!(11)));
        client.get("/files/10").send().expect_status(404);
        client.get("/files/11").send().expect_status(200);
    }

    #[test]
    fn too_much_is_refused_and_leaves_nothing() {
        let large = Bytes::from(vec![0; FILE as usize + 1]);
        for (form, status) in [
            (cakes(FILES + 1), 413),
            (cakes(1).file("files", "large", "", large), 413),
            (MultipartBody::new().text("files", "no file"), 400),
            (MultipartBody::new().file("files", "", "application/octet-stream", ""), 400),
        ] {
            let client = client();
            client.post("/files").multipart(form).send().expect_status(status);
            client.get("/files").send().expect_json(&json!([]));
        }
    }

    #[test]
    fn its_folder_goes_with_it() {
        let folder = Folder::make().unwrap();
        let path = folder.0.clone();
        assert!(path.is_dir());
        drop(folder);
        assert!(!path.exists());
    }
}
