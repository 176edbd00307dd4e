//! What threads may share of a server, and what may be moved to another: the adapters' part of it.
//!
//! The rule: a type that loses one of these traits breaks programs that never name the type, so each is promised
//! here.

use std::fmt::Debug;
use std::io;

use bakestone::App;
use bakestone_std::{
    Clock, Handle, Listener, Place, Pool, ServeError, Server, ShutdownOnDrop, Stop, Stream, Tracing,
    UpgradedSink, UpgradedSource, Watch,
};

/// Each type has each of these traits; that it compiles is the test.
macro_rules! promised {
    ($traits:path; $($type:ty),* $(,)?) => {{
        fn kept<T: $traits>() {}
        $(kept::<$type>();)*
    }};
}

/// What may be shared, and shown.
trait Shared: Send + Sync + Unpin + Debug {}
impl<T: Send + Sync + Unpin + Debug> Shared for T {}

/// What has one owner, who may be on another thread, and may be shown.
trait Owned: Send + Unpin + Debug {}
impl<T: Send + Unpin + Debug> Owned for T {}

#[test]
fn what_a_server_hands_out_may_be_shared() {
    promised!(Shared;
        Clock, Handle, Place, Watch, Stop, ShutdownOnDrop, Pool, Listener, Stream, ServeError, Tracing, UpgradedSink,
        UpgradedSource,
        bakestone_tokio::UpgradedStream, bakestone_tokio::UpgradedReadHalf, bakestone_tokio::UpgradedWriteHalf,
        bakestone_smol::UpgradedStream, bakestone_smol::UpgradedReadHalf, bakestone_smol::UpgradedWriteHalf,
    );
}

#[test]
fn a_server_may_be_served_on_another_thread() {
    promised!(Owned; Server);
    fn sent<F: Future<Output = Result<(), ServeError>> + Send>(_: impl FnOnce(Server, App) -> F) {}
    sent(|server, app| async move { bakestone_tokio::serve(app, server).await });
    sent(|server, app| async move { bakestone_smol::serve(app, server).await });
}

/// `main` may return it, and an error of an application may hold it.
#[test]
fn why_a_server_does_not_start_is_an_error_like_others() {
    let failure: Box<dyn std::error::Error + Send + Sync> =
        Box::new(ServeError::System(io::Error::other("no")));
    assert!(failure.to_string().contains("no"));
}
