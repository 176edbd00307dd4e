//! Verdicts from bytes.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

use bakestone_testkit::cases::{Case, Content, parse};

use super::*;

/// A case of one request with this `told`.
fn case(told: &str) -> Case {
    let text = format!("## A\nTraps: 1.\n```request\nGET /\n```\n```answer\n{told}\n```\n");
    parse("a.md", &text).unwrap().remove(0)
}

/// An answer with this status and content.
fn answer(status: u16, content: &str) -> String {
    format!("HTTP/1.1 {status} \r\nContent-Length: {}\r\n\r\n{content}", content.len())
}

fn outcome(case: &Case, came: &str, late: &str, fate: Fate) -> Outcome {
    let has_content = |_| case.turns[0].answers.iter().all(|answer| answer.content != Content::None);
    let closed = fate == Fate::Closed;
    Outcome {
        turns: vec![Replies::read(came.as_bytes(), has_content, closed)],
        late: Replies::read(late.as_bytes(), |_| true, closed),
        fate,
    }
}

/// What came, what came behind it, the connection's fate, the verdict.
type Row<'a> = (&'a str, &'a str, Fate, Verdict);

fn check(told: &str, rows: &[Row<'_>]) {
    for (came, late, fate, expected) in rows {
        let case = case(told);
        let verdict = judge(&case, &outcome(&case, came, late, *fate), true);
        assert_eq!(verdict, *expected, "told {told:?}, came {came:?}, then {late:?}, {fate:?}");
    }
}

#[test]
fn what_a_case_refuses() {
    let (no, other_no, yes) = (answer(400, "why"), answer(501, ""), answer(200, "GET / and no content"));
    let (no, other_no, yes) = (&no[..], &other_no[..], &yes[..]);
    check(
        "400\nconnection: close\nbody begins because\nclosed",
        &[
            (no, "", Fate::Closed, Verdict::AsTold),
            (no, "", Fate::Waits, Verdict::AsTold),
            (other_no, "", Fate::Closed, Verdict::OtherStatus),
            ("", "", Fate::Closed, Verdict::Silent),
            ("", "", Fate::Waits, Verdict::Silent),
            ("", no, Fate::Astray, Verdict::Silent),
            ("", yes, Fate::Astray, Verdict::Lenient),
            ("", yes, Fate::Open, Verdict::KeepsOpen),
            (no, yes, Fate::Open, Verdict::KeepsOpen),
            (no, no, Fate::Astray, Verdict::KeepsOpen),
            (&[no, yes].concat(), "", Fate::Closed, Verdict::KeepsOpen),
            (yes, "", Fate::Closed, Verdict::Lenient),
            (&[yes, yes].concat(), "", Fate::Open, Verdict::Lenient),
        ],
    );
}

#[test]
fn what_a_case_takes() {
    let (no, yes, other) =
        (answer(400, ""), answer(200, "POST / and 1 byte: a"), answer(200, "POST / and no content"));
    let (no, yes, other) = (&no[..], &yes[..], &other[..]);
    let chunked =
        "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n14\r\nPOST / and 1 byte: a\r\n0\r\n\r\n";
    check(
        "200\nno transfer-encoding\nbody is POST / and 1 byte: a\nopen",
        &[
            (yes, "", Fate::Open, Verdict::AsTold),
            (&["HTTP/1.1 100 \r\n\r\n", yes].concat(), "", Fate::Open, Verdict::AsTold),
            (&answer(201, ""), "", Fate::Open, Verdict::OtherStatus),
            (yes, "", Fate::Closed, Verdict::Strict),
            (no, "", Fate::Closed, Verdict::Strict),
            (no, "", Fate::Open, Verdict::Strict),
            ("", "", Fate::Closed, Verdict::Strict),
            (&yes[..yes.len() - 1], "", Fate::Closed, Verdict::Strict),
            (yes, "", Fate::Waits, Verdict::Misread),
            (yes, no, Fate::Astray, Verdict::Misread),
            (&[yes, no].concat(), "", Fate::Closed, Verdict::Misread),
            (&[yes, "HTTP/1.1 200"].concat(), "", Fate::Open, Verdict::Misread),
            (&[yes, "more"].concat(), "", Fate::Open, Verdict::Misread),
            (other, "", Fate::Open, Verdict::Misread),
            (chunked, "", Fate::Open, Verdict::Misread),
        ],
    );
    let two = |first: &str| answer(200, first);
    check(
        "200\nbody is host: h; a: 1; a: 2\nopen",
        &[
            (&two("a: 1; a: 2; host: h"), "", Fate::Open, Verdict::AsTold),
            (&two("host: h; a: 2; a: 1"), "", Fate::Open, Verdict::Misread),
        ],
    );
}

#[test]
fn what_else_a_case_tells() {
    let yes = answer(200, "GET / and no content");
    let yes = &yes[..];
    let cut = "HTTP/1.1 200 \r\nContent-Length: 10\r\n\r\nfour";
    check(
        "reset",
        &[
            ("", "", Fate::Closed, Verdict::AsTold),
            (cut, "", Fate::Closed, Verdict::AsTold),
            (cut, "", Fate::Waits, Verdict::Misread),
            (&answer(500, ""), "", Fate::Closed, Verdict::OtherStatus),
            (yes, "", Fate::Closed, Verdict::Misread),
        ],
    );
    check(
        "waits",
        &[
            ("", "", Fate::Open, Verdict::AsTold),
            ("", &answer(400, ""), Fate::Open, Verdict::AsTold),
            ("", yes, Fate::Open, Verdict::Misread),
            (&answer(400, ""), "", Fate::Closed, Verdict::Strict),
            ("", "", Fate::Closed, Verdict::Strict),
            (yes, "", Fate::Open, Verdict::Misread),
        ],
    );
    check(
        "200\nno content\nopen",
        &[
            ("HTTP/1.1 200 \r\nContent-Length: 4\r\n\r\n", "", Fate::Open, Verdict::AsTold),
            ("HTTP/1.1 200 \r\nContent-Length: 4\r\n\r\nfour", "", Fate::Open, Verdict::Misread),
        ],
    );
    check(
        "100\nwaits",
        &[("HTTP/1.1 100 \r\n\r\n", "", Fate::Open, Verdict::AsTold), ("", "", Fate::Open, Verdict::Strict)],
    );
    let tunnel = "HTTP/1.1 101 \r\n\r\nHELLO";
    check(
        "101\nbody is HELLO\ntunnel",
        &[
            (tunnel, "", Fate::Open, Verdict::AsTold),
            (&tunnel[..19], "", Fate::Open, Verdict::Misread),
            (tunnel, "", Fate::Closed, Verdict::Strict),
        ],
    );
}

#[test]
fn trailers_count_where_they_can_be_told() {
    for (came, tells_trailers, expected) in [
        ("POST / and 1 byte: a, then x: y", true, Verdict::AsTold),
        ("POST / and 1 byte: a", true, Verdict::Misread),
        ("POST / and 1 byte: a, then host: z, then x: y", true, Verdict::Lenient),
        ("POST / and 1 byte: a", false, Verdict::AsTold),
        ("POST / and 1 byte: b", false, Verdict::Misread),
    ] {
        let case = case("200\nbody is POST / and 1 byte: a, then x: y\nopen");
        let outcome = outcome(&case, &answer(200, came), "", Fate::Open);
        assert_eq!(judge(&case, &outcome, tells_trailers), expected, "{came}");
    }
}
