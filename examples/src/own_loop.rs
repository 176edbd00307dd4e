//! Bakestone without any adapter: the same app from a blocking loop of one's own, in some thirty lines.

use std::io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::task::{Context, Wake};
use std::thread::{self, Thread};
use std::time::{Duration, Instant, UNIX_EPOCH};

use bakestone::machine::{ConnectionInfo, Io, Machine, Moment, Now, Peer, Phase, Read};
use bakestone::{Request, Session, Text};
use bytes::Buf;

// own loop: begin
/// One connection on one blocking thread.
///
/// What it cannot do: while it sits in `read` no waker reaches it, so a handler that waits for its client
/// cannot be woken by another thread as well; and while a handler waits for something else, a hang-up goes
/// unnoticed. Effects run where they are. There is no `Lifecycle`, so `spawn` is an error.
fn serve(mut socket: TcpStream, mut machine: impl Machine, epoch: Instant) -> std::io::Result<()> {
    let mut io = Io::new(ConnectionInfo::new(socket.peer_addr().ok().map(Into::into), None));
    let (waker, mut space) = (Arc::new(Unpark(thread::current())).into(), vec![0; 16 << 10]);
    loop {
        let now = Now::new(Moment::from_epoch(epoch.elapsed()), UNIX_EPOCH.elapsed().unwrap_or_default());
        let wants = machine.step(now, &mut io, &mut Context::from_waker(&waker));
        let mut moved = io.effects.drain(..).map(bakestone_std::files::perform).count();
        while io.output.has_remaining() && wants.phase != Phase::Abort {
            let wrote = socket.write(io.output.chunk())?;
            io.output.advance(wrote);
            moved += wrote;
        }
        let time = wants.wake_at.map(|at| at.since(now.mono));
        match wants.phase {
            Phase::Done | Phase::Abort => return Ok(()), // a reset takes more than the standard library has
            _ if moved > 0 => continue,                  // there is room, or an answer: step again
            Phase::Lingering => drop(socket.shutdown(Shutdown::Write)),
            Phase::Open => {}
        }
        if wants.read == Read::Need {
            socket.set_read_timeout(time.map(|time| time.max(Duration::from_millis(1))))?;
            match socket.read(&mut space) {
                Ok(0) => io.peer = Peer::Finished,
                Ok(count) => io.input.extend_from_slice(&space[..count]),
                Err(error) if matches!(error.kind(), WouldBlock | TimedOut | Interrupted) => {}
                Err(_) => io.peer = Peer::Gone,
            }
        } else {
            time.map_or_else(thread::park, thread::park_timeout);
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
// own loop: end

fn hello(request: Request) -> Text<String> {
    Text(format!("Hello from a loop of its own: {}\n", request.path()))
}

fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:8000")?;
    eprintln!("listening on http://127.0.0.1:8000");
    let (epoch, service) = (Instant::now(), Arc::new(hello));
    loop {
        let (socket, _) = listener.accept()?;
        let service = service.clone();
        thread::spawn(move || serve(socket, Session::new(*service), epoch));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bakestone_testkit::Client;

    #[test]
    fn it_greets_by_path_in_memory() {
        Client::new(hello).get("/a").send().expect_text("Hello from a loop of its own: /a\n");
    }

    #[test]
    fn it_serves_a_real_socket() -> std::io::Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let server = thread::spawn(move || {
            let (socket, _) = listener.accept()?;
            serve(socket, Session::new(hello), Instant::now())
        });
        let mut client = TcpStream::connect(address)?;
        client.write_all(
            b"GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        )?;
        let mut answer = String::new();
        client.read_to_string(&mut answer)?;
        drop(client);
        server.join().expect("the server does not panic")?;
        assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 2, "{answer}");
        assert!(answer.ends_with("Hello from a loop of its own: /b\n"), "{answer}");
        Ok(())
    }

    #[test]
    fn the_readme_shows_this_very_loop() {
        let (source, readme) = (include_str!("own_loop.rs"), include_str!("../../README.md"));
        let shown = source
            .split("// own loop: begin\n")
            .nth(1)
            .and_then(|rest| rest.split("// own loop: end").next());
        let shown = shown.expect("the marks stand in the source").trim_end();
        assert!(readme.contains(&format!("```rust\n{shown}\n```")), "the README's loop is not the example's");
    }
}
