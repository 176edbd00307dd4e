//! What was found in other readers, each under its name.

use std::fmt::Write;

use bakestone::http::MediaType;
use bakestone::multipart::{Boundary, ErrorKind, Limits};

use crate::{Read, read};

const DISPOSITION: &str = "Content-Disposition: form-data; name=\"a\"";
const MIB: usize = 1 << 20;

/// The form whose only part has this head.
fn form(head: &str) -> String {
    format!("--b\r\n{head}\r\n\r\ndata\r\n--b--\r\n")
}

fn whole(body: &str) -> Read {
    read("b", Limits::default(), [body.as_bytes()])
}

/// The name of the limit that was passed, its value, and where.
fn exceeded(read: &Read) -> Option<(&'static str, u64, u64)> {
    let error = read.error.as_ref()?;
    let limit = error.limit()?;
    assert_eq!((error.kind(), error.status().as_u16()), (ErrorKind::LimitExceeded, 413));
    Some((limit.limit, limit.value, error.offset()))
}

#[test]
fn ghsa_pp6c_gr5w_3c5g_part_headers_are_bounded() {
    let mut many = DISPOSITION.to_owned();
    for field in 1..100_000 {
        write!(many, "\r\nx{field}: y").unwrap();
    }
    assert_eq!(
        exceeded(&whole(&form(&many))).map(|(limit, value, _)| (limit, value)),
        Some(("part_head_fields", 16))
    );

    let long = [DISPOSITION, "\r\nx: ", &"y".repeat(10 * MIB)].concat();
    assert_eq!(exceeded(&whole(&form(&long))), Some(("part_head_bytes", 16 << 10, (16 << 10) + 5)));
    let endless_name = "x".repeat(10 * MIB);
    assert_eq!(exceeded(&whole(&form(&endless_name))), Some(("part_head_bytes", 16 << 10, (16 << 10) + 5)));

    let mut at_the_bound = DISPOSITION.to_owned();
    for field in 1..16 {
        write!(at_the_bound, "\r\nx{field}: y").unwrap();
    }
    let rest = (16 << 10) - at_the_bound.len() - 4;
    at_the_bound += &"y".repeat(rest);
    let read = whole(&form(&at_the_bound));
    assert!(read.error.is_none() && read.parts[0].head.fields().count() == 16, "{read:?}");
    assert!(exceeded(&whole(&form(&(at_the_bound + "y")))).is_some());
}

#[test]
fn ghsa_mj87_hwqh_73pj_preamble_and_epilogue_are_bounded() {
    let good = form(DISPOSITION);
    for unit in ["x", "\r\n", "\r", "\n", "-", "--", "\r\n--", "\0"] {
        let much = unit.repeat(9 * MIB / unit.len());
        let before = whole(&[&much, "\r\n", &good[..]].concat());
        assert_eq!(exceeded(&before), Some(("form_preamble_bytes", 1 << 10, 1 << 10)), "{unit:?}");
        let behind = whole(&[&good[..], &much].concat());
        let end = (good.len() + (1 << 10)) as u64;
        assert_eq!(exceeded(&behind), Some(("form_preamble_bytes", 1 << 10, end)), "{unit:?}");
        assert!(behind.is_over, "{unit:?}");

        let little = unit.repeat((1 << 10) / unit.len());
        let read = whole(&[&little, "\r\n", &good[..], &little].concat());
        assert!(read.is_over && read.error.is_none(), "{unit:?}: {read:?}");
    }
}

#[test]
fn ghsa_59g5_xgcq_4qw3_a_bad_boundary_is_refused() {
    for parameters in
        ["", "; boundary", "; boundary=", "; boundary=\"\"", "; boundary=\"a\tb\"", "; boundary=\"open"]
    {
        let media_type = format!("multipart/form-data{parameters}");
        let error = Boundary::of(&MediaType::parse(&media_type).unwrap()).unwrap_err();
        let is_named = matches!(error.kind(), ErrorKind::MissingBoundary | ErrorKind::InvalidBoundary);
        assert!(is_named && error.status().as_u16() == 400, "{parameters}: {error}");
    }
    assert_eq!(Boundary::new(&"x".repeat(71)).unwrap_err().kind(), ErrorKind::InvalidBoundary);
}

#[test]
fn ghsa_vffw_93wf_4j4q_pysec_2026_3041_filename_star_smuggling() {
    let read = |parameters: &str| whole(&form(&format!("Content-Disposition: form-data; {parameters}")));
    let both = read("name=\"upload\"; filename=\"safe.txt\"; filename*=utf-8''evil.php");
    assert_eq!(both.parts[0].head.filename(), Some("safe.txt"));
    let alone = read("name=\"upload\"; filename*=utf-8''..%2Fb%C3%BCn.txt");
    let head = &alone.parts[0].head;
    assert_eq!(
        (head.filename(), head.safe_filename().as_deref()),
        (Some("../b\u{fc}n.txt"), Some("b\u{fc}n.txt"))
    );
    for parameters in ["name=\"comment\"; name*=utf-8''role", "name=a; filename*0=evil; filename*1=.php"] {
        assert_eq!(read(parameters).error.unwrap().kind(), ErrorKind::ExtendedName, "{parameters}");
    }
}
