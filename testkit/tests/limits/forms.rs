//! What is counted in a form of several parts.

use std::sync::{Arc, Mutex};

use bakestone::{App, FormData, Limits, Session, Text, post};
use bakestone_testkit::{MemoryFiles, Wire};

use crate::{KIB, limits, serve, upload};

const FIELD: &str = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n";
const FILE: &str = "--b\r\nContent-Disposition: form-data; name=a; filename=f\r\n\r\n";
const CLOSE: &str = "--b--\r\n";

/// A form of these parts; chunked, so that nothing is announced.
pub(crate) fn form(parts: &str) -> String {
    let body = format!("{parts}{CLOSE}");
    let framing = "Content-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked";
    upload("/parts", framing) + &format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len())
}

type Row = (fn(&mut Limits, usize), [usize; 2], fn(usize) -> String);

#[test]
pub(crate) fn a_form_of_parts_has_what_the_bounds_allow_and_no_more() {
    let rows: [Row; 6] = [
        (
            |limits, value| limits.form_bytes = value as u64,
            [10 * KIB * KIB, 1000],
            |size| FILE.to_owned() + &"x".repeat(size - FILE.len() - 2 - CLOSE.len()) + "\r\n",
        ),
        (|limits, value| limits.form_files = value, [1_000, 3], |size| format!("{FILE}\r\n").repeat(size)),
        (|limits, value| limits.form_fields = value, [1_000, 3], |size| FIELD.repeat(size)),
        (
            |limits, value| limits.form_field_bytes = value,
            [KIB * KIB, 64],
            |size| FIELD.trim_end_matches("\r\n").to_owned() + "\r\n\r\n" + &"x".repeat(size - 1) + "\r\n",
        ),
        (
            |limits, value| limits.part_head_bytes = value,
            [16 * KIB, 200],
            |size| {
                let begin = FIELD.trim_end_matches("\r\n").to_owned() + "\r\nX: ";
                // The delimiter's line is none of the head, and the empty line at its end is.
                let counted = begin.len() - "--b\r\n".len() + "\r\n\r\n".len();
                begin + &"x".repeat(size - counted) + "\r\n\r\n\r\n"
            },
        ),
        (
            |limits, value| limits.part_head_fields = value,
            [16, 3],
            |size| {
                FIELD.trim_end_matches("\r\n").to_owned() + "\r\n" + &"X: y\r\n".repeat(size - 1) + "\r\n\r\n"
            },
        ),
    ];
    for (row, (set, [default, another], parts)) in rows.into_iter().enumerate() {
        assert_eq!(limits(|limits| set(limits, default)), Limits::default(), "row {row}");
        for bound in [default, another] {
            let limits = limits(|limits| set(limits, bound));
            for at_once in [usize::MAX, KIB] {
                let mut wire = serve(&limits);
                wire.files(MemoryFiles::new());
                let mut feed = |input: &str| {
                    for piece in input.as_bytes().chunks(at_once) {
                        wire.feed(piece);
                    }
                    wire.take_text()
                };
                let within = feed(&form(&parts(bound)));
                assert!(within.starts_with("HTTP/1.1 200 "), "row {row}, {bound}: {within}");
                let beyond = feed(&form(&parts(bound + 1)));
                assert!(beyond.starts_with("HTTP/1.1 413 "), "row {row}, {bound}: {beyond}");
            }
        }
    }
}

#[test]
pub(crate) fn files_are_in_memory_up_to_the_bound_together() {
    assert_eq!(limits(|limits| limits.form_file_memory_bytes = KIB * KIB), Limits::default());
    let seen = Arc::new(Mutex::new(0));
    let files = MemoryFiles::new();
    let (note, at) = (seen.clone(), files.clone());
    let handler = move |form: FormData| {
        *note.lock().unwrap() = at.temporaries();
        Text(form.files().len().to_string())
    };
    for bound in [KIB * KIB, 10] {
        let limits = limits(|limits| limits.form_file_memory_bytes = bound);
        for (size, unnamed) in [(bound - 1, 0), (bound, 1)] {
            let app = App::new().route("/parts", post(handler.clone())).build().unwrap();
            let mut wire = Wire::new(Session::with_limits(app, Arc::new(limits.clone())));
            wire.record(false).files(files.clone());
            wire.feed(form(&format!("{FILE}{}\r\n{FILE}1\r\n", "x".repeat(size))));
            wire.expect_start("HTTP/1.1 200 ");
            assert_eq!(*seen.lock().unwrap(), unnamed, "{size} of {bound}");
        }
    }
}
