//! The servers that are in this program: each is run as a process, `bakestone-file-peers serve NAME FOLDER`.
//!
//! The rule: one worker thread; it tells its address in a line, and ends when whoever started it is gone.

use std::error::Error;
use std::io::Read;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::ExitCode;

use bakestone_std::Server;
use bakestone_std::bakestone::App;
use bakestone_std::bakestone::app::StaticFiles;
use tower_http::services::ServeDir;

use crate::servers::Kind;

/// The word that makes this program a server.
pub(crate) const COMMAND: &str = "serve";

/// Serves the files of a folder.
pub(crate) fn run(name: &str, folder: PathBuf) -> ExitCode {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    match serve(name, folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{name}: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn serve(name: &str, folder: PathBuf) -> Result<(), Box<dyn Error>> {
    let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name).ok_or("no such server")?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    let app = App::new().files("/", StaticFiles::folder(folder.clone()));
    match kind {
        Kind::Tokio => bakestone_tokio::run(app, Server::new().listener(listener))?,
        Kind::Smol => bakestone_smol::run(app, Server::new().listener(listener))?,
        Kind::Std => bakestone_std::run(app, Server::new().listener(listener))?,
        Kind::Axum => axum(listener, folder)?,
        Kind::Nginx | Kind::NginxCopying => return Err("it is a program of its own".into()),
    }
    Ok(())
}

fn axum(listener: TcpListener, folder: PathBuf) -> std::io::Result<()> {
    use axum::serve::ListenerExt;

    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let listener = listener.tap_io(|stream| _ = stream.set_nodelay(true));
        axum::serve(listener, axum::Router::new().fallback_service(ServeDir::new(folder))).await
    })
}
