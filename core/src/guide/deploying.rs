//! Deploying: a proxy in front, a service manager behind, and what to watch.
//!
//! It speaks HTTP/1.1 in plain bytes, on TCP or on a unix socket. TLS, HTTP/2 and HTTP/3, compression of responses and the
//! sharing out among machines are a proxy's. So the usual place is behind one, on the same machine, on a unix socket.
//!
//! # The program
//!
//! ```ignore
//! use bakestone_tokio::{Server, Tracing};   // `Tracing`: the adapter's feature `tracing`
//!
//! fn main() -> Result<(), bakestone_tokio::ServeError> {
//!     let server = Server::new()
//!         .unix("/run/bakery/http.sock")         // or `.address("127.0.0.1:8000")`, or `.inherited()`, or several of them
//!         .workers(4)                            // event loops; one unless you say so
//!         .connections(10_000)                   // the default; with so many open, further ones wait in the backlog
//!         .observer(std::sync::Arc::new(Tracing));
//!     bakestone_tokio::run(app(), server)
//! }
//! ```
//!
//! A unix socket keeps everybody out but those whom the file's folder and mode let in; its mode is what the process's umask
//! leaves. A file that is left over from a crash is replaced; one with somebody behind it is an error.
//!
//! # nginx
//!
//! ```text
//! map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
//!
//! upstream bakery {
//!     server unix:/run/bakery/http.sock;
//!     keepalive 32;
//!     keepalive_timeout 10s;                     # below the 15 s after which the server closes an idle connection
//! }
//!
//! server {
//!     listen 443 ssl;
//!     server_name bakery.example;
//!     # ssl_certificate ..; ssl_certificate_key ..;
//!     client_max_body_size 10m;                  # as the largest form: nginx itself takes 1 MB
//!     large_client_header_buffers 2 8k;          # near the server's: a head of 16 KiB, a target of 8 KiB
//!
//!     location / {
//!         proxy_pass http://bakery;
//!         proxy_http_version 1.1;
//!         proxy_set_header Host $host;           # what the client asked for; pages of other origins are told by it
//!         proxy_set_header Connection $connection_upgrade;
//!         proxy_set_header Upgrade $http_upgrade;
//!         proxy_set_header X-Real-IP $remote_addr;
//!         proxy_set_header X-Forwarded-Proto $scheme;
//!         proxy_request_buffering off;           # uploads reach the handler as they come
//!         proxy_read_timeout 60s;                # events and pings come more often: 15 s, 30 s
//!     }
//! }
//! ```
//!
//! nginx reads no answer while it still sends the request, so a handler that answers while it reads needs another proxy.
//! Leave `proxy_buffering` on: then a slow client keeps nginx waiting, and not the server. Streams of events turn it off
//! for themselves by `X-Accel-Buffering`; for other streams that must not lag, set it off at their location. On another port
//! than 443 or 80, `Host` is `$host:$server_port`, or pages are refused their WebSockets.
//!
//! # HAProxy
//!
//! ```text
//! defaults
//!     mode http
//!     timeout connect 5s
//!     timeout http-request 10s                   # as the server's for a head
//!     timeout client 30s
//!     timeout server 60s                         # longer than the slowest handler
//!     timeout tunnel 90s                         # WebSockets: longer than from ping to ping, 30 s
//!     option http-keep-alive
//!     http-reuse safe
//!
//! frontend clients
//!     bind :443 ssl crt /etc/haproxy/bakery.pem alpn h2,http/1.1
//!     http-request set-header X-Real-IP %[src]
//!     http-request set-header X-Forwarded-Proto https
//!     default_backend bakery
//!
//! backend bakery
//!     server one unix@/run/bakery/http.sock pool-purge-delay 5s
//! ```
//!
//! HAProxy passes `Host`, upgrades and streams on as they are. Do not say `send-proxy`: the server takes that line for a
//! broken request; [machines](super::machines) has a machine that reads it.
//!
//! # The client's address
//!
//! Nothing here reads `X-Forwarded-For`, `X-Real-IP`, `X-Forwarded-Proto` or `Forwarded`. Anybody can send them, and only
//! you know who stands in front. So [`request.peer()`](crate::Request::peer) is the proxy, and
//! [`request.scheme()`](crate::Request::scheme) is `http`. Where **only** the proxy can connect, a middleware may believe it:
//!
//! ```
//! # mod wire { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/ask.rs")); }
//! # use wire::ask;
//! use bakestone::app::Next;
//! use bakestone::{App, Error, Extension, Request, Response, Result, Text, get};
//! use std::net::IpAddr;
//!
//! #[derive(Clone, Copy)]
//! struct Client(IpAddr);
//!
//! async fn real_ip(mut request: Request, next: Next) -> Result<Response> {
//!     let address = request.headers().get("x-real-ip").and_then(|value| value.to_str().ok()?.parse().ok());
//!     let address = address.ok_or_else(|| Error::bad_request("the proxy did not say who asks"))?;
//!     request.extensions_mut().insert(Client(address));
//!     Ok(next.run(request).await)
//! }
//!
//! async fn whoami(Extension(Client(address)): Extension<Client>) -> Text<String> {
//!     Text(address.to_string())
//! }
//!
//! let app = App::new().middleware(real_ip).route("/", get(whoami));
//! assert!(ask(app, "GET / HTTP/1.1\r\nHost: a\r\nX-Real-IP: 192.0.2.7\r\n\r\n").ends_with("\r\n\r\n192.0.2.7"));
//! ```
//!
//! The proxy must *set* the field, as above, and not add to it: the first of several addresses is the client's own word.
//! The access log has the proxy's address as well; let the proxy log the clients.
//!
//! # A service manager
//!
//! ```text
//! # bakery.socket                                # bakery.service
//! [Socket]                                       [Service]
//! ListenStream=/run/bakery/http.sock             ExecStart=/usr/local/bin/bakery
//! SocketMode=0660                                User=bakery
//! SocketGroup=www-data                           LimitNOFILE=16384
//!                                                TimeoutStopSec=30
//! [Install]                                      Restart=on-failure
//! WantedBy=sockets.target
//! ```
//!
//! With `Server::inherited` the manager opens the socket, as the user that may, and hands it over (`LISTEN_FDS`); the
//! example `activated` does that, and listens by itself where nothing is handed over. Then a restart refuses nobody: whoever
//! comes meanwhile waits in the backlog. Without a socket unit, `RuntimeDirectory=bakery` makes the folder.
//!
//! There is no message to the manager that the server is ready: `Server::on_ready` is called at that moment, for whoever
//! wants to send one.
//!
//! # Stopping
//!
//! SIGTERM and SIGINT drain: nothing is accepted any more, idle connections end, running requests are answered with
//! `Connection: close`, tasks come to their end. Past `drain_time`, 10 s, what is left is cut off; then the shut-down hooks
//! have as long again. So the manager's patience is twice that and some more. A second signal ends it at once. As the
//! first process of a container it hears the signals, too.
//!
//! # Descriptors and memory
//!
//! | a connection takes | tokio, smol | plain threads |
//! |---|---|---|
//! | descriptors | 1 | 3, and a thread |
//! | memory, idle | about 2 KiB | a stack, and that |
//!
//! Besides: open files of responses, at most nine for a form with files, the runtime's own, a database's. A limit of 1,024
//! descriptors, the default in many places, is too few for 10,000 connections: raise it, or lower `Server::connections`.
//! With none left, accepting pauses and is tried again; what is open goes on.
//!
//! ```
//! // The most that the toolkit itself keeps for a busy connection, whatever its peer does.
//! assert!(bakestone::Limits::default().max_buffered() < 640 << 10);
//! ```
//!
//! Handlers come on top: a body of 2 MiB that is read whole is 2 MiB, a form 1 MiB of files and up to 2 MiB of fields.
//!
//! # Limits
//!
//! All are on. What a server behind a proxy changes most often: [`handler_time`](crate::Limits::handler_time), which is
//! none, to something below the proxy's patience, so that the client gets a 503 of yours and not a 504;
//! [`idle_time`](crate::Limits::idle_time), if the proxy's cannot be lowered below 15 s; bodies, route by route. Of two
//! limits on the way the smaller holds, and only one of them says so in your words.
//!
//! # Observe
//!
//! The core logs nothing. An [`Observer`](crate::session::Observer) is told what happens, in the midst of a step: connections,
//! requests with status, bytes and time, refusals, errors with their causes, panics, deadlines, tasks that failed. The
//! adapters' `Tracing` makes spans, events and an access log of it (target `bakestone::access`). Metrics are a `match` of
//! yours; [`request.route()`](crate::Request::route) is the label that does not grow, for a middleware that counts by it.
//! There is no exporter, and no request identifier: a middleware has either in a few lines.
//!
//! `Server::record`, with the feature `tape`, writes some connections down whole, to be replayed in a test.
//!
//! # What goes wrong
//!
//! | it happens | because |
//! |---|---|
//! | 502 now and then, on quiet days | the proxy uses a connection that the server has just closed: its keep-alive must be shorter than `idle_time` |
//! | 502 at once | nothing listens, or the socket's mode keeps the proxy out |
//! | 413 from nginx, in its own words | `client_max_body_size` |
//! | WebSockets are 403 | `Host` is the upstream's name, or lacks the port |
//! | redirects and `request.url()` say `http://` | TLS ends at the proxy; send paths, or make the address of a setting |
//! | 408 on uploads of slow clients | the body is passed on as it comes, and may pause for 30 s; or let the proxy buffer it |
//! | the manager kills it | its patience is shorter than the drain |
//! | one core is busy, the others idle | `workers` is 1 |
