//! Beside the test clients of other toolkits.
//!
//! Starlette's `TestClient` (on httpx), the crate axum-test, actix-web's module `test` and poem's `TestClient`, as their
//! documentation has them in 2026. `-` is what they do not have; what they leave to an HTTP client over a real port counts as
//! theirs, and says so.
//!
//! | | Bakestone | Starlette | axum-test | actix-web | poem |
//! |---|---|---|---|---|---|
//! | the whole application, without a port | yes | yes | yes, or over a port | yes | yes |
//! | real bytes of HTTP/1.1 between client and server | yes | - | over a port | over a port | - |
//! | needs a runtime in the test | no | starts one in a thread | tokio | actix-rt | tokio |
//! | synchronous and asynchronous tests | both | synchronous; httpx's own client for the other | asynchronous | asynchronous | asynchronous |
//! | query, JSON, form | yes | yes | yes | yes | yes |
//! | multipart | yes | yes | yes | by hand | yes |
//! | content in pieces, at the test's pace | yes | from a generator | a body | a payload | a body |
//! | `Expect: 100-continue`, informational responses | yes | - | - | - | - |
//! | pipelining | yes | - | - | - | - |
//! | default fields, base URL | yes | yes | yes | - | default fields |
//! | peer's address, scheme | yes | yes | over a port | peer's address | - |
//! | cookie jar | RFC 6265bis, on the test's clock | yes, on the real clock | saves them, without their rules | by hand | by hand |
//! | redirects followed | by their status, 20, or not | yes, or not | - | over a port | - |
//! | response read as it comes | yes | no: the application runs to its end first | over a port | as a body | as a body |
//! | server-sent events, one by one | yes | - | over a port | - | yes |
//! | trailers | yes | - | over a port | - | - |
//! | WebSocket | yes, on the same clock | yes | over a port | over a port | over a port |
//! | code and reason of a Close, the response that denies one | yes | yes | over a port | over a port | over a port |
//! | start-up and shut-down | run, errors are given | in a `with` block, errors are raised | - | - | - |
//! | background tasks | run beside the requests | run before the response is given | on the runtime | on the runtime | on the runtime |
//! | handler's own error | with its type | raised, or not | - | as a type of the service's | - |
//! | panic of the handler | as text | raised | - | as a panic of the test | as a panic of the test |
//! | clock of the test | yes, all deadlines | - | tokio's, paused | tokio's, paused | tokio's, paused |
//! | time-out | of the test's clock | httpx's has no effect | - | - | - |
//! | a deadlock fails at once, with what waits | yes | - | - | - | - |
//! | client that hangs up, half-closes, reads slowly | yes | disconnects after the end | over a port | over a port | - |
//! | assertions that print what went over the wire | yes | - | print request and response | - | - |
//! | snapshots | - | - | with insta | - | - |
//! | HTTP/2 | - | - | over a port | - | - |
//! | a server that is elsewhere | - | httpx itself | yes | - | - |
