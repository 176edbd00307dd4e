//! All examples in one place, each beside its source: `cargo run --bin tour`, then <http://127.0.0.1:8000>.
//!
//! The rule: each example is here as it is alone, mounted and not changed.

#![expect(dead_code, reason = "each example has a `main` of its own")]

use std::fmt::Write;

use bakestone::app::{Embedded, StaticFiles};
use bakestone::{
    App, Error, HeaderMap, HeaderValue, Html, IntoResponse, Path, Result, StatusCode, get, header,
};
use bakestone_std::{ServeError, Server};

mod examples;
mod source;

#[path = "../chat/app.rs"]
mod chat;
#[path = "../hello.rs"]
mod hello;
#[path = "../jobs.rs"]
mod jobs;
#[path = "../json_lines.rs"]
mod json_lines;
#[path = "../proxy.rs"]
mod proxy;
#[path = "../replay.rs"]
mod replay;
#[path = "../shutdown.rs"]
mod shutdown;
#[path = "../site.rs"]
mod site;
#[path = "../ticker.rs"]
mod ticker;
#[path = "../time.rs"]
mod time;
#[path = "../todo.rs"]
mod todo;
#[path = "../upload.rs"]
mod upload;

use examples::{EXAMPLES, Example};
use source::{coloured, escaped};

/// A page of the tour, `up` from where its files are.
fn page(title: &str, up: &str, content: &str) -> impl IntoResponse + use<> {
    let html = format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="icon" href="{up}icon.svg">
<link rel="stylesheet" href="{up}style.css">
</head>
<body class="tour">
{content}</body>
</html>
"#
    );
    let policy = HeaderValue::from_static("default-src 'self'");
    (StatusCode::OK, HeaderMap::from_iter([(header::CONTENT_SECURITY_POLICY, policy)]), Html(html))
}

fn index() -> impl IntoResponse {
    let mut cards = String::new();
    for Example { name, title, words, paths, command, .. } in EXAMPLES {
        let open = match paths {
            [] => String::new(),
            [first, ..] => {
                format!("<a href=\"{name}/{first}\">Open <span class=\"unseen\">{title}</span></a>")
            }
        };
        let _ = write!(
            cards,
            "<li class=\"card\"><h2><a href=\"show/{name}\">{title}</a></h2><p>{words}</p>\
             <p class=\"row small\"><code class=\"soft wide\">{command}</code>{open}</p></li>"
        );
    }
    let content = format!(
        "<main><h1><img src=\"icon.svg\" alt=\"\">Bakestone by example</h1>\
         <p class=\"soft\">A bakestone has no heat of its own, and Bakestone no sockets and no clock: these programs are served here by \
         tokio, and tested in memory. Each is one file, beside its page if it has one.</p>\
         <ul class=\"cards\">\n{cards}</ul></main>\n"
    );
    page("Bakestone by example", "", &content)
}

async fn show(Path(name): Path<String>) -> Result<impl IntoResponse> {
    let example = EXAMPLES.iter().find(|example| example.name == name).ok_or_else(Error::not_found)?;
    let Example { name, title, words, .. } = example;
    let content = format!(
        "<main><nav><a href=\"../\">All examples</a></nav><h1>{title}</h1><p>{words}</p>\
         <div class=\"beside\"><div class=\"live\">{}</div><div class=\"source\">{}</div></div></main>\n",
        live(example),
        sources(example)
    );
    Ok(page(&format!("{title}: {name}"), "../", &content))
}

/// The example itself, where there is something to see.
fn live(Example { name, title, command, paths, files, .. }: &Example) -> String {
    let is_page = files.iter().any(|(name, _)| name.ends_with(".html"));
    let class = if is_page { "page" } else { "short" };
    let mut html = match paths {
        [] => "<p class=\"soft\">This one brings its own sockets, so it is not mounted here: start it by itself.</p>"
            .to_owned(),
        [first, ..] => {
            format!("<iframe class=\"{class}\" src=\"../{name}/{first}\" title=\"{title}\"></iframe>")
        }
    };
    html.push_str("<p class=\"row small\">");
    for path in *paths {
        let _ = write!(html, "<a href=\"../{name}/{path}\">/{name}/{path}</a>");
    }
    let _ = write!(html, "</p><p><code>{command}</code></p>");
    html
}

fn sources(example: &Example) -> String {
    let mut html = String::new();
    for (name, text) in example.files {
        let text = if name.ends_with(".rs") { coloured(text) } else { escaped(text) };
        let _ = write!(html, "<h2><code>{name}</code></h2><pre tabindex=\"0\"><code>{text}</code></pre>");
    }
    html
}

/// All of it, served at `address`.
fn app(address: &str) -> App {
    let files = Embedded::new()
        .with("style.css", include_str!("style.css"))
        .with("icon.svg", include_str!("icon.svg"));
    App::new()
        .route("/", get(index))
        .route("/show/{name}", get(show))
        .files("/", StaticFiles::new(files))
        .mount("/hello", hello::app())
        .mount("/todo", todo::app())
        .mount("/chat", chat::app())
        .mount("/ticker", ticker::app())
        .mount("/upload", upload::app())
        .mount("/jobs", jobs::app())
        .mount("/site", site::app())
        .mount("/json-lines", json_lines::app())
        .mount("/time", time::app())
        .mount("/shutdown", shutdown::app())
        .mount("/replay", replay::app())
        .mount("/proxy", proxy::app(address))
}

fn main() -> Result<(), ServeError> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8000".to_owned());
    let server = Server::new().address(address).bind()?;
    let address = server.local_addr().map(|address| address.to_string()).unwrap_or_default();
    let application = app(&address);
    bakestone_tokio::run(application, server.on_ready(move |_| eprintln!("listening on http://{address}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bakestone_testkit::{Client, FolderFiles};

    fn client() -> Client {
        let files = FolderFiles::new(concat!(env!("CARGO_MANIFEST_DIR"), "/site")).unwrap();
        Client::setup().files(files).start(app("127.0.0.1:1"))
    }

    /// Where the links of `html` lead, which stands at `path`.
    fn links(path: &str, html: &str) -> Vec<String> {
        let folder = &path[..=path.rfind('/').unwrap()];
        let parts = html.split("href=\"").chain(html.split("src=\"")).filter(|part| !part.starts_with('<'));
        let links = parts.filter_map(|part| part.split_once('"')).map(|(link, _)| link);
        links
            .map(|link| match link.strip_prefix("../") {
                Some(link) => format!("/{link}"),
                None => format!("{folder}{link}"),
            })
            .collect()
    }

    #[test]
    fn each_example_is_told_of_with_its_source() {
        let client = client();
        let mut index = client.get("/").send();
        for Example { name, title, words, files, .. } in EXAMPLES {
            index.expect_contains(&format!("<a href=\"show/{name}\">{title}</a>")).expect_contains(words);
            let mut shown = client.get(format!("/show/{name}")).send();
            shown.expect_status(200).expect_header("content-security-policy", "default-src 'self'");
            for (name, text) in *files {
                let line = text.lines().next().unwrap();
                shown.expect_contains(name).expect_contains(&escaped(line));
            }
        }
        client.get("/show/nothing").send().expect_status(404);
    }

    #[test]
    fn each_link_leads_somewhere() {
        let client = client();
        let pages = EXAMPLES.iter().map(|example| format!("/show/{}", example.name));
        for page in pages.chain(["/".to_owned()]) {
            let html = client.get(&page).send().text();
            for link in links(&page, &html) {
                // What is behind the proxy is behind a socket.
                if !link.starts_with("/proxy/") {
                    client.get(&link).send().expect_status(200);
                }
            }
        }
    }
}
