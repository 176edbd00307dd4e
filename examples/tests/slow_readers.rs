//! A client that reads slowly, and goes on reading, is served to the end; over sockets, since what the kernel holds is
//! what it is about.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use bakestone::{App, Limits, get};
use bakestone_std::Server;

/// Some 100 kB a second: a thousand times the slowest rate that is allowed, and far less than a kernel would take at once.
/// Over loopback a peer says that it has room again only when that is 64 KiB.
const PIECE: usize = 5_000;
const PAUSE: Duration = Duration::from_millis(50);
const WRITE_TIME: Duration = Duration::from_secs(4);

#[test]
fn a_slow_and_steady_reader_is_not_taken_for_one_that_stopped() {
    thread::scope(|scope| {
        for adapter in ["std", "tokio", "smol"] {
            scope.spawn(move || read_slowly(adapter));
        }
    });
}

fn read_slowly(adapter: &str) {
    let mut limits = Limits::default();
    limits.write_time = WRITE_TIME;
    let app = App::new().route("/", get(|| vec![b'x'; 64 << 20]));
    let server = Server::new().address("127.0.0.1:0").limits(limits).bind().expect("a free port");
    let address = server.local_addr().expect("an address").to_string();
    let handle = server.handle();
    let name = adapter.to_owned();
    let serving = thread::spawn(move || match &*name {
        "std" => bakestone_std::run(app, server).is_ok(),
        "tokio" => bakestone_tokio::run(app, server).is_ok(),
        _ => bakestone_smol::run(app, server).is_ok(),
    });
    let mut client = TcpStream::connect(&address).expect("connected");
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").expect("sent");
    let (began, mut piece) = (Instant::now(), [0; PIECE]);
    while began.elapsed() < 2 * WRITE_TIME {
        let read = client.read(&mut piece).unwrap_or_else(|error| {
            panic!("{adapter}: {error} after {:?}", began.elapsed());
        });
        assert!(read > 0, "{adapter}: the response ended early");
        // A reset is known before what came ahead of it is read.
        let broken = client.take_error().expect("an option of every socket");
        assert!(broken.is_none(), "{adapter}: {broken:?} after {:?}", began.elapsed());
        thread::sleep(PAUSE);
    }
    drop(client);
    handle.shutdown();
    assert!(serving.join().expect("it ends"), "{adapter}");
}
