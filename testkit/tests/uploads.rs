//! Forms with files: where the bytes are while a form arrives, and what is left of them afterwards.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

#[path = "uploads/forms.rs"]
mod forms;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bakestone::app::AppService;
use bakestone::effect::{Effect, FileErrorKind, FileOp};
use bakestone::message::OnDisconnect;
use bakestone::{
    App, FormData, FormOptions, Lifecycle, Limits, Request, Result, Session, StatusCode, Text, post,
};
use bakestone_testkit::{Files, MemoryFiles, Wire, splits};

fn wire(app: App, files: &MemoryFiles) -> Wire<Session<AppService>> {
    let mut wire = Wire::new(Session::new(app.build().unwrap()));
    wire.files(files.clone());
    wire
}

fn part(disposition: &str, value: &str) -> String {
    format!("--b\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{value}\r\n")
}

fn head(length: usize) -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: {length}\r\n\r\n"
    )
}

fn request(parts: &[String]) -> String {
    let body = format!("{}--b--\r\n", parts.concat());
    head(body.len()) + &body
}

#[track_caller]
fn ends(wire: &mut Wire<Session<AppService>>, status: u16, expected: &str) {
    let answer = wire.take_text();
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    assert!(answer.ends_with(&format!("\r\n\r\n{expected}")), "{answer}");
}

#[test]
fn f16_f17_what_is_over_the_memory_goes_to_a_file_without_a_name() {
    for (memory, most_unnamed) in [(0, 3), (4, 2), (5, 2), (9, 1), (11, 0)] {
        let files = MemoryFiles::new();
        let seen = Arc::new(Mutex::new(0));
        let (note, at) = (seen.clone(), files.clone());
        let handler = move |request: Request| {
            let (note, at) = (note.clone(), at.clone());
            async move {
                let mut request = request;
                let form = request.form_with(FormOptions::new().file_memory_bytes(memory)).await?;
                *note.lock().unwrap() = at.temporaries();
                let mut told = String::new();
                for file in form.files() {
                    // Twice, since what was read is still there.
                    assert_eq!(file.read(100).await?, file.read(100).await?);
                    told += &format!("{}={:?} ", file.name(), file.read(100).await?);
                }
                Result::<_>::Ok(Text(told))
            }
        };
        let body = request(&[
            part("name=x; filename=1", "hello"),
            part("name=y; filename=2", "hi"),
            part("name=z; filename=3", "dear"),
        ]);
        for pieces in splits(body.as_bytes()) {
            let mut wire = wire(App::new().route("/", post(handler.clone())), &files);
            for piece in pieces {
                wire.feed(piece);
            }
            ends(&mut wire, 200, r#"x=b"hello" y=b"hi" z=b"dear" "#);
            assert_eq!(*seen.lock().unwrap(), most_unnamed, "with {memory} bytes of memory");
            assert_eq!((files.temporaries(), files.paths().len()), (0, 0), "they vanish");
        }
    }
}

#[test]
fn f18_upload_to_gives_paths_once_all_is_there() {
    async fn save(mut request: Request) -> Result<Text<String>> {
        let options = FormOptions::new().upload_to(|head| {
            let name = head.safe_filename()?;
            (head.name() != "scratch").then(|| format!("saved/{name}"))
        });
        let form = request.form_with(options).await?;
        let paths: Vec<_> = form.files().iter().map(|file| format!("{:?}", file.path())).collect();
        Ok(Text(paths.join(" ")))
    }
    let app = || App::new().route("/", post(save));
    let parts = [
        part(r#"name=x; filename="../../etc/a.txt""#, "one"),
        part("name=scratch; filename=s.txt", "gone"),
        part("name=y; filename=b.txt", "two"),
    ];
    let files = MemoryFiles::new();
    let whole = request(&parts);
    let mut saved = wire(app(), &files);
    saved.feed(&whole[..whole.len() - 3]);
    assert_eq!(files.paths().len(), 0, "nobody sees a part of a form");
    saved.feed(&whole[whole.len() - 3..]);
    ends(&mut saved, 200, r#"Some("saved/a.txt") None Some("saved/b.txt")"#);
    assert_eq!(files.get("saved/a.txt").unwrap(), b"one");
    assert_eq!(files.get("saved/b.txt").unwrap(), b"two");
    assert_eq!((files.temporaries(), files.paths().len()), (0, 2));

    // The second path is taken, so the first file loses its name again.
    let taken = MemoryFiles::new().with("saved/b.txt", "mine");
    let mut refused = wire(app(), &taken);
    refused.feed(&whole);
    ends(&mut refused, 500, "Internal Server Error");
    assert_eq!(taken.get("saved/b.txt").unwrap(), b"mine");
    assert_eq!((taken.temporaries(), taken.paths().len()), (0, 1));
}

#[test]
fn f11_nothing_is_left_of_a_form_that_fails() {
    async fn save(mut request: Request) -> Result<Text<String>> {
        let options = FormOptions::new()
            .file_memory_bytes(0)
            .form_fields(1)
            .form_files(2)
            .file_bytes(5)
            .upload_to(|head| Some(format!("saved/{}", head.name())));
        request.form_with(options).await?;
        Ok(Text("saved".into()))
    }
    let good = part("name=x; filename=1", "one");
    let field = part("name=f", "v");
    for (rest, status, expected) in [
        ("--b\r\nContent-Disposition: form-data; name=y\r\n\r\ncut", 400, "y"),
        (&*part("filename=1", "no name"), 400, "name"),
        (&*part("name=y; filename=2", "longer"), 413, "file_bytes is 5"),
        (&*[&*field, &field].concat(), 413, "form_fields is 1"),
        (&*[&*good, &good].concat(), 413, "form_files is 2"),
    ] {
        let files = MemoryFiles::new();
        let mut wire = wire(App::new().route("/", post(save)), &files);
        let body =
            if rest.ends_with("cut") { format!("{good}{rest}") } else { format!("{good}{rest}--b--\r\n") };
        wire.feed(head(body.len()) + &body);
        let answer = wire.take_text();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{rest}: {answer}");
        assert!(answer.contains(expected), "{rest}: {answer}");
        assert_eq!((files.temporaries(), files.paths().len()), (0, 0), "{rest}");
    }
}

/// At every byte of the form, a client that is gone leaves nothing.
#[test]
fn r14_nothing_is_left_of_a_form_whose_client_is_gone() {
    async fn save(mut request: Request) -> Result<Text<String>> {
        let options = FormOptions::new().upload_to(|head| Some(format!("saved/{}", head.name())));
        request.form_with(options).await?;
        Ok(Text("saved".into()))
    }
    let whole = request(&[part("name=x; filename=1", "one"), part("name=y; filename=2", "two")]);
    for cut in 0..whole.len() {
        for gone in [true, false] {
            let files = MemoryFiles::new();
            let mut wire = wire(App::new().route("/", post(save)), &files);
            wire.feed(&whole[..cut]);
            if gone {
                wire.reset()
            } else {
                wire.finish()
            };
            assert_eq!((files.temporaries(), files.paths().len()), (0, 0), "cut at {cut}, gone {gone}");
        }
    }
}

#[test]
fn a_full_disk_is_507_and_leaves_nothing() {
    async fn save(mut request: Request) -> Result<Text<String>> {
        let form = request.form_with(FormOptions::new().file_memory_bytes(2)).await?;
        Ok(Text(form.files().len().to_string()))
    }
    let files = MemoryFiles::new();
    files.limit_room(4);
    for (value, status, expected) in
        [("four", 200, "1"), ("five!", 507, "Insufficient Storage"), ("f", 200, "1")]
    {
        let mut wire = wire(App::new().route("/", post(save)), &files);
        wire.feed(request(&[part("name=x; filename=1", value)]));
        ends(&mut wire, status, expected);
        assert_eq!((files.temporaries(), files.paths().len()), (0, 0));
    }
}

/// A form of many files takes few descriptors, however small its memory is.
#[test]
fn many_files_share_one_without_a_name() {
    const MANY: usize = 100;
    async fn save(mut request: Request) -> Result<Text<String>> {
        let options = FormOptions::new()
            .file_memory_bytes(0)
            .upload_to(|head| (head.name() == "y").then(|| format!("saved/{}", head.filename().unwrap())));
        let form = request.form_with(options).await?;
        let mut told = String::new();
        for (place, file) in form.files().iter().enumerate() {
            assert_eq!(file.read(100).await?, format!("<{place}>"));
            let mut stream = file.stream();
            assert_eq!(stream.length(), Some(file.size()));
            assert_eq!(stream.bytes(100).await?, format!("<{place}>"));
            told.push('.');
        }
        for file in form.into_parts().1 {
            file.copy_to(format!("copied/{}", file.filename().unwrap())).await?;
            let path = format!("kept/{}", file.filename().unwrap());
            file.persist(path).await?;
        }
        Ok(Text(told))
    }
    let files = MemoryFiles::new();
    let most = Arc::new(AtomicUsize::new(0));
    let (note, mut answering) = (most.clone(), files.clone());
    let mut wire = wire(App::new().route("/", post(save)), &files);
    wire.files(move |operation| {
        let answer = answering.answer(operation);
        note.fetch_max(answering.temporaries(), Ordering::Relaxed);
        answer
    });
    let parts: Vec<_> = (0..MANY)
        .map(|place| {
            part(&format!("name={}; filename={place}", ["x", "y"][place % 2]), &format!("<{place}>"))
        })
        .collect();
    wire.feed(request(&parts));
    ends(&mut wire, 200, &".".repeat(MANY));
    assert!(most.load(Ordering::Relaxed) <= 10, "{most:?}");
    assert_eq!((files.temporaries(), files.paths().len()), (0, 2 * MANY + MANY / 2));
    for place in 0..MANY {
        for folder in ["copied", "kept"] {
            assert_eq!(files.get(format!("{folder}/{place}")).unwrap(), format!("<{place}>").as_bytes());
        }
        let saved = files.get(format!("saved/{place}"));
        assert_eq!(saved, (place % 2 == 1).then(|| format!("<{place}>").into_bytes()));
    }
}

/// A handler that is dropped while the driver gives a file its name does not know whether it got it.
#[test]
fn a_form_that_is_dropped_while_its_files_get_their_names_leaves_none() {
    async fn save(mut request: Request) -> Result<Text<String>> {
        let options = FormOptions::new().upload_to(|head| Some(format!("saved/{}", head.name())));
        request.form_with(options).await?;
        Ok(Text("saved".into()))
    }
    let whole = request(&[part("name=x; filename=1", "one"), part("name=y; filename=2", "two")]);
    for (stop, taken) in [("x", None), ("y", None), ("x", Some("saved/x")), ("y", Some("saved/y"))] {
        let files = MemoryFiles::new();
        if let Some(path) = taken {
            files.insert(path, "mine");
        }
        let lifecycle = Lifecycle::new();
        let spawner = lifecycle.spawner();
        let mut tasks = Wire::new(lifecycle);
        tasks.files(files.clone()).settle();
        let app = App::new().route("/", post(save).on_disconnect(OnDisconnect::Cancel)).build().unwrap();
        let mut wire = Wire::new(Session::new(app).lifecycle(&spawner));
        wire.files(files.clone()).hold_effects(true).feed(&whole);
        let is_naming = |effect: &Effect| matches!(effect, Effect::File(FileOp::Persist { path, .. }, _) if path.ends_with(stop));
        while !wire.held().iter().any(is_naming) {
            assert!(!wire.held().is_empty(), "the form gets as far as that");
            wire.answer_held();
        }
        wire.reset();
        wire.answer_held();
        tasks.settle();
        let expected: Vec<PathBuf> = taken.into_iter().map(PathBuf::from).collect();
        assert_eq!(files.paths(), expected, "stopped at {stop}");
        assert!(taken.is_none_or(|path| files.get(path).unwrap() == b"mine"));
        wire.hold_effects(false).answer_held();
        assert_eq!(files.temporaries(), 0);
    }
}

#[test]
fn f23_a_file_is_copied_and_given_a_name() {
    async fn keep(mut form: FormData) -> Result<StatusCode> {
        let file = form.file("x")?;
        file.copy_to("copies/1").await?;
        file.copy_to("copies/2").await?;
        let again = file.copy_to("copies/2").await;
        assert_eq!(again.unwrap_err().kind, FileErrorKind::AlreadyExists);
        file.persist("kept").await?;
        Ok(StatusCode::CREATED)
    }
    for memory in [0, 100] {
        let files = MemoryFiles::new();
        let mut limits = Limits::default();
        limits.form_file_memory_bytes = memory;
        let app = App::new().route("/", post(keep)).build().unwrap();
        let mut wire = Wire::new(Session::with_limits(app, Arc::new(limits)));
        wire.files(files.clone());
        wire.feed(request(&[part("name=x; filename=1", "content")]));
        ends(&mut wire, 201, "");
        for path in ["copies/1", "copies/2", "kept"] {
            assert_eq!(files.get(path).unwrap(), b"content", "{path}");
        }
        assert_eq!((files.temporaries(), files.paths().len()), (0, 3));
    }
}

/// An answer is given, its client has gone, and the file is still to be saved.
#[test]
fn a_file_outlives_its_connection_in_a_background_task() {
    async fn later(mut request: Request) -> Result<StatusCode> {
        let form = request.form_with(FormOptions::new().file_memory_bytes(0)).await?;
        let (_, mut files) = form.into_parts();
        request.context().spawn(move |context| async move {
            context.sleep(Duration::from_secs(1)).await;
            let file = files.remove(0);
            file.copy_to("copied").await?;
            file.persist("kept").await
        })?;
        Ok(StatusCode::ACCEPTED)
    }
    let files = MemoryFiles::new();
    let lifecycle = Lifecycle::new();
    let spawner = lifecycle.spawner();
    let mut tasks = Wire::new(lifecycle);
    tasks.files(files.clone()).settle();
    let app = App::new().route("/", post(later)).build().unwrap();
    let mut wire = Wire::new(Session::new(app).lifecycle(&spawner));
    wire.files(files.clone()).feed(request(&[part("name=x; filename=1", "content")]));
    wire.expect_start("HTTP/1.1 202 ").finish().expect_closed();
    tasks.settle().advance(Duration::from_secs(2));
    assert_eq!(files.get("kept").unwrap(), b"content");
    assert_eq!(files.get("copied").unwrap(), b"content");
    assert_eq!(files.temporaries(), 0);
}

/// One of the files that have their names was moved meanwhile; the other one goes all the same.
#[test]
fn each_file_of_a_form_that_fails_loses_its_name() {
    async fn save(mut request: Request) -> Result<Text<&'static str>> {
        let options = FormOptions::new().upload_to(|head| Some(format!("saved/{}", head.name())));
        request.form_with(options).await?;
        Ok(Text("saved"))
    }
    let files = MemoryFiles::new().with("saved/z", "mine");
    let lifecycle = Lifecycle::new();
    let spawner = lifecycle.spawner();
    let mut tasks = Wire::new(lifecycle);
    tasks.files(files.clone()).settle();
    let app = App::new().route("/", post(save)).build().unwrap();
    let mut wire = Wire::new(Session::new(app).lifecycle(&spawner));
    let mut moving = files.clone();
    wire.files(move |operation| {
        if matches!(&operation, FileOp::Persist { path, .. } if path.ends_with("z")) {
            moving.answer(FileOp::Rename("saved/x".into(), "elsewhere".into())).unwrap();
        }
        moving.answer(operation)
    });
    let parts: Vec<_> = ["x", "y", "z"].map(|name| part(&format!("name={name}; filename=f"), name)).into();
    wire.feed(request(&parts)).expect_start("HTTP/1.1 500 ");
    tasks.settle();
    assert_eq!(files.paths(), [PathBuf::from("elsewhere"), PathBuf::from("saved/z")]);
}
