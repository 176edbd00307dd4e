//! The guide: longer reading, in the order in which a newcomer needs it. There is no code here but that of the examples.
//!
//! | chapter | what it tells |
//! |---|---|
//! | [`first_app`] | from an empty folder to a tested server |
//! | [`routing`] | which handler answers, and why |
//! | [`requests`] | arguments, bodies, the context |
//! | [`forms`] | both kinds of forms, and where their files go |
//! | [`responses`] | values, files, streams, server-sent events |
//! | `websockets` | accepting, two directions, rooms; with the feature `websocket` |
//! | [`errors`] | one type, one way out |
//! | [`middleware`] | what stands around handlers |
//! | [`lifespan`] | start, end, background work |
//! | [`testing`] | applications, time, failure, tapes |
//! | [`deploying`] | nginx, HAProxy, a service manager, limits, what to watch |
//! | `reproducing` | a production bug, recorded and replayed; with the feature `tape` |
//! | [`driving`] | a loop of your own in place of an adapter |
//! | [`machines`] | a protocol of your own, or one around another |
//! | [`coming_from`] | asgi-tools, muffin and asgikit, [axum](coming_from::axum), [actix-web](coming_from::actix) |
//! | [`why`] | each decision that a newcomer asks about, and what it costs |
//!
//! Those that show how something is done end with what goes wrong: what the compiler, the start or the client says, and what it means.

pub mod coming_from;
pub mod deploying;
pub mod driving;
pub mod errors;
pub mod first_app;
pub mod forms;
pub mod lifespan;
pub mod machines;
pub mod middleware;
#[cfg(feature = "tape")]
pub mod reproducing;
pub mod requests;
pub mod responses;
pub mod routing;
pub mod testing;
#[cfg(feature = "websocket")]
pub mod websockets;
pub mod why;
