//! Tapes that a person has cut, and applications that have changed.

use std::future::poll_fn;
use std::sync::Mutex;
use std::task::{Poll, Waker};

use bakestone::machine::{Io, Machine, Now, Peer, Phase, Read, Wants};
use bakestone_testkit::{Bounds, Script, check, tape};

use super::*;

/// The application of the tapes here.
fn corner(bread: &'static str) -> App {
    let later = move |context: Context| async move {
        context.sleep(SECOND).await;
        bread
    };
    App::new()
        .route("/", get(move || bread))
        .route("/recipe", get(async |context: Context| FileResponse::open(&context, "recipe.txt").await))
        .route("/wait", get(later))
}

/// As a person writes one, with remarks.
const TAPE: &str = r"tape 1
wall 1704067200s
mono 5s
seed 7

# The client asks for bread,
@ 0s
> GET / HTTP/1.1\r\n
  Host: a\r\n
  \r\n
< HTTP/1.1 200 OK\r\n
  date: Mon, 01 Jan 2024 00:00:00 GMT\r\n
< content-type: text/html; charset=utf-8\r\n
  content-length: 5\r\n
  \r\n
  bread
@ 0s

# and for the recipe.
@ 1.5s
> GET /recipe HTTP/1.1\r\nHost: a\r\n\r\n
? 1 open recipe.txt (Read)
@ 2s
+ 1 failed NotFound: nobody has it
< HTTP/1.1 404 Not Found\r\n
  date: Mon, 01 Jan 2024 00:00:02 GMT\r\n
  content-type: text/plain; charset=utf-8\r\n
  vary: accept\r\n
  content-length: 9\r\n
  \r\n
  Not Found
@ 2s
@ 3s
> GET /wait HTTP/1.1\r\nHost: a\r\n\r\n
@ 4s
< HTTP/1.1 200 OK\r\ndate: Mon, 01 Jan 2024 00:00:04 GMT\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: 5\r\n\r\nbread
@ 4s
! fin
= done
# end
";

fn outcome(tape: &str, bread: &'static str) -> String {
    match Replay::parse(tape).unwrap().app(corner(bread)) {
        Ok(replayed) => format!("{} steps", replayed.steps),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_tape_written_by_hand_is_replayed_and_cut_down() {
    assert_eq!(outcome(TAPE, "bread"), "8 steps");
    // From the end, line by line: what is left is what the machine is held to.
    for (index, _) in TAPE.match_indices('\n') {
        let tape = &TAPE[..=index];
        assert!(outcome(tape, "bread").ends_with(" steps"), "{tape}\n{}", outcome(tape, "bread"));
    }
    // From the middle: the recipe, and then all but the last request.
    let (first, rest) = TAPE.split_once("@ 1.5s").unwrap();
    let last = &rest[rest.find("@ 3s").unwrap()..];
    assert_eq!(outcome(&format!("{first}{last}"), "bread"), "5 steps");
    let head = &first[..first.find("# The").unwrap()];
    assert_eq!(outcome(&format!("{head}{last}"), "bread"), "3 steps");
}

#[test]
fn the_first_difference_is_named() {
    let edit = |from: &str, to: &str| {
        assert!(TAPE.contains(from), "{from}");
        TAPE.replacen(from, to, 1)
    };
    let table = [
        (
            TAPE.to_owned(),
            "brood",
            "the replay differs at 0s (the step on line 7 of the tape), at byte 117 of the output:\n  \
             after     77 bytes and `; charset=utf-8\\r\\ncontent-length: 5\\r\\n\\r\\nbr`\n  \
             expected  `ead`\n  got       `ood`",
        ),
        (
            edit("200 OK\\r\\n\n", "201 Created\\r\\n\n"),
            "bread",
            "the replay differs at 0s (the step on line 7 of the tape), at byte 11 of the output:\n  \
             after     `HTTP/1.1 20`\n  \
             expected  `1 Created\\r\\ndate: Mon, 01 Jan 2024 00:00:00 GMT\\r\\ncontent-type`, and 54 bytes more\n  \
             got       `0 OK\\r\\ndate: Mon, 01 Jan 2024 00:00:00 GMT\\r\\ncontent-type: tex`, and 49 bytes more",
        ),
        (
            edit("? 1 open recipe.txt (Read)", "? 1 open recipe.md (Read)"),
            "bread",
            "the replay differs at 1.5s (the step on line 20 of the tape):\n  \
             expected  `open recipe.md (Read)`\n  got       `open recipe.txt (Read)`",
        ),
        (
            edit("? 1 open recipe.txt (Read)\n", ""),
            "bread",
            "the replay differs at 1.5s (the step on line 20 of the tape):\n  \
             expected  nothing\n  got       `open recipe.txt (Read)`",
        ),
        (
            edit("+ 1 failed", "+ 2 failed"),
            "bread",
            "the replay differs at 2s (the step on line 23 of the tape):\n  \
             expected  effect 2, which is answered here\n  got       nothing asked",
        ),
        (
            edit("@ 4s\n! fin\n= done", "@ 4s\n= done"),
            "bread",
            "the replay differs at 4s (the step on line 37 of the tape):\n  expected  `the end`\n  got       nothing",
        ),
        (
            edit("@ 4s\n< HTTP", "@ 3.5s\n~ wake\n< HTTP"),
            "bread",
            "the replay differs at 3.5s (the step on line 35 of the tape), at byte 266 of the output:\n  \
             expected  `HTTP/1.1 200 OK\\r\\ndate: Mon, 01 Jan 2024 00:00:04 GMT\\r\\nconten`, and 60 bytes more\n  \
             got       nothing\n\
             The step on line 35 was made for a wake from outside the toolkit, which a tape cannot repeat.",
        ),
    ];
    for (tape, bread, expected) in table {
        assert_eq!(outcome(&tape, bread), expected);
    }
}

#[test]
fn what_is_no_tape_and_what_does_not_start_is_told() {
    let fails = || App::new().on_startup(async |_| Err::<(), _>(bakestone::Error::internal()));
    let sleeps = || App::new().on_startup(async |_| std::future::pending::<()>().await);
    let unsound = || App::new().route("/", get(|| "a")).route("/", get(|| "b"));
    let run = |app| Replay::parse(TAPE).unwrap().app(app).unwrap_err().to_string();
    assert!(run(fails()).contains("start-up"), "{}", run(fails()));
    assert_eq!(run(sleeps()), "the start-up waits for something that never comes");
    assert!(run(unsound()).contains("which has the same shape"), "{}", run(unsound()));
    assert!(Replay::read("/no/such.tape").unwrap_err().to_string().starts_with("/no/such.tape: "));
    assert_eq!(
        Replay::parse("hi\n").unwrap_err().to_string(),
        "line 1 of the tape: it says nothing known: \"hi\""
    );
}

/// Whatever a hand does to a tape, its replay ends, with words.
#[test]
fn no_tape_is_too_strange_to_be_replayed() {
    let far = "18446744073709551615s";
    let table = [
        ("mono 5s", format!("mono {far}")),
        ("wall 1704067200s", format!("wall {far}")),
        ("seed 7", format!("seed 7\nlimit idle_time {far}\nlimit handler_time {far}\nlimit head_time 0s")),
        ("seed 7", "seed 7\nlimit output_bytes 0\nlimit head_bytes 18446744073709551615".to_owned()),
        ("@ 4s\n! fin\n= done", format!("@ {far}\n! fin\n= done")),
        ("@ 2s\n+", "@ 2s, wall 0s\n+".to_owned()),
        ("@ 2s\n+", format!("@ 2s, wall {far}\n+")),
        ("? 1 open", "? 1 open\n? 1 open".to_owned()),
        ("+ 1 failed NotFound: nobody has it", "+ 1 ran".to_owned()),
        ("+ 1 failed NotFound: nobody has it", "+ 1 data a\n+ 1 data a".to_owned()),
        ("+ 1 failed NotFound: nobody has it", "+ 1 opened 9 as 77, 18446744073709551615 bytes".to_owned()),
        ("+ 1 failed NotFound: nobody has it", "+ 1 unanswered".to_owned()),
        ("! fin", "! gone\n! fin\n! gone\n! drain\n! waits 18446744073709551615\n> a".to_owned()),
    ];
    for (from, to) in table {
        assert!(TAPE.contains(from), "{from}");
        assert!(!outcome(&TAPE.replacen(from, &to, 1), "bread").is_empty());
    }
    // Each line twice, or not at all, or before the one before it.
    let lines: Vec<&str> = TAPE.lines().collect();
    for index in 1..lines.len() {
        let mut changed = [lines.clone(), lines.clone(), lines.clone()];
        changed[0].insert(index, lines[index]);
        changed[1].remove(index);
        changed[2].swap(index - 1, index);
        for lines in changed {
            let text = lines.join("\n") + "\n";
            let told = Replay::parse(&text).and_then(|replay| replay.app(corner("bread")));
            assert!(told.map_or_else(|error| !error.to_string().is_empty(), |replayed| replayed.steps > 6));
        }
    }
}

/// Something to wait for that is not the toolkit's.
#[derive(Clone, Default)]
struct Bell(Arc<Mutex<(bool, Option<Waker>)>>);

impl Bell {
    fn ring(&self) {
        let mut bell = self.0.lock().unwrap();
        bell.0 = true;
        if let Some(waker) = bell.1.take() {
            waker.wake();
        }
    }

    async fn rung(self) -> &'static str {
        let wait = |cx: &mut std::task::Context<'_>| {
            let mut bell = self.0.lock().unwrap();
            bell.1 = Some(cx.waker().clone());
            if bell.0 { Poll::Ready("ding") } else { Poll::Pending }
        };
        poll_fn(wait).await
    }
}

#[test]
fn a_wake_from_elsewhere_leaves_a_mark() {
    let bell = Bell::default();
    let tower = |bell: Bell| App::new().route("/", get(move || bell.clone().rung()));
    let (recorder, log) = Recorder::logging(Session::new(tower(bell.clone()).build().unwrap()));
    let mut wire = Wire::new(recorder);
    wire.feed(ask("GET /", "")).advance(SECOND).expect_silence();
    bell.ring();
    wire.settle();
    drop(wire);
    let tape = log.text();
    assert!(tape.contains("\n@ 1s\n~ wake\n< HTTP/1.1 200 OK"), "{tape}");
    // A bell that has rung before is heard at once, and one that never rings never.
    let replay = |bell| Replay::parse(&tape).unwrap().app(tower(bell)).unwrap_err().to_string();
    let (early, never) = (replay(bell), replay(Bell::default()));
    assert!(early.starts_with("the replay differs at 0s") && !early.contains("outside"), "{early}");
    assert!(
        never.starts_with("the replay differs at 1s") && never.contains("outside the toolkit"),
        "{never}"
    );
}

#[test]
fn a_script_is_recorded_and_replayed() {
    let script = Script::bytes(ask("GET /", "")).advance(SECOND).finish();
    let text = tape::record(Session::new(corner("bread").build().unwrap()), &script);
    let replayed = Replay::parse(&text).unwrap().app(corner("bread")).unwrap();
    assert_eq!(replayed.steps, text.matches("\n@ ").count());
}

/// Says twice what it hears, when it hears it in two pieces.
struct Stutter;

impl Machine for Stutter {
    fn step(&mut self, _: Now, io: &mut Io, _: &mut std::task::Context<'_>) -> Wants {
        if !io.input.is_empty() {
            io.input.clear();
            io.output.extend_from_slice(b"hm ");
        }
        match io.peer {
            Peer::Open => Wants { read: Read::Need, wake_at: None, phase: Phase::Open },
            _ if io.output.is_empty() || io.peer == Peer::Gone => Wants::DONE,
            _ => Wants { read: Read::Pause, wake_at: None, phase: Phase::Lingering },
        }
    }
}

/// It is run by the next one, in a process that asks for tapes.
#[test]
#[ignore = "a part of another test"]
fn a_law_is_broken() {
    let violation = check(|| Stutter, "hello", &Bounds::default()).unwrap_err();
    let tape = violation.tape.clone().expect("this process asks for tapes");
    assert!(violation.to_string().contains(&format!("-- the tape: {}", tape.display())), "{violation}");
    Replay::read(tape).unwrap().machine(Stutter).unwrap();
}

#[test]
fn a_broken_law_is_kept_as_a_tape_where_one_is_asked_for() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("kept-tapes");
    let _ = std::fs::remove_dir_all(&folder);
    let run = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "by_hand::a_law_is_broken", "--ignored"])
        .env("BAKESTONE_TAPES", &folder)
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
    let kept: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    std::fs::remove_dir_all(&folder).unwrap();
}
