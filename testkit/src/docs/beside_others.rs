//! Beside the test clients of other toolkits.
//!
//! The rule: all that they list stands here, whether it is here or not; `-` is what there is not.
//!
//! Read were the sources of Starlette 1.3.1 (its `TestClient`, on httpx2 2.4.0), axum-test 21.1.0, actix-web 4.15.0 (its module
//! `test`; with actix-test 0.1.5, whose client is awc 3.8.2, and actix-multipart 0.8.0) and poem 3.1.12 (its module `test`).
//! axum-test and actix-test can start a real server, and give a client of it: what only that can do is "over a port", and
//! "with reqwest" where axum-test leaves it to that feature. What any test can do by hand, with the language or another
//! crate, counts for nobody.
//!
//! # The server
//!
//! | | Bakestone | Starlette | axum-test | actix-web | poem |
//! |---|---|---|---|---|---|
//! | the whole application, without a port | yes | yes | yes, or over a port | yes, or over a port | yes |
//! | an address for any other client | - | - | random, given, or of a listener | random or given | - |
//! | TLS | - | - | - | over a port: OpenSSL, rustls | - |
//! | HTTP/2 | - | - | - | over a port | - |
//! | real bytes of HTTP/1.1 between client and server | yes | - | over a port | over a port | - |
//! | a connection in memory, below HTTP | `Wire` | - | - | `TestBuffer` | - |
//! | needs a runtime in the test | no | starts one in a thread: asyncio, uvloop or trio | tokio | actix-rt | tokio |
//! | synchronous and asynchronous tests | both | synchronous; httpx2's own client for the other | asynchronous | asynchronous | asynchronous |
//! | several servers in one test | yes | yes | yes | yes | yes |
//! | takes | applications, services, functions | ASGI applications of version 3 or 2 | routers, make-services, `Serve`, actix-web's | applications, service factories | endpoints |
//! | stand-ins for an application | - | - | - | services of one status | - |
//! | limits and deadlines of the server | yes | - | - | over a port: the head's deadline, the number of workers | - |
//! | an application that cannot be built, or started | an error, with all reasons | is raised | an error | a panic | - |
//! | start-up and shut-down | run, errors are given | in a `with` block, errors are raised; with the state that start-up makes | - | - | - |
//! | stops when told, or says whether it runs | `drain`, `shutdown` | at the end of the block | `is_running` | over a port: `stop` | - |
//! | background tasks | run beside the requests | run before the response is given | on the runtime | on the runtime | on the runtime |
//! | a prefix that the application is told of | - | `root_path` | - | - | - |
//! | peer's address, scheme | yes | yes | over a port, the real ones | peer's address; the URI's scheme | - |
//! | files in memory, disks that fail | yes | - | - | - | - |
//!
//! # Requests
//!
//! | | Bakestone | Starlette | axum-test | actix-web | poem |
//! |---|---|---|---|---|---|
//! | methods | any; 7 by name | any; 7 by name | any; 5 by name, and QUERY | any; 5 by name, 7 over a port | any; 9 by name |
//! | a version of its own, such as HTTP/1.0 | as bytes, on a `Wire` | - | - | yes | - |
//! | query | values, or as it is | values | values, pairs, or as it is | in the URI; values over a port | values by name |
//! | path of a route's type | - | - | with axum-extra | - | - |
//! | JSON, form | yes | yes | yes | yes | yes |
//! | YAML, MessagePack, XML | - | - | YAML, MessagePack | - | YAML, XML |
//! | multipart | fields, files, types | fields, files, types, fields of a part | fields, files, types, fields of a part | files, types, with actix-multipart | fields, files, types, fields of a part |
//! | content of a file | - | yes | JSON, YAML, text, bytes | - | of a reader |
//! | content in pieces | at the test's pace, or from an iterator | from a generator, but arrives as one | over a port, with reqwest | over a port | of a stream |
//! | trailers of a request | yes | - | - | - | - |
//! | fields that are values of a type | - | - | - | yes | yes |
//! | credentials | Bearer | Basic, Digest, of a `.netrc`, one's own | Bearer, or as they are | over a port: Basic, Bearer | - |
//! | fields of every request | yes | yes | yes | over a port | yes |
//! | query, content type, credentials of every request | - | query, credentials | query, content type | - | content type |
//! | what every request has, left out of one | fields | fields | fields, query, cookies | - | - |
//! | base URL | yes | yes | - | - | - |
//! | absolute URLs | any host is the application | the same | the same; over a port the real host, unless restricted | the same; over a port the real host | the same |
//! | functions that see each request and response | an observer | event hooks | - | over a port: middleware of awc | - |
//! | data for the handler, without a field for it | - | - | - | `app_data` | `data` |
//! | a request alone, for an extractor or a handler | of an `http::Request` | of a scope | an `http::Request`, of the same builder | with parameters, of the same builder | of a builder |
//! | `Expect: 100-continue` | yes | - | - | over a port | - |
//! | several requests at a time | yes | - | yes | yes | yes |
//! | pipelining | yes | - | - | - | - |
//! | connections are kept | as a browser does | - | over a port, with reqwest | over a port | - |
//!
//! # Cookies and redirects
//!
//! | | Bakestone | Starlette | axum-test | actix-web | poem |
//! |---|---|---|---|---|---|
//! | cookies of one request | yes | yes | yes | yes | as a field |
//! | cookie jar | RFC 6265bis, on the test's clock | yes, on the real clock | if asked, for all or for one request; its only rule is `Expires`, on the real clock | - | - |
//! | cookies are looked at, set, removed | yes | yes | set, removed | - | - |
//! | redirects followed | by their status, 20, or not | 20, or not | - | over a port: 10, or not | - |
//!
//! # Responses
//!
//! | | Bakestone | Starlette | axum-test | actix-web | poem |
//! |---|---|---|---|---|---|
//! | content | bytes, text, JSON | bytes, text, JSON | bytes, text, JSON, form, YAML, MessagePack | bytes, JSON | JSON; else as a body |
//! | content read as it comes | yes | no: the application runs to its end first | over a port, with reqwest | as a body | as a body |
//! | how much the server has written ahead | yes | - | - | - | - |
//! | content decoded (gzip and others) | - | yes | - | over a port | - |
//! | text in other charsets, `Link` fields | - | yes | - | - | - |
//! | its cookies | yes | yes | yes | yes | - |
//! | URL, and those before it | yes | yes | URL and method | - | - |
//! | informational responses | yes | - | - | - | - |
//! | trailers | yes | - | over a port, with reqwest | - | - |
//! | server-sent events, one by one | yes | - | - | - | yes, also of a type |
//! | template and what it was given | - | yes | - | - | - |
//! | time that it took | on the test's clock | on the real clock | - | - | - |
//!
//! # Expectations
//!
//! | | Bakestone | Starlette | axum-test | actix-web | poem |
//! |---|---|---|---|---|---|
//! | status | this one | success | this one, another, in a range or not, success or not, 15 by name | - | this one, 200 |
//! | success, or failure, expected of every request | - | - | yes | - | - |
//! | fields | value, absence | - | value, presence | - | value, all values, a list, presence, absence, content type |
//! | cookies | - | - | presence | - | - |
//! | text | whole, a part, none | - | whole, a part, that of a file | - | whole |
//! | bytes | - | - | - | - | yes |
//! | JSON | whole | - | whole, a part, that of a file | - | whole |
//! | JSON by its shape | - | - | by rules in the expected value, also one's own | - | step by step, by types; values in a list |
//! | other formats | - | - | form, YAML, MessagePack | - | YAML, XML |
//! | in a chain | yes | - | yes | - | - |
//! | a failure prints | what went over the wire, and the handler's error | - | for the status, the request's line and the content | - | - |
//! | a failure prints the difference, in colours | - | - | yes | - | - |
//! | text for a snapshot | of a transcript | - | of a response | - | - |
//!
//! # WebSockets
//!
//! | | Bakestone | Starlette | axum-test | actix-web | poem |
//! |---|---|---|---|---|---|
//! | WebSockets | yes, on the same clock | yes | over a port | over a port | - |
//! | messages | text, binary, JSON | text, binary, JSON in either | text, binary, JSON, YAML, MessagePack | frames | - |
//! | expectations | messages, Close, silence | - | text, JSON, YAML, MessagePack; parts of text and JSON | - | - |
//! | subprotocol | yes | yes | as a field | with awc | - |
//! | code and reason of a Close | yes | yes | yes | yes | - |
//! | the response that denies one | yes | yes | yes | its status | - |
//! | pings, fragments, compression, malformed frames | yes | - | pings | frames, uncompressed | - |
//!
//! # Time and failure
//!
//! | | Bakestone | Starlette | axum-test | actix-web | poem |
//! |---|---|---|---|---|---|
//! | clock of the test | yes, all deadlines | - | tokio's, paused | tokio's, paused | tokio's, paused |
//! | time-out | of the test's clock | has no effect, and warns | over a port, with reqwest | over a port | - |
//! | a deadlock fails at once, with what waits | yes | - | - | - | - |
//! | handler's own error | with its type | raised, or not | - | with its type | - |
//! | panic of the handler | as text | raised | as a panic of the test | as a panic of the test | as a panic of the test |
//! | failures as errors, too | requests, contents, starts | by exceptions | building | requests, contents | - |
//! | client that hangs up, half-closes, reads slowly | yes | disconnects after the end | over a port, with reqwest: hangs up, reads slowly | over a port: hangs up, reads slowly | - |
