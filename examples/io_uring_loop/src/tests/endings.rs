//! How connections end: by a deadline, by their client, by a drain, by an abort.

use std::io::ErrorKind;
use std::net::Shutdown;

use bakestone::Limits;

use super::*;

/// Each is a connection that the server ends by itself, and when it is due.
#[test]
fn whoever_is_too_slow_is_let_go() {
    let short = Duration::from_millis(300);
    let mut limits = Limits::default();
    (limits.head_time, limits.idle_time) = (short, short);
    (limits.write_time, limits.linger_time) = (short, short);
    let server = Server::new().limits(limits);
    let Some(server) = start_with(server, &Ended::default()) else { return };
    for (sent, ends_with) in [
        ("GET / HTTP/1.1\r\nHo", Some("HTTP/1.1 408 Request Timeout")),
        ("", Some("")),
        ("GET /plaintext HTTP/1.1\r\nHost: a\r\n\r\n", Some("HTTP/1.1 200 OK")),
        ("GET /large HTTP/1.1\r\nHost: a\r\n\r\n", None),
    ] {
        let (mut socket, began) = (server.send(sent), Instant::now());
        server.wait_for(1);
        server.wait_for(0);
        let elapsed = began.elapsed();
        assert!((short..Duration::from_secs(10)).contains(&elapsed), "{sent}: {elapsed:?}");
        let mut answer = Vec::new();
        let read = socket.read_to_end(&mut answer);
        match ends_with {
            Some(start) => assert!(String::from_utf8_lossy(&answer).starts_with(start), "{sent}: {read:?}"),
            None => assert!(read.is_err() && answer.len() < LARGE, "{sent}: {read:?}"),
        }
    }
    server.stop();
}

/// While the loop's thread is busy, requests and beginnings of requests come together with their FINs. Each is heard,
/// or its connection would be kept until some deadline.
#[test]
fn whoever_has_finished_sending_is_answered_and_let_go() {
    let Some(server) = start(&Ended::default()) else { return };
    let began = Instant::now();
    let busy = server.send(&closing("/busy"));
    let whole = ["/sleep", "/slow", "/plaintext"].map(|path| request("GET", path, ""));
    let half = ["GET / HT".to_owned(), request("POST", "/echo", "Content-Length: 5\r\n") + "abc"];
    let sockets = whole.iter().chain(&half).cycle().take(50).map(|sent| {
        let socket = server.send(sent);
        socket.shutdown(Shutdown::Write).expect("a FIN");
        (sent, socket)
    });
    for (sent, mut socket) in sockets.collect::<Vec<_>>() {
        let mut answer = Vec::new();
        let end = socket.read_to_end(&mut answer);
        let answered = answer.starts_with(b"HTTP/1.1 200 OK") && end.is_ok();
        assert!(answered || half.contains(sent), "{sent}: {end:?}");
    }
    assert_eq!(body(&read_all(busy)), "busy");
    server.wait_for(0);
    assert!(began.elapsed() < Duration::from_secs(7), "{:?}", began.elapsed());
    server.stop();
}

/// With nothing read ahead a reset ends the receiving; behind a FIN, or with as much as is kept, nobody receives any more,
/// and it is noticed all the same.
#[test]
fn a_reset_is_noticed_whether_anybody_reads_or_not() {
    for (early, finished) in [(0, false), (0, true), (40_000, false), (1_000_000, false)] {
        let ended = Ended::default();
        let Some(server) = start(&ended) else { return };
        let mut socket = server.send(&request("GET", "/stuck", ""));
        socket.write_all(&vec![b'x'; early]).expect("more than is read ahead");
        if finished {
            socket.shutdown(Shutdown::Write).expect("a FIN");
        }
        server.wait_for(1);
        thread::sleep(Duration::from_millis(100));
        ended.wait_for(0);
        reset(socket);
        ended.wait_for(1);
        server.wait_for(0);
        server.stop();
    }
}

#[test]
fn whoever_goes_in_the_middle_of_an_answer_is_forgotten() {
    let Some(server) = start(&Ended::default()) else { return };
    for orderly in [true, false] {
        let mut socket = server.send(&request("GET", "/large", ""));
        socket.read_exact(&mut [0; 12]).expect("its beginning");
        if orderly {
            drop(socket)
        } else {
            reset(socket)
        }
        server.wait_for(0);
    }
    server.stop();
}

#[test]
fn a_drain_waits_for_a_task_that_outlives_its_client() {
    let ended = Ended::default();
    let Some(server) = start(&ended) else { return };
    let mut socket = server.send(&request("POST", "/task", "Content-Length: 0\r\n"));
    socket.read_exact(&mut [0; 12]).expect("an answer");
    reset(socket);
    server.wait_for(0);
    server.stop();
    ended.wait_for(1);
}

#[test]
fn a_drain_closes_the_idle_and_answers_the_running() {
    let Some(server) = start(&Ended::default()) else { return };
    let mut idle = server.send(&request("GET", "/plaintext", ""));
    idle.read_exact(&mut [0; 12]).expect("an answer");
    let (silent, running) = (server.connect(), server.send(&request("GET", "/slow", "")));
    server.wait_for(3);
    thread::sleep(Duration::from_millis(100));
    server.handle.shutdown();
    read_all(idle);
    assert_eq!(read_all(silent), "");
    let answer = read_all(running);
    assert!(answer.contains("\r\nconnection: close\r\n") && answer.ends_with("slow"), "{answer}");
    let address = server.address;
    server.stop();
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
}

/// The server is told to stop while requests stand in the sockets and connections in the backlog.
#[test]
fn what_had_arrived_before_a_drain_is_answered() {
    for _ in 0..20 {
        let Some(server) = start(&Ended::default()) else { return };
        let mut kept = server.send(&request("GET", "/plaintext", ""));
        kept.read_exact(&mut [0; 12]).expect("an answer");
        let mut sockets: Vec<_> = (0..20).map(|_| server.send(&request("GET", "/plaintext", ""))).collect();
        kept.write_all(request("GET", "/json", "").as_bytes()).expect("a request");
        server.handle.shutdown();
        sockets.push(kept);
        for socket in sockets {
            let answer = read_all(socket);
            assert!(answer.contains("Hello, World!"), "{answer}");
        }
        server.stop();
    }
}

#[test]
fn an_abort_resets_what_runs() {
    let ended = Ended::default();
    let Some(server) = start(&ended) else { return };
    let (mut stuck, mut large) =
        (server.send(&request("GET", "/stuck", "")), server.send(&request("GET", "/large", "")));
    large.read_exact(&mut [0; 12]).expect("its beginning");
    server.wait_for(2);
    thread::sleep(Duration::from_millis(100));
    server.handle.abort();
    let error = stuck.read(&mut [0; 1]).expect_err("a reset");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert!(large.read_to_end(&mut Vec::new()).is_err(), "it must look cut");
    server.join().expect("the server ends well");
    ended.wait_for(1);
}
