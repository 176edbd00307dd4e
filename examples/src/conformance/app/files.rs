//! The rows about files below `--root`.

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use bakestone::app::StaticFiles;
use bakestone::message::FileResponse;
use bakestone::{Request, Result, State};

/// The folder whose files are served.
#[derive(Clone)]
pub(super) struct Root(Arc<[PathBuf]>);

impl Root {
    pub(super) fn new(root: &FilePath) -> Self {
        Self([root.to_owned()].into())
    }
}

/// The files of `root`.
pub(super) fn folder(root: &FilePath) -> StaticFiles {
    StaticFiles::folder(root)
}

/// What is not there is 404, and so is what lies elsewhere.
pub(super) async fn file(State(Root(roots)): State<Root>, request: Request) -> Result<FileResponse> {
    let query = request.query();
    let path = PathBuf::from(query.get("name").unwrap_or("digits.txt"));
    let opened = FileResponse::open_below(request.context(), roots, vec![path], false).await;
    let (file, _) = opened.map_err(FileResponse::error)?;
    let file = file.for_request(&request);
    Ok(match query.get("filename") {
        Some(name) => file.attachment(name),
        None => file,
    })
}

#[cfg(test)]
mod tests {
    use bakestone_testkit::{Client, MemoryFiles};

    use super::super::tests::service;

    fn client() -> Client {
        let files = MemoryFiles::new().with("root/digits.txt", "0123456789").with("root/sub/a.html", "a");
        Client::setup().files(files.with("secret", "secret")).start(service())
    }

    #[test]
    fn files_below_the_root() {
        let client = client();
        for (target, range, status, body) in [
            ("/file", None, 200, "0123456789"),
            ("/file", Some("bytes=2-4"), 206, "234"),
            ("/file", Some("bytes=10-"), 416, "Range Not Satisfiable"),
            ("/file?name=sub%2Fa.html", None, 200, "a"),
            ("/file?name=..%2Fsecret", None, 404, "Not Found"),
            ("/file?name=%2Fsecret", None, 404, "Not Found"),
            ("/file?name=sub", None, 404, "Not Found"),
            ("/file?name=", None, 404, "Not Found"),
            ("/static/digits.txt", None, 200, "0123456789"),
            ("/static/digits.txt", Some("bytes=-1"), 206, "9"),
            ("/static/../secret", None, 404, "Not Found"),
            ("/static", None, 404, "Not Found"),
        ] {
            let request = client.get(target);
            let request = match range {
                Some(range) => request.header("range", range),
                None => request,
            };
            request.send().expect_status(status).expect_text(body);
        }
    }

    #[test]
    fn a_name_makes_it_an_attachment() {
        let mut response = client().get("/file?filename=a%20b.csv").send();
        response.expect_status(200).expect_text("0123456789");
        response.expect_header("content-type", "text/csv; charset=utf-8");
        response.expect_header(
            "content-disposition",
            "attachment; filename=\"a b.csv\"; filename*=UTF-8''a%20b.csv",
        );
    }
}
