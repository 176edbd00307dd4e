//! What the wire cases do not show: the boundary, the order of the calls, whose memory data are, and how much work
//! is done for it.

mod disposition;
mod work;

use bytes::Bytes;

use super::*;

const HEAD: &str = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n";

fn decoder(limits: Limits) -> Decoder {
    Decoder::new(&Boundary::new("b").unwrap(), limits)
}

/// All events that there are now, and the error that ends them.
fn events(decoder: &mut Decoder) -> (Vec<Event>, Option<Error>) {
    let mut events = Vec::new();
    loop {
        match decoder.next() {
            Ok(Some(event)) => events.push(event),
            Ok(None) => return (events, None),
            Err(error) => return (events, Some(error)),
        }
    }
}

#[test]
fn ghsa_59g5_xgcq_4qw3_a_bad_boundary_is_refused() {
    let longest = "x".repeat(70);
    for good in ["b", "0", "--", "a b", " b", "'()+_,-./:=?", "----=_Part_1", &longest] {
        assert!(Boundary::new(good).is_ok(), "{good}");
    }
    let too_long = "x".repeat(71);
    for bad in
        ["", " ", "b ", "a\r\nb", "a\0", "a\tb", "\u{e4}", "a\"b", "a;b", "a\\b", "a*b", "<>", &too_long]
    {
        let error = Boundary::new(bad).unwrap_err();
        assert_eq!((error.kind(), error.offset()), (ErrorKind::InvalidBoundary, 0), "{bad:?}");
    }
}

#[test]
fn f09_the_boundary_is_that_of_the_media_type() {
    for (media_type, expected) in [
        ("multipart/form-data; boundary=x-y", Ok("x-y")),
        ("multipart/form-data; charset=utf-8; BOUNDARY=\"a (b):?\"", Ok("a (b):?")),
        ("multipart/form-data; boundary=a; boundary*=UTF-8''b", Ok("a")),
        ("multipart/form-data; boundary*=UTF-8''b", Err(ErrorKind::MissingBoundary)),
        ("multipart/form-data; boundary=a; Boundary=b", Err(ErrorKind::InvalidBoundary)),
        ("multipart/form-data", Err(ErrorKind::MissingBoundary)),
        ("multipart/form-data; boundary", Err(ErrorKind::InvalidBoundary)),
        ("multipart/form-data; boundary = a; boundary=b", Err(ErrorKind::InvalidBoundary)),
        ("multipart/form-data; boundary=\"a\"x; boundary=b", Err(ErrorKind::InvalidBoundary)),
        ("multipart/form-data; boundary=a,; boundary=b", Err(ErrorKind::InvalidBoundary)),
        ("multipart/form-data; boundary=; Boundary=b", Err(ErrorKind::InvalidBoundary)),
        ("multipart/form-data; boundary; boundary=b", Err(ErrorKind::InvalidBoundary)),
        ("multipart/form-data; boundary=a/b", Err(ErrorKind::InvalidBoundary)),
        ("multipart/form-data; boundary=\"\"", Err(ErrorKind::InvalidBoundary)),
        ("multipart/form-data; boundary=\"a \"", Err(ErrorKind::InvalidBoundary)),
        ("multipart/form-data; boundary=a*b", Err(ErrorKind::InvalidBoundary)),
    ] {
        let found = Boundary::of(&crate::http::MediaType::parse(media_type).unwrap());
        let expected = expected.map(|text| Boundary::new(text).unwrap());
        assert_eq!(found.map_err(|error| error.kind()), expected, "{media_type}");
    }
}

#[test]
fn what_is_pushed_early_waits_and_what_comes_too_late_is_dropped() {
    let mut decoder = decoder(Limits::default());
    for piece in [HEAD, "", "one", " and ", "two", "\r\n--b-", "-\r\n"] {
        decoder.push(piece.into());
    }
    decoder.end();
    decoder.push("--b".into());
    let (events, error) = events(&mut decoder);
    assert!(matches!(events[0], Event::Part(_)));
    let data = ["one", " and ", "two"].map(|piece| Event::Data(piece.into()));
    assert_eq!(events[1..4], data);
    assert_eq!(events[4..], [Event::PartEnd, Event::End]);
    assert_eq!((error, decoder.offset()), (None, HEAD.len() as u64 + 20));
}

#[test]
fn an_error_stays() {
    let mut decoder = decoder(Limits::default());
    decoder.push("--b\r\nX y\r\n".into());
    let first = decoder.next().unwrap_err();
    assert_eq!((first.kind(), first.part_index()), (ErrorKind::InvalidFieldName, Some(0)));
    decoder.push(HEAD.into());
    decoder.end();
    assert_eq!(decoder.next(), Err(first.clone()));
    assert_eq!(decoder.next(), Err(first));
}

#[test]
fn data_are_slices_of_what_was_pushed() {
    let mut decoder = decoder(Limits::default());
    let pushed = Bytes::from([HEAD, "some\r\n--bdata", "\r\n--b--"].concat());
    let block = pushed.as_ptr_range();
    decoder.push(pushed.clone());
    let (events, _) = events(&mut decoder);
    let Event::Data(data) = &events[1] else { panic!("{events:?}") };
    assert_eq!(data, &"some\r\n--bdata");
    assert!(block.contains(&data.as_ptr()));
    // A head that is kept does not keep its block.
    let (head, _) = (events[0].clone(), drop(events));
    assert!(matches!(head, Event::Part(_)));
    drop(decoder);
    assert!(pushed.is_unique());
}

#[test]
fn a_head_gives_all_of_its_fields() {
    let mut decoder = decoder(Limits::default());
    decoder.push(
        "--b\r\ncontent-disposition:form-data;name=a;filename=\"\"\r\nX-Empty:\r\nX-Two: 1\r\nx-two:\t 2 \r\n\
         Content-Type: Text/CSV; charset=\"iso-8859-1\"\r\n\r\n"
            .into(),
    );
    let Ok(Some(Event::Part(head))) = decoder.next() else { panic!() };
    let fields: Vec<_> = head.fields().skip(1).take(3).collect();
    assert_eq!(fields, [("X-Empty", &b""[..]), ("X-Two", b"1"), ("x-two", b"2")]);
    assert_eq!(head.field("X-TWO"), Some(&b"1"[..]));
    assert_eq!((head.field("x-none"), head.name(), head.filename()), (None, "a", Some("")));
    assert_eq!(head.content_type().unwrap().essence(), "text/csv");
    assert_eq!(head.charset().as_deref(), Some("iso-8859-1"));
    assert!(head.is_file() && head.safe_filename().is_none());
}

#[test]
fn multer_67_axum_2818_actix_282_an_error_says_what_and_where_and_past_which_number() {
    let limits = Limits { field_bytes: 3, ..Limits::default() };
    let limited = |body: &str| {
        let mut decoder = decoder(limits);
        decoder.push(body.to_owned().into());
        decoder.end();
        events(&mut decoder).1.unwrap()
    };
    let error = limited(&[HEAD, "cake"].concat());
    assert_eq!(
        error.to_string(),
        "form_field_bytes is 3, and at least 4 were sent (in the part \"a\", at byte 52)"
    );
    assert_eq!(error.limit(), Some(crate::error::LimitExceeded::new("form_field_bytes", 3, 4)));
    assert_eq!((error.code(), error.status().as_u16(), error.part_index()), ("limit-exceeded", 413, Some(0)));

    let error = limited("--b\r\nno colon\r\n");
    let expected = "a field name in the head of a part is not a token (in part 1, at byte 7)";
    assert_eq!((error.to_string(), error.status().as_u16()), (expected.to_owned(), 400));
    assert_eq!((error.part(), error.part_index(), error.limit()), (None, Some(0), None));

    let name = "<\u{7f}\u{e4}>".repeat(30);
    let error = limited(&format!(
        "--b\r\nContent-Disposition: form-data; name=\"{}%0A\"\r\n\r\n",
        name.replace('\u{7f}', "%22")
    ));
    assert_eq!(error.part().map(|part| part.chars().count()), Some(121));
    let told = error.to_string();
    assert!(
        told.contains(r#"in the part "<\"ä><\"#) && told.contains(r#""..., at"#) && told.len() < 220,
        "{told}"
    );
}

#[test]
fn codes_are_unique_and_in_kebab_case() {
    let mut codes: Vec<_> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
    assert!(codes.iter().all(|code| code.bytes().all(|byte| byte == b'-' || byte.is_ascii_lowercase())));
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), ErrorKind::ALL.len());
}
