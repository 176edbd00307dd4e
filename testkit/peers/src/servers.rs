//! The servers, each started on loopback, in this process.

mod actix;
mod axum;
mod handlers;
mod hyper;
mod service;

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::thread;

use bakestone_testkit::cases::{self, Case, Turn};

/// A server that the cases are run against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    /// This project, on tokio.
    Bakestone,
    Hyper,
    Axum,
    Actix,
}

impl Server {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Bakestone, Self::Hyper, Self::Axum, Self::Actix];

    /// The name of its package.
    pub(crate) fn package(self) -> &'static str {
        match self {
            Self::Bakestone => "bakestone-tokio",
            Self::Hyper => "hyper",
            Self::Axum => "axum",
            Self::Actix => "actix-web",
        }
    }

    /// Whether a handler is told of trailers.
    pub(crate) fn tells_trailers(self) -> bool {
        self != Self::Actix
    }

    /// Whether it can be asked at all: actix-web hands a connection over to WebSocket alone.
    pub(crate) fn can_be_asked(self, case: &Case) -> bool {
        let is_upgrade = |turn: &Turn| turn.request.windows(10).any(|piece| piece == b" /upgrade ");
        self != Self::Actix || !case.turns.iter().any(is_upgrade)
    }

    /// Starts it, for as long as this process runs; where it listens.
    ///
    /// # Errors
    ///
    /// It cannot listen on loopback.
    pub(crate) fn start(self) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        thread::spawn(move || {
            if let Err(error) = self.run(listener) {
                eprintln!("{} has ended: {error}", self.package());
            }
        });
        Ok(address)
    }

    fn run(self, listener: TcpListener) -> io::Result<()> {
        match self {
            Self::Actix => return actix::serve(listener),
            Self::Bakestone => {
                let server = bakestone_tokio::Server::new().limits(cases::limits()).listener(listener);
                let served = on_tokio(async { bakestone_tokio::serve(cases::app(), server).await })?;
                return served.map_err(io::Error::other);
            }
            Self::Hyper | Self::Axum => {}
        }
        listener.set_nonblocking(true)?;
        on_tokio(async {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            match self {
                Self::Hyper => hyper::serve(listener).await,
                _ => axum::serve(listener).await,
            }
        })?
    }
}

fn on_tokio<T>(future: impl Future<Output = T>) -> io::Result<T> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build()?.block_on(future))
}
