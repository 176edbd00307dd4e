//! The programs that are built: each answers `GET /plaintext` with the same words.
//!
//! The rule: each is as its toolkit's documentation begins, once with the features that it has by itself, and once with
//! those alone that the program cannot go without.

use std::fs;
use std::path::Path;

/// A program, and what it depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hello {
    pub(crate) name: &'static str,
    /// Lines of `[dependencies]`; `REPOSITORY` stands for the folder of this one.
    dependencies: &'static str,
    source: &'static str,
    /// Whether the lock file of this repository says which releases it takes.
    is_own: bool,
}

/// The folder of this repository.
const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../..");

const BAKESTONE: &str = r#"use bakestone_tokio::bakestone::{App, Text, get};
use bakestone_tokio::{ServeError, Server};

fn main() -> Result<(), ServeError> {
    let app = App::new().route("/plaintext", get(|| Text("Hello, World!")));
    bakestone_tokio::run(app, Server::new().address(std::env::args().nth(1).unwrap()))
}
"#;

const AXUM: &str = r#"use axum::{Router, routing::get};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let app = Router::new().route("/plaintext", get(|| async { "Hello, World!" }));
    let listener = tokio::net::TcpListener::bind(std::env::args().nth(1).unwrap()).await?;
    axum::serve(listener, app).await
}
"#;

const ACTIX: &str = r#"use actix_web::{App, HttpServer, Responder, web};

async fn hello() -> impl Responder {
    "Hello, World!"
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let server = HttpServer::new(|| App::new().route("/plaintext", web::get().to(hello)));
    server.bind(std::env::args().nth(1).unwrap())?.run().await
}
"#;

/// All of them, in the order of the table.
pub(crate) const ALL: [Hello; 6] = [
    Hello {
        name: "bakestone-tokio",
        dependencies: "bakestone-tokio = { path = \"REPOSITORY/adapters/tokio\" }",
        source: BAKESTONE,
        is_own: true,
    },
    Hello {
        name: "bakestone-tokio-least",
        dependencies: "bakestone-tokio = { path = \"REPOSITORY/adapters/tokio\", default-features = false }",
        source: BAKESTONE,
        is_own: true,
    },
    Hello {
        name: "axum",
        dependencies: "axum = \"=0.8.9\"\ntokio = { version = \"1\", features = [\"full\"] }",
        source: AXUM,
        is_own: false,
    },
    Hello {
        name: "axum-least",
        dependencies: "axum = { version = \"=0.8.9\", default-features = false, features = [\"http1\", \"tokio\"] }\n\
                       tokio = { version = \"1\", features = [\"macros\", \"net\", \"rt-multi-thread\"] }",
        source: AXUM,
        is_own: false,
    },
    Hello { name: "actix-web", dependencies: "actix-web = \"=4.18.1\"", source: ACTIX, is_own: false },
    Hello {
        name: "actix-web-least",
        dependencies: "actix-web = { version = \"=4.18.1\", default-features = false, features = [\"macros\"] }",
        source: ACTIX,
        is_own: false,
    },
];

impl Hello {
    /// Writes the package into a folder that is there.
    pub(super) fn write(&self, folder: &Path) -> std::io::Result<()> {
        let dependencies = self.dependencies.replace("REPOSITORY", REPOSITORY);
        let manifest = format!(
            "[package]\nname = \"hello\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [dependencies]\n{dependencies}\n"
        );
        fs::create_dir_all(folder.join("src"))?;
        fs::write(folder.join("Cargo.toml"), manifest)?;
        fs::write(folder.join("src/main.rs"), self.source)?;
        if self.is_own {
            fs::copy(Path::new(REPOSITORY).join("Cargo.lock"), folder.join("Cargo.lock"))?;
        }
        Ok(())
    }
}
