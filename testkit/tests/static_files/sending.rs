//! What becomes of a file while it is sent.

use bakestone::effect::{Effect, FILE_CHUNK, FileHandle, Metadata};
use bakestone::{Request, get};
use bakestone_testkit::{Bounds, Script, http1_view, laws_within};

use super::*;

fn app() -> AppService {
    built(App::new().route("/", get(async |request: Request| request.file("file").await)))
}

/// A file whose length was announced as `announced`, and which has `real` bytes once it is read.
fn changed(announced: u64, real: u64) -> impl Files + Clone + 'static {
    move |op: FileOp| match op {
        FileOp::Open(..) => {
            Ok(FileAnswer::Opened(FileHandle::new(()), Metadata::file(announced, Some(CHANGED))))
        }
        FileOp::Read { offset, length, .. } => {
            let left = usize::try_from(real.saturating_sub(offset)).unwrap();
            Ok(FileAnswer::Data(vec![b'x'; left.min(length)].into()))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn s35_never_more_than_was_announced_and_never_less_unseen() {
    let chunk = FILE_CHUNK as u64;
    for (announced, real, sent) in [
        (10, 10, Some(10)),
        (10, 11, Some(10)),
        (10, 1 << 40, Some(10)),
        (3 * chunk + 1, 3 * chunk + 1, Some(3 * chunk + 1)),
        (3 * chunk + 1, 1 << 40, Some(3 * chunk + 1)),
        (2 * chunk, chunk, None),
        (2 * chunk, chunk + 1, None),
        (10, 9, None),
    ] {
        let mut wire = on_wire(app(), changed(announced, real));
        wire.feed(request("GET /", &[]));
        let text = wire.take_text();
        let seen = Seen::parse(&text);
        assert_eq!(seen.field("content-length"), announced.to_string());
        match sent {
            Some(sent) => {
                assert_eq!(seen.body.len() as u64, sent, "{announced} {real}");
                wire.expect_open();
            }
            None => {
                assert!((seen.body.len() as u64) < announced, "{announced} {real}");
                wire.expect_reset();
            }
        }
    }
}

#[test]
fn memory_is_flat_and_one_operation_is_in_flight() {
    let length = 4_u64 << 30;
    let mut wire = on_wire(app(), changed(length, length));
    wire.hold_output(true).hold_effects(true).feed(request("GET /", &[]));
    let mut reads = 0;
    for _ in 0..100 {
        assert!(wire.held().len() <= 1, "{:?}", wire.held());
        reads += wire.held().len();
        wire.answer_held();
    }
    // A peer that reads nothing is given what fits into the output, and one chunk is read ahead.
    assert!(reads <= 5, "{reads} reads for a peer that reads nothing");
}

#[test]
fn a_body_that_is_dropped_closes_its_file() {
    let open = std::sync::Arc::new(());
    let kept = open.clone();
    let files = move |op: FileOp| match op {
        FileOp::Open(..) => {
            let handle = FileHandle::new(kept.clone());
            Ok(FileAnswer::Opened(handle, Metadata::file(1 << 30, Some(CHANGED))))
        }
        FileOp::Read { length, .. } => Ok(FileAnswer::Data(vec![b'x'; length].into())),
        other => panic!("{other:?}"),
    };
    let mut wire = on_wire(app(), files);
    wire.hold_output(true).feed(request("GET /", &[]));
    let while_sending = std::sync::Arc::strong_count(&open);
    wire.reset();
    let after = std::sync::Arc::strong_count(&open);
    assert_eq!(while_sending, after + 1, "one for the body, and the rest for the test");
}

#[test]
fn a_driver_without_files_says_so() {
    let mut wire = Wire::new(Session::new(app()));
    assert_eq!(Seen::parse(&wire.feed(request("GET /", &[])).take_text()).status, 500);
    // One that gives up on the way cuts the message off.
    let mut wire = on_wire(app(), changed(1 << 20, 1 << 20));
    wire.hold_effects(true).feed(request("GET /", &[]));
    wire.answer_held().answer_held();
    for effect in wire.take_held() {
        assert!(matches!(effect, Effect::File(FileOp::Read { .. }, _)));
    }
    wire.settle();
    wire.expect_reset();
}

#[test]
fn a_file_that_was_read_already_is_sent_whole() {
    use bakestone::effect::OpenMode;
    use bakestone::message::FileResponse;
    let handler = async |request: Request| {
        let context = request.context();
        let mut file = context.open("file", OpenMode::Read).await?;
        let first = file.read().await?;
        // One that is given up is still in flight.
        let _ = context.timeout(Duration::ZERO, file.read()).await;
        assert_eq!(first.len(), 5);
        Ok::<_, bakestone::Error>(FileResponse::from(file).named("a.txt").for_request(&request))
    };
    let service = built(App::new().route("/", get(handler)));
    let seen = ask(service, &memory(&[("file", "hello")]), "GET /", &[]);
    assert_eq!((seen.status, &*seen.body), (200, "hello"));
}

#[test]
fn files_keep_the_laws() {
    fn make() -> Box<dyn Files> {
        let files = memory(&[]);
        files.insert_modified("file", "0123456789".repeat(3_000), CHANGED);
        Box::new(files)
    }
    let script = Script::bytes(
        request("GET /", &[])
            + &request("HEAD /", &[])
            + &request("GET /", &[("Range", "bytes=5-7000, 10000-29999, 0-1")])
            + &request("GET /", &[("If-None-Match", "*")]),
    );
    let service = app();
    let bounds = Bounds::default().view(http1_view).files(make);
    laws_within(|| Session::new(service.clone()), script, &bounds);
}
