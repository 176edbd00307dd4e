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
    use bakestone_testkit::MemoryFiles;

    use super::super::tests::wire;

    /// The head of the answer, and its body.
    fn ask(target: &str, field: &str) -> (String, String) {
        let files = MemoryFiles::new().with("root/digits.txt", "0123456789").with("root/sub/a.html", "a");
        let request = format!("GET {target} HTTP/1.1\r\nHost: a\r\n{field}\r\n");
        let answer = wire().files(files.with("secret", "secret")).feed(request).take_text();
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        (head.to_owned(), body.to_owned())
    }

    #[test]
    fn files_below_the_root() {
        for (target, field, status, body) in [
            ("/file", "", 200, "0123456789"),
            ("/file", "Range: bytes=2-4\r\n", 206, "234"),
            ("/file", "Range: bytes=10-\r\n", 416, "Range Not Satisfiable"),
            ("/file?name=sub%2Fa.html", "", 200, "a"),
            ("/file?name=..%2Fsecret", "", 404, "Not Found"),
            ("/file?name=%2Fsecret", "", 404, "Not Found"),
            ("/file?name=sub", "", 404, "Not Found"),
            ("/file?name=", "", 404, "Not Found"),
            ("/static/digits.txt", "", 200, "0123456789"),
            ("/static/digits.txt", "Range: bytes=-1\r\n", 206, "9"),
            ("/static/../secret", "", 404, "Not Found"),
            ("/static", "", 404, "Not Found"),
        ] {
            let (head, found) = ask(target, field);
            assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{target} {field}\n{head}");
            assert_eq!(found, body, "{target} {field}");
        }
    }

    #[test]
    fn a_name_makes_it_an_attachment() {
        let (head, _) = ask("/file?filename=a%20b.csv", "");
        let disposition = "attachment; filename=\"a b.csv\"; filename*=UTF-8''a%20b.csv";
        assert!(head.contains(&format!("content-disposition: {disposition}\r\n")), "{head}");
        assert!(head.contains("content-type: text/csv; charset=utf-8\r\n"), "{head}");
    }
}
