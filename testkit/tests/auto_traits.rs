//! What a thread may be given, what threads may share, and what may be moved while it is awaited.
//!
//! The rule: a type that loses one of these traits breaks programs that never name the type, so each is promised
//! here. What a handler holds is `Send` and `Sync`, since a reference to it may be kept across an await; a machine
//! has one owner, and is only `Send`.

use std::fmt::Debug;
use std::panic::UnwindSafe;

use bakestone::app::{
    AppService, BuildError, BuildErrors, Embedded, Explanation, Failure, Folder, MethodRouter, Next,
    RouteInfo, RouteLimits, States, Urls,
};
use bakestone::effect::{
    BlockingError, Effect, FileError, FileHandle, FileOp, Job, Metadata, Reply, Unanswered,
};
use bakestone::error::{Disconnected, LimitExceeded};
use bakestone::h1::{
    ClientConn, FieldSection, Misuse, ReceivedRequest, ReceivedResponse, Refusal, ServerConn,
};
use bakestone::http::{ContentDisposition, ETag, HttpDate, MediaType, cookie, sse};
use bakestone::machine::{
    Address, ConnectionInfo, Io, Memory, Moment, Now, Output, Peer, Phase, Read, Wants,
};
use bakestone::message::{
    BodyError, BodySender, Broadcast, Data, Disconnect, Draining, Elapsed, EventSender, File, Group,
    JsonLines, Member, Part, Receiver, ResponseWriter, Rooms, Sent, Sleep, SpawnError, Timeout, UpgradeError,
    Upgraded, UpgradedReader, UpgradedWriter, WebSocket, WebSocketError, WebSocketReceiver, WebSocketSender,
    WebSocketUpgrade, WriteError,
};
use bakestone::router::{Params, RouteErrors, Router, UrlError};
use bakestone::session::{AccessRecord, Spawner, StartupError};
use bakestone::tape::{Log, Recorder, Recording, Redaction, Tape, Tapes};
use bakestone::{
    App, Body, Context, Cookies, Error, Event, FileResponse, Form, FormData, FormOptions, Html, Json,
    Leniency, Lifecycle, Limits, MultiMap, Multipart, Path, Query, Redirect, Rejection, Request, Response,
    Session, SetCookie, Sse, State, StaticFiles, Text, UploadedFile, multipart, ws,
};
use bakestone_testkit::{Script, Transcript};

/// Each type has each of these traits; that it compiles is the test.
macro_rules! promised {
    ($traits:path; $($type:ty),* $(,)?) => {{
        fn kept<T: ?Sized + $traits>() {}
        $(kept::<$type>();)*
    }};
}

/// What may be shared, and shown.
trait Shared: Send + Sync + Unpin + Debug {}
impl<T: Send + Sync + Unpin + Debug> Shared for T {}

/// What has one owner, who may be on another thread, and may be shown.
trait Owned: Send + Unpin + Debug {}
impl<T: Send + Unpin + Debug> Owned for T {}

/// What may be kept of an error: `Box<dyn Error + Send + Sync>` takes it.
trait Kept: std::error::Error + Send + Sync + 'static {}
impl<T: std::error::Error + Send + Sync + 'static> Kept for T {}

type Service = fn(Request) -> Text<&'static str>;
type Answering = <Service as bakestone::session::IntoService<bakestone::session::Synchronous>>::Service;

#[test]
fn what_a_handler_holds_may_be_shared() {
    promised!(Shared;
        Request, Response, Body, Context, Error, Next, States, Urls, Params, Data,
        Path<u64>, Query<u64>, Form<u64>, State<u64>, Json<u64>, Text<String>, Html<String>, Cookies,
        MultiMap, FormData, UploadedFile, File, FileResponse, Redirect, Rejection, Sse, JsonLines, Event, SetCookie,
        BodySender, EventSender, ResponseWriter, Sent, Broadcast<u64>, Receiver<u64>, Upgraded, UpgradedReader,
        UpgradedWriter, WebSocket, WebSocketUpgrade, WebSocketSender, WebSocketReceiver, Group, Rooms, Member,
        Sleep, Timeout<std::future::Ready<()>>, Draining, Disconnect, Failure<Error>, ConnectionInfo,
    );
}

#[test]
fn what_a_server_shares_may_be_shared() {
    promised!(Shared;
        AppService, MethodRouter, StaticFiles, Embedded, Folder, Router<u64>, Spawner, Recording, Redaction, Tapes,
        Log, Limits, Leniency, RouteInfo<'static>, RouteLimits, Explanation<'static>, FileHandle, FileOp, Metadata,
        AccessRecord, Tape, ETag, HttpDate, MediaType<'static>, ContentDisposition, ws::Message, ws::Prepared,
        ws::Offer, Now, Moment, Wants, Read, Phase, Peer, Address, Output, Memory,
    );
}

#[test]
fn what_has_one_owner_may_change_threads() {
    promised!(Owned;
        App, Lifecycle, Session<Answering>, Recorder<Session<Answering>>, Io, Effect, Job, Reply<u64>, ServerConn,
        ClientConn, ws::Conn, ws::Codecs, multipart::Decoder, Multipart, Part<'static>, FormOptions, FieldSection,
        ReceivedRequest, ReceivedResponse, Script, Transcript,
    );
}

#[test]
fn what_goes_wrong_may_be_kept() {
    promised!(Kept;
        BodyError, BlockingError, BuildErrors, Disconnected, Elapsed, FileError, LimitExceeded, Misuse, Refusal,
        Rejection, RouteErrors, SpawnError, StartupError, Unanswered, UpgradeError, UrlError, WebSocketError,
        WriteError, cookie::CookieError, sse::EventError, multipart::Error, ws::Error, ws::Misuse,
        ws::HandshakeError, ws::OpeningError,
    );
    promised!(Shared; BuildError);
}

/// Values without anything of the application's in them may be looked at after a panic.
#[test]
fn plain_values_outlive_a_panic() {
    promised!(UnwindSafe;
        Limits, Leniency, Now, Moment, Wants, MultiMap, SetCookie, Event, ETag, HttpDate, Refusal, Misuse, Rejection,
        Redirect, ws::Message, ws::Error, multipart::Error, AccessRecord, ConnectionInfo,
    );
}

/// Every future that the toolkit makes for a handler is `Send`, as the handler's own has to be.
#[test]
fn what_a_handler_awaits_is_send() {
    fn sent<F: Send>(_: impl FnOnce(Request, Context, WebSocket, Next) -> F) {}
    sent(|mut request, context, mut socket, next| async move {
        let _ = (request.chunk().await, request.bytes().await, request.text().await);
        let _ = (request.form().await, request.data().await, request.json::<u64>().await);
        if let Ok(mut form) = request.multipart() {
            while let Ok(Some(mut part)) = form.next().await {
                let _ = (part.chunk().await, part.text(10).await);
            }
        }
        context.sleep(std::time::Duration::ZERO).await;
        let _ = context.timeout(std::time::Duration::ZERO, context.draining()).await;
        let _ = (context.blocking(|| 1).await, context.disconnected().await);
        if let Ok(mut file) = context.open("a", bakestone::effect::OpenMode::Read).await {
            let _ = (file.read().await, file.seek(0).await);
        }
        let _ = (socket.receive().await, socket.send("a").await);
        let _ = request.file("a").await;
        next.run(request).await
    });
}

/// What is shown of a future or of a file is what it waits for or where it stands, and nothing that it holds.
#[test]
fn what_is_awaited_can_be_shown() {
    let context = Context::detached();
    let shown = [
        format!("{:?}", context.sleep(std::time::Duration::from_secs(2))),
        format!("{:?}", context.timeout(std::time::Duration::from_secs(2), std::future::ready(1))),
        format!("{:?}", context.draining()),
        format!("{:?}", context.disconnected()),
    ];
    let expected =
        ["Sleep { at: @2s, .. }", "Timeout { at: @2s, .. }", "Draining { .. }", "Disconnect { .. }"];
    assert_eq!(shown, expected);
}
