//! What the ring promises of memory and descriptors.

use std::io::Write;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use socket2::SockRef;

use super::*;
use crate::tests::is_refused;

const SOON: Option<Duration> = Some(Duration::from_secs(5));

/// A socket for the ring, and its other end.
fn pair() -> (Descriptor, UnixStream) {
    let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
    (Rc::new(OwnedFd::from(ours)), theirs)
}

/// What came, once there is something.
fn next(ring: &mut Ring) -> Vec<Completion> {
    let mut completions = Vec::new();
    ring.wait(SOON, &mut completions).expect("the ring is well");
    completions
}

fn received(completions: &mut Vec<Completion>) -> Vec<Buffer> {
    let of = |completion: Completion| match completion.event {
        Event::Received(Ok(buffer)) => buffer,
        _ => None,
    };
    completions.drain(..).filter_map(of).collect()
}

#[test]
fn what_is_under_way_is_over_when_the_ring_is_gone() {
    if is_refused() {
        return;
    }
    let mut ring = Ring::new().expect("it is allowed");
    let (socket, other) = pair();
    other.set_nonblocking(true).expect("a socket");
    ring.receive(1, &socket);
    ring.watch(2, &socket);
    // Nobody reads them, so that the last one is still under way.
    for owner in 0..8 {
        ring.send(owner, &socket, vec![b'x'; 1 << 20]);
    }
    ring.wait(Some(Duration::ZERO), &mut Vec::new()).expect("the ring is well");
    assert!(Rc::strong_count(&socket) > 1, "something is under way");
    drop(ring);
    assert_eq!(Rc::strong_count(&socket), 1);
}

#[test]
fn more_than_the_queue_holds_is_told_bit_by_bit() {
    if is_refused() {
        return;
    }
    let mut ring = Ring::new().expect("it is allowed");
    let (socket, _other) = pair();
    let count = 3 * ENTRIES as usize;
    let tickets: Vec<_> = (0..count).map(|owner| ring.watch(owner, &socket)).collect();
    let (mut seen, began) = (0, Instant::now());
    for odd in 0..2 {
        tickets.iter().skip(odd).step_by(2).for_each(|ticket| ring.cancel(*ticket));
        while seen < (odd + 1) * count / 2 && began.elapsed() < Duration::from_secs(20) {
            let completions = next(&mut ring);
            assert!(completions.iter().all(|completion| completion.last && completion.owner % 2 == odd));
            seen += completions.len();
        }
    }
    assert_eq!((seen, Rc::strong_count(&socket)), (count, 1));
}

#[test]
fn a_watch_tells_of_a_reset_behind_a_fin() {
    if is_refused() {
        return;
    }
    let mut ring = Ring::new().expect("it is allowed");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let client = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
    let (socket, _) = listener.accept().expect("a connection");
    client.shutdown(Shutdown::Write).expect("a FIN");
    let socket = Rc::new(OwnedFd::from(socket));
    ring.watch(1, &socket);
    let mut seen = next(&mut ring);
    SockRef::from(&client).set_linger(Some(Duration::ZERO)).expect("a reset");
    drop(client);
    seen.append(&mut next(&mut ring));
    let broken: Vec<_> = seen.iter().map(|seen| matches!(seen.event, Event::Watched(true))).collect();
    assert_eq!((broken, seen.iter().any(|seen| seen.last)), (vec![false, true], false), "{seen:?}");
}

#[test]
fn a_buffer_is_whoever_holds_its_own_and_then_the_kernels() {
    if is_refused() {
        return;
    }
    let mut ring = Ring::new().expect("it is allowed");
    let (socket, mut other) = pair();
    let mut kept = Vec::new();
    for round in 0..3 * BUFFERS {
        let (sent, mut completions) = ([round as u8; 100], Vec::new());
        other.write_all(&sent).expect("there is room");
        if round == 0 {
            ring.receive(1, &socket);
        }
        while completions.is_empty() {
            completions = next(&mut ring);
        }
        if let Event::Received(Err(error)) = &completions[0].event {
            assert_eq!(error.raw_os_error(), Some(libc::ENOBUFS));
            assert!(completions[0].last && kept.len() == BUFFERS as usize, "{} are kept", kept.len());
            let whole = |(value, buffer): (usize, &Buffer)| buffer[..] == [value as u8; 100];
            assert!(kept.iter().enumerate().all(whole), "somebody wrote into a buffer that is held");
            kept.clear();
            ring.receive(1, &socket);
            completions = next(&mut ring);
            let again = received(&mut completions);
            assert!(again.len() == 1 && again[0][..] == sent);
            return;
        }
        kept.append(&mut received(&mut completions));
    }
    panic!("there are more buffers than there should be");
}
