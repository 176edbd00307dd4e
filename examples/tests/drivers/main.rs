//! One application on every driver, in memory and over real sockets: the same answers, the same ends.

#[path = "../../src/readiness_loop/serve.rs"]
mod readiness_loop;

mod host;
mod served;

use std::time::Duration;

use bakestone::Limits;
use bakestone_std::Server;

use host::{Driver, End, Host, text};
use served::{Ended, app};

fn start(driver: Driver, ended: &Ended) -> Host {
    Host::start(driver, app(driver, ended), &Limits::default())
}

const CLOSE: &str = "Connection: close\r\n";

fn get_request(path: &str, more: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n{more}\r\n")
}

fn upload(path: &str, length: usize) -> Vec<u8> {
    let head = format!("POST {path} HTTP/1.1\r\nHost: a\r\n{CLOSE}Content-Length: {length}\r\n\r\n");
    let mut request = head.into_bytes();
    request.extend((0..length).map(|place| (place % 251) as u8));
    request
}

/// Whether one answer is there whole, for those that have no body or `slept` as theirs.
fn answered(answer: &[u8]) -> bool {
    let answer = text(answer);
    answer.split_once("\r\n\r\n").is_some_and(|(head, body)| !head.contains("length: 5") || body == "slept")
}

#[test]
fn the_same_answers_byte_for_byte() {
    let chunked = "Transfer-Encoding: chunked\r\n";
    let conversations = [
        get_request("/hello/1", "") + &get_request("/hello/2", "") + &get_request("/hello/3", CLOSE),
        get_request("/sleep/50", "") + &get_request("/native", "") + &get_request("/blocking", CLOSE),
        get_request("/nope", "") + &get_request("/fail", CLOSE),
        format!("POST /echo HTTP/1.1\r\nHost: a\r\n{CLOSE}{chunked}\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"),
        format!("POST /length HTTP/1.1\r\nHost: a\r\n{CLOSE}Content-Length: 5\r\n\r\nhello"),
        format!("POST /later HTTP/1.1\r\nHost: a\r\n{CLOSE}Content-Length: 0\r\n\r\n"),
        "GET /hello/1 HTTP/1.0\r\n\r\n".to_owned(),
        "GET /hello/1 HTTP/1.1\r\nHost : a\r\n\r\n".to_owned(),
    ];
    let hosts = Driver::ALL.map(|driver| start(driver, &Ended::default()));
    for request in &conversations {
        let answers = hosts.each_ref().map(|host| {
            let answer = host.connect().exchange(request.clone().into_bytes());
            let answer = String::from_utf8(answer).expect("text");
            answer.split_inclusive("\r\n").filter(|line| !line.starts_with("date: ")).collect::<String>()
        });
        assert!(answers[0].starts_with("HTTP/1.1 "), "{request}\n{}", answers[0]);
        for (driver, answer) in Driver::ALL.iter().zip(&answers) {
            assert_eq!(answer, &answers[0], "{driver:?}: {request}");
        }
    }
}

#[test]
fn a_connection_is_kept_from_one_request_to_the_next() {
    for driver in Driver::ALL {
        let host = start(driver, &Ended::default());
        let mut client = host.connect();
        for _ in 0..3 {
            client.send(get_request("/sleep/1", ""));
            let (answer, end) = client.receive(answered);
            assert_eq!(
                (end, text(&answer).ends_with("slept")),
                (End::Open, true),
                "{driver:?}: {}",
                text(&answer)
            );
        }
    }
}

#[test]
fn sixty_four_mebibytes_go_up_and_come_down() {
    for driver in Driver::ALL {
        let request = upload("/echo", 64 << 20);
        let answer = start(driver, &Ended::default()).connect().exchange(request.clone());
        let body = request.len() - (64 << 20);
        assert!(answer.starts_with(b"HTTP/1.1 200 "), "{driver:?}: {}", text(&answer));
        assert!(answer.ends_with(&request[body..]), "{driver:?}: {} bytes came back", answer.len());
    }
}

/// Whether the head and the announced length of an answer are there, and nothing more.
fn is_whole(answer: &[u8]) -> bool {
    let answer = text(answer);
    let Some((head, body)) = answer.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.and_then(|length| length.parse().ok()) == Some(body.len())
}

/// A naive client writes all of it, and only then reads: a server that closes meanwhile, or does not read on,
/// has its own answer thrown away by the reset that follows.
#[test]
fn a_client_that_is_still_writing_reads_the_413() {
    const SIZE: usize = 64 << 20;
    let head = |framing: &str| format!("POST /length HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n").into_bytes();
    let chunk = [b"10000\r\n".as_slice(), &[b'x'; 0x10000], b"\r\n"].concat();
    let requests = [
        [head(&format!("Content-Length: {SIZE}")), vec![b'x'; SIZE]].concat(),
        [head("Transfer-Encoding: chunked"), chunk.repeat(SIZE / 0x10000), b"0\r\n\r\n".to_vec()].concat(),
    ];
    let mut limits = Limits::default();
    limits.buffered_body_bytes = 1 << 20;
    // However slow the machine is.
    limits.linger_time = Duration::from_secs(30);
    for driver in Driver::ALL {
        let host = Host::start(driver, app(driver, &Ended::default()), &limits);
        for request in &requests {
            let mut client = host.connect();
            let written = client.try_send(request);
            let (answer, end) = client.receive(|_| false);
            let answer = text(&answer);
            assert!(
                answer.starts_with("HTTP/1.1 413 ") && is_whole(answer.as_bytes()),
                "{driver:?}, {written:?}, {end:?}: {answer:?}"
            );
            assert_eq!((written.is_ok(), end), (true, End::Finished), "{driver:?}, {written:?}");
        }
    }
}

#[test]
fn a_client_that_has_said_all_gets_its_answer() {
    for driver in Driver::ALL {
        let host = start(driver, &Ended::default());
        let mut client = host.connect();
        client.send(get_request("/sleep/50", ""));
        client.finish();
        let (answer, end) = client.receive(|_| false);
        assert_eq!(
            (end, text(&answer).ends_with("slept")),
            (End::Finished, true),
            "{driver:?}: {}",
            text(&answer)
        );
    }
}

/// With as much read ahead as is kept, nobody reads the socket any more; an error is noticed all the same.
#[test]
fn a_reset_is_noticed_whether_anybody_reads_or_not() {
    for driver in Driver::ALL {
        for behind in [0, 40_000] {
            let ended = Ended::default();
            let host = start(driver, &ended);
            let mut client = host.connect();
            client.send(get_request("/stuck", ""));
            if driver != Driver::Memory || behind == 0 {
                client.send(vec![b'x'; behind]);
            }
            assert!(!host.wait_a_little(|| ended.count() > 0), "{driver:?}: the handler runs");
            client.reset();
            assert!(host.wait(|| ended.count() == 1), "{driver:?}, {behind}: the handler was never dropped");
        }
    }
}

#[test]
fn a_reset_in_the_middle_of_a_body_ends_its_handler() {
    for driver in Driver::ALL {
        let ended = Ended::default();
        let host = start(driver, &ended);
        let mut client = host.connect();
        client.send("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf of it");
        client.reset();
        // The server is none the worse for it.
        let answer = host.connect().exchange(get_request("/hello/next", CLOSE).into_bytes());
        assert!(answer.ends_with(b"Hello, next!"), "{driver:?}: {}", text(&answer));
        host.shutdown();
        host.end();
    }
}

#[test]
fn a_task_outlives_the_client_that_asked_for_it() {
    for driver in Driver::ALL {
        let ended = Ended::default();
        let host = start(driver, &ended);
        let mut client = host.connect();
        client.send("POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
        // The reset must not overtake the request itself, which then would never have been.
        client.receive(|answer| answer.len() >= 12);
        client.reset();
        assert!(host.wait(|| ended.count() == 1), "{driver:?}: the task never came to its end");
    }
}

#[test]
fn a_drain_lets_what_runs_come_to_its_end() {
    for driver in Driver::ALL {
        let host = start(driver, &Ended::default());
        let (mut idle, mut busy) = (host.connect(), host.connect());
        idle.send(get_request("/hello/1", ""));
        idle.receive(|answer| answer.ends_with(b"Hello, 1!"));
        busy.send(get_request("/sleep/600", ""));
        host.wait_a_little(|| false);
        host.shutdown();
        let (answer, end) = busy.receive(|_| false);
        let answer = text(&answer);
        assert_eq!(end, End::Finished, "{driver:?}");
        assert!(
            answer.contains("\r\nconnection: close\r\n") && answer.ends_with("slept"),
            "{driver:?}: {answer}"
        );
        assert_eq!(idle.receive(|_| false), (Vec::new(), End::Finished), "{driver:?}: the idle one");
        drop((idle, busy));
        host.end();
    }
}

/// Its end must not look like the end of the message.
#[test]
fn what_is_cut_off_by_the_end_of_the_drain_looks_cut() {
    for driver in Driver::ALL {
        let mut limits = Limits::default();
        limits.drain_time = Duration::from_millis(300);
        let host = Host::start(driver, app(driver, &Ended::default()), &limits);
        let mut client = host.connect();
        client.send(get_request("/endless", ""));
        client.receive(|answer| answer.ends_with(b"the beginning\r\n"));
        host.shutdown();
        assert_eq!(client.receive(|_| false).1, End::Reset, "{driver:?}");
        host.end();
    }
}

#[test]
fn with_every_place_taken_the_next_connection_waits() {
    for driver in Driver::SOCKETS {
        let server = Server::new().connections(2);
        let host = Host::start_with(driver, app(driver, &Ended::default()), server, &Limits::default());
        let mut clients = [(); 3].map(|()| host.connect());
        for client in &mut clients {
            client.send(get_request("/sleep/1", ""));
        }
        let [mut first, mut second, mut third] = clients;
        for client in [&mut first, &mut second] {
            assert!(text(&client.receive(answered).0).ends_with("slept"), "{driver:?}");
        }
        assert_eq!(third.try_receive(), None, "{driver:?}: it has no place");
        drop(first);
        assert!(text(&third.receive(answered).0).ends_with("slept"), "{driver:?}");
    }
}

/// An abort ends everything here and now, and nothing looks as if it had ended well.
#[test]
fn an_abort_resets_what_runs() {
    for driver in Driver::SOCKETS {
        let ended = Ended::default();
        let host = start(driver, &ended);
        let mut client = host.connect();
        client.send(get_request("/stuck", ""));
        host.wait_a_little(|| false);
        host.abort();
        assert_eq!(client.receive(|_| false).1, End::Reset, "{driver:?}");
        host.end();
        assert_eq!(ended.count(), 1, "{driver:?}: the handler was dropped");
    }
}

/// What was written while nobody read is not the whole message, and the end must not look as if it were.
#[test]
fn an_abort_in_the_middle_of_a_close_delimited_answer_resets() {
    for driver in Driver::SOCKETS {
        let host = start(driver, &Ended::default());
        let mut client = host.connect();
        client.send("GET /large HTTP/1.0\r\n\r\n");
        client.receive(|answer| answer.len() > 100);
        host.wait_a_little(|| false);
        host.abort();
        let (answer, end) = client.receive(|_| false);
        assert_eq!(end, End::Reset, "{driver:?}: after {} bytes", answer.len());
        host.end();
    }
}

/// A client that closes after it has read everything has sent a FIN, which cancels nothing.
#[test]
fn a_handler_that_has_answered_runs_to_its_end_though_its_client_closes() {
    for driver in Driver::ALL {
        let ended = Ended::default();
        let host = start(driver, &ended);
        let mut client = host.connect();
        client.send("GET /afterwards HTTP/1.0\r\n\r\n");
        let (answer, end) = client.receive(|_| false);
        assert!(answer.ends_with(b"answered"), "{driver:?}: {}", text(&answer));
        assert_eq!(end, End::Finished, "{driver:?}");
        client.finish();
        drop(client);
        assert!(host.wait(|| ended.count() == 1), "{driver:?}: the handler was cancelled");
    }
}

/// The event loop is held while a request arrives and the server is told to stop.
#[test]
fn a_request_that_had_arrived_before_the_drain_is_answered() {
    for driver in Driver::SOCKETS {
        let host = start(driver, &Ended::default());
        let mut kept = host.connect();
        kept.send(get_request("/hello/1", ""));
        kept.receive(|answer| answer.ends_with(b"Hello, 1!"));
        let mut holding = host.connect();
        holding.send(get_request("/hold", ""));
        host.wait_a_little(|| false);
        let mut new = host.connect();
        for client in [&mut kept, &mut new] {
            // It takes longer than a server waits for those who do not let go.
            client.send(get_request("/sleep/2000", ""));
        }
        host.wait_a_little(|| false);
        host.shutdown();
        for (which, client) in [("kept", &mut kept), ("new", &mut new)] {
            let (answer, end) = client.receive(|_| false);
            let answer = text(&answer);
            assert!(
                answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("slept"),
                "{driver:?}, {which}: {answer:?}"
            );
            assert_eq!(end, End::Finished, "{driver:?}, {which}");
        }
        drop((kept, new, holding));
        host.end();
    }
}
